from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.dev.conftest import Development
from tests.dev.serving import serving
from tests.support.determinism import HandClock
from vestibule.clock import HOUR, SECOND, rfc3339
from vestibule.dev.moving_clock import MovingClock, clock_route


def test_clock_goes_on_by_itself_and_when_told(clock: HandClock) -> None:
    moving, began = MovingClock(clock), clock.now()
    assert moving.now() == began
    moving.forward(60)
    clock.advance(SECOND)
    moving.forward(1)
    assert moving.now() == began + 62 * SECOND


@pytest.fixture
async def url(clock: HandClock) -> AsyncIterator[str]:
    moving = MovingClock(clock)
    async with serving(lambda base_url: [clock_route(base_url, moving)]) as base_url:
        yield f"{base_url}/dev/clock"


async def test_time_is_told_and_moved(
    http: aiohttp.ClientSession, clock: HandClock, url: str
) -> None:
    async with http.get(url) as answer:
        assert await answer.json() == {"now": rfc3339(clock.now())}
    async with http.post(url, json={"seconds": 3600}) as answer:
        assert await answer.json() == {"now": rfc3339(clock.now() + HOUR)}


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("text/plain", b'{"seconds": 1}', 415),
        ("application/x-www-form-urlencoded", b"seconds=1", 415),
        ("application/json", b'{"seconds": 0}', 400),
        ("application/json", b'{"seconds": -1}', 400),
        ("application/json", b'{"seconds": 31622401}', 400),
        ("application/json", b'{"seconds": "1"}', 400),
        ("application/json", b"{}", 400),
        ("application/json", b"\xff", 400),
        ("application/json", b'{"seconds": 1%s}' % (b" " * 1000), 413),
    ],
)
async def test_what_is_no_move_is_refused(
    http: aiohttp.ClientSession, url: str, content_type: str, body: bytes, status: int
) -> None:
    async with http.get(url) as answer:
        before = await answer.json()
    async with http.post(url, data=body, headers={"content-type": content_type}) as answer:
        assert answer.status == status
    async with http.get(url) as answer:
        assert await answer.json() == before


async def test_another_host_name_moves_nothing(http: aiohttp.ClientSession, url: str) -> None:
    headers = {"host": "evil.example"}
    async with http.post(url, json={"seconds": 1}, headers=headers) as answer:
        assert answer.status == 421


async def test_server_goes_by_this_clock(
    development: Development, http: aiohttp.ClientSession
) -> None:
    before = development.context.clock.now()
    async with http.post(f"{development.base_url}/dev/clock", json={"seconds": 60}) as answer:
        assert answer.status == 200
    assert development.context.clock.now() == before + 60 * SECOND


async def test_clock_ends_with_the_century(http: aiohttp.ClientSession, url: str) -> None:
    year = {"seconds": 366 * 24 * 3600}
    statuses = []
    for _ in range(100):
        async with http.post(url, json=year) as answer:
            statuses.append(answer.status)
    assert (statuses[0], statuses[-1]) == (200, 400)
    async with http.get(url) as answer:
        assert (await answer.json())["now"] < "2100-01-01"
