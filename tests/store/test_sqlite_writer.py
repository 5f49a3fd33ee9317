"""Writers take turns, share commits, and never hear of success too early."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from types import NoneType

import pytest

from tests.support.full_records import full_record
from vestibule.store.interface import PROJECT, PUBLIC_TOKEN, Conflict, StoreUnavailable
from vestibule.store.sqlite import SqliteStore

AMY = full_record(PROJECT)


@pytest.fixture
def path(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:"))


@pytest.fixture
async def sqlite_store(path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore.open(path)
    yield opened
    await opened.close()


class Watch:
    """The transaction control that a connection sees, and from which thread."""

    def __init__(self, store: SqliteStore) -> None:
        self.seen: list[str] = []
        self.threads: set[int] = set()
        store._writer._connection.set_trace_callback(self._note)

    def _note(self, sql: str) -> None:
        word = sql.split(maxsplit=1)[0]
        if word in {"BEGIN", "COMMIT", "ROLLBACK"}:
            self.seen.append(word)
        if word == "COMMIT":
            self.threads.add(threading.get_ident())


async def add(store: SqliteStore, name: str) -> None:
    async with store.write() as tx:
        await tx.projects.insert(full_record(PROJECT, project_id=name))


async def kept(store: SqliteStore) -> list[str]:
    async with store.read() as tx:
        return [each.project_id for each in await tx.projects.all()]


async def test_writers_take_turns(sqlite_store: SqliteStore) -> None:
    log: list[str] = []

    async def write(name: str) -> None:
        async with sqlite_store.write() as tx:
            log.append(f"{name} begins")
            await tx.projects.count()
            await asyncio.sleep(0)
            log.append(f"{name} ends")

    await asyncio.gather(write("a"), write("b"), write("c"))
    assert log == ["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]


async def test_writers_at_the_same_time_share_commits(sqlite_store: SqliteStore) -> None:
    watch = Watch(sqlite_store)
    names = [f"{number:02}" for number in range(50)]
    await asyncio.gather(*(add(sqlite_store, name) for name in names))
    assert await kept(sqlite_store) == names
    # The first finds nobody waiting; the others come during its commit.
    assert watch.seen == ["BEGIN", "COMMIT"] * 2


async def test_commit_is_not_put_off_for_ever(sqlite_store: SqliteStore) -> None:
    watch = Watch(sqlite_store)
    await asyncio.gather(*(add(sqlite_store, f"{number:03}") for number in range(130)))
    assert watch.seen == ["BEGIN", "COMMIT"] * 4  # of 1, 64, 64 and 1


async def test_commit_runs_beside_the_loop(sqlite_store: SqliteStore) -> None:
    watch = Watch(sqlite_store)
    await add(sqlite_store, "a")
    assert watch.threads
    assert threading.get_ident() not in watch.threads


async def test_transaction_that_changed_nothing_does_not_wait(sqlite_store: SqliteStore) -> None:
    watch = Watch(sqlite_store)
    async with sqlite_store.write() as tx:
        assert await tx.projects.delete(project_id="nobody") == 0
    assert watch.threads == {threading.get_ident()}


async def test_success_is_told_after_the_commit(sqlite_store: SqliteStore, path: Path) -> None:
    other = sqlite3.connect(path)

    async def add_and_look(name: str) -> bool:
        await add(sqlite_store, name)
        sql = "SELECT count(*) FROM projects WHERE project_id = ?"
        return bool(other.execute(sql, [name]).fetchone()[0])

    looks = await asyncio.gather(*(add_and_look(str(number)) for number in range(20)))
    other.close()
    assert looks == [True] * 20


async def test_one_that_fails_takes_nobody_with_it(sqlite_store: SqliteStore) -> None:
    async def fail(name: str) -> None:
        async with sqlite_store.write() as tx:
            await tx.projects.insert(full_record(PROJECT, project_id=name))
            raise KeyError(name)

    watch = Watch(sqlite_store)
    results = await asyncio.gather(
        add(sqlite_store, "first"),
        add(sqlite_store, "a"),
        fail("b"),
        add(sqlite_store, "a"),
        add(sqlite_store, "c"),
        fail("d"),
        return_exceptions=True,
    )
    assert [type(each) for each in results[2:]] == [KeyError, Conflict, NoneType, KeyError]
    assert await kept(sqlite_store) == ["a", "c", "first"]
    assert watch.seen[2:] == ["BEGIN", "ROLLBACK", "ROLLBACK", "ROLLBACK", "COMMIT"]


async def test_writer_that_leaves_the_queue_does_not_hold_up_the_commit(
    sqlite_store: SqliteStore,
) -> None:
    inside, leave = asyncio.Event(), asyncio.Event()

    async def add_slowly() -> None:
        async with sqlite_store.write() as tx:
            await tx.projects.insert(full_record(PROJECT, project_id="slow"))
            inside.set()
            await leave.wait()

    slow = asyncio.create_task(add_slowly())
    await inside.wait()
    queued = asyncio.create_task(add(sqlite_store, "queued"))
    await asyncio.sleep(0)
    leave.set()
    while not sqlite_store._writer._group or sqlite_store._writer._lock.locked():
        await asyncio.sleep(0)
    queued.cancel()
    async with asyncio.timeout(5):
        await slow
    assert queued.cancelled()
    assert await kept(sqlite_store) == ["slow"]


async def test_writer_cancelled_during_the_commit_disturbs_nobody(
    sqlite_store: SqliteStore,
) -> None:
    alone, cancelled, other = (asyncio.create_task(add(sqlite_store, name)) for name in "abc")
    await alone
    while not sqlite_store._writer._commits:
        await asyncio.sleep(0)
    cancelled.cancel()
    await other
    assert cancelled.cancelled()
    await add(sqlite_store, "d")
    assert await kept(sqlite_store) == ["a", "b", "c", "d"]


async def test_writer_waits_for_another_process_without_stopping_the_loop(
    sqlite_store: SqliteStore, path: Path
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with sqlite_store.read() as tx:
        assert await tx.projects.count() == 0

    async def write() -> None:
        async with sqlite_store.write() as tx:
            await tx.projects.insert(AMY)

    writing = asyncio.create_task(write())
    for _ in range(20):
        await asyncio.sleep(0.001)
        assert not writing.done()
    other.execute("COMMIT")
    other.close()
    await writing
    async with sqlite_store.read() as tx:
        assert await tx.projects.count() == 1


async def test_writer_gives_up_when_another_process_holds_on(
    path: Path,
) -> None:
    store = SqliteStore.open(path, lock_seconds=0.02)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another process holds the database"):
        async with store.write():
            raise AssertionError("the block must not run")
    other.close()
    async with store.write() as tx:
        await tx.projects.insert(AMY)
    await store.close()


async def test_full_disk_is_unavailable_and_leaves_nothing(sqlite_store: SqliteStore) -> None:
    (pages,) = sqlite_store._writer._connection.execute("PRAGMA page_count").fetchone()
    sqlite_store._writer._connection.execute(f"PRAGMA max_page_count = {pages}")

    async def add_too_much() -> None:
        async with sqlite_store.write() as tx:
            await tx.projects.insert(AMY)
            await tx.projects.insert(full_record(PROJECT, project_id="big", name="x" * 100_000))

    with pytest.raises(StoreUnavailable, match="database or disk is full"):
        await add_too_much()
    sqlite_store._writer._connection.execute("PRAGMA max_page_count = 1000000")
    async with sqlite_store.write() as tx:
        assert await tx.projects.count() == 0
        await tx.projects.insert(AMY)


async def test_full_disk_is_told_to_all_whose_changes_it_took(sqlite_store: SqliteStore) -> None:
    (pages,) = sqlite_store._writer._connection.execute("PRAGMA page_count").fetchone()
    sqlite_store._writer._connection.execute(f"PRAGMA max_page_count = {pages}")

    async def add_too_much() -> None:
        async with sqlite_store.write() as tx:
            project = full_record(PROJECT, project_id="big", name="x" * 100_000)
            await tx.projects.insert(project)

    results = await asyncio.gather(
        *(add(sqlite_store, name) for name in "ab"),
        add_too_much(),
        *(add(sqlite_store, name) for name in "cd"),
        return_exceptions=True,
    )
    told = [name for name, result in zip("ab-cd", results, strict=True) if result is None]
    assert isinstance(results[2], StoreUnavailable)
    assert await kept(sqlite_store) == told


async def test_commit_that_fails_is_unavailable_to_all(sqlite_store: SqliteStore) -> None:
    async def add_orphan() -> None:
        async with sqlite_store.write() as tx:
            # Checked at the commit: that makes one fail, which a disk does too rarely.
            await tx.fetch("PRAGMA defer_foreign_keys = ON")
            await tx.public_tokens.insert(full_record(PUBLIC_TOKEN))

    results = await asyncio.gather(
        add(sqlite_store, "first"), add(sqlite_store, "a"), add_orphan(), return_exceptions=True
    )
    assert [str(each) for each in results] == ["None", *["FOREIGN KEY constraint failed"] * 2]
    assert {type(each) for each in results[1:]} == {StoreUnavailable}
    await add(sqlite_store, "b")
    assert await kept(sqlite_store) == ["b", "first"]
