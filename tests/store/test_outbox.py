"""Messages leave once while all is well, and again when a node dies over them."""

import asyncio

import pytest
from msgspec.structs import replace

from tests.support.determinism import NOW
from tests.support.full_records import full_record
from vestibule.clock import MINUTE, SECOND
from vestibule.records import OutboxMessage
from vestibule.store import outbox
from vestibule.store.interface import OUTBOX, PROJECT, Store
from vestibule.store.open import open_store

DUE = full_record(OUTBOX, message_id="m1", deliver_at=NOW, attempts=0, delivered_at=0)


@pytest.fixture(autouse=True)
async def project(store: Store) -> None:
    async with store.write() as tx:
        await tx.projects.insert(full_record(PROJECT))


async def put(store: Store, *messages: OutboxMessage) -> None:
    async with store.write() as tx:
        for message in messages:
            await tx.outbox.insert(message)


async def test_due_message_is_claimed_once(store: Store) -> None:
    await put(store, DUE)
    (claimed,) = await outbox.claim(store, kind=DUE.kind, now=NOW)
    assert claimed == replace(DUE, attempts=1, deliver_at=NOW + 2 * MINUTE)
    assert await outbox.claim(store, kind=DUE.kind, now=NOW) == []


async def test_message_is_not_claimed_before_it_is_due(store: Store) -> None:
    await put(store, DUE)
    assert await outbox.claim(store, kind=DUE.kind, now=NOW - 1) == []


async def test_oldest_messages_are_claimed_first_and_no_more_than_asked_for(store: Store) -> None:
    messages = [
        replace(DUE, message_id=f"m{number}", deliver_at=NOW - number) for number in range(5)
    ]
    await put(store, *messages)
    claimed = await outbox.claim(store, kind=DUE.kind, now=NOW, limit=3)
    assert [each.message_id for each in claimed] == ["m2", "m3", "m4"]
    claimed = await outbox.claim(store, kind=DUE.kind, now=NOW, limit=3)
    assert [each.message_id for each in claimed] == ["m0", "m1"]


async def test_nodes_share_messages_without_overlap(store: Store, database_url: str) -> None:
    await put(store, *(replace(DUE, message_id=f"m{number:03}") for number in range(100)))
    other = await open_store(database_url, connections=8)
    claims = (outbox.claim(at, kind=DUE.kind, now=NOW, limit=10) for at in (store, other) * 10)
    claimed = [each.message_id for batch in await asyncio.gather(*claims) for each in batch]
    while batch := await outbox.claim(store, kind=DUE.kind, now=NOW, limit=10):
        claimed += [each.message_id for each in batch]
    await other.close()
    assert sorted(claimed) == [f"m{number:03}" for number in range(100)]


async def test_delivered_message_is_not_claimed_again(store: Store) -> None:
    await put(store, DUE)
    (claimed,) = await outbox.claim(store, kind=DUE.kind, now=NOW)
    await outbox.delivered(store, claimed, now=NOW + SECOND)
    assert await outbox.claim(store, kind=DUE.kind, now=NOW + 10 * MINUTE) == []
    async with store.read() as tx:
        (kept,) = await tx.outbox.all()
    assert kept == replace(claimed, delivered_at=NOW + SECOND)


async def test_message_of_a_node_that_died_is_claimed_again(store: Store) -> None:
    await put(store, DUE)
    await outbox.claim(store, kind=DUE.kind, now=NOW)
    assert await outbox.claim(store, kind=DUE.kind, now=NOW + 2 * MINUTE - 1) == []
    (claimed,) = await outbox.claim(store, kind=DUE.kind, now=NOW + 2 * MINUTE)
    assert claimed.attempts == 2


async def test_postponed_message_is_claimed_at_its_time(store: Store) -> None:
    await put(store, DUE)
    (claimed,) = await outbox.claim(store, kind=DUE.kind, now=NOW)
    await outbox.postpone(store, claimed, until=NOW + 7 * SECOND)
    assert await outbox.claim(store, kind=DUE.kind, now=NOW + 7 * SECOND - 1) == []
    assert len(await outbox.claim(store, kind=DUE.kind, now=NOW + 7 * SECOND)) == 1


async def test_late_node_does_not_postpone_what_another_has_claimed(store: Store) -> None:
    await put(store, DUE)
    (late,) = await outbox.claim(store, kind=DUE.kind, now=NOW)
    assert len(await outbox.claim(store, kind=DUE.kind, now=NOW + 3 * MINUTE)) == 1
    await outbox.postpone(store, late, until=NOW + 3 * MINUTE)
    assert await outbox.claim(store, kind=DUE.kind, now=NOW + 3 * MINUTE) == []
