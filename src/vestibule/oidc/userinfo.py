"""The userinfo endpoint's answer (OIDC Core 5.3), and whose e-mail address is to be believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from vestibule.oidc.claims import is_subject
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.strict_json import parse_object
from vestibule.oidc.token import is_json

_LONGEST_ADDRESS: Final = 320
_SPOKEN: Final = {"true": True, "false": False}


@dataclass(frozen=True)
class Email:
    """An address as the provider gives it. `verified` is None when the provider does not say."""

    address: str
    verified: bool | None


def parse_userinfo(
    status: int, content_type: str | None, body: bytes, *, subject: str
) -> Mapping[str, Any]:
    """Return the claims about `subject`, the verified ID token's sub.

    Raises OidcError: oidc.userinfo for anything but a JSON object (a signed answer was not asked
    for, and is not accepted), oidc.sub when it is about somebody else or nobody (OIDC Core 5.3.2).
    """
    claims = _object(status, content_type, body)
    received = claims.get("sub")
    if not is_subject(received) or received != subject:
        raise OidcError(
            Reason.SUBJECT,
            expected=f"sub {subject}",
            received=f"sub {received}" if isinstance(received, str) else "no sub",
        )
    return MappingProxyType(claims)


def parse_address(status: int, content_type: str | None, body: bytes) -> str:
    """Return the e-mail address in an answer that belongs to no login of ours.

    Raises OidcError: oidc.userinfo for anything but a JSON object, oidc.email when it has no
    address or says that it is not verified.
    """
    email = read_email(id_token={}, userinfo=_object(status, content_type, body))
    if email is None:
        raise OidcError(Reason.EMAIL, expected="email: an address", received="none")
    return email.address


def _object(status: int, content_type: str | None, body: bytes) -> dict[str, Any]:
    if status != 200 or not is_json(content_type):
        raise OidcError(
            Reason.USERINFO,
            expected="status 200, application/json",
            received=f"status {status}, {content_type or 'no content type'}",
        )
    return parse_object(body, reason=Reason.USERINFO)


def read_email(
    *, id_token: Mapping[str, Any], userinfo: Mapping[str, Any] | None = None
) -> Email | None:
    """Return the address, with `email_verified` from the source that gave the address.

    userinfo is asked first: it is the fresher one. None when neither has an address. Raises
    OidcError(oidc.email) when the address is not text, or the provider says that it is not
    verified. "true" and "false" as text are understood (Amazon Cognito, Apple); nothing else is.
    """
    for source in (userinfo or {}, id_token):
        if source.get("email") is not None:
            return Email(_address(source["email"]), _verified(source.get("email_verified")))
    return None


def _address(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ADDRESS:
        raise OidcError(Reason.EMAIL, expected="email: an address", received="another value")
    return value


def _verified(value: object) -> bool | None:
    verified = _SPOKEN.get(value, value) if isinstance(value, str) else value
    if verified is None or verified is True:
        return verified
    raise OidcError(
        Reason.EMAIL,
        expected="email_verified: true or absent",
        received=f"{value}" if isinstance(value, bool | str) else "another value",
    )
