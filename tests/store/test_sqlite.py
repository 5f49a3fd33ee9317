"""What is SQLite's own: the file, the lock that processes share, and how errors are told apart."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.full_records import full_record
from vestibule.store.interface import PROJECT, StoreUnavailable
from vestibule.store.sqlite import SqliteStore, require_library

AMY = full_record(PROJECT)


@pytest.fixture
def path(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:"))


@pytest.fixture
async def sqlite_store(path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore.open(path)
    yield opened
    await opened.close()


async def test_connections_are_durable_and_keep_foreign_keys(sqlite_store: SqliteStore) -> None:
    asked = ("journal_mode", "synchronous", "foreign_keys", "query_only")
    found = {
        name: [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for connection in (sqlite_store._writer, sqlite_store._reader)
        ]
        for name in asked
    }
    full, on = 2, 1
    assert found == {
        "journal_mode": ["wal", "wal"],
        "synchronous": [full, full],
        "foreign_keys": [on, on],
        "query_only": [0, on],
    }


async def test_missing_file_is_unavailable_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"missing\.db: unable to open database file"):
        SqliteStore.open(tmp_path / "missing.db")
    assert not (tmp_path / "missing.db").exists()


async def test_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear sir or madam, " * 100)
    with pytest.raises(StoreUnavailable, match="file is not a database"):
        SqliteStore.open(file)


def test_old_library_is_refused() -> None:
    with pytest.raises(StoreUnavailable, match=r"SQLite 3\.36\.0 is installed; 3\.37 or newer"):
        require_library((3, 36, 0))
    require_library((3, 37, 0))


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
    (pages,) = sqlite_store._writer.execute("PRAGMA page_count").fetchone()
    sqlite_store._writer.execute(f"PRAGMA max_page_count = {pages}")

    async def add_too_much() -> None:
        async with sqlite_store.write() as tx:
            await tx.projects.insert(AMY)
            await tx.projects.insert(full_record(PROJECT, project_id="big", name="x" * 100_000))

    with pytest.raises(StoreUnavailable, match="database or disk is full"):
        await add_too_much()
    sqlite_store._writer.execute("PRAGMA max_page_count = 1000000")
    async with sqlite_store.write() as tx:
        assert await tx.projects.count() == 0
        await tx.projects.insert(AMY)


async def test_damaged_file_is_unavailable(path: Path) -> None:
    peek = sqlite3.connect(path)
    found = peek.execute("SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'projects'")
    pages = [page for (page,) in found]
    peek.close()
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * 4096)
            file.write(b"\xa5" * 4096)
    store = SqliteStore.open(path)
    with pytest.raises(StoreUnavailable, match="malformed"):
        async with store.read() as tx:
            await tx.projects.all()
    await store.close()


@pytest.mark.parametrize("sql", ["SELECT nothing FROM projects", "SELECT FROM"])
async def test_mistake_in_a_statement_is_no_outage(sqlite_store: SqliteStore, sql: str) -> None:
    with pytest.raises(sqlite3.OperationalError):
        async with sqlite_store.read() as tx:
            await tx.fetch(sql)


async def test_value_of_the_wrong_type_is_a_mistake(sqlite_store: SqliteStore) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT value in INTEGER column"):
        async with sqlite_store.write() as tx:
            await tx.projects.insert(full_record(PROJECT, created_at="soon"))


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
