import asyncio
import json

import pytest

from tests.support import oidc_documents
from tests.support.context import RoutedFetch
from tests.support.oidc_documents import Signer, rsa_signer
from vestibule.clock import HOUR, SECOND
from vestibule.domain.jwks_cache import JwksCache
from vestibule.fetch import FetchError, FetchResponse, Reason, acting_for
from vestibule.oidc.errors import OidcError

URL = "https://op.example.com/jwks"
NOW = oidc_documents.NOW


class Endpoint:
    """A JWKS endpoint that can be slow, gone, or answer anything."""

    def __init__(self, *signers: Signer) -> None:
        self.signers = signers
        self.status = 200
        self.gone = False
        self.fetch = RoutedFetch()
        self.fetch.answers[URL] = self._answer

    @property
    def asked(self) -> int:
        return len(self.fetch.requests)

    async def _answer(self, _method: str, url: str, _body: bytes) -> FetchResponse:
        await asyncio.sleep(0)
        if self.gone:
            raise FetchError(Reason.UNREACHABLE, detail="gone")
        body = json.dumps({"keys": [signer.jwk() for signer in self.signers]}).encode()
        return FetchResponse(status=self.status, headers={}, body=body, url=url)


def token(kid: str = "rsa-1") -> str:
    return oidc_documents.token(signer=rsa_signer(), header={"kid": kid})


async def kids(cache: JwksCache, endpoint: Endpoint, text: str, *, now: int = NOW) -> list[str]:
    keys = await cache.keys_for(endpoint.fetch, URL, text, now=now)
    return [str(key.kid) for key in keys]


async def test_keys_are_fetched_once_an_hour() -> None:
    cache, endpoint = JwksCache(), Endpoint(rsa_signer())
    for later in (0, 1, HOUR):
        assert await kids(cache, endpoint, token(), now=NOW + later) == ["rsa-1"]
        assert endpoint.asked == 1
    await kids(cache, endpoint, token(), now=NOW + HOUR + 1)
    assert endpoint.asked == 2


@pytest.mark.case("OI-26")
async def test_an_unknown_key_is_asked_for_at_once() -> None:
    cache, endpoint = JwksCache(), Endpoint(rsa_signer())
    await kids(cache, endpoint, token())
    endpoint.signers = (rsa_signer(), rsa_signer("rsa-2"))
    later = NOW + 31 * SECOND
    assert await kids(cache, endpoint, token("rsa-2"), now=later) == ["rsa-1", "rsa-2"]


@pytest.mark.case("OI-27")
async def test_unknown_keys_are_asked_for_once_in_thirty_seconds() -> None:
    cache, endpoint = JwksCache(), Endpoint(rsa_signer())
    for number in range(1000):
        await kids(cache, endpoint, token(f"random-{number}"), now=NOW + number * SECOND // 17)
    assert endpoint.asked == 2


@pytest.mark.case("OI-27")
async def test_those_who_ask_at_once_share_one_fetch() -> None:
    cache, endpoint = JwksCache(), Endpoint(rsa_signer())
    for now in (NOW, NOW + 31 * SECOND):
        asking = [kids(cache, endpoint, token(f"k-{n}"), now=now) for n in range(200)]
        assert await asyncio.gather(*asking) == [["rsa-1"]] * 200
    assert endpoint.asked == 2


async def test_one_who_gives_up_does_not_take_the_keys_from_the_others() -> None:
    cache, endpoint = JwksCache(), Endpoint(rsa_signer())
    first = asyncio.create_task(kids(cache, endpoint, token()))
    second = asyncio.create_task(kids(cache, endpoint, token()))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == ["rsa-1"]
    assert endpoint.asked == 1


async def test_the_last_good_keys_outlive_an_outage_and_are_renewed_after_it() -> None:
    cache, endpoint = JwksCache(), Endpoint(rsa_signer())
    await kids(cache, endpoint, token())
    endpoint.gone = True
    during = NOW + 2 * HOUR
    for later in (0, SECOND, 30 * SECOND):
        assert await kids(cache, endpoint, token(), now=during + later) == ["rsa-1"]
    assert endpoint.asked == 2
    endpoint.gone, endpoint.signers = False, (rsa_signer("rsa-2"),)
    assert await kids(cache, endpoint, token(), now=during + 31 * SECOND) == ["rsa-2"]


@pytest.mark.case("OP-17", verdict="holds")
async def test_keys_of_an_outage_that_does_not_end_are_given_up_after_a_day() -> None:
    cache, endpoint = JwksCache(), Endpoint(rsa_signer())
    await kids(cache, endpoint, token())
    endpoint.gone = True
    for hour in range(25):
        assert await kids(cache, endpoint, token(), now=NOW + hour * HOUR) == ["rsa-1"]
    with pytest.raises(FetchError):
        await kids(cache, endpoint, token(), now=NOW + 24 * HOUR + 1)
    endpoint.gone = False
    assert await kids(cache, endpoint, token(), now=NOW + 25 * HOUR) == ["rsa-1"]


@pytest.mark.case("OP-17", verdict="holds")
@pytest.mark.parametrize("status", [302, 404, 500, 503])
async def test_answer_that_is_no_key_set_does_not_replace_one(status: int) -> None:
    cache, endpoint = JwksCache(), Endpoint(rsa_signer())
    await kids(cache, endpoint, token())
    endpoint.status = status
    assert await kids(cache, endpoint, token(), now=NOW + 2 * HOUR) == ["rsa-1"]
    assert endpoint.asked == 2


async def test_key_that_its_provider_withdrew_is_gone_within_the_hour() -> None:
    cache, endpoint = JwksCache(), Endpoint(rsa_signer(), rsa_signer("rsa-2"))
    assert await kids(cache, endpoint, token()) == ["rsa-1", "rsa-2"]
    endpoint.signers = (rsa_signer("rsa-2"),)
    assert await kids(cache, endpoint, token(), now=NOW + HOUR + 1) == ["rsa-2"]


async def test_tenants_of_one_provider_do_not_wait_for_each_other() -> None:
    cache, endpoint = JwksCache(), Endpoint(rsa_signer())
    held = asyncio.Event()
    answer = endpoint.fetch.answers[URL]

    async def held_up(method: str, url: str, body: bytes) -> FetchResponse:
        if endpoint.fetch.tenants[-1] == "slow":
            await held.wait()
        return await answer(method, url, body)

    endpoint.fetch.answers[URL] = held_up
    with acting_for("slow"):
        waiting = asyncio.create_task(kids(cache, endpoint, token()))
    await asyncio.sleep(0)
    with acting_for("quick"):
        assert await kids(cache, endpoint, token()) == ["rsa-1"]
    held.set()
    assert await waiting == ["rsa-1"]


@pytest.mark.case("OI-27", verdict="holds")
async def test_made_up_keys_of_one_tenant_do_not_delay_the_new_ones_of_another() -> None:
    cache, endpoint = JwksCache(), Endpoint(rsa_signer())
    for tenant in ("bad", "good"):
        with acting_for(tenant):
            await kids(cache, endpoint, token())
    later = NOW + 31 * SECOND
    with acting_for("bad"):
        await kids(cache, endpoint, token("made-up"), now=later)
    endpoint.signers = (rsa_signer("rsa-2"),)
    with acting_for("good"):
        assert await kids(cache, endpoint, token("rsa-2"), now=later + 1) == ["rsa-2"]
    with acting_for("bad"):
        assert await kids(cache, endpoint, token("rsa-2"), now=later + 1) == ["rsa-1"]


async def test_the_set_not_fetched_the_longest_makes_room() -> None:
    cache, endpoint = JwksCache(most=3), Endpoint(rsa_signer())

    async def ask(tenant: str, *, now: int = NOW) -> int:
        before = endpoint.asked
        with acting_for(tenant):
            await kids(cache, endpoint, token(), now=now)
        return endpoint.asked - before

    assert [await ask(tenant) for tenant in "abc"] == [1, 1, 1]
    assert await ask("b", now=NOW + 2 * HOUR) == 1
    assert [await ask(tenant) for tenant in "abc"] == [0, 0, 0]
    assert await ask("d") == 1
    assert await ask("e") == 1
    assert [await ask(tenant) for tenant in "bde"] == [0, 0, 0]
    assert await ask("a") == 1


async def test_without_any_keys_an_outage_is_an_error_each_time() -> None:
    cache, endpoint = JwksCache(), Endpoint(rsa_signer())
    endpoint.gone = True
    for _ in range(2):
        with pytest.raises(FetchError):
            await kids(cache, endpoint, token())
    endpoint.gone, endpoint.status = False, 500
    with pytest.raises(OidcError) as caught:
        await kids(cache, endpoint, token())
    assert caught.value.reason == "oidc.jwks"
    endpoint.status = 200
    assert await kids(cache, endpoint, token()) == ["rsa-1"]
