"""Counts of texts: by all nodes together, apart for each subject and window."""

import asyncio

from msgspec.structs import replace

from tests.support.full_records import full_record
from vestibule.records import SmsCount
from vestibule.store import sms_counts
from vestibule.store.interface import PROJECT, Store
from vestibule.store.open import open_store

ONE = SmsCount(project_id="p", limit_name="to_phone", subject="+12025550162", ends_at=1, sent=1)


async def add(store: Store, **changes: object) -> int:
    async with store.write() as tx:
        return await sms_counts.add(tx, replace(ONE, **changes))


async def a_project(store: Store) -> None:
    async with store.write() as tx:
        for project_id in ("p", "q"):
            await tx.projects.insert(full_record(PROJECT, project_id=project_id))


async def test_each_count_goes_up_by_itself(store: Store) -> None:
    await a_project(store)
    assert [await add(store) for _ in range(3)] == [1, 2, 3]
    assert await add(store, ends_at=2) == 1
    assert await add(store, project_id="q") == 1
    assert await add(store, limit_name="x") == 1
    assert await add(store, subject="x") == 1
    assert await add(store) == 4


async def test_nothing_is_lost_between_nodes(store: Store, database_url: str) -> None:
    await a_project(store)
    other = await open_store(database_url, connections=4)
    counted = await asyncio.gather(*(add(each) for each in (store, other) * 10))
    await other.close()
    assert sorted(counted) == list(range(1, 21))


async def test_what_is_undone_was_not_counted(store: Store) -> None:
    await a_project(store)
    try:
        async with store.write() as tx:
            await sms_counts.add(tx, ONE)
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert await add(store) == 1


async def test_what_was_counted_can_be_taken_back(store: Store) -> None:
    await a_project(store)
    assert [await add(store, sent=each) for each in (1, 1, -1, 1)] == [1, 2, 1, 2]
