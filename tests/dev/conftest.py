"""The parts from outside that the development pages are given: time, chance, keys, a browser."""

import random
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.dev.serving import serving
from tests.support.saml_keys import signer
from vestibule.dev.browser import Browser
from vestibule.dev.client import open_session
from vestibule.dev.identity_provider import identity_provider
from vestibule.dev.identity_provider.keys import SigningIdentity

NOW = 1_800_000_000_000_000


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.instant = NOW

    def now(self) -> int:
        return self.instant


class RepeatableEntropy:
    """The same bytes in every run."""

    def __init__(self) -> None:
        self._random = random.Random(7)  # noqa: S311 - a test wants to repeat itself

    def token_bytes(self, size: int) -> bytes:
        return self._random.randbytes(size)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def entropy() -> RepeatableEntropy:
    return RepeatableEntropy()


@pytest.fixture
def identity() -> SigningIdentity:
    known = signer("the test identity provider")
    return SigningIdentity(known.key, known.pem)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


@pytest.fixture
def browser(http: aiohttp.ClientSession) -> Browser:
    return Browser(http)


@pytest.fixture
async def provider(
    identity: SigningIdentity, clock: HandClock, entropy: RepeatableEntropy
) -> AsyncIterator[str]:
    """The base URL under which the test identity provider answers."""
    async with serving(
        lambda base_url: identity_provider(
            base_url, identity=identity, clock=clock, entropy=entropy
        )
    ) as base_url:
        yield base_url
