"""A provider's own description of itself (OpenID Connect Discovery 1.0)."""

from dataclasses import dataclass
from typing import Any, Final

from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.strict_json import parse_object
from vestibule.oidc.urls import check_url, is_secure

TENANT: Final = "{tenantid}"
_PATH: Final = "/.well-known/openid-configuration"
_OTHER_PATH: Final = "/.well-known/oauth-authorization-server"


@dataclass(frozen=True)
class Discovery:
    """What a connection needs to know of its provider.

    Not every one has a `userinfo_url`, or an `end_session_url` that a browser may be sent to.
    """

    issuer: str
    authorization_url: str
    token_url: str
    userinfo_url: str | None
    jwks_url: str
    iss_parameter_supported: bool
    token_auth_methods: tuple[str, ...]
    end_session_url: str | None = None


def discovery_url(issuer: str) -> str:
    """Return where `issuer` publishes its configuration (Discovery 4.1).

    One slash at the end of the issuer is dropped here, never in comparisons of `iss`. A template of
    Microsoft Entra is read at its document for all work and school accounts.
    Raises OidcError(oidc.url) when the issuer is not a URL, or has a query.
    """
    address = issuer.replace(TENANT, "organizations")
    check_url(address, reason=Reason.URL, secure=False)
    if "?" in address:
        raise OidcError(Reason.URL, expected="an issuer without a query", received=issuer)
    return address.removesuffix("/") + _PATH


def issuer_of(url: str) -> str | None:
    """Return the issuer that this address of a discovery document stands for; None for others.

    The document may name it with a slash at its end, which an address does not tell.
    """
    address = url.strip().partition("?")[0].removesuffix("/")
    for path in (_PATH, _OTHER_PATH):
        if address.endswith(path):
            return address.removesuffix(path)
    return None


def parse_discovery(data: bytes, *, issuer: str) -> Discovery:
    """Read a configuration document fetched for `issuer`.

    Endpoints must be https; a provider whose issuer is http (inside the operator's own network)
    may have http endpoints. Raises OidcError(oidc.discovery); also when the document names
    another issuer (Discovery 4.3).
    """
    document = parse_object(data, reason=Reason.DISCOVERY)
    named = document.get("issuer")
    if named != issuer:
        raise OidcError(
            Reason.DISCOVERY,
            expected=f"issuer {issuer}",
            received=f"issuer {named}" if isinstance(named, str) else "no issuer",
        )
    secure = is_secure(issuer)
    return Discovery(
        issuer=issuer,
        authorization_url=_endpoint(document, "authorization_endpoint", secure=secure),
        token_url=_endpoint(document, "token_endpoint", secure=secure),
        userinfo_url=_endpoint(document, "userinfo_endpoint", secure=secure)
        if document.get("userinfo_endpoint") is not None
        else None,
        jwks_url=_endpoint(document, "jwks_uri", secure=secure),
        iss_parameter_supported=_flag(document, "authorization_response_iss_parameter_supported"),
        token_auth_methods=_names(document, "token_endpoint_auth_methods_supported"),
        end_session_url=_logout_endpoint(document, secure=secure),
    )


def _logout_endpoint(document: dict[str, Any], *, secure: bool) -> str | None:
    """Where logouts go (RP-Initiated Logout 1.0, 2.1). A bad one must not keep logins away."""
    try:
        return _endpoint(document, "end_session_endpoint", secure=secure)
    except OidcError:
        return None


def _endpoint(document: dict[str, Any], name: str, *, secure: bool) -> str:
    try:
        return check_url(document.get(name), reason=Reason.DISCOVERY, secure=secure)
    except OidcError as error:
        raise OidcError(
            Reason.DISCOVERY,
            expected=f"{name}: {error.expected}",
            received=error.received,
        ) from None


def _flag(document: dict[str, Any], name: str) -> bool:
    value = document.get(name, False)
    if not isinstance(value, bool):
        raise OidcError(Reason.DISCOVERY, expected=f"{name}: true or false", received=repr(value))
    return value


def _names(document: dict[str, Any], name: str) -> tuple[str, ...]:
    values = document.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise OidcError(Reason.DISCOVERY, expected=f"{name}: a list of names", received="another")
    return tuple(values)
