"""What a URL of a provider may look like, before anything is fetched or anybody is sent there."""

from typing import Final
from urllib.parse import SplitResult, urlsplit

from vestibule.oidc.errors import OidcError, Reason

_LONGEST_URL: Final = 2048
_PRINTABLE: Final = frozenset(map(chr, range(0x21, 0x7F))) - frozenset('"<>\\^`{|}')


def check_url(value: object, *, reason: Reason, secure: bool = True) -> str:
    """Return `value` when it is an absolute https URL that every reader splits alike.

    Refused: anything but printable ASCII of RFC 3986, user information, a fragment, a missing
    host, a port that is none. `secure=False` admits http as well; whether such a host may be
    spoken to at all is for the guard of outbound requests. Raises OidcError(reason).
    """
    wanted = "an https URL" if secure else "an https or http URL"
    if not isinstance(value, str):
        raise OidcError(reason, expected=wanted, received=_kind(value))
    parts = _split(value)
    schemes = {"https"} if secure else {"https", "http"}
    if parts is None or parts.scheme not in schemes:
        raise OidcError(reason, expected=wanted, received=value)
    return value


def host_of(url: str) -> str:
    """Return the host that a text names as a URL, in lower case; '' when it names none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_secure(url: str) -> bool:
    """Tell whether `url` is https."""
    return url.startswith("https://")


def _split(value: str) -> SplitResult | None:
    if len(value) > _LONGEST_URL or not _PRINTABLE.issuperset(value) or "#" in value:
        return None
    try:
        parts = urlsplit(value)
        sound = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return None
    # urlsplit lowers the scheme; a URL is kept as it was given, so it must be lower case already.
    return parts if sound and value.startswith(f"{parts.scheme}://") else None


def _kind(value: object) -> str:
    return "absent" if value is None else f"a {type(value).__name__}"
