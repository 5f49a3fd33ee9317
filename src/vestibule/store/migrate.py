"""Brings a database to the newest schema with Alembic; several nodes may start it at once.

All pending revisions are one transaction, on both engines, behind a lock.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from vestibule.store.address import sqlite_path
from vestibule.store.interface import StoreUnavailable
from vestibule.store.sqlite_statements import is_unavailable

T = TypeVar("T")

_FOLDER: Final = Path(__file__).with_name("migrations")
# Any number does, as long as it stays the same: nodes that start together queue behind it.
_ADVISORY_LOCK: Final = 8_317_402_655
_LOCKS: Final = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})",
}
_LOCK_SECONDS: Final = 60
_CONNECT_SECONDS: Final = 10


class UnknownRevision(Exception):
    """The database was migrated by a newer version of this program."""


def upgrade(database: str) -> None:
    """Run what is pending; a SQLite file is made when it is missing (mode 0600).

    Not to be called on a running event loop. Raises StoreUnavailable and UnknownRevision.
    """
    path = sqlite_path(database)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    _on(database, _upgrade)


def current(database: str) -> str | None:
    """Return the revision that the database is at; None before the first, or without a file."""
    path = sqlite_path(database)
    if path is not None and not path.exists():
        return None
    return _on(database, _current)


def pending(database: str) -> tuple[str, ...]:
    """Return the revisions that `upgrade` would run, first to last. Raises as `upgrade` does."""
    return _pending(current(database))


def _pending(at: str | None) -> tuple[str, ...]:
    script = ScriptDirectory(str(_FOLDER))
    every = [each.revision for each in script.walk_revisions()][::-1]
    if at is not None and at not in every:
        raise UnknownRevision(
            f"the database is at revision {at}; this version knows them up to {every[-1]}"
        )
    return tuple(every[every.index(at) + 1 :] if at else every)


def _upgrade(connection: Connection) -> None:
    connection.exec_driver_sql(_LOCKS[connection.dialect.name])
    if not _pending(_current(connection)):
        return
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _on(database: str, work: Callable[[Connection], T]) -> T:
    """Return what `work` does in one transaction, and commit it."""
    path = sqlite_path(database)
    if path is None:
        return asyncio.run(_on_postgres(database, work))
    return _on_sqlite(path, work)


def _on_sqlite(path: Path, work: Callable[[Connection], T]) -> T:
    def connect() -> sqlite3.Connection:
        uri = f"{path.absolute().as_uri()}?mode=rw"
        return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_LOCK_SECONDS)

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            result = work(connection)
            connection.commit()
            return result
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error) and is_unavailable(error.orig):
            raise StoreUnavailable(f"{path}: {error.orig}") from error
        raise


async def _on_postgres(database: str, work: Callable[[Connection], T]) -> T:
    async def connect() -> asyncpg.Connection:
        try:
            return await asyncpg.connect(database, timeout=_CONNECT_SECONDS)
        except (OSError, asyncpg.PostgresError) as error:
            raise StoreUnavailable(str(error) or type(error).__name__) from error

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    async with engine.begin() as connection:
        return await connection.run_sync(work)
