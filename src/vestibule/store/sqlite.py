"""SQLite: one file, statements run directly on the event loop (no thread hop, perf.md section 4).

Writes go through one connection, one transaction at a time. Reads go through a second one, where
each statement runs at once and to its end: it sees one state, and needs no lock.
"""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Final

from vestibule.store.interface import Conflict, ParentMissing, StoreUnavailable, Transaction
from vestibule.store.read_only import ReadOnly
from vestibule.store.storable import require_storable
from vestibule.store.table import Row

_LOCK_RETRY_SECONDS: Final = 0.002
_OLDEST: Final = (3, 37)
_NOT_UNIQUE: Final = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}
_UNAVAILABLE: Final = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
}


class SqliteStore:
    """A migrated SQLite file."""

    def __init__(
        self, writer: sqlite3.Connection, reader: sqlite3.Connection, *, lock_seconds: float
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._lock_seconds = lock_seconds
        self._lock = asyncio.Lock()

    @classmethod
    def open(cls, path: Path, *, lock_seconds: float = 5.0) -> "SqliteStore":
        """Open the file at `path`; it must exist.

        `lock_seconds` is how long a write waits for another process. Raises StoreUnavailable.
        """
        require_library(sqlite3.sqlite_version_info)
        try:
            return cls(_connect(path), _connect(path, read_only=True), lock_seconds=lock_seconds)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{path}: {error}") from error

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """Open a transaction that only reads. Raises StoreUnavailable."""
        yield Transaction(ReadOnly(_Statements(self._reader)))

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """Open a transaction that commits at the end of the block. Raises StoreUnavailable."""
        async with self._lock:
            await self._begin()
            statements = _Statements(self._writer)
            try:
                yield Transaction(statements)
                statements.run("COMMIT")
            finally:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")

    async def close(self) -> None:
        """Close both connections; the last one to leave folds the log into the file."""
        async with self._lock:
            self._reader.close()
            self._writer.close()

    async def _begin(self) -> None:
        # Another process may hold the file's write lock; SQLite would wait for it on the loop.
        try:
            async with asyncio.timeout(self._lock_seconds):
                while not self._try_begin():  # noqa: ASYNC110 - nobody here can tell
                    await asyncio.sleep(_LOCK_RETRY_SECONDS)
        except TimeoutError:
            raise StoreUnavailable("another process holds the database") from None

    def _try_begin(self) -> bool:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            if _code(error) & 0xFF == sqlite3.SQLITE_BUSY:
                return False
            known = _translated(error)
            if known is None:
                raise
            raise known from error
        return True


class _Statements:
    """Runs statements on one connection; after one has failed, no more."""

    row_lock = ""  # a write transaction is alone anyway

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._failed = False

    async def fetch(self, sql: str, values: Sequence[object]) -> Sequence[Row]:
        return self.run(sql, values).fetchall()

    async def execute(self, sql: str, values: Sequence[object]) -> int:
        return self.run(sql, values).rowcount

    def run(self, sql: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        if self._failed:
            raise RuntimeError("this transaction has failed; catch errors outside of its block")
        self._failed = True
        require_storable(values)
        try:
            cursor = self._connection.execute(_numbered(sql), values)
        except sqlite3.Error as error:
            known = _translated(error)
            if known is None:
                raise
            raise known from error
        self._failed = False
        return cursor


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


@cache
def _numbered(sql: str) -> str:
    """Return `sql` with `?1` for `$1`."""
    return re.sub(r"\$(\d+)", r"?\1", sql)


def _translated(error: sqlite3.Error) -> Exception | None:
    code = _code(error)
    if code in _NOT_UNIQUE:
        # It reads: UNIQUE constraint failed: members.project_id, members.external_id
        return Conflict(str(error).rpartition(" ")[2])
    if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return ParentMissing(str(error))
    if is_unavailable(error):
        return StoreUnavailable(str(error))
    return None  # a mistake of ours


def is_unavailable(error: sqlite3.Error) -> bool:
    """Tell whether the file or the machine is to blame, not the statement."""
    return _code(error) & 0xFF in _UNAVAILABLE


def _code(error: sqlite3.Error) -> int:
    # Errors of the Python module itself, such as a closed connection, carry none.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
