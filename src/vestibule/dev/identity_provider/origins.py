"""Where the test identity provider may send an answer: it signs nothing for foreign sites."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from vestibule.dev.pages import Refused

_PORTS: Final = {"http": 80, "https": 443}


class Destinations:
    """The origins that an ACS or redirect URL may have."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(_origin(url) for url in origins)

    def check(self, url: str) -> str:
        """Return `url` when its origin is allowed; raise Refused otherwise."""
        try:
            origin = _origin(url)
        except ValueError as error:
            raise Refused("Unusable address", f"“{url}” cannot be answered: {error}.") from error
        if origin not in self._origins:
            raise Refused(
                "Foreign address",
                f"This test identity provider does not answer to {url}: it signs only for the "
                "server it runs in.",
                status=403,
            )
        return url


def _origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of an absolute http(s) URL. Raises ValueError."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("it holds characters that no URL holds")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("it is no absolute http or https URL")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("it holds a user name or a fragment")
    return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]
