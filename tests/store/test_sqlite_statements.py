"""What SQLite says is told apart: an outage, a lost race, or a mistake of ours."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.full_records import full_record
from vestibule.store.interface import PROJECT, StoreUnavailable
from vestibule.store.sqlite import SqliteStore
from vestibule.store.sqlite_statements import numbered

AMY = full_record(PROJECT)


@pytest.fixture
def path(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:"))


@pytest.fixture
async def sqlite_store(path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore.open(path)
    yield opened
    await opened.close()


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


async def test_closed_store_is_unavailable(path: Path) -> None:
    store = SqliteStore.open(path)
    await store.close()
    with pytest.raises(StoreUnavailable, match="closed database"):
        async with store.read() as tx:
            await tx.projects.all()
    with pytest.raises(StoreUnavailable, match="closed database"):
        async with store.write() as tx:
            await tx.projects.all()


def test_parameters_are_numbered_as_sqlite_wants_them() -> None:
    assert numbered("SELECT $2, $1 WHERE a = $12") == "SELECT ?2, ?1 WHERE a = ?12"
