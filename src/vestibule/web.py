"""HTTP without opinions: reading a request within limits, and rendering an error once.

Everything here speaks raw ASGI; `api` and `browser` build on it.
"""

import base64
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from vestibule import addresses, errors
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.ids import Environment, new_id
from vestibule.log import logger
from vestibule.records import Origin
from vestibule.store.interface import StoreUnavailable, Unstorable

# As ASGI (and Starlette) have them.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Iterable[tuple[str, str]]

_RETRY_AFTER_SECONDS: Final = 2
_MOST_AGENT: Final = 200
_LIVE: Final = re.compile(rb"(?:^|[/=])(?:project|public-token|[a-z]+-connection)-live-")
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
# No double, and so no JavaScript, holds an integer of so many digits (RFC 8259 section 6).
_TOO_MANY_DIGITS: Final = 310
_LARGE: Final = 2**63


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of every JSON error (contract c)."""

    status_code: int
    request_id: str
    error_type: str
    error_message: str
    error_url: str


def header(scope: Scope, name: bytes) -> str:
    """Return the first value of header `name` (lower case), or ''."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


def client_address(context: Context, scope: Scope) -> str:
    """Return the network address of the client; '' where the server does not know it.

    X-Forwarded-For counts as far as proxies of the settings wrote it.
    """
    peer, _ = scope.get("client") or ("", 0)
    forwarded = [v.decode("latin-1") for name, v in scope["headers"] if name == b"x-forwarded-for"]
    proxies = addresses.networks(context.settings.trusted_proxies)
    return addresses.client(peer, forwarded, proxies=proxies)


class ProxyWatch:
    """Tells operators of a reverse proxy that is not trusted: all its clients look like one."""

    def __init__(self, context: Context) -> None:
        self._trusted = context.settings.trusted_proxies
        self._told = False

    def look(self, scope: Scope) -> None:
        """Warn of the first request whose X-Forwarded-For is not believed, and of no other."""
        if self._told or not header(scope, b"x-forwarded-for"):
            return
        peer, _ = scope.get("client") or ("", 0)
        if addresses.within(peer, addresses.networks(self._trusted)):
            return
        self._told = True
        logger().warning(
            "X-Forwarded-For is not believed: if the peer is your reverse proxy, name it in "
            "VESTIBULE_TRUSTED_PROXIES; otherwise all its clients are limited and logged as one",
            peer=peer,
            trusted_proxies=self._trusted,
        )


def client_bucket(context: Context, scope: Scope) -> str:
    """Return what limits count as one client (`addresses.bucket`)."""
    return addresses.bucket(client_address(context, scope))


def basic_credentials(scope: Scope) -> tuple[str, str] | None:
    """Return user and password of HTTP Basic, or None where none came that can be read.

    Two such headers are none: somebody in between may have read the other one.
    """
    if sum(name == b"authorization" for name, _ in scope["headers"]) > 1:
        return None
    scheme, _, encoded = header(scope, b"authorization").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:  # not ASCII, not base64, or not UTF-8 inside
        return None
    user, _, password = text.partition(":")
    return user, password


def new_request_id(context: Context, scope: Scope) -> str:
    """Return a request id of the environment that the request names, by credentials or address.

    `test` where it names none: the id is for finding a request again and proves nothing.
    """
    user, _ = basic_credentials(scope) or ("", "")
    address = scope.get("raw_path", b"") + b"?" + scope.get("query_string", b"")
    named = user.encode() or address
    environment: Environment = "live" if _LIVE.search(named) else "test"
    return new_id("request-id", environment, now=context.clock.now(), entropy=context.entropy)


def visitor(context: Context, scope: Scope, request_id: str) -> Origin:
    """Return where a request came from, for the audit log; who is behind it is not known yet."""
    agent = header(scope, b"user-agent")[:_MOST_AGENT]
    return Origin(
        actor_type="visitor",
        address=client_address(context, scope),
        user_agent="".join(c if c.isprintable() else "?" for c in agent),
        request_id=request_id,
    )


async def read_body(scope: Scope, receive: Receive, *, limit: int) -> bytes:
    """Return the whole body. Raises Failure 413 as soon as it is known to exceed `limit` bytes."""
    announced = header(scope, b"content-length")
    if announced.isdecimal() and _exceeds(announced, limit):
        raise Failure(errors.request_too_large)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise Failure(errors.request_too_large)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _exceeds(digits: str, limit: int) -> bool:
    # Python refuses to read a number of thousands of digits: the length tells enough.
    significant = digits.lstrip("0") or "0"
    return len(significant) > len(str(limit)) or int(significant) > limit


class ClientGone(Exception):
    """The peer closed the connection before the request was complete."""


def read_json(scope: Scope, body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body` ({} when empty). Raises Failure 400 or 415.

    It has one meaning for every reader (RFC 8259 sections 4 and 6): no name twice in an object, no
    number beyond a double.
    """
    if not body:
        return {}
    content_type = header(scope, b"content-type").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Failure(errors.unsupported_media_type)
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Failure(errors.bad_request, f"The body is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise Failure(errors.bad_request, "The body must be a JSON object.")
    if _NUL.search(body):
        raise Failure(errors.bad_request, "The body has a NUL character, which cannot be stored.")
    if not _is_simple(body, value):
        _require_one_meaning(body)
    return value


def _is_simple(body: bytes, value: Mapping[str, Any]) -> bool:
    """Tell of nearly every request that it need not be read a second time.

    As many colons as names: none is there twice, and none further inside.
    """
    return body.count(b":") == len(value) and all(
        item is None or isinstance(item, str) or (isinstance(item, int) and abs(item) < _LARGE)
        for item in value.values()
    )


def _require_one_meaning(body: bytes) -> None:
    try:
        json.loads(body, object_pairs_hook=_each_once, parse_int=_bounded)
    except RecursionError:
        raise Failure(errors.bad_request, "The body is not valid JSON: too deep.") from None


def _each_once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise Failure(errors.bad_request, "The body has an object with the same name twice.")


def _bounded(digits: str) -> None:
    if len(digits.removeprefix("-")) >= _TOO_MANY_DIGITS:
        raise Failure(errors.bad_request, "The body has a number that is too large.")


def path_value(raw: str) -> str:
    """Decode one percent-encoded path segment. Raises Failure 400 when it is not UTF-8 text."""
    try:
        value = unquote(raw, errors="strict")
    except UnicodeDecodeError:
        raise Failure(errors.bad_request, "The path is not UTF-8.") from None
    if "\0" in value:
        raise Failure(errors.bad_request, "The path has a NUL character.")
    return value


def failure_of(error: Exception) -> Failure:
    """Return the wire error of any exception: ours as it is, the database's 503 or 400, else 500.

    What becomes a 500 is logged here with its stack; its text never leaves.
    """
    if isinstance(error, Failure):
        return error
    if isinstance(error, StoreUnavailable):
        logger().warning("store unavailable", detail=str(error))
        return Failure(errors.server_unavailable, retry_after=_RETRY_AFTER_SECONDS)
    if isinstance(error, Unstorable):
        return Failure(
            errors.bad_request, "A value cannot be stored: it is too long.", detail=str(error)
        )
    logger().error("request failed", exc_info=error)
    return Failure(errors.internal_server_error)


def error_body(failure: Failure, *, request_id: str, base_url: str) -> ErrorBody:
    """Return the JSON envelope of `failure`."""
    return ErrorBody(
        status_code=failure.error.status,
        request_id=request_id,
        error_type=failure.error.name,
        error_message=failure.message,
        error_url=f"{base_url}/errors#{failure.error.name}",
    )


async def respond(
    send: Send,
    status: int,
    body: bytes,
    *,
    content_type: str = "application/json",
    headers: Headers | Mapping[str, str] = (),
) -> None:
    """Send one complete response. Nothing that we answer may be cached unless `headers` say so."""
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    if not any(name.lower() == "cache-control" for name, _ in pairs):
        pairs.append(("cache-control", "no-store"))
    pairs.append(("content-type", content_type))
    pairs.append(("content-length", str(len(body))))
    pairs.append(("x-content-type-options", "nosniff"))
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


async def respond_failure(
    send: Send, failure: Failure, *, request_id: str, base_url: str, headers: Headers = ()
) -> None:
    """Send `failure` as JSON."""
    pairs = list(headers)
    if failure.retry_after:
        pairs.append(("retry-after", str(failure.retry_after)))
    if failure.error is errors.unauthorized_credentials:
        pairs.append(("www-authenticate", 'Basic realm="vestibule"'))
    body = msgspec.json.encode(error_body(failure, request_id=request_id, base_url=base_url))
    await respond(send, failure.error.status, body, headers=pairs)
