import asyncio
import json

import pytest

from tests.support import oidc_documents
from tests.support.context import RoutedFetch
from tests.support.oidc_documents import Signer, rsa_signer
from vestibule.clock import HOUR, SECOND
from vestibule.domain.jwks_cache import JwksCache
from vestibule.fetch import FetchError, FetchResponse, Reason
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
