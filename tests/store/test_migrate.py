"""The migrated schema is what the records say, on both engines, whoever starts first."""

import asyncio
import stat
import types
import typing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from msgspec.structs import replace
from sqlalchemy import Connection, Inspector, inspect, text

from tests.support.databases import SharedPostgres
from tests.support.full_records import full_record, in_order, rows
from vestibule.store import migrate
from vestibule.store.address import sqlite_path
from vestibule.store.interface import TABLES, StoreUnavailable
from vestibule.store.migrate import _FOLDER, UnknownRevision, _on, _upgrade
from vestibule.store.open import open_store
from vestibule.store.table import Table

EVERY = ("0001", "0002", "0003", "0004", "0005")
HEAD = EVERY[-1]
TYPES = {str: "TEXT", int: "BIGINT", bool: "BOOLEAN", bytes: "BYTEA"}
WORDED = {
    "sqlite": {"TEXT": "TEXT", "BIGINT": "INTEGER", "BOOLEAN": "INTEGER", "BYTEA": "BLOB"},
    "postgresql": {"TEXT": 'TEXT COLLATE "C"'},
}


@pytest.fixture(params=["sqlite", "postgres"])
def blank_url(
    request: pytest.FixtureRequest, tmp_path: Path, shared_postgres: SharedPostgres
) -> Iterator[str]:
    """Return the URL of a database without tables; the SQLite file is not there yet."""
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path}/made/vestibule.db"
    else:
        with shared_postgres.blank() as url:
            yield url


def inspected(database: str, question: str, *arguments: str) -> Any:
    def ask(connection: Connection) -> Any:
        inspector: Inspector = inspect(connection)
        return getattr(inspector, question)(*arguments)

    return _on(database, ask)


def expected_columns(table: Table[Any], database: str) -> list[tuple[str, str, bool]]:
    hints = typing.get_type_hints(table.record)
    words = WORDED[database.partition(":")[0]]
    columns = []
    for name in table.columns:
        arguments = typing.get_args(hints[name])
        optional = types.NoneType in arguments
        kind = next((TYPES[each] for each in (hints[name], *arguments) if each in TYPES), "TEXT")
        if name in table.json:
            kind = "TEXT"
        columns.append((name, words.get(kind, kind), optional))
    return columns


@pytest.mark.parametrize("table", TABLES, ids=lambda each: each.name)
def test_columns_are_the_fields_of_the_record(database_url: str, table: Table[Any]) -> None:
    columns = [
        (column["name"], str(column["type"]), column["nullable"])
        for column in inspected(database_url, "get_columns", table.name)
    ]
    assert columns == expected_columns(table, database_url)


@pytest.mark.parametrize("table", TABLES, ids=lambda each: each.name)
def test_primary_key_is_the_key_of_the_table(database_url: str, table: Table[Any]) -> None:
    key = inspected(database_url, "get_pk_constraint", table.name)
    assert key["constrained_columns"] == list(table.key)


def test_there_is_no_other_table(database_url: str) -> None:
    names = set(inspected(database_url, "get_table_names")) - {"alembic_version"}
    assert names == {table.name for table in TABLES}


@pytest.mark.parametrize("table", TABLES, ids=lambda each: each.name)
def test_unique_names_tell_their_last_column(postgres_url: str, table: Table[Any]) -> None:
    found = inspected(postgres_url, "get_indexes", table.name)
    named = {each["name"]: each["column_names"][-1] for each in found if each["unique"]}
    key = inspected(postgres_url, "get_pk_constraint", table.name)
    named[key["name"]] = key["constrained_columns"][-1]
    assert {name: tuple(name.split("__")[:2]) for name in named} == {
        name: (table.name, column) for name, column in named.items()
    }


@pytest.mark.parametrize("table", TABLES, ids=lambda each: each.name)
def test_foreign_keys_have_an_index_to_delete_by(postgres_url: str, table: Table[Any]) -> None:
    found = inspected(postgres_url, "get_indexes", table.name)
    starts = [each["column_names"] for each in found]
    starts.append(inspected(postgres_url, "get_pk_constraint", table.name)["constrained_columns"])
    for key in inspected(postgres_url, "get_foreign_keys", table.name):
        wanted = key["constrained_columns"]
        assert any(start[: len(wanted)] == wanted for start in starts), wanted


def test_revisions_are_one_line() -> None:
    script = ScriptDirectory(str(_FOLDER))
    assert script.get_heads() == [HEAD]
    assert len(list(script.walk_revisions())) == len(list((_FOLDER / "versions").glob("0*.py")))


def test_upgrade_runs_what_is_pending_once(blank_url: str) -> None:
    migrate.upgrade(blank_url)
    assert migrate.current(blank_url) == HEAD
    assert migrate.pending(blank_url) == ()
    migrate.upgrade(blank_url)
    assert migrate.current(blank_url) == HEAD


@pytest.mark.parametrize("revision", EVERY[:-1])
def test_rows_of_an_older_version_are_kept_and_can_be_read(blank_url: str, revision: str) -> None:
    _make_file(blank_url)
    filled = _on(blank_url, lambda connection: _fill(connection, revision))
    migrate.upgrade(blank_url)
    found = asyncio.run(_all(blank_url))
    for table in TABLES:
        if table.name not in filled:
            assert found[table.name] == [], table.name
            continue
        (record,), full = found[table.name], full_record(table)
        changes = {name: getattr(record, name) for name in {*table.columns} - filled[table.name]}
        assert record == replace(full, **changes), table.name
        for name, value in changes.items():
            # Since when an address is the primary one is not known better.
            wanted = full.created_at if name == "primary_since" else _default(table, name)
            assert value == wanted, (table.name, name)


def _fill(connection: Connection, revision: str) -> dict[str, set[str]]:
    """Put one row into each table of that revision; return the columns that they have there."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    filled = {}
    for table in in_order():
        if not inspect(connection).has_table(table.name):
            continue
        there = {column["name"] for column in inspect(connection).get_columns(table.name)}
        pairs = zip(table.columns, table.values(full_record(table)), strict=True)
        values = {name: value for name, value in pairs if name in there}
        marks = ", ".join(f":{name}" for name in values)
        sql = f"INSERT INTO {table.name} ({', '.join(values)}) VALUES ({marks})"  # noqa: S608 - names of ours
        connection.execute(text(sql), values)
        filled[table.name] = there
    return filled


async def _all(database: str) -> dict[str, list[Any]]:
    store = await open_store(database, connections=1)
    async with store.read() as tx:
        found = {table.name: await rows(tx, table).all() for table in TABLES}
    await store.close()
    return found


def _default(table: Table[Any], name: str) -> object:
    (field,) = (each for each in msgspec.structs.fields(table.record) if each.name == name)
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _make_file(database: str) -> None:
    path = sqlite_path(database)
    if path is not None:
        path.parent.mkdir()
        path.touch()


def test_pending_names_all_revisions_of_an_empty_database(shared_postgres: SharedPostgres) -> None:
    with shared_postgres.blank() as url:
        assert migrate.current(url) is None
        assert migrate.pending(url) == EVERY


def test_upgrades_at_the_same_time_wait_for_each_other(blank_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(migrate.upgrade, blank_url) for _ in range(4)]:
            done.result()
    assert migrate.pending(blank_url) == ()


def test_database_of_a_newer_version_is_refused(database_url: str) -> None:
    _set_revision(database_url, "9999")
    with pytest.raises(UnknownRevision, match="the database is at revision 9999; this version"):
        migrate.upgrade(database_url)
    with pytest.raises(UnknownRevision):
        migrate.pending(database_url)
    _set_revision(database_url, HEAD)


def _set_revision(database: str, revision: str) -> None:
    sql = text("UPDATE alembic_version SET version_num = :revision")
    _on(database, lambda connection: connection.execute(sql, {"revision": revision}).close())


def test_migration_that_fails_leaves_nothing(blank_url: str) -> None:
    def fail(connection: Connection) -> None:
        _upgrade(connection)
        raise KeyError

    _make_file(blank_url)
    with pytest.raises(KeyError):
        _on(blank_url, fail)
    assert migrate.current(blank_url) is None


def test_sqlite_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "vestibule.db"
    migrate.upgrade(f"sqlite:{file}")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_missing_sqlite_file_is_all_pending_and_not_made(tmp_path: Path) -> None:
    file = tmp_path / "missing.db"
    assert migrate.current(f"sqlite:{file}") is None
    assert migrate.pending(f"sqlite:{file}") == EVERY
    assert not file.exists()


def test_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear sir or madam, " * 100)
    with pytest.raises(StoreUnavailable, match="file is not a database"):
        migrate.upgrade(f"sqlite:{file}")


@pytest.mark.parametrize(
    "url", ["postgresql://nobody@127.0.0.1:1/nothing", "postgresql:///nothing?host=/nowhere"]
)
def test_unreachable_server_is_unavailable(url: str) -> None:
    with pytest.raises(StoreUnavailable):
        migrate.upgrade(url)


def test_missing_postgres_database_is_unavailable(shared_postgres: SharedPostgres) -> None:
    with pytest.raises(StoreUnavailable, match='database "missing" does not exist'):
        migrate.pending(shared_postgres.url("missing"))
