"""Peers that answer with malice: security cases SR-09 to SR-13, OI-25 and OI-45."""

import asyncio
import gzip
import ssl
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.http_peer import (
    Answer,
    Peer,
    Write,
    answer,
    authority,
    listening,
    redirect,
)
from vestibule.fetch import FetchError, FetchResponse, GuardedFetch, Reason, acting_for

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def fetch() -> AsyncIterator[GuardedFetch]:
    client = GuardedFetch(allowed_networks=["127.0.0.1/32"])
    yield client
    await client.close()


def url(peer: Peer, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{peer.port}/"


async def refused(fetch: GuardedFetch, peer_answer: Answer, **limits: Any) -> FetchError:
    async with listening(peer_answer) as peer:
        with pytest.raises(FetchError) as failure:
            await fetch.request("GET", url(peer), **limits)
    return failure.value


@pytest.mark.case("SR-09")
async def test_proxies_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with listening(answer(b"proxy")) as proxy, listening(answer(b"here")) as peer:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, url(proxy))
        monkeypatch.delenv("NO_PROXY", raising=False)
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login admin password secret\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        fetch = GuardedFetch(allowed_networks=["127.0.0.1/32"])
        response = await fetch.request("GET", url(peer))
        await fetch.close()

    assert response.body == b"here"
    assert proxy.requests == []
    assert b"Authorization" not in peer.requests[0]


async def test_cookies_are_not_kept(fetch: GuardedFetch) -> None:
    async with listening(answer(headers="Set-Cookie: a=b; Path=/\r\n")) as peer:
        await fetch.request("GET", url(peer))
        await fetch.request("GET", url(peer))
    assert len(peer.requests) == 2
    assert b"Cookie" not in peer.requests[1]


@pytest.mark.case("SR-10")
@pytest.mark.parametrize(
    ("names", "settings"),
    [
        (["127.0.0.1"], {"trusted": False}),
        (["idp.test"], {}),
        (["127.0.0.2", "localhost"], {}),
        (["127.0.0.1"], {"expired": True}),
    ],
)
async def test_a_certificate_that_proves_nothing_is_refused(
    names: list[str], settings: dict[str, Any], tmp_path: Path
) -> None:
    ours = authority(tmp_path)
    trusted = settings.pop("trusted", True)
    tls = ours.server_context(*names, folder=tmp_path, **settings)
    fetch = GuardedFetch(
        allowed_networks=["127.0.0.1/32"], ca_file=str(ours.ca_file) if trusted else None
    )
    async with listening(answer(), tls=tls) as peer:
        with pytest.raises(FetchError) as failure:
            await fetch.request("GET", url(peer, "https"))
    await fetch.close()

    assert failure.value.reason is Reason.TLS
    assert peer.requests == []


@pytest.mark.case("SR-10")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
async def test_an_old_version_of_tls_is_refused(tmp_path: Path) -> None:
    ours = authority(tmp_path)
    tls = ours.server_context("127.0.0.1", folder=tmp_path, newest=ssl.TLSVersion.TLSv1_1)
    fetch = GuardedFetch(allowed_networks=["127.0.0.1/32"], ca_file=str(ours.ca_file))
    async with listening(answer(), tls=tls) as peer:
        with pytest.raises(FetchError) as failure:
            await fetch.request("GET", url(peer, "https"))
    await fetch.close()

    # The peer resets the connection; whether its alert is read before is chance.
    assert failure.value.reason in {Reason.TLS, Reason.UNREACHABLE}
    assert peer.requests == []


@pytest.mark.case("SR-06", "SR-10")
async def test_a_redirect_does_not_give_up_tls(tmp_path: Path) -> None:
    ours = authority(tmp_path)
    tls = ours.server_context("127.0.0.1", folder=tmp_path)
    fetch = GuardedFetch(allowed_networks=["127.0.0.1/32"], ca_file=str(ours.ca_file))
    async with listening(answer()) as plain, listening(redirect(url(plain)), tls=tls) as peer:
        with pytest.raises(FetchError) as failure:
            await fetch.request("GET", url(peer, "https"), redirects=3)
    await fetch.close()

    assert failure.value.reason is Reason.REDIRECT
    assert len(peer.requests) == 1
    assert plain.requests == []


@pytest.mark.case("SR-10")
async def test_a_peer_that_speaks_no_tls_is_refused(fetch: GuardedFetch) -> None:
    async with listening(answer()) as peer:
        with pytest.raises(FetchError) as failure:
            await fetch.request("GET", url(peer, "https"), deadline=1)
    assert failure.value.reason in {Reason.TLS, Reason.TIMEOUT}


@pytest.mark.case("SR-11", "OI-25")
async def test_a_body_over_the_limit_is_refused(fetch: GuardedFetch) -> None:
    assert (await refused(fetch, answer(b"x" * 10_000_000))).reason is Reason.TOO_LARGE
    assert (await refused(fetch, answer(b"x" * 101), max_bytes=100)).reason is Reason.TOO_LARGE


@pytest.mark.case("SR-11", "OI-25")
async def test_an_endless_body_is_cut_at_the_limit(fetch: GuardedFetch) -> None:
    sent = 0

    async def endless(_: bytes, write: Write) -> None:
        nonlocal sent
        await write(CHUNKED)
        while True:
            await write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            sent += 0x4000

    error = await refused(fetch, endless)
    assert error.reason is Reason.TOO_LARGE
    assert sent < 50_000_000


def bomb() -> bytes:
    """Return 256 MB of zeros in 256 KB of gzip."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(16_777_216)
    return b"".join(packer.compress(block) for _ in range(16)) + packer.flush()


@pytest.mark.case("SR-11", "OI-25")
async def test_a_compressed_bomb_is_cut_at_the_limit(fetch: GuardedFetch) -> None:
    data = answer(bomb(), headers="Content-Encoding: gzip\r\n")
    tracemalloc.start()
    error = await refused(fetch, data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert error.reason is Reason.TOO_LARGE
    assert peak < 10_000_000


@pytest.mark.case("SR-11", "OI-25")
@pytest.mark.parametrize(
    "encoding",
    ["gzip, gzip, gzip", "deflate", "br", "zstd", "compress", "x-gzip", "gzip, identity"],
)
async def test_another_encoding_is_refused(fetch: GuardedFetch, encoding: str) -> None:
    data = answer(gzip.compress(b"{}"), headers=f"Content-Encoding: {encoding}\r\n")
    assert (await refused(fetch, data)).reason is Reason.ENCODING


@pytest.mark.case("SR-11")
@pytest.mark.parametrize(
    "data",
    [
        b"not gzip",
        gzip.compress(b"x" * 1000, mtime=0)[:-4],
        gzip.compress(b"a", mtime=0) + gzip.compress(b"b", mtime=0),
    ],
)
async def test_broken_gzip_is_refused(fetch: GuardedFetch, data: bytes) -> None:
    peer_answer = answer(data, headers="Content-Encoding: gzip\r\n")
    assert (await refused(fetch, peer_answer)).reason is Reason.ENCODING


@pytest.mark.case("SR-11")
async def test_gzip_that_never_says_anything_is_cut_at_the_limit(fetch: GuardedFetch) -> None:
    async def empty_blocks(_: bytes, write: Write) -> None:
        await write(CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"))
        packer = zlib.compressobj(0, zlib.DEFLATED, 31)
        block = b"".join(packer.flush(zlib.Z_FULL_FLUSH) or b"" for _ in range(1))
        await write(f"{len(block):x}\r\n".encode() + block + b"\r\n")
        nothing = b"\x00\x00\x00\xff\xff" * 1000
        while True:
            await write(f"{len(nothing):x}\r\n".encode() + nothing + b"\r\n")

    assert (await refused(fetch, empty_blocks)).reason is Reason.TOO_LARGE


@pytest.mark.case("SR-11")
async def test_a_length_that_lies_is_refused(fetch: GuardedFetch) -> None:
    lie = OK + b"Content-Length: 1000\r\n\r\nshort"
    assert (await refused(fetch, lie)).reason is Reason.MALFORMED


@pytest.mark.case("SR-11")
async def test_a_length_that_is_too_small_hides_the_rest(fetch: GuardedFetch) -> None:
    async with listening(OK + b"Content-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\nevil") as peer:
        assert (await fetch.request("GET", url(peer))).body == b"{}"


def drip(first: bytes, byte: bytes = b"x") -> Answer:
    async def slowly(_: bytes, write: Write) -> None:
        await write(first)
        while True:
            await write(byte)
            await asyncio.sleep(0.05)

    return slowly


@pytest.mark.case("SR-11", "OI-25", "OI-45")
@pytest.mark.parametrize(
    "peer_answer",
    [
        drip(OK + b"Content-Length: 100000\r\n\r\n"),
        drip(OK + b"X-Slow: "),
        drip(b"HTTP/1.1 200 "),
        drip(b"", OK.replace(b"200 OK", b"103 Early Hints") + b"\r\n"),
        drip(b"", OK.replace(b"200 OK", b"100 Continue") + b"\r\n"),
        drip(b"", b""),
    ],
)
async def test_a_slow_peer_is_left_at_the_deadline(
    fetch: GuardedFetch, peer_answer: Answer
) -> None:
    started = time.monotonic()
    error = await refused(fetch, peer_answer, deadline=0.4)

    assert error.reason is Reason.TIMEOUT
    assert 0.3 < time.monotonic() - started < 1.5


@pytest.mark.case("SR-11")
async def test_a_flood_of_informational_answers_is_left_at_the_deadline(
    fetch: GuardedFetch,
) -> None:
    async def flood(_: bytes, write: Write) -> None:
        while True:
            await write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)

    started = time.monotonic()
    error = await refused(fetch, flood, deadline=0.4)
    assert error.reason is Reason.TIMEOUT
    assert time.monotonic() - started < 2


@pytest.mark.case("SR-11")
async def test_the_deadline_holds_for_redirects_and_names_together() -> None:
    async def slow(_: str) -> list[str]:
        await asyncio.sleep(0.15)
        return ["127.0.0.1"]

    fetch = GuardedFetch(
        allowed_hosts=["idp.test"], allowed_networks=["127.0.0.1/32"], resolver=slow
    )

    async def again(_: bytes, write: Write) -> None:
        await asyncio.sleep(0.15)
        await write(answer(status="302 Found", headers="Location: /again\r\n"))

    started = time.monotonic()
    async with listening(again) as peer:
        with pytest.raises(FetchError) as failure:
            await fetch.request("GET", f"http://idp.test:{peer.port}/", redirects=50, deadline=0.7)
    await fetch.close()

    assert failure.value.reason is Reason.TIMEOUT
    assert time.monotonic() - started < 1.5


@pytest.mark.case("SR-11")
@pytest.mark.parametrize(
    "head",
    [
        OK + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n",
        OK + b"".join(b"X%d: 1\r\n" % number for number in range(10_000)) + b"\r\n",
        b"HTTP/1.1 200 " + b"x" * 1_000_000 + b"\r\n\r\n",
        OK + b"x" * 1_000_000,
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"220 mail ESMTP\r\n",
        b"<html></html>",
        b"\x00" * 100,
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 100_000,
        OK + b"X\x00Y: 1\r\n\r\n",
    ],
)
async def test_a_malformed_answer_is_refused(fetch: GuardedFetch, head: bytes) -> None:
    assert (await refused(fetch, head, deadline=2)).reason is Reason.MALFORMED


@pytest.mark.case("SR-11")
@pytest.mark.parametrize("head", [b"", OK, b"HTTP/1.1"])
async def test_a_peer_that_hangs_up_is_unreachable(fetch: GuardedFetch, head: bytes) -> None:
    assert (await refused(fetch, head, deadline=2)).reason is Reason.UNREACHABLE


async def test_header_bytes_that_are_no_text_do_no_harm(fetch: GuardedFetch) -> None:
    async with listening(OK + b"X-Odd: \xff\xfe\r\nContent-Length: 0\r\n\r\n") as peer:
        response = await fetch.request("GET", url(peer))
    assert response.headers["x-odd"].encode("utf-8") == b"??"


@pytest.mark.parametrize(
    "value", ["Bearer a\r\nHost: evil", "Bearer a\nb", "Bearer \x00", "Bearer é", "Bearer a\x7f"]
)
async def test_a_header_that_could_end_its_line_is_refused(fetch: GuardedFetch, value: str) -> None:
    async with listening(answer()) as peer:
        with pytest.raises(FetchError) as failure:
            await fetch.request("GET", url(peer), headers={"Authorization": value})

    assert failure.value.reason is Reason.HEADER
    assert failure.value.detail == "Authorization"
    assert peer.requests == []


async def test_an_error_shows_nothing_of_the_request(fetch: GuardedFetch) -> None:
    headers = {"Authorization": "Basic SECRET"}
    peer_answers: list[Answer] = [b"", b"<html>", OK + b"Content-Length: 9\r\n\r\n", answer(b"xx")]
    for peer_answer in peer_answers:
        error = await refused(fetch, peer_answer, headers=headers, max_bytes=1)
        assert "SECRET" not in f"{error!r} {error.detail} {error.__cause__!r}"
        assert error.detail != ""


@pytest.mark.case("SR-12")
async def test_an_error_shows_nothing_of_the_body(fetch: GuardedFetch) -> None:
    error = await refused(fetch, answer(b"SECRET" * 100), max_bytes=10)
    assert "SECRET" not in f"{error} {error.detail}"


@pytest.mark.case("SR-13")
async def test_every_error_reads_the_same_in_public(fetch: GuardedFetch) -> None:
    async with listening(answer()) as closed:
        pass
    with pytest.raises(FetchError) as unreachable:
        await fetch.request("GET", url(closed))
    with pytest.raises(FetchError) as address:
        await fetch.request("GET", "https://127.0.0.2/")
    errors = [
        unreachable.value,
        address.value,
        await refused(fetch, drip(b"", b""), deadline=0.1),
        await refused(fetch, b"SSH-2.0-OpenSSH_9.9\r\n"),
    ]

    assert {str(error) for error in errors} == {"The address could not be fetched."}
    assert [error.reason for error in errors] == [
        Reason.UNREACHABLE,
        Reason.ADDRESS,
        Reason.TIMEOUT,
        Reason.MALFORMED,
    ]


async def ask_in_vain(
    fetch: GuardedFetch,
    addresses: Sequence[str],
    *,
    tenant: str,
    until: Callable[[], bool],
    deadline: float = 30,
) -> list[asyncio.Task[FetchResponse]]:
    """Ask at addresses that will not answer; returns a while after `until` has come true."""
    with acting_for(tenant):
        tasks = [
            asyncio.create_task(fetch.request("GET", each, deadline=deadline)) for each in addresses
        ]
    async with asyncio.timeout(10):
        while not until():
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    return tasks


async def ask(
    fetch: GuardedFetch, address: str, *, tenant: str, deadline: float = 10
) -> FetchResponse:
    with acting_for(tenant):
        return await fetch.request("GET", address, deadline=deadline)


async def give_up(tasks: Sequence[asyncio.Task[FetchResponse]]) -> None:
    """End requests that must all be waiting still."""
    assert not any(task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.case("SR-16")
@pytest.mark.parametrize("tenant", ["hanging", "other"])
async def test_a_peer_that_hangs_holds_up_only_requests_to_itself(
    fetch: GuardedFetch, tenant: str
) -> None:
    async with listening(drip(b"", b"")) as hanging, listening(answer(b"here")) as peer:
        tasks = await ask_in_vain(
            fetch, [url(hanging)] * 30, tenant="hanging", until=lambda: len(hanging.requests) >= 8
        )
        assert len(hanging.requests) == 8
        response = await ask(fetch, url(peer), tenant=tenant)
        assert response.body == b"here"
        await give_up(tasks)


@pytest.mark.case("SR-16")
async def test_a_tenant_with_many_peers_that_hang_holds_up_only_itself(
    fetch: GuardedFetch,
) -> None:
    async with AsyncExitStack() as peers:
        hanging = [await peers.enter_async_context(listening(drip(b"", b""))) for _ in range(5)]
        good = await peers.enter_async_context(listening(answer(b"here")))
        addresses = [url(each) for each in hanging for _ in range(10)]

        def held() -> int:
            return sum(len(each.requests) for each in hanging)

        tasks = await ask_in_vain(fetch, addresses, tenant="hanging", until=lambda: held() >= 12)
        assert held() == 12
        responses = [await ask(fetch, url(good), tenant=name) for name in ("other", "", "third")]
        assert {response.body for response in responses} == {b"here"}
        with pytest.raises(FetchError) as waited:
            await ask(fetch, url(good), tenant="hanging", deadline=0.3)
        assert waited.value.reason is Reason.TIMEOUT
        await give_up(tasks)
        assert (await ask(fetch, url(good), tenant="hanging")).body == b"here"


@pytest.mark.case("SR-16")
async def test_names_that_hang_hold_up_only_their_tenant() -> None:
    asked: list[str] = []
    told = asyncio.Event()

    async def resolver(host: str) -> Sequence[str]:
        asked.append(host)
        if host.startswith("hanging"):
            await told.wait()
        return ["127.0.0.1"]

    async with listening(answer(b"here")) as peer:
        names = [f"hanging-{number}.test:{peer.port}" for number in range(20)]
        good = f"good.test:{peer.port}"
        fetch = GuardedFetch(
            allowed_hosts=[*names, good], allowed_networks=["127.0.0.1/32"], resolver=resolver
        )
        addresses = [f"http://{name}/" for name in names]
        tasks = await ask_in_vain(
            fetch, addresses, tenant="hanging", until=lambda: len(asked) >= 4, deadline=0.5
        )
        reasons = await asyncio.gather(*tasks, return_exceptions=True)
        assert {getattr(each, "reason", None) for each in reasons} == {Reason.TIMEOUT}
        # Nobody waits any more; the look-ups still go on, and no more of them begin.
        assert len(asked) == 4
        with pytest.raises(FetchError) as waited:
            await ask(fetch, f"http://{good}/", tenant="hanging", deadline=0.3)
        assert (waited.value.reason, len(asked)) == (Reason.TIMEOUT, 4)
        assert (await ask(fetch, f"http://{good}/", tenant="other")).body == b"here"
        told.set()
        assert (await ask(fetch, f"http://{good}/", tenant="hanging")).body == b"here"
        await fetch.close()
