"""Which side has to act on each refusal, and what it does: the knowledge behind every trace."""

from collections.abc import Mapping
from typing import Final

from vestibule.oidc.errors import Reason
from vestibule.remedy import Remedy, identity_provider, user, vestibule


def remedy(reason: Reason) -> Remedy:
    """Return what ends refusals with this reason."""
    return _REMEDIES[reason]


_AGAIN: Final = (
    "Go back to the application and sign in again in one browser tab; do not use a bookmark or "
    "the back button of a login page."
)
_ENDPOINTS: Final = (
    "Enter the connection's issuer again, so that its discovery document is read, or correct "
    "authorization_url, token_url, userinfo_url and jwks_url."
)
_CLOCK: Final = (
    "Set the clock of the identity provider by a time server (NTP); this server allows for the "
    "clock skew of its settings and no more."
)
_SIGN: Final = (
    "Choose RS256 or ES256 with a key of at least 2048 bits as the ID token signature of the "
    "application."
)
_WRITTEN_WRONG: Final = (
    "The identity provider's software made this answer wrong: install its updates, or report what "
    "came to its vendor."
)
_NOT_MEANT: Final = (
    "Treat it as an attack if it happens again: the answer belongs to another login than the one "
    "that was begun."
)
_CODE_FLOW: Final = (
    "Allow the authorization code grant, with openid among the scopes, for the application."
)
_CREDENTIALS: Final = (
    "Compare client_id and client_secret with the application's and enter them anew; if they are "
    "right, set client_authentication in the connection's settings."
)
_REACHABLE: Final = (
    "See whether the identity provider is up and answers this server's requests; an address in a "
    "private network has to be listed in the server's settings."
)

_SETTINGS: Final = {
    Reason.URL: vestibule(_ENDPOINTS),
    Reason.SCOPE: vestibule("Correct custom_scopes: names of scopes, separated by spaces."),
    Reason.DISCOVERY: vestibule(_ENDPOINTS),
    Reason.JWKS: identity_provider(
        "See whether the connection's jwks_url is right, and whether RSA or EC keys for "
        "signatures are published there."
    ),
}
_CODE: Final = {
    Reason.STATE: user(_AGAIN),
    Reason.CALLBACK: identity_provider(_CODE_FLOW),
    Reason.CODE: identity_provider(
        "Read what the identity provider says here and in its sign-in log; mostly the person is "
        "not assigned to the application, or has refused."
    ),
    Reason.CODE_GRANT: identity_provider(
        "Sign in again; if it happens each time, let the application's redirect URI be the "
        "connection's redirect_url, character by character."
    ),
    Reason.CODE_CLIENT: vestibule(_CREDENTIALS),
    Reason.CODE_REFUSED: identity_provider(_CODE_FLOW),
    Reason.CODE_REDIRECT: identity_provider(
        "Enter the token_url that the identity provider's discovery document names: the one of "
        "the connection leads elsewhere."
    ),
    Reason.CODE_UNAVAILABLE: identity_provider(_REACHABLE),
    Reason.CODE_ANSWER: identity_provider(_WRITTEN_WRONG),
    Reason.CODE_ID_TOKEN: identity_provider(_CODE_FLOW),
    Reason.CODE_TOKEN_TYPE: identity_provider(
        "Switch off DPoP and mutual TLS for the tokens of the application: they have to be Bearer "
        "tokens."
    ),
}
_TOKEN: Final = {
    Reason.ID_TOKEN: identity_provider(_WRITTEN_WRONG),
    Reason.ALGORITHM: identity_provider(_SIGN),
    Reason.KEY: identity_provider(
        "Let the identity provider publish the key that it signs with at the connection's "
        "jwks_url, under the kid that its tokens name."
    ),
    Reason.SIGNATURE: identity_provider(
        "See whether the connection's jwks_url is that of the issuer: the token is signed by "
        "another key of the same name."
    ),
    Reason.ISSUER: vestibule(
        "Enter the issuer into the connection exactly as the identity provider writes it, to the "
        "last slash."
    ),
    Reason.AUDIENCE: vestibule(
        "Let the connection's client_id be that of the application that its people sign in to."
    ),
    Reason.EXPIRED: identity_provider(_CLOCK),
    Reason.ISSUED_AT: identity_provider(_CLOCK),
    Reason.NOT_BEFORE: identity_provider(_CLOCK),
    Reason.AUTH_TIME: identity_provider(_WRITTEN_WRONG),
    Reason.NONCE: user(_NOT_MEANT),
    Reason.ACCESS_TOKEN_HASH: identity_provider(_NOT_MEANT),
    Reason.CODE_HASH: identity_provider(_NOT_MEANT),
    Reason.SUBJECT: identity_provider(
        "See whether the connection's userinfo_url is that of the issuer: it tells of another "
        "person than the ID token."
    ),
    Reason.TRUSTED: identity_provider(
        "Let the token have the claims that the profile's attribute_mapping names."
    ),
}
_PERSON: Final = {
    Reason.LOGOUT: identity_provider(_WRITTEN_WRONG),
    Reason.LOGOUT_REPLAY: identity_provider(
        "Nothing is to be done if it comes once more: this logout has been carried out already."
    ),
    Reason.USERINFO: identity_provider(
        "See whether the connection's userinfo_url is right and answers in JSON, not as a signed "
        "or encrypted token."
    ),
    Reason.EMAIL: identity_provider(
        "Let the identity provider send the person's verified e-mail address in the claim email, "
        "or map email to another claim."
    ),
}
_REMEDIES: Final[Mapping[Reason, Remedy]] = {**_SETTINGS, **_CODE, **_TOKEN, **_PERSON}
