"""What callers of an outbound request see: the door, the answer and the one error."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
MAX_BYTES: Final = 262_144
DEADLINE: Final = 5.0


# For whom the running task makes requests. It is set once, at the door, for everything behind it.
on_behalf_of: Final = ContextVar("on_behalf_of", default="")


@contextmanager
def acting_for(tenant: str) -> Iterator[None]:
    """Make the requests of a block on behalf of `tenant`, an organization's id.

    Requests of one tenant wait for each other, and never for those of another one.
    """
    before = on_behalf_of.set(tenant)
    try:
        yield
    finally:
        on_behalf_of.reset(before)


class Reason(StrEnum):
    """Why there is no answer. For the log: told to a tenant it would map the operator's network."""

    URL = "refused.url"
    SCHEME = "refused.scheme"
    PORT = "refused.port"
    ADDRESS = "refused.address"
    HEADER = "refused.header"
    REDIRECT = "refused.redirect"
    ENCODING = "refused.encoding"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    TIMEOUT = "timeout"
    TLS = "tls"
    UNREACHABLE = "unreachable"


class FetchError(Exception):
    """There is no usable answer.

    `str()` is the same for every reason and may be shown to anybody; `reason` and `detail` are
    for the log only.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__("The address could not be fetched.")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class FetchResponse:
    """An answer of any status. Header names are in lower case; `url` is the last one asked."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str


class Fetch(Protocol):
    """Something that makes outbound requests."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        body: bytes = b"",
        redirects: int = 0,
        max_bytes: int = MAX_BYTES,
        deadline: float = DEADLINE,
    ) -> FetchResponse:
        """Ask `url` and return its answer, decoded and at most `max_bytes` long.

        `deadline` is the seconds for everything: names, connections, redirects, body. A redirect
        is an error beyond `redirects`, and for anything but GET. Raises FetchError.
        """
        ...
