"""Lets the pages of applications ask what is for browsers, and no other page (CORS).

The Fetch standard's protocol for calls with credentials: the one origin is named, never `*`, and
nothing is said to a page that no project knows.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Final

from vestibule.api.authentication import projects_of_page
from vestibule.domain import limits
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.store.interface import StoreUnavailable
from vestibule.web import (
    Message,
    Receive,
    Scope,
    Send,
    client_bucket,
    header,
    new_request_id,
    respond_failure,
)

Answering = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEADERS: Final = b"authorization, content-type, x-sdk-client, x-sdk-parent-host"
_SECONDS: Final = b"7200"
_VARY: Final = (b"vary", b"origin")


class CrossOrigin:
    """One path for browsers: answers the preflight, and says who may read the answers."""

    def __init__(self, context: Context, operation: Answering, methods: Collection[str]) -> None:
        self._context = context
        self._operation = operation
        self._methods = ", ".join(sorted(methods)).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whether the project knows the page is for the operation to say.

        A preflight has no credentials, and so names no project.
        """
        context = self._context
        try:
            if header(scope, b"origin"):
                await context.limiter.spend(limits.CROSS_ORIGIN, client_bucket(context, scope))
        except Failure as beyond:
            request_id = new_request_id(context, scope)
            base_url = context.settings.base_url
            await respond_failure(send, beyond, request_id=request_id, base_url=base_url)
            return
        granted = await self._granted(scope)
        asked = header(scope, b"access-control-request-method")
        if granted and scope["method"] == "OPTIONS" and asked:
            await self._preflight(send, granted)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *granted, _VARY]
            await send(message)

        await self._operation(scope, receive, answer)

    async def _granted(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """Return the headers for the page that asks; none when no project knows it."""
        try:
            known = await projects_of_page(self._context, scope)
        except StoreUnavailable:
            # The operation will not get further, and says so.
            return []
        if not known:
            return []
        return [
            (b"access-control-allow-origin", header(scope, b"origin").encode("latin-1")),
            (b"access-control-allow-credentials", b"true"),
        ]

    async def _preflight(self, send: Send, granted: list[tuple[bytes, bytes]]) -> None:
        headers = [
            *granted,
            _VARY,
            (b"access-control-allow-methods", self._methods),
            (b"access-control-allow-headers", _HEADERS),
            (b"access-control-max-age", _SECONDS),
        ]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
