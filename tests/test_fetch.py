"""The guarded client against a real peer: what a good request looks like on the wire."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.support.http_peer import Peer, answer, authority, listening, redirect
from vestibule.fetch import FetchError, GuardedFetch, Reason
from vestibule.fetch.bulkhead import Bulkhead


@pytest.fixture
async def fetch() -> AsyncIterator[GuardedFetch]:
    client = GuardedFetch(allowed_hosts=["localhost"], allowed_networks=["127.0.0.0/8"])
    yield client
    await client.close()


def url(peer: Peer, path: str = "/") -> str:
    return f"http://127.0.0.1:{peer.port}{path}"


async def test_an_answer_comes_back_with_its_parts(fetch: GuardedFetch) -> None:
    head = "Content-Type: application/json\r\nX-Two: a\r\nX-Two: b\r\n"
    async with listening(answer(b"{}", status="404 Not Found", headers=head)) as peer:
        response = await fetch.request("GET", url(peer, "/a?b=c"))

    assert (response.status, response.body) == (404, b"{}")
    assert response.url == f"http://127.0.0.1:{peer.port}/a?b=c"
    assert response.headers == {
        "content-type": "application/json",
        "x-two": "a, b",
        "content-length": "2",
    }


async def test_the_request_is_sent_as_it_was_given(fetch: GuardedFetch) -> None:
    async with listening(answer()) as peer:
        await fetch.request(
            "POST",
            url(peer, "/t%2Fa/../b?x=%20&y=+&z=%c3"),
            headers={"Authorization": "Basic YTpi", "Content-Type": "text/plain"},
            body=b"code=1",
        )

    head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /t%2Fa/../b?x=%20&y=+&z=%c3 HTTP/1.1"
    assert set(lines[1:]) == {
        f"Host: 127.0.0.1:{peer.port}",
        "Authorization: Basic YTpi",
        "Content-Type: text/plain",
        "Accept: */*",
        "Accept-Encoding: gzip",
        "User-Agent: Vestibule",
        "Content-Length: 6",
        "Connection: close",
    }
    assert body == b"code=1"


async def test_a_compressed_answer_is_decoded(fetch: GuardedFetch) -> None:
    data = gzip.compress(b"x" * 100_000)
    async with listening(answer(data, headers="Content-Encoding: gzip\r\n")) as peer:
        assert (await fetch.request("GET", url(peer))).body == b"x" * 100_000


async def test_a_compressed_answer_without_a_body_is_empty(fetch: GuardedFetch) -> None:
    async with listening(answer(headers="Content-Encoding: gzip\r\n")) as peer:
        assert (await fetch.request("GET", url(peer))).body == b""


async def test_a_body_of_exactly_the_limit_is_read(fetch: GuardedFetch) -> None:
    async with listening(answer(b"x" * 1000)) as peer:
        assert len((await fetch.request("GET", url(peer), max_bytes=1000)).body) == 1000


async def test_redirects_are_followed_when_asked_for(fetch: GuardedFetch) -> None:
    async with (
        listening(answer(b"here")) as last,
        listening(redirect(url(last, "/end#fragment"), "307 Temporary")) as middle,
        listening(redirect(url(middle, "/middle"))) as first,
    ):
        response = await fetch.request("GET", url(first), redirects=2)

    assert (response.body, response.url) == (b"here", url(last, "/end"))


async def test_a_relative_redirect_stays_and_keeps_its_headers(fetch: GuardedFetch) -> None:
    async def two_steps(request: bytes, write: object) -> None:
        assert callable(write)
        await write(answer(b"here") if b"GET /a/next?x " in request else redirect("next?x"))

    async with listening(two_steps) as peer:
        headers = {"Authorization": "Bearer secret", "Accept": "text/plain"}
        response = await fetch.request("GET", url(peer, "/a/b"), redirects=1, headers=headers)

    assert response.body == b"here"
    assert [b"Bearer secret" in request for request in peer.requests] == [True, True]


async def test_a_name_is_resolved_by_the_given_resolver_and_kept_in_host() -> None:
    asked: list[str] = []

    async def resolver(host: str) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    fetch = GuardedFetch(
        allowed_hosts=["idp.test"], allowed_networks=["127.0.0.0/8"], resolver=resolver
    )
    async with listening(answer(b"here")) as peer:
        response = await fetch.request("GET", f"http://idp.test:{peer.port}/")
    await fetch.close()

    assert (response.body, asked) == (b"here", ["idp.test"])
    assert f"Host: idp.test:{peer.port}\r\n".encode() in peer.requests[0]


async def test_localhost_is_reached_when_listed(fetch: GuardedFetch) -> None:
    async with listening(answer(b"here")) as peer:
        assert (await fetch.request("GET", f"http://localhost:{peer.port}/")).body == b"here"


async def test_a_private_authority_is_trusted_when_given(tmp_path: Path) -> None:
    ours = authority(tmp_path)
    fetch = GuardedFetch(allowed_networks=["127.0.0.0/8"], ca_file=str(ours.ca_file))
    tls = ours.server_context("127.0.0.1", folder=tmp_path)
    async with listening(answer(b"here"), tls=tls) as peer:
        response = await fetch.request("GET", f"https://127.0.0.1:{peer.port}/")
    await fetch.close()

    assert response.body == b"here"


async def test_server_name_is_the_host_and_not_its_address(tmp_path: Path) -> None:
    ours = authority(tmp_path)
    tls = ours.server_context("idp.test", folder=tmp_path)
    named: list[str | None] = []
    tls.sni_callback = lambda _socket, name, _context: named.append(name)

    async def resolver(_: str) -> Sequence[str]:
        return ["127.0.0.1"]

    fetch = GuardedFetch(
        allowed_hosts=["idp.test"],
        allowed_networks=["127.0.0.0/8"],
        ca_file=str(ours.ca_file),
        resolver=resolver,
    )
    async with listening(answer(b"here"), tls=tls) as peer:
        response = await fetch.request("GET", f"https://idp.test:{peer.port}/")
    await fetch.close()

    assert (response.body, named) == (b"here", ["idp.test"])


async def test_a_closed_port_is_unreachable(fetch: GuardedFetch) -> None:
    async with listening(answer()) as peer:
        pass
    with pytest.raises(FetchError) as failure:
        await fetch.request("GET", url(peer))
    assert failure.value.reason is Reason.UNREACHABLE


async def test_a_client_that_was_never_used_can_be_closed() -> None:
    await GuardedFetch().close()


@pytest.mark.parametrize(
    "host", ["", "*.corp.example", "https://a.example", "a.example:x", "a/b", "a b", "u@a", "1"]
)
def test_a_listed_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        GuardedFetch(allowed_hosts=[host])


@pytest.mark.parametrize("network", ["", "10.0.0.1/8", "corp", "10.0.0.0/99"])
def test_a_listed_network_that_is_none_is_refused(network: str) -> None:
    with pytest.raises(
        ValueError, match=r"does not appear to be an IPv4 or IPv6 network|has host bits set"
    ):
        GuardedFetch(allowed_networks=[network])


def test_a_file_of_authorities_that_is_missing_is_refused() -> None:
    with pytest.raises(OSError, match="No such file"):
        GuardedFetch(ca_file="/nonexistent/ca.pem")


async def test_room_is_kept_by_key_and_given_to_who_waited_first() -> None:
    bulkhead, order = Bulkhead(1), list[str]()

    async def use(key: str, name: str) -> None:
        async with bulkhead.room(key):
            order.append(name)

    await bulkhead.enter("a")
    waiting = [asyncio.create_task(use("a", name)) for name in ("first", "second")]
    await use("b", "of b")
    assert order == ["of b"]
    bulkhead.leave("a")
    await asyncio.gather(*waiting)
    assert order == ["of b", "first", "second"]


async def test_who_gives_up_waiting_takes_no_room() -> None:
    bulkhead = Bulkhead(1)
    await bulkhead.enter("a")
    waiting = asyncio.create_task(bulkhead.enter("a"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    bulkhead.leave("a")
    async with asyncio.timeout(1), bulkhead.room("a"):
        pass


async def test_a_look_up_that_goes_on_ends_with_the_client() -> None:
    ended = asyncio.Event()

    async def resolver(_: str) -> Sequence[str]:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return []

    fetch = GuardedFetch(resolver=resolver)
    with pytest.raises(FetchError) as failure:
        await fetch.request("GET", "https://idp.test/", deadline=0.05)
    assert failure.value.reason is Reason.TIMEOUT
    assert not ended.is_set()
    await fetch.close()
    async with asyncio.timeout(1):
        await ended.wait()
