"""An ID token that came with a refresh: it may say nothing new about who it is (OIDC Core 12.2)."""

from typing import Final

from vestibule.oidc.base64url import decode_base64url
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.expectation import Expectation
from vestibule.oidc.id_token import VerifiedIdToken, verify_id_token
from vestibule.oidc.jwks import Key
from vestibule.oidc.strict_json import parse_object

_UNCHANGED: Final = {"nonce": Reason.NONCE, "auth_time": Reason.AUTH_TIME}


def verify_refreshed_id_token(
    token: str,
    keys: tuple[Key, ...],
    expectation: Expectation,
    *,
    before: str,
    access_token: str,
    now: int,
) -> VerifiedIdToken:
    """Verify `token` at `now` (microseconds) as one that takes the place of `before`.

    `expectation` names the subject and no nonce; `before` was verified when it came. Where both
    have a nonce or the time of the authentication these are the same. Raises OidcError as
    `verify_id_token` does.
    """
    verified = verify_id_token(token, keys, expectation, access_token=access_token, now=now)
    earlier = parse_object(decode_base64url(before.split(".")[1]), reason=Reason.ID_TOKEN)
    for name, reason in _UNCHANGED.items():
        both = name in earlier and name in verified.claims
        if both and verified.claims[name] != earlier[name]:
            raise OidcError(reason, expected=f"{name} as before, or none", received="another")
    return verified
