"""What is SQLite's own: the file, the lock that processes share, and how errors are told apart."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.full_records import full_record
from vestibule.store import interface
from vestibule.store.interface import PROJECT, StoreUnavailable
from vestibule.store.sqlite import SqliteStore, require_library
from vestibule.store.sqlite_statements import numbered
from vestibule.store.table import Row, Rows, Table

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
            for connection in (sqlite_store._writer._connection, sqlite_store._reader)
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


class Recorder:
    """Keeps the statements that a table asks for, and finds nothing."""

    row_lock = ""

    def __init__(self) -> None:
        self.statements: list[tuple[str, Sequence[Any]]] = []

    async def fetch(self, sql: str, values: Sequence[object]) -> Sequence[Row]:
        self.statements.append((sql, values))
        return []

    async def execute(self, sql: str, values: Sequence[object]) -> int:
        self.statements.append((sql, values))
        return 0


LOOK_UPS: list[tuple[Table[Any], dict[str, Any]]] = [
    (interface.ORGANIZATION, {"organization_slug": "x"}),
    (interface.ORGANIZATION, {"organization_external_id": ("x", "y")}),
    (interface.ORGANIZATION, {"organization_id": ("x", "y")}),
    (interface.ORGANIZATION_DOMAIN, {"kind": "claimed", "domain": "x"}),
    (interface.MEMBER, {"member_id": "x"}),
    (interface.MEMBER, {"organization_id": "x", "external_id": "x"}),
    (interface.MEMBER_EMAIL, {"organization_id": "x", "email_key": "x"}),
    (interface.MEMBER_EMAIL, {"organization_id": "x", "member_id": ("x", "y")}),
    (interface.MEMBER_ROLE, {"organization_id": "x", "member_id": ("x", "y")}),
    (interface.REGISTRATION, {"organization_id": "x", "member_id": ("x", "y")}),
    (interface.REGISTRATION, {"connection_id": "x", "external_id": "x"}),
    (interface.CONNECTION, {"connection_id": ("x", "y")}),
    (interface.SIGN_IN, {"sign_in_id": "x"}),
    (interface.SSO_TOKEN, {"token_id": "x"}),
    (interface.SESSION, {"token_id": "x"}),
    (interface.SESSION, {"session_id": "x"}),
    (interface.SESSION, {"organization_id": "x", "member_id": "x"}),
    (interface.INTERMEDIATE_SESSION, {"token_id": "x"}),
]


@pytest.mark.parametrize(("table", "where"), LOOK_UPS, ids=lambda each: getattr(each, "name", ""))
async def test_look_up_goes_by_all_it_knows(
    path: Path, table: Table[Any], where: dict[str, Any]
) -> None:
    recorder = Recorder()
    await Rows(table, recorder).find(project_id="p", **where)
    await Rows(table, recorder).all(project_id="p", **where)
    connection = sqlite3.connect(path)
    for sql, values in recorder.statements:
        ((*_, plan),) = connection.execute(f"EXPLAIN QUERY PLAN {numbered(sql)}", values)
        assert all(f"{column}=?" in plan for column in ("project_id", *where)), plan
    connection.close()


async def test_callback_finds_its_connection_without_a_project(path: Path) -> None:
    connection = sqlite3.connect(path)
    sql = "EXPLAIN QUERY PLAN SELECT * FROM connections WHERE connection_id = ?"
    ((*_, plan),) = connection.execute(sql, ["x"])
    connection.close()
    assert "USING INDEX connections_by_connection (connection_id=?)" in plan
