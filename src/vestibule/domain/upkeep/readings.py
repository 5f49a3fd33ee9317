"""A document at a URL, read again and again: asked for by its version, and what was read."""

from dataclasses import dataclass
from typing import Final

from vestibule.domain.context import Context
from vestibule.fetch import FetchResponse
from vestibule.records import Published

_REDIRECTS: Final = 3
_MAX_BYTES: Final = 1_048_576
_MAX_VALIDATOR: Final = 256


@dataclass(frozen=True, kw_only=True)
class Validators:
    """What a web server calls one version of a document (RFC 9110 8.8), to ask for a newer one."""

    etag: str = ""
    last_modified: str = ""

    def headers(self) -> dict[str, str]:
        """Return the headers that ask for anything but this version."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A good document: what it publishes, and how long it may be kept by its own word.

    `cache_duration` is in microseconds, `valid_until` in microseconds UTC.
    """

    published: Published
    validators: Validators = Validators()
    cache_duration: int | None = None
    valid_until: int | None = None


async def ask(
    context: Context, url: str, known: Validators, *, redirects: int = _REDIRECTS
) -> FetchResponse:
    """Return the answer to a request for anything newer than `known`. Raises FetchError."""
    return await context.fetch.request(
        "GET", url, headers=known.headers(), redirects=redirects, max_bytes=_MAX_BYTES
    )


def is_unchanged(answer: FetchResponse, known: Validators) -> bool:
    """Tell whether `answer` says that the document still is the version `known`."""
    return answer.status == 304 and bool(known.headers())


def validators_of(answer: FetchResponse) -> Validators:
    """Return the version that `answer` says it is."""
    return Validators(
        etag=_validator(answer, "etag"), last_modified=_validator(answer, "last-modified")
    )


def _validator(answer: FetchResponse, name: str) -> str:
    """Return a header that can be sent back; what cannot is as good as none."""
    value = answer.headers.get(name, "")
    fits = len(value) <= _MAX_VALIDATOR and value.isascii() and value.isprintable()
    return value if fits else ""
