"""What the tests of development share: a signing key, a browser, and the whole server."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest

from tests.dev.serving import serving, serving_app
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.saml_keys import signer
from vestibule.app import App, open_context
from vestibule.dev.browser import Browser
from vestibule.dev.client import Client, open_session
from vestibule.dev.credentials import TEST_PROJECT
from vestibule.dev.identity_provider import identity_provider
from vestibule.dev.identity_provider.keys import SigningIdentity
from vestibule.dev.moving_clock import MovingClock
from vestibule.dev.routes import development_routes
from vestibule.dev.seed import Seeded, seed
from vestibule.domain import projects
from vestibule.domain.context import Context
from vestibule.fetch import GuardedFetch
from vestibule.mail import MemoryMail
from vestibule.settings import Settings
from vestibule.sms import MemorySms
from vestibule.store.open import open_store


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
    identity: SigningIdentity, clock: HandClock, entropy: SeededEntropy
) -> AsyncIterator[str]:
    """The base URL under which the test identity provider answers."""
    async with serving(
        lambda base_url: identity_provider(
            base_url, identity=identity, clock=clock, entropy=entropy
        )
    ) as base_url:
        yield base_url


@dataclass(frozen=True)
class Development:
    """A server as `vestibule dev` runs it, not seeded yet."""

    base_url: str
    api: Client
    identity: SigningIdentity
    context: Context

    async def may_return_to(self, url: str) -> None:
        """Register `url` as a place where a login may end."""
        project = await projects.get(self.context, TEST_PROJECT.project_id)
        await projects.add_redirect_url(self.context, project, url, login=True, signup=True)

    async def seeded(self) -> Seeded:
        return await seed(
            self.api, base_url=self.base_url, certificate_pem=self.identity.certificate_pem
        )


@pytest.fixture
async def development(
    sqlite_url: str,
    tmp_path: Path,
    identity: SigningIdentity,
    clock: HandClock,
    entropy: SeededEntropy,
) -> AsyncIterator[Development]:
    """The whole server with the development routes, its project made, nothing else in it."""
    store = await open_store(sqlite_url, connections=1)
    fetch = GuardedFetch(allowed_hosts=["127.0.0.1"], allowed_networks=["127.0.0.0/8"])
    mail, sms, moving = MemoryMail(), MemorySms(), MovingClock(clock)
    made: list[Development] = []
    async with open_session() as http:

        async def build(base_url: str) -> App:
            settings = replace(
                Settings(),
                base_url=base_url,
                master_key_file=str(tmp_path / "master.key"),
                outbound_hosts="127.0.0.1",
            )
            context = await open_context(
                settings,
                clock=moving,
                entropy=entropy,
                fetch=fetch,
                mail=mail,
                sms=sms,
                store=store,
            )
            fixed = projects.Credentials(
                TEST_PROJECT.project_id, TEST_PROJECT.secret, TEST_PROJECT.public_token
            )
            await projects.create(context, name="Development", environment="test", fixed=fixed)
            api = Client(http, base_url=base_url, credentials=TEST_PROJECT)
            made.append(Development(base_url, api, identity, context))
            await made[0].may_return_to(f"{base_url}/dev/app/callback")
            routes = development_routes(
                base_url,
                identity=identity,
                http=http,
                letters=mail.messages,
                texts=sms.messages,
                clock=moving,
                entropy=entropy,
            )
            return App(context, extra=routes)

        async with serving_app(build):
            yield made[0]
    await fetch.close()
    await store.close()
