"""What is odd about an OIDC connection that was just changed, in words for who changed it.

Each returns a sentence that begins with the field, or '' when there is nothing to say.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from vestibule.fetch import FetchError
from vestibule.identity_providers.pitfalls import Pitfall, advice
from vestibule.oidc.discovery import Discovery
from vestibule.oidc.errors import OidcError, shown
from vestibule.oidc.token import ClientAuthentication
from vestibule.records import Connection, OidcConfiguration

ENDPOINTS: Final = ("authorization_url", "token_url", "userinfo_url", "jwks_url")
DISCOVERY_URL: Final = "issuer: this was the address of a discovery document; its issuer is used."


def unusable(error: OidcError | FetchError) -> str:
    """Say what was wrong with the discovery document."""
    if isinstance(error, OidcError):
        said = f"expected {error.expected}, received {error.received}"
    else:
        said = "it could not be fetched"
    return (
        f"The discovery document of this issuer could not be used ({said}); check the issuer, or "
        "give authorization_url, token_url, userinfo_url and jwks_url yourself."
    )


def endpoints_left(
    before: OidcConfiguration, after: OidcConfiguration, found: Discovery | None
) -> str:
    """Say which endpoints stay those of the issuer before, which the new one does not know."""
    if found is not None or not before.issuer or after.issuer == before.issuer:
        return ""
    names = [
        name
        for name in ENDPOINTS
        if getattr(after, name) and getattr(after, name) == getattr(before, name)
    ]
    if not names:
        return ""
    return f"{', '.join(names)}: still as they were with the issuer {shown(before.issuer)}."


def methods(found: Discovery | None) -> str:
    """Say that the provider takes none of the ways in which this server proves itself."""
    if found is None or not found.token_auth_methods:
        return ""
    if any(method in found.token_auth_methods for method in ClientAuthentication):
        return ""
    return (
        "client_secret: the provider's token endpoint names only "
        f"{shown(', '.join(found.token_auth_methods))}; allow {' or '.join(ClientAuthentication)} "
        "for this client there."
    )


def userinfo_missing(oidc: OidcConfiguration) -> str:
    """Say that the userinfo endpoint is missing, when it is the only one that is."""
    if oidc.userinfo_url or not (oidc.authorization_url and oidc.token_url and oidc.jwks_url):
        return ""
    return (
        "userinfo_url: it is missing, and nobody can sign in without it. Where the provider's "
        "discovery document names no userinfo_endpoint, give the address that the provider "
        "documents, or have the endpoint turned on there."
    )


def secret_moves(
    before: OidcConfiguration, after: OidcConfiguration, sent: Mapping[str, Any]
) -> str:
    """Say where a stored secret goes from now on, when that changes without a new one (OI-46).

    Only a call that configures the connection can do this: discovery is never read at a login.
    """
    old, new = urlsplit(before.token_url).netloc, urlsplit(after.token_url).netloc
    if not before.client_secret or sent.get("client_secret") or not old or not new or old == new:
        return ""
    return (
        f"token_url: it was at {old} and is now at {new}, where the stored client_secret will be "
        "sent; give the client_secret that belongs to the new one."
    )


def secret_missing(connection: Connection) -> str:
    """Say where the client secret is found once all that a person enters is there but that."""
    oidc = connection.oidc
    if oidc is None or not oidc.issuer or not oidc.client_id or oidc.client_secret:
        return ""
    vendor = connection.identity_provider
    return "client_secret: " + advice(Pitfall.MISSING_SECRET, vendor=vendor, protocol="oidc").fix
