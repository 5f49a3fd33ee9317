"""Brings a database to the newest schema with Alembic; several nodes may start it at once.

All pending revisions are one transaction, on both engines, behind a lock.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from vestibule.store.address import sqlite_path
from vestibule.store.interface import StoreUnavailable

T = TypeVar("T")

_FOLDER: Final = Path(__file__).with_name("migrations")
# Any number does, as long as it stays the same: nodes that start together queue behind it.
_ADVISORY_LOCK: Final = 8_317_402_655


def upgrade(database: str) -> None:
    """Run what is pending; a SQLite file is made when it is missing (mode 0600).

    Not to be called on a running event loop. Raises StoreUnavailable.
    """
    path = sqlite_path(database)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    _on(database, _upgrade)


def current(database: str) -> str | None:
    """Return the revision that the database is at; None before the first."""
    return _on(database, _current)


def pending(database: str) -> tuple[str, ...]:
    """Return the revisions that `upgrade` would run, first to last."""
    at = current(database) or "base"
    revisions = ScriptDirectory(str(_FOLDER)).iterate_revisions("head", at)
    return tuple(each.revision for each in revisions)[::-1]


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _on(database: str, work: Callable[[Connection], T]) -> T:
    path = sqlite_path(database)
    if path is None:
        return asyncio.run(_on_postgres(database, work))
    with _sqlite_transaction(path) as connection:
        return work(connection)


@contextmanager
def _sqlite_transaction(path: Path) -> Iterator[Connection]:
    def connect() -> sqlite3.Connection:
        uri = f"{path.absolute().as_uri()}?mode=rw"
        return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=60)

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()
    finally:
        engine.dispose()


async def _on_postgres(database: str, work: Callable[[Connection], T]) -> T:
    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(database, timeout=10)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK}
            )
            return await connection.run_sync(work)
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError) as error:
        raise StoreUnavailable(str(error)) from error
    finally:
        await engine.dispose()
