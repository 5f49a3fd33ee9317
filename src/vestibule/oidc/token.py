"""The token endpoint: what is sent there and what may come back (RFC 6749 4.1.3, 5, 6)."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.strict_json import parse_object

_SECOND: Final = 1_000_000
_LONGEST_LIFE: Final = 10 * 366 * 86_400
_LONGEST_TOKEN: Final = 65_536
_REFUSALS: Final = {
    "invalid_grant": Reason.CODE_GRANT,
    "invalid_client": Reason.CODE_CLIENT,
    "unauthorized_client": Reason.CODE_CLIENT,
}


class ClientAuthentication(StrEnum):
    """How the client proves itself at the token endpoint (OIDC Core 9)."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"


@dataclass(frozen=True)
class TokenRequest:
    """A POST to the token endpoint. Holds the client's secret."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class TokenResponse:
    """Tokens of a code that was redeemed. `expires_in` is in microseconds."""

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int | None
    scope: str | None


@dataclass(frozen=True)
class RefreshResponse:
    """Tokens of a refresh; the ID token is optional there. `expires_in` is in microseconds."""

    access_token: str = field(repr=False)
    id_token: str | None = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int | None
    scope: str | None


def client_authentication(methods: Sequence[str]) -> ClientAuthentication:
    """Choose from `token_endpoint_auth_methods_supported`: basic unless only post is offered."""
    if ClientAuthentication.POST in methods and ClientAuthentication.BASIC not in methods:
        return ClientAuthentication.POST
    return ClientAuthentication.BASIC


def token_request(
    *,
    code: str,
    redirect_url: str,
    client_id: str,
    client_secret: str,
    code_verifier: str,
    method: ClientAuthentication = ClientAuthentication.BASIC,
) -> TokenRequest:
    """Return the request that redeems `code`; everything in it is form-encoded."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_url,
        "code_verifier": code_verifier,
    }
    return _request(form, client_id=client_id, client_secret=client_secret, method=method)


def refresh_request(
    *,
    refresh_token: str,
    client_id: str,
    client_secret: str,
    method: ClientAuthentication = ClientAuthentication.BASIC,
) -> TokenRequest:
    """Return the request for new tokens (RFC 6749 6)."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return _request(form, client_id=client_id, client_secret=client_secret, method=method)


def parse_token_response(status: int, content_type: str | None, body: bytes) -> TokenResponse:
    """Read the answer to `token_request`.

    Raises OidcError whose reason says what the provider did: oidc.code.grant, .client, .refused,
    .redirect, .unavailable, .answer (not the JSON of RFC 6749 5.1), .id_token, .token_type. The
    code is spent either way; nothing may be sent twice.
    """
    answer = _answer(status, content_type, body)
    id_token = _text(answer, "id_token", reason=Reason.CODE_ID_TOKEN)
    return TokenResponse(
        access_token=_text(answer, "access_token"),
        id_token=id_token,
        refresh_token=_optional_text(answer, "refresh_token"),
        expires_in=_expires_in(answer),
        scope=_optional_text(answer, "scope"),
    )


def parse_refresh_response(status: int, content_type: str | None, body: bytes) -> RefreshResponse:
    """Read the answer to `refresh_request`; raises as `parse_token_response` does."""
    answer = _answer(status, content_type, body)
    given = answer.get("id_token") is not None
    return RefreshResponse(
        access_token=_text(answer, "access_token"),
        id_token=_text(answer, "id_token", reason=Reason.CODE_ID_TOKEN) if given else None,
        refresh_token=_optional_text(answer, "refresh_token"),
        expires_in=_expires_in(answer),
        scope=_optional_text(answer, "scope"),
    )


def is_json(content_type: str | None) -> bool:
    """Tell whether a Content-Type is application/json, whatever its parameters."""
    return (content_type or "").split(";", 1)[0].strip().lower() == "application/json"


def _request(
    form: dict[str, str], *, client_id: str, client_secret: str, method: ClientAuthentication
) -> TokenRequest:
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    if method is ClientAuthentication.POST:
        form |= {"client_id": client_id, "client_secret": client_secret}
    else:
        # RFC 6749 2.3.1: both halves are form-encoded before they are joined by a colon.
        pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")
    return TokenRequest(headers=headers, body=urlencode(form).encode("ascii"))


def _answer(status: int, content_type: str | None, body: bytes) -> dict[str, Any]:
    if status != 200 or not is_json(content_type):
        raise _refusal(status, content_type, body)
    answer = parse_object(body, reason=Reason.CODE_ANSWER)
    if "error" in answer:
        raise _named_refusal(status, answer)
    token_type = answer.get("token_type")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise OidcError(
            Reason.CODE_TOKEN_TYPE,
            expected="token_type Bearer",
            received=token_type if isinstance(token_type, str) else "none",
        )
    return answer


def _refusal(status: int, content_type: str | None, body: bytes) -> OidcError:
    received = f"status {status}, {content_type or 'no content type'}"
    if 300 <= status < 400:
        # Following it would hand the code and the client's secret to another address.
        return OidcError(Reason.CODE_REDIRECT, expected="an answer", received=f"status {status}")
    if status >= 500:
        return OidcError(Reason.CODE_UNAVAILABLE, expected="status 200", received=received)
    if status in {400, 401} and is_json(content_type):
        return _named_refusal(status, parse_object(body, reason=Reason.CODE_ANSWER))
    reason = {200: Reason.CODE_ANSWER, 401: Reason.CODE_CLIENT}.get(status, Reason.CODE_REFUSED)
    return OidcError(reason, expected="status 200, application/json", received=received)


def _named_refusal(status: int, answer: dict[str, Any]) -> OidcError:
    error, words = answer.get("error"), answer.get("error_description")
    named = error if isinstance(error, str) else f"status {status} without an error code"
    reason = _REFUSALS.get(named, Reason.CODE_CLIENT if status == 401 else Reason.CODE_REFUSED)
    received = f"{named}: {words}" if isinstance(words, str) else named
    return OidcError(reason, expected="tokens", received=received)


def _text(answer: dict[str, Any], name: str, *, reason: Reason = Reason.CODE_ANSWER) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value or len(value) > _LONGEST_TOKEN:
        kind = "none" if value is None else "another value"
        raise OidcError(reason, expected=f"{name}: text", received=kind)
    return value


def _optional_text(answer: dict[str, Any], name: str) -> str | None:
    return None if answer.get(name) is None else _text(answer, name)


def _expires_in(answer: dict[str, Any]) -> int | None:
    value = answer.get("expires_in")
    if value is None:
        return None
    # Azure's first-generation endpoint writes the number as text.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LONGEST_LIFE:
        raise OidcError(
            Reason.CODE_ANSWER, expected="expires_in: seconds", received="another value"
        )
    return value * _SECOND
