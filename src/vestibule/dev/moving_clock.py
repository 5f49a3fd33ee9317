"""The clock of the development server, which the tests of an application move forward.

What takes an hour (a lock, the end of a session, a code that is too old) is tried at once. The
clock never goes back: sessions and codes of the future are nothing that happens.
"""

from typing import Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vestibule.clock import SECOND, Clock, rfc3339
from vestibule.dev.pages import FENCE, Refused, route

CLOCK_PATH: Final = "/dev/clock"
_MAX_BYTES: Final = 1000
# 2100-01-01T00:00:00Z. Times of the calendar end soon enough after the year 9999.
_LATEST: Final = 4_102_444_800 * SECOND


class MovingClock:
    """Another clock, and how far ahead of it this one is."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = 0

    def now(self) -> int:
        """Return microseconds since the epoch, UTC."""
        return self._clock.now() + self._ahead

    def forward(self, seconds: int) -> None:
        """Go on by as many seconds at once."""
        self._ahead += seconds * SECOND


class _Move(msgspec.Struct):
    seconds: Annotated[int, msgspec.Meta(ge=1, le=366 * 24 * 3600)]


def clock_route(base_url: str, clock: MovingClock) -> Route:
    """Return the route that tells the server's time, and moves it by a posted `{"seconds": 60}`."""

    async def tell_or_move(request: Request) -> Response:
        if request.method == "POST":
            seconds = await _seconds(request)
            if clock.now() + seconds * SECOND > _LATEST:
                raise Refused("Too far", "The clock goes to the year 2100; restart vestibule dev.")
            clock.forward(seconds)
        return JSONResponse({"now": rfc3339(clock.now())}, headers=FENCE)

    return route(CLOCK_PATH, tell_or_move, base_url=base_url, methods=["GET", "POST"])


async def _seconds(request: Request) -> int:
    # JSON alone: a page of another site can make a browser post forms here, but not this.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refused("Not JSON", 'Post application/json, such as {"seconds": 3600}.', status=415)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BYTES:
            raise Refused("Too long", 'Post {"seconds": 3600}.', status=413)
    try:
        return msgspec.json.decode(body, type=_Move).seconds
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused("Not a number of seconds", str(error)) from None
