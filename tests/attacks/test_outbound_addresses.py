"""URLs and names that aim at the operator's own network: security cases SR-01 to SR-08.

Addresses outside loopback are judged at the guard and the resolver, without a socket: a test that
fails must not become a request to somebody's metadata service.
"""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

import pytest

from tests.support.http_peer import Peer, answer, listening, redirect
from vestibule.fetch import FetchError, GuardedFetch, Reason, Resolver
from vestibule.fetch.guard import Guard
from vestibule.fetch.resolver import GuardedResolver

METADATA = [
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "fd00:ec2::254",
    "fd20:ce::254",
]
LOOPBACK = ["127.0.0.1", "127.255.255.254", "::1", "0.0.0.0", "::"]  # noqa: S104 - addresses to refuse
PRIVATE = ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "fd12::1"]
SPECIAL = [
    "0.1.2.3",
    "169.254.1.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "64:ff9b:1::1",
]
HIDDEN = [
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "::a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "2002:a9fe:a9fe::",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]
PUBLIC = [
    "93.184.216.34",
    "1.1.1.1",
    "172.15.255.255",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "192.0.1.1",
    "168.63.129.17",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450::1",
    "::ffff:1.1.1.1",
    "64:ff9b::101:101",
]


def always(*addresses: str) -> Resolver:
    async def resolver(_: str) -> Sequence[str]:
        return addresses

    return resolver


async def refused(url: str, *, redirects: int = 0, **settings: Any) -> FetchError:
    fetch = GuardedFetch(**settings)
    try:
        with pytest.raises(FetchError) as failure:
            await fetch.request("GET", url, redirects=redirects, deadline=2)
    finally:
        await fetch.close()
    return failure.value


def in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def refusal(guard: Guard, url: str) -> Reason:
    with pytest.raises(FetchError) as failure:
        guard.target(url)
    return failure.value.reason


@pytest.mark.case("SR-01", "SR-02", "SR-03")
@pytest.mark.parametrize("address", [*METADATA, *LOOPBACK, *PRIVATE, *SPECIAL, *HIDDEN])
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert refusal(Guard(), f"https://{in_url(address)}/") is Reason.ADDRESS


@pytest.mark.case("SR-01", "SR-02", "SR-03")
@pytest.mark.parametrize("address", [*METADATA, *LOOPBACK, *PRIVATE, *SPECIAL, *HIDDEN])
async def test_a_name_of_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(FetchError) as failure:
        await GuardedResolver(Guard(), always(address)).resolve("idp.example.com", 443)

    assert failure.value.reason is Reason.ADDRESS
    assert failure.value.detail == f"idp.example.com is {address}"


@pytest.mark.parametrize("address", PUBLIC)
async def test_a_public_address_is_admitted(address: str) -> None:
    found = await GuardedResolver(Guard(), always(address)).resolve("idp.example.com", 443)

    assert [ip_address(one["host"]) for one in found] == [ip_address(address)]
    assert Guard().target(f"https://{in_url(address)}/").port == 443


@pytest.mark.case("SR-01", "SR-03")
@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"])
async def test_loopback_is_refused_before_a_connection(address: str) -> None:
    host = "::1" if address == "[::1]" else "127.0.0.1"
    async with listening(answer(b"internal"), host=host) as peer:
        # The port is opened by a name on it, so that only the address stands in the way.
        listed = [f"idp.test:{peer.port}"]
        error = await refused(
            f"http://idp.test:{peer.port}/",
            allowed_hosts=listed,
            resolver=always(address.strip("[]").replace("localhost", "127.0.0.1")),
        )

    assert error.reason is Reason.ADDRESS
    assert peer.requests == []


@pytest.mark.case("SR-01")
@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "017700000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "localhost.",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "0",
        "1.2.3.4.5",
        "256.256.256.256",
        "a.0x7f",
        "a.1",
    ],
)
def test_another_spelling_of_an_address_is_refused(host: str) -> None:
    assert refusal(Guard(networks=["127.0.0.0/8"]), f"https://{host}/") is Reason.URL


@pytest.mark.case("SR-01")
async def test_localhost_is_refused() -> None:
    assert (await refused("https://localhost/")).reason is Reason.ADDRESS


@pytest.mark.case("SR-03")
@pytest.mark.parametrize("host", ["[fe80::1%25eth0]", "[fe80::1%eth0]", "[::1%251]"])
def test_an_address_with_a_zone_is_refused(host: str) -> None:
    assert refusal(Guard(), f"https://{host}/") is Reason.URL


@pytest.mark.case("SR-04")
async def test_of_several_addresses_only_public_ones_are_connected_to() -> None:
    async with listening(answer(b"internal"), host="127.0.0.2") as peer:
        error = await refused(
            f"http://idp.test:{peer.port}/",
            allowed_hosts=["idp.test"],
            allowed_networks=["127.0.0.1/32"],
            resolver=always("127.0.0.2", "127.0.0.1", "::1"),
        )

    assert error.reason is Reason.UNREACHABLE
    assert peer.requests == []


@pytest.mark.case("SR-04")
async def test_of_several_addresses_only_public_ones_come_out() -> None:
    resolver = GuardedResolver(Guard(), always("10.0.0.1", "1.1.1.1", "::1", "169.254.169.254"))
    found = await resolver.resolve("idp.example.com", 443)
    assert [one["host"] for one in found] == ["1.1.1.1"]


@pytest.mark.case("SR-05")
async def test_a_name_is_resolved_once_and_the_checked_address_is_used() -> None:
    answers = [["127.0.0.1"], ["127.0.0.2"]]
    asked: list[str] = []

    async def rebinding(host: str) -> Sequence[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    fetch = GuardedFetch(
        allowed_hosts=["idp.test"], allowed_networks=["127.0.0.1/32"], resolver=rebinding
    )
    async with listening(answer(b"here")) as peer:
        url = f"http://idp.test:{peer.port}/"
        assert (await fetch.request("GET", url)).body == b"here"
        assert asked == ["idp.test"]
        with pytest.raises(FetchError) as failure:
            await fetch.request("GET", url)
    await fetch.close()

    assert failure.value.reason is Reason.ADDRESS
    assert failure.value.detail == "idp.test is 127.0.0.2"
    assert len(peer.requests) == 1


@pytest.mark.case("SR-07")
@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example.com/",
        "http://idp.example.com:443/",
        "ftp://idp.example.com/",
        "file:///etc/passwd",
        "gopher://idp.example.com/",
        "data:text/plain,x",
        "unix:///run/docker.sock",
        "http+unix://%2Frun%2Fdocker.sock/",
        "ws://idp.example.com/",
        "javascript:alert(1)",
        "//idp.example.com/",
        "idp.example.com",
        "",
    ],
)
def test_another_scheme_is_refused(url: str) -> None:
    assert refusal(Guard(), url) is Reason.SCHEME


@pytest.mark.case("SR-07")
@pytest.mark.parametrize("port", [22, 25, 80, 444, 6379, 8443, 65535])
def test_another_port_is_refused(port: int) -> None:
    assert refusal(Guard(), f"https://idp.example.com:{port}/") is Reason.PORT


@pytest.mark.case("SR-07")
@pytest.mark.parametrize(
    "url",
    [
        "https://user@idp.example.com/",
        "https://user:password@idp.example.com/",
        "https://@idp.example.com/",
        "https://idp.example.com@evil.example/",
        "https://evil.example\\@idp.example.com/",
        "https://idp.example.com:0/",
        "https://idp.example.com:99999/",
        "https://idp.example.com:x/",
        "https://[::1/",
        "https://[not an address]/",
        "https://",
        "https:///path",
        "https://idp.example.com/\r\nHost: evil",
        "https://idp.example.com/ x",
        "https://idp.exämple.com/",
        "https://idp_\x00.example.com/",
        "https://*.example.com/",
        "https://" + "a" * 300 + ".example/",
        "https://idp.example.com/" + "a" * 5_000,
    ],
)
def test_a_url_that_can_be_read_in_two_ways_is_refused(url: str) -> None:
    assert refusal(Guard(), url) is Reason.URL


def admits(address: str, *, host: str = "idp.corp.internal", **listed: Any) -> bool:
    return Guard(**listed).admits(host, 8443, ip_address(address))


@pytest.mark.case("SR-08")
@pytest.mark.parametrize("address", PRIVATE)
def test_a_listed_name_may_be_private(address: str) -> None:
    assert admits(address, hosts=["idp.corp.internal"])
    assert admits(address, hosts=["idp.corp.internal:8443"])
    assert not admits(address, hosts=["idp.corp.internal:443"])
    assert not admits(address)


@pytest.mark.case("SR-08")
@pytest.mark.parametrize("address", [*METADATA, *LOOPBACK, *SPECIAL, *HIDDEN])
def test_a_listed_name_still_may_not_be_loopback_or_metadata(address: str) -> None:
    hidden_private = {"::ffff:10.0.0.1", "64:ff9b::a00:1"}
    assert admits(address, hosts=["idp.corp.internal"]) is (address in hidden_private)


@pytest.mark.case("SR-08")
def test_a_listed_localhost_is_loopback_and_nothing_else() -> None:
    assert admits("127.0.0.1", host="localhost", hosts=["localhost"])
    assert admits("::1", host="localhost", hosts=["localhost"])
    assert not admits("169.254.1.1", host="localhost", hosts=["localhost"])
    assert not admits("127.0.0.1", host="idp.corp.internal", hosts=["localhost"])


@pytest.mark.case("SR-08")
def test_a_listed_network_is_exactly_that() -> None:
    assert admits("10.1.2.3", networks=["10.0.0.0/8"])
    assert admits("::ffff:10.1.2.3", networks=["10.0.0.0/8"])
    assert not admits("192.168.0.1", networks=["10.0.0.0/8"])
    assert not admits("127.0.0.1", networks=["10.0.0.0/8"])


@pytest.mark.case("SR-08")
@pytest.mark.parametrize("host", ["other.corp.internal", "corp.internal", "a.idp.corp.internal"])
def test_another_name_than_the_listed_one_is_refused(host: str) -> None:
    assert not admits("10.0.0.1", host=host, hosts=["idp.corp.internal"])


@pytest.mark.case("SR-08")
def test_a_listed_port_is_the_only_one() -> None:
    guard = Guard(hosts=["localhost:8080"])

    assert guard.target("http://localhost:8080/").port == 8080
    assert refusal(guard, "http://localhost:8081/") is Reason.SCHEME
    assert refusal(guard, "https://localhost:8081/") is Reason.PORT


@pytest.mark.case("SR-08")
def test_a_listed_network_does_not_list_names_for_http() -> None:
    guard = Guard(networks=["10.0.0.0/8"])

    assert refusal(guard, "http://idp.corp.internal/") is Reason.SCHEME
    assert guard.target("http://10.0.0.1:8080/").host == "10.0.0.1"


@pytest.mark.case("SR-02", "SR-08")
@pytest.mark.parametrize("address", METADATA)
def test_metadata_inside_a_listed_network_is_refused(address: str) -> None:
    network = "::/0" if ":" in address else "0.0.0.0/0"
    guard = Guard(networks=[network])

    assert refusal(guard, f"https://{in_url(address)}/") is Reason.ADDRESS
    assert not guard.admits("idp.example.com", 443, ip_address(address))


@pytest.mark.case("SR-02", "SR-08")
@pytest.mark.parametrize("address", METADATA)
def test_metadata_is_admitted_only_when_listed_exactly(address: str) -> None:
    width = 128 if ":" in address else 32

    assert admits(address, networks=[f"{address}/{width}"])
    assert admits(address, host=address, hosts=[address])
    assert not admits(address, host="idp.corp.internal", hosts=[address])


LISTED: dict[str, Any] = {"allowed_hosts": ["idp.test"], "allowed_networks": ["127.0.0.1/32"]}


def at(peer: Peer) -> str:
    return f"http://127.0.0.1:{peer.port}/"


@pytest.mark.case("SR-06")
@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://127.0.0.2/", Reason.SCHEME),
        ("https://127.0.0.2/", Reason.ADDRESS),
        ("https://[::1]/", Reason.ADDRESS),
        ("https://[::ffff:127.0.0.2]/", Reason.ADDRESS),
        ("http://idp.example.com/", Reason.SCHEME),
        ("https://idp.example.com:8443/", Reason.PORT),
        ("file:///etc/passwd", Reason.SCHEME),
        ("ftp://idp.example.com/", Reason.SCHEME),
        ("https://user@idp.example.com/", Reason.URL),
        ("https://idp.example.com\\@evil.example/", Reason.URL),
        ("https://[::1/", Reason.REDIRECT),
        ("//127.0.0.2/", Reason.SCHEME),
        ("https://\xff.example/", Reason.URL),
    ],
)
async def test_a_redirect_is_judged_like_a_request(location: str, reason: Reason) -> None:
    async with listening(redirect(location)) as peer:
        assert (await refused(at(peer), redirects=3, **LISTED)).reason is reason


@pytest.mark.case("SR-06")
@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
async def test_no_redirect_is_followed_without_being_asked_for(status: str) -> None:
    async with listening(answer(b"there")) as there, listening(redirect(at(there), status)) as peer:
        error = await refused(at(peer), **LISTED)

    assert error.reason is Reason.REDIRECT
    assert there.requests == []


@pytest.mark.case("SR-06")
async def test_redirects_are_counted() -> None:
    async with listening(redirect("/again")) as peer:
        error = await refused(at(peer), redirects=3, **LISTED)

    assert error.reason is Reason.REDIRECT
    assert len(peer.requests) == 4


@pytest.mark.case("SR-06", "OI-45")
@pytest.mark.parametrize("status", ["302 x", "307 x", "308 x"])
async def test_a_body_is_never_sent_a_second_time(status: str) -> None:
    fetch = GuardedFetch(**LISTED)
    async with listening(answer()) as there, listening(redirect(at(there), status)) as peer:
        with pytest.raises(FetchError) as failure:
            await fetch.request("POST", at(peer), body=b"code=1", redirects=3)
    await fetch.close()

    assert failure.value.reason is Reason.REDIRECT
    assert there.requests == []


@pytest.mark.case("SR-06")
async def test_a_redirect_elsewhere_does_not_carry_secrets() -> None:
    fetch = GuardedFetch(**LISTED)
    headers = {"Authorization": "Bearer secret", "Cookie": "a=secret", "accept": "text/plain"}
    async with listening(answer()) as there, listening(redirect(at(there))) as peer:
        await fetch.request("GET", at(peer), headers=headers, redirects=1)
    await fetch.close()

    assert b"secret" in peer.requests[0]
    assert b"secret" not in there.requests[0]
    assert b"text/plain" in there.requests[0]
