"""One client's HTTP connection, bounded: a request's size and time, and how many there are."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD_BYTES: Final = 65_536
_HEADERS: Final = 128
_PIPELINED: Final = 16
_VERSION_AND_HOSTS: Final = {("1.1", 1), ("1.0", 1), ("1.0", 0)}


@dataclass(frozen=True)
class Bounds:
    """What all connections of one server share.

    `connections` is how many there may be, `body_bytes` the largest body that is read, `seconds`
    the time a client has for each request and for each answer. `waiting` are those that have
    nothing to do but wait for their client, the one that has waited for longest first.
    """

    connections: int
    body_bytes: int
    seconds: int
    waiting: dict["HttpConnection", None] = field(default_factory=dict)

    @property
    def request_bytes(self) -> int:
        """Return how much of one request is received, its head and chunk framing included."""
        return 2 * self.body_bytes + _HEAD_BYTES


class _Timer:
    """Runs `action` once, `seconds` after it is started, unless it is stopped before."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, action: Callable[[], None]
    ) -> None:
        self._loop, self._seconds, self._action = loop, seconds, action
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start, where it does not run already."""
        if self._handle is None:
            self._handle = self._loop.call_later(self._seconds, self._action)

    def stop(self) -> None:
        """Stop, where it runs."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


class HttpConnection(HttpToolsProtocol):
    """uvicorn's connection within `bounds`; by itself uvicorn bounds none of this.

    A request that is not complete in time, or larger than anything we would read, ends the
    connection; so does a client that does not take its answer. When there are as many connections
    as may be, a new one takes the place of the one that has waited for its client for longest:
    whoever opens many and sends nothing keeps nobody out. uvicorn demands the base class.
    """

    def __init__(self, *, bounds: Bounds, **given: Any) -> None:
        super().__init__(**given)
        self._bounds = bounds
        self._request_timer = _Timer(self.loop, bounds.seconds, self.end)
        self._answer_timer = _Timer(self.loop, bounds.seconds, self.end)
        self._received = 0
        self._head_bytes = 0
        self._in_head = False
        self._in_request = False
        self._head_too_large = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Let the client in, or another one out."""
        bounds = self._bounds
        if len(self.connections) >= bounds.connections:
            if not bounds.waiting:
                transport.abort()
                return
            next(iter(bounds.waiting)).end()
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        self._forget()
        if self.transport is not None:
            super().connection_lost(exc)

    def end(self) -> None:
        """Hang up at once: whatever is half sent is lost."""
        self._forget()
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take what came, as far as it may go."""
        self._received += len(data)
        super().data_received(data)
        if self._in_head and self._received > _HEAD_BYTES:
            self._head_too_large = True
            self.send_400_response("")
        elif self._received > self._bounds.request_bytes:
            self.end()
        elif self._in_request or not self._busy:
            self._wait()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request: 431 for a head beyond the limits, else 400."""
        if self._busy:
            # An answer is on its way; the client would take this one for a part of it.
            self.end()
            return
        status = HTTPStatus.BAD_REQUEST
        if self._head_too_large:
            status, msg = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large."
        head = (
            f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
            f"content-length: {len(msg)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(f"{head}{msg}".encode("ascii"))
        self.transport.close()

    def on_message_begin(self) -> None:
        """Begin a request. Raises ValueError when too many are sent without taking answers."""
        if len(self.pipeline) >= _PIPELINED:
            raise ValueError("too many requests at once")
        super().on_message_begin()
        self._received = self._head_bytes = 0
        self._in_head = self._in_request = True

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request's target. Raises ValueError beyond the limit."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer. Raises ValueError beyond the limit.

        Also for a coding of the body that somebody in between may not read as we do (RFC 9112
        sections 6.1 and 11.2): `chunked` is the only one that anybody needs.
        """
        self._count(len(name) + len(value))
        if name.lower() == b"transfer-encoding" and value.strip(b" \t").lower() != b"chunked":
            raise ValueError("another transfer coding")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request over; its body may still be on the way.

        Raises ValueError for another version, without one Host (RFC 9112 section 3.2), and for
        chunks in HTTP/1.0, which knows none (section 6.1).
        """
        names = [name for name, _ in self.headers]
        version = self.parser.get_http_version()
        if (version, names.count(b"host")) not in _VERSION_AND_HOSTS:
            raise ValueError("another version, or not one host")
        if version == "1.0" and b"transfer-encoding" in names:
            raise ValueError("chunks in HTTP/1.0")
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the request: from here the client waits for us."""
        self._in_request = False
        self._wait_no_longer()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request; uvicorn ends a connection on which none comes."""
        super().on_response_complete()
        if not self._busy:
            self._bounds.waiting[self] = None

    def pause_writing(self) -> None:
        """Give a client that does not take its answer a while to do so."""
        super().pause_writing()
        self._answer_timer.start()

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        self._answer_timer.stop()

    @property
    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]  # uvicorn begins with None

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > _HEAD_BYTES or len(self.headers) >= _HEADERS:
            self._head_too_large = True
            raise ValueError("the head of the request is too large")

    def _wait(self) -> None:
        self._bounds.waiting[self] = None
        self._request_timer.start()

    def _wait_no_longer(self) -> None:
        self._bounds.waiting.pop(self, None)
        self._request_timer.stop()

    def _forget(self) -> None:
        self._wait_no_longer()
        self._answer_timer.stop()
