"""SQLite: one file, statements run directly on the event loop (no thread hop, perf.md section 4).

Writes go through one connection, one transaction at a time (`sqlite_writer`). Reads go through a
second one, where each statement runs at once and to its end: it sees one state, and needs no lock.
"""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from vestibule.store.interface import StoreUnavailable, Transaction
from vestibule.store.read_only import ReadOnly
from vestibule.store.sqlite_statements import Statements
from vestibule.store.sqlite_writer import Writer

_OLDEST: Final = (3, 37)


class SqliteStore:
    """A migrated SQLite file."""

    def __init__(self, writer: Writer, reader: sqlite3.Connection) -> None:
        self._writer = writer
        self._reader = reader

    @classmethod
    def open(cls, path: Path, *, lock_seconds: float = 5.0) -> "SqliteStore":
        """Open the file at `path`; it must exist.

        `lock_seconds` is how long a write waits for another process. Raises StoreUnavailable.
        """
        require_library(sqlite3.sqlite_version_info)
        try:
            writer = Writer(_connect(path), lock_seconds=lock_seconds)
            return cls(writer, _connect(path, read_only=True))
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{path}: {error}") from error

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """Open a transaction that only reads. Raises StoreUnavailable."""
        yield Transaction(ReadOnly(Statements(self._reader)))

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """Open a transaction that commits at the end of the block. Raises StoreUnavailable."""
        async with self._writer.transaction() as statements:
            yield Transaction(statements)

    async def close(self) -> None:
        """Close both connections; the last one to leave folds the log into the file."""
        self._reader.close()
        await self._writer.close()


def require_library(version: tuple[int, ...]) -> None:
    """Raise StoreUnavailable when SQLite's `version` knows no strict tables."""
    if version < _OLDEST:
        found, needed = (".".join(map(str, each)) for each in (version, _OLDEST))
        raise StoreUnavailable(f"SQLite {found} is installed; {needed} or newer is needed")


def _connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        cached_statements=512,
        check_same_thread=False,  # commits run in a thread, one at a time
        # Reads wait for the short moment in which another process recovers the log.
        timeout=1.0 if read_only else 0.0,
    )
    try:
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "trusted_schema = OFF",
            "case_sensitive_like = ON",  # as PostgreSQL
            f"query_only = {'ON' if read_only else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
