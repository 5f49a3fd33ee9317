"""Feeds are claimed by one node at a time, and hastened when a key is unknown."""

import asyncio

import pytest

from tests.support.metadata_host import FedConnection, MetadataHost, fed_connection
from tests.support.scenario import Scenario
from vestibule.clock import DAY, MINUTE
from vestibule.domain.upkeep import feeds
from vestibule.records import Connection, MetadataFeed
from vestibule.store.interface import Store
from vestibule.store.open import open_store


@pytest.fixture
async def fed(scenario: Scenario) -> FedConnection:
    return await fed_connection(scenario, MetadataHost(scenario.fetch))


async def claim(fed: FedConnection, store: Store | None = None) -> list[MetadataFeed]:
    context = fed.scenario.context
    return await feeds.claim_due(store or context.store, now=context.clock.now(), limit=8)


async def stored(fed: FedConnection) -> MetadataFeed:
    async with fed.scenario.context.store.read() as tx:
        (found,) = await tx.metadata_feeds.all()
    return found


async def connection_of(fed: FedConnection) -> Connection:
    async with fed.scenario.context.store.read() as tx:
        (found,) = await tx.connections.all()
    return found


async def test_due_feed_is_claimed_once_and_again_after_its_lease(fed: FedConnection) -> None:
    assert await claim(fed) == []
    fed.scenario.clock.advance(DAY)
    (claimed,) = await claim(fed)
    assert claimed == await stored(fed)
    assert claimed.tried_at == fed.scenario.clock.now()
    assert await claim(fed) == []
    fed.scenario.clock.advance(5 * MINUTE)
    assert len(await claim(fed)) == 1


async def test_nodes_never_claim_the_same_feed(fed: FedConnection, database_url: str) -> None:
    store = await open_store(database_url, connections=8)
    fed.scenario.clock.advance(DAY)
    claims = await asyncio.gather(*(claim(fed, at) for at in (None, store) * 5))
    assert sum(map(len, claims)) == 1
    feed = await stored(fed)
    fed.scenario.clock.advance(1)
    now = fed.scenario.clock.now()
    stores = (fed.scenario.context.store, store) * 5
    one = await asyncio.gather(*(feeds.claim(at, feed, now=now) for at in stores))
    assert len([each for each in one if each is not None]) == 1
    await store.close()


async def test_setting_up_anew_takes_the_place_of_the_feed(fed: FedConnection) -> None:
    other = MetadataHost(fed.scenario.fetch, url="https://other.example.com/metadata")
    path = f"/v1/b2b/sso/saml/{fed.organization_id}/connections/{fed.connection_id}/url"
    await fed.scenario.api.good("PUT", path, {"metadata_url": other.url})
    assert (await stored(fed)).url == other.url


@pytest.mark.case("OP-15", verdict="holds")
async def test_haste_makes_a_feed_due_once_in_ten_minutes(fed: FedConnection) -> None:
    connection, context = await connection_of(fed), fed.scenario.context

    async def hasten() -> int:
        async with context.store.write() as tx:
            await feeds.hasten(tx, connection, now=context.clock.now())
        return len(await claim(fed))

    assert await hasten() == 0
    fed.scenario.clock.advance(10 * MINUTE)
    assert await hasten() == 1
    assert await hasten() == 0
    fed.scenario.clock.advance(10 * MINUTE - 1)
    # What was claimed and never finished is due by itself by now.
    assert await hasten() == 1
