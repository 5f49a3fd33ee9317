"""Clients that send too much, too slowly, or too many at once: what SR-11 is from outside.

The server is the one that `vestibule serve` runs, on a real socket.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.context import BASE_URL
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.scenario import Scenario, open_scenario
from tests.support.served import Client, Served, served
from vestibule.app import App
from vestibule.settings import Settings
from vestibule.store.open import open_store

PATH = "/v1/b2b/rbac/policy"
GOOD = f"GET {PATH} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
POST = b"POST /v1/b2b/organizations HTTP/1.1\r\nHost: a\r\n"
BODY_BYTES = 100_000
PATIENT = Settings(base_url=BASE_URL, max_body_bytes=BODY_BYTES, request_seconds=60)
HASTY = replace(PATIENT, request_seconds=2)
LIMIT = 15


@pytest.fixture
async def bounded(
    request: pytest.FixtureRequest, sqlite_url: str, clock: HandClock, entropy: SeededEntropy
) -> AsyncIterator[Scenario]:
    settings = getattr(request, "param", PATIENT)
    store = await open_store(sqlite_url, connections=1)
    yield await open_scenario(store, clock=clock, entropy=entropy, settings=settings)
    await store.close()


async def is_refused(client: Client, data: bytes) -> tuple[int, bytes]:
    async with asyncio.timeout(LIMIT):
        await client.send(data)
        status, headers, body = await client.answer()
        assert headers["connection"] == "close"
        assert await client.ended()
    return status, body


async def flood(client: Client, first: bytes, piece: bytes) -> int:
    """Send pieces until the server hangs up; return how many bytes it took."""
    sent = 0
    async with asyncio.timeout(LIMIT):
        try:
            await client.send(first)
            while True:
                await client.send(piece)
                sent += len(piece)
        except ConnectionError:
            return sent


async def drip(client: Client, first: bytes, drop: bytes) -> None:
    """Send a little again and again until the server hangs up."""
    with suppress(ConnectionError):
        await client.send(first)
        while not client.reader.at_eof():
            await client.send(drop)
            await asyncio.sleep(0.05)


async def good(here: Served) -> int:
    async with asyncio.timeout(LIMIT):
        return (await here.ask(GOOD))[0]


# Too much ----------------------------------------------------------------------------------------

LARGE = b"The headers are too large."


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 66_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 128 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X" * 66_000 + b": y\r\n\r\n",
        b"GET /" + b"x" * 66_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 600_000,
        b"GET /" + b"x" * 600_000,
    ],
    ids=["long header", "many headers", "long name", "long target", "no end", "no end of target"],
)
async def test_a_head_beyond_the_limits_is_refused(bounded: Scenario, head: bytes) -> None:
    async with served(bounded.app) as here:
        assert await is_refused(await here.connect(), head) == (431, LARGE)
        assert await good(here) == 401


async def test_a_head_at_the_limits_is_read(bounded: Scenario) -> None:
    head = f"GET {PATH} HTTP/1.1\r\nHost: a\r\n".encode() + b"X: y\r\n" * 127 + b"\r\n"
    async with served(bounded.app) as here:
        assert (await here.ask(head))[0] == 401
        assert (await here.ask(GOOD.replace(b"Host: a", b"Host: " + b"a" * 60_000)))[0] == 401


async def test_an_endless_header_is_cut(bounded: Scenario) -> None:
    async with served(bounded.app) as here:
        sent = await flood(await here.connect(), GOOD[:-2] + b"X: ", b"x" * 65_536)
    assert sent < 50_000_000


@pytest.mark.case("XP-24")
@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"Content-Length: 99999999999\r\n\r\n", b"x" * 65_536),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"4000\r\n" + b"x" * 0x4000 + b"\r\n"),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 10_000),
        (b"Transfer-Encoding: chunked\r\n\r\n4;", b"x" * 65_536),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"x" * 65_536),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 10_000),
    ],
    ids=["announced", "chunks", "small chunks", "extension", "trailer", "trailers"],
)
async def test_an_endless_body_is_cut(bounded: Scenario, head: bytes, piece: bytes) -> None:
    async with served(bounded.app) as here:
        sent = await flood(await here.connect(), POST + head, piece)
        assert await good(here) == 401
    assert sent < 50_000_000


@pytest.mark.parametrize("framing", ["announced", "chunked"])
async def test_a_body_beyond_the_limit_is_answered(bounded: Scenario, framing: str) -> None:
    body = b"x" * (BODY_BYTES + 1)
    head = f"Content-Length: {len(body)}\r\n\r\n".encode()
    if framing == "chunked":
        head, body = (
            b"Transfer-Encoding: chunked\r\n\r\n",
            b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
        )
    async with served(bounded.app) as here, asyncio.timeout(LIMIT):
        status, _, answer = await here.ask(POST + head + body)
    assert (status, b'"error_type":"bad_request"' in answer) == (413, True)


async def test_requests_sent_without_taking_answers_are_cut(bounded: Scenario) -> None:
    async with served(bounded.app) as here:
        sent = await flood(await here.connect(), GOOD, GOOD * 1000)
        assert await good(here) == 401
    assert sent < 50_000_000


@pytest.mark.parametrize("number", [2, 16])
async def test_requests_sent_at_once_are_answered_in_turn(bounded: Scenario, number: int) -> None:
    async with served(bounded.app) as here, asyncio.timeout(LIMIT):
        client = await here.connect()
        await client.send(GOOD * number)
        assert [(await client.answer())[0] for _ in range(number)] == [401] * number


@pytest.mark.case("AD-27")
@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"CONNECT idp.test:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_without_a_line_in_the_log(
    bounded: Scenario, data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    async with served(bounded.app) as here:
        status, body = await is_refused(await here.connect(), data)
    assert (status, body) == (400, b"Invalid HTTP request received.")
    assert capfd.readouterr().err == ""


# Too slowly --------------------------------------------------------------------------------------


@pytest.mark.parametrize("bounded", [HASTY], indirect=True)
@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"", b""),
        (b"", b"\r\n"),
        (b"", b"G"),
        (GOOD[:-2], b"X: y\r\n"),
        (POST + b"Content-Length: 1000\r\n\r\n", b"x"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (GOOD, b"\r\n"),
        (GOOD * 3, b"\r\n"),
    ],
    ids=["silence", "empty lines", "method", "headers", "body", "chunks", "after", "after three"],
)
async def test_a_client_that_never_comes_to_an_end_is_left(
    bounded: Scenario, first: bytes, drop: bytes
) -> None:
    async with served(bounded.app) as here, asyncio.timeout(LIMIT):
        client = await here.connect()
        await drip(client, first, drop)
        assert await good(here) == 401


LARGE_ANSWER = b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n"


def with_large_answer(bounded: Scenario) -> App:
    """Return the application with an answer that no buffer takes whole."""

    async def large(_: Request) -> Response:
        return Response(bytes(50_000_000))

    return App(bounded.context, extra=[Route("/large", large)])


async def not_reading(client: Client, seconds: float) -> None:
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport has it
    await asyncio.sleep(seconds)
    client.writer.transport.resume_reading()  # type: ignore[attr-defined]  # the same


@pytest.mark.parametrize("bounded", [HASTY], indirect=True)
@pytest.mark.parametrize(("pause", "whole"), [(0.5, True), (4.0, False)])
async def test_a_client_that_takes_no_answer_is_left(
    bounded: Scenario, pause: float, whole: bool
) -> None:
    async with served(with_large_answer(bounded)) as here, asyncio.timeout(LIMIT):
        client = await here.connect()
        await client.send(LARGE_ANSWER.replace(b"Host: a", b"Host: a\r\nConnection: close"))
        await not_reading(client, pause)
        received = 0
        with suppress(ConnectionError):
            while piece := await client.reader.read(1_000_000):
                received += len(piece)
    assert (received > 50_000_000) is whole


@pytest.mark.parametrize("bounded", [HASTY], indirect=True)
async def test_a_client_in_time_may_take_longer_than_one_requests_time(bounded: Scenario) -> None:
    async with served(bounded.app) as here, asyncio.timeout(LIMIT):
        client = await here.connect()
        for _ in range(5):
            await client.send(GOOD[:20])
            await asyncio.sleep(0.5)
            await client.send(GOOD[20:])
            assert (await client.answer())[0] == 401


@pytest.mark.parametrize("bounded", [HASTY], indirect=True)
async def test_a_client_that_took_its_answer_late_is_kept(bounded: Scenario) -> None:
    async with served(with_large_answer(bounded)) as here, asyncio.timeout(LIMIT):
        client = await here.connect()
        await client.send(LARGE_ANSWER)
        await not_reading(client, 0.5)
        assert len((await client.answer())[2]) == 50_000_000
        await asyncio.sleep(2)
        await client.send(GOOD)
        assert (await client.answer())[0] == 401


# Too many ----------------------------------------------------------------------------------------


@pytest.mark.case("SR-18")
@pytest.mark.parametrize("bounded", [replace(PATIENT, max_connections=5)], indirect=True)
@pytest.mark.parametrize("sent", [b"", GOOD[:20], POST + b"Content-Length: 9\r\n\r\nx", GOOD])
async def test_connections_that_only_wait_make_room(bounded: Scenario, sent: bytes) -> None:
    async with served(bounded.app) as here:
        waiting = []
        for _ in range(5):
            waiting.append(await here.connect())
            await waiting[-1].send(sent)
            if sent == GOOD:
                await waiting[-1].answer()
        for _ in range(3):
            assert await good(here) == 401
        async with asyncio.timeout(LIMIT):
            assert await waiting[0].ended()


@pytest.mark.case("SR-18")
@pytest.mark.parametrize("bounded", [replace(PATIENT, max_connections=50)], indirect=True)
async def test_no_more_connections_are_held_than_are_allowed(bounded: Scenario) -> None:
    async with served(bounded.app) as here, asyncio.timeout(LIMIT):
        clients = [await here.connect() for _ in range(300)]
        assert await good(here) == 401
        ended = [await client.ended() for client in clients[:200]]
    assert all(ended)
