"""Redirect URLs: which may be registered, and whether a given one is registered (semantics 1.1).

A URL is split once, by one strict pattern: what does not fit it is refused, so that no two parsers
can disagree about the host (security.md ST-08).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import parse_qsl

from vestibule import errors
from vestibule.errors import ErrorType, Failure
from vestibule.records import Project, RedirectUrl

Kind = Literal["login", "signup", "logout"]

_PLACEHOLDER: Final = "{}"
_MAX_LENGTH: Final = 2048
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_DEFAULT_PORTS: Final = {"https": "443", "http": "80"}
# Scheme, host without user information, optional port, path and query; no fragment, no
# backslash, no control character, nothing outside ASCII.
_URL: Final = re.compile(
    r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.\-]*)://"
    r"(?P<host>[A-Za-z0-9.\-_]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*)?"
    r"(?:\?(?P<query>[A-Za-z0-9\-._~!$&'()*+,;=:@%/?{}\[\]]*))?"
)
_INVALID: Final = {
    "login": errors.invalid_login_sso_url,
    "signup": errors.invalid_signup_sso_url,
    "logout": errors.invalid_logout_redirect_url,
}
_NONE_SET: Final = {
    "login": errors.no_login_redirect_urls_set,
    "signup": errors.no_signup_redirect_urls_set,
    "logout": errors.no_logout_redirect_urls_set,
}
_NO_DEFAULT: Final = {
    "login": errors.no_default_login_redirect_url_set,
    "signup": errors.no_default_signup_redirect_url_set,
    "logout": errors.no_default_logout_redirect_url_set,
}


@dataclass(frozen=True)
class Split:
    """A URL in the parts that are compared."""

    place: tuple[str, str, str, str]
    query: tuple[tuple[str, str], ...]


def has_placeholder(url: str) -> bool:
    """True when a query value is `{}`, which stands for any value."""
    return _PLACEHOLDER in url


def is_native(url: str) -> bool:
    """True when `url` is an application's on a device, not a web address (RFC 8252 7.1).

    Any other application there may take its scheme, too, so a token that is sent to it needs PKCE.
    """
    return "." in url.partition(":")[0]


def may_be_default(url: str) -> bool:
    """True for what a browser can be sent to as it is, with no challenge to a sign-in."""
    return not has_placeholder(url) and not is_native(url)


def check_registration(project: Project, url: str) -> None:
    """Pass when `url` may be registered. Raises Failure saying what is wrong with it."""
    split = _split(url, errors.invalid_login_sso_url)
    scheme, host = split.place[0], split.place[1]
    if is_native(url):
        return
    if scheme not in {"https", "http"}:
        raise Failure(
            errors.redirect_url_cannot_use_protocol,
            "Expected https, or for an application on a device its domain in reverse order, such "
            "as com.example.app://callback.",
        )
    if project.environment == "live" and scheme != "https":
        raise Failure(errors.redirect_url_must_use_https)
    if scheme == "http" and host not in _LOOPBACK:
        raise Failure(errors.redirect_url_must_use_https, "http is only for localhost; use https.")


def choose(registered: Sequence[RedirectUrl], kind: Kind, given: str) -> str:
    """Return the URL that a browser will be sent to: `given` when registered, or the default.

    Raises Failure: the project has none of this kind, has no default, or does not know `given`.
    """
    of_kind = [item for item in registered if getattr(item, kind)]
    if given:
        _match(of_kind, given, _INVALID[kind])
        return given
    if not of_kind:
        raise Failure(_NONE_SET[kind])
    for item in of_kind:
        if getattr(item, f"default_{kind}"):
            return item.url
    raise Failure(_NO_DEFAULT[kind])


def require_registered(registered: Sequence[RedirectUrl], url: str) -> None:
    """Pass for a login's or signup's URL that was chosen before and is registered still.

    Raises Failure no_match_for_provided_sso_url or query_params_do_not_match.
    """
    _match([each for each in registered if each.login or each.signup], url, _INVALID["login"])


def origin_of(url: str) -> str:
    """Return the origin of the page at `url` as browsers write it; '' when it cannot be read."""
    try:
        scheme, host, port, _ = _split(url, errors.bad_request).place
    except Failure:
        return ""
    return f"{scheme}://{host}" + (f":{port}" if port != _DEFAULT_PORTS.get(scheme, "") else "")


def with_parameters(url: str, **parameters: str) -> str:
    """Return `url` with more query parameters; the values must be URL-safe already."""
    added = "&".join(f"{name}={value}" for name, value in parameters.items())
    return f"{url}{'&' if '?' in url else '?'}{added}"


def _match(registered: Sequence[RedirectUrl], given: str, invalid: ErrorType) -> None:
    wanted = _split(given, invalid)
    if has_placeholder(given):
        raise Failure(invalid)
    same_place = [
        split for item in registered if (split := _split(item.url, invalid)).place == wanted.place
    ]
    if not same_place:
        raise Failure(errors.no_match_for_provided_sso_url)
    if not any(_same_query(split.query, wanted.query) for split in same_place):
        raise Failure(errors.query_params_do_not_match)


def _same_query(
    registered: tuple[tuple[str, str], ...], given: tuple[tuple[str, str], ...]
) -> bool:
    return len(registered) == len(given) and all(
        name == given_name and value in (_PLACEHOLDER, given_value)
        for (name, value), (given_name, given_value) in zip(registered, given, strict=True)
    )


def _split(url: str, invalid: ErrorType) -> Split:
    found = _URL.fullmatch(url) if len(url) <= _MAX_LENGTH else None
    if found is None:
        raise Failure(invalid)
    scheme = found["scheme"].lower()
    default_port = _DEFAULT_PORTS.get(scheme, "")
    place = (scheme, found["host"].lower(), found["port"] or default_port, found["path"] or "/")
    return Split(place, tuple(sorted(parse_qsl(found["query"] or "", keep_blank_values=True))))
