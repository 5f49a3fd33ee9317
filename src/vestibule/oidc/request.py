"""The authorization request and its callback (OIDC Core 3.1.2, RFC 7636, RFC 9207)."""

import base64
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.urls import check_url

_OPENID: Final = "openid"
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,256}", re.ASCII)
_LONGEST_QUERY: Final = 32_768
_MOST_PARAMETERS: Final = 50
# Answers of flows that were not asked for: implicit, hybrid (RFC 9700 2.1.2) and signed responses.
_FRONT_CHANNEL: Final = ("id_token", "access_token", "token_type", "response")


@dataclass(frozen=True)
class Callback:
    """What a good callback carries. `code` is a secret until it is redeemed."""

    code: str = field(repr=False)
    state: str = field(repr=False)
    iss: str | None


def authorization_url(
    *,
    endpoint: str,
    client_id: str,
    redirect_url: str,
    scopes: Sequence[str],
    state: str,
    nonce: str,
    code_challenge: str,
    max_age: int | None = None,
) -> str:
    """Return where to send the browser: code flow, nonce, S256.

    The endpoint's own query is kept (RFC 6749 3.1) unless it names one of our parameters, which is
    refused. `openid` is always among the scopes. `max_age` is in seconds and only for the wire.
    Raises OidcError(oidc.url) or (oidc.scope).
    """
    check_url(endpoint, reason=Reason.URL, secure=False)
    parameters = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_url,
        "scope": " ".join(_scopes(scopes)),
        "state": state,
        "nonce": nonce,
        "code_challenge": code_challenge,
        "code_challenge_method": "S256",
    }
    if max_age is not None:
        parameters["max_age"] = str(max_age)
    return with_parameters(
        endpoint, parameters, reserved={"request", "request_uri", "response_mode"}
    )


def with_parameters(
    endpoint: str, parameters: Mapping[str, str], *, reserved: Collection[str] = ()
) -> str:
    """Return an endpoint of a provider with our parameters behind those it has.

    Raises OidcError(oidc.url) when its own query names one of ours, or a `reserved` one.
    """
    query = urlsplit(endpoint).query
    given = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
    taken = given & {*parameters, *reserved}
    if taken:
        raise OidcError(
            Reason.URL,
            expected="an endpoint whose query leaves our parameters alone",
            received=", ".join(sorted(taken)),
        )
    joint = "&" if query else "" if endpoint.endswith("?") else "?"
    return endpoint + joint + urlencode(parameters)


def code_challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 4.2).

    Raises ValueError for a verifier that is not 43 to 128 unreserved characters: it is ours.
    """
    if not _VERIFIER.fullmatch(verifier):
        raise ValueError("a code verifier has 43 to 128 unreserved characters")
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def peek_state(query: str) -> str | None:
    """Return the state a callback claims, to find its sign-in before anything else is judged.

    Unverified. None where there is none, or more than one, or the query cannot be read at all:
    `parse_callback` says what is wrong with it.
    """
    try:
        states = [value for name, value in _pairs(query) if name == "state"]
    except OidcError:
        return None
    return states[0] if len(states) == 1 and states[0] else None


def parse_callback(
    query: str, *, issuer: str | None, iss_parameter_supported: bool = False
) -> Callback:
    """Read the query of a callback.

    `issuer` is the provider's; the `iss` parameter, where it is given, must be it (RFC 9207 2.4),
    and must be given when the provider's metadata says that it is. None: any `iss` is refused (an
    issuer that is a template cannot be compared).
    Raises OidcError: oidc.callback for doubled or foreign parameters, oidc.state, oidc.iss, and
    oidc.code when the provider answers with an error; its own words are in `received`.
    """
    parameters = _once(_pairs(query))
    state = parameters.get("state")
    if not state:
        raise OidcError(Reason.STATE, expected="a state", received="none")
    for name in _FRONT_CHANNEL:
        if name in parameters:
            raise OidcError(Reason.CALLBACK, expected="a code only", received=name)
    error, code = parameters.get("error"), parameters.get("code")
    if error is not None and code is not None:
        raise OidcError(Reason.CALLBACK, expected="a code or an error", received="both")
    iss = parameters.get("iss")
    _check_iss(iss, issuer=issuer, required=iss_parameter_supported)
    if error is not None:
        words = parameters.get("error_description")
        raise OidcError(
            Reason.CODE, expected="a code", received=f"{error}: {words}" if words else error
        )
    if not code:
        raise OidcError(Reason.CODE, expected="a code", received="none")
    return Callback(code=code, state=state, iss=iss)


def _scopes(scopes: Sequence[str]) -> list[str]:
    wanted = list(dict.fromkeys([_OPENID, *scopes]))
    for scope in wanted:
        if not _SCOPE.fullmatch(scope):
            raise OidcError(Reason.SCOPE, expected="a scope of RFC 6749 3.3", received=scope)
    return wanted


def _pairs(query: str) -> list[tuple[str, str]]:
    if len(query) > _LONGEST_QUERY:
        raise OidcError(
            Reason.CALLBACK,
            expected=f"at most {_LONGEST_QUERY} characters",
            received=f"{len(query)}",
        )
    try:
        return parse_qsl(
            query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
        )
    except ValueError:
        raise OidcError(
            Reason.CALLBACK,
            expected=f"at most {_MOST_PARAMETERS} parameters in UTF-8",
            received="another query",
        ) from None


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise OidcError(
            Reason.CALLBACK, expected="each parameter once", received=f"{twice} more than once"
        )
    return parameters


def _check_iss(iss: str | None, *, issuer: str | None, required: bool) -> None:
    if iss is None and not required:
        return
    if iss is None or iss != issuer:
        raise OidcError(
            Reason.ISSUER, expected=f"iss parameter {issuer}", received=iss or "no iss parameter"
        )
