"""Statements on one SQLite connection, and what their errors mean."""

import re
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from vestibule.store.interface import Conflict, ParentMissing, StoreUnavailable
from vestibule.store.storable import require_storable
from vestibule.store.table import Row

_CLOSED: Final = "Cannot operate on a closed database."
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


class Statements:
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
            cursor = self._connection.execute(numbered(sql), values)
        except sqlite3.Error as error:
            known = translated(error)
            if known is None:
                raise
            raise known from error
        self._failed = False
        return cursor


@lru_cache(maxsize=2_000)
def numbered(sql: str) -> str:
    """Return `sql` with `?1` for `$1`."""
    return re.sub(r"\$(\d+)", r"?\1", sql)


def translated(error: sqlite3.Error) -> Exception | None:
    """Return what the interface calls `error`; None when it is a mistake of ours."""
    code = code_of(error)
    if code in _NOT_UNIQUE:
        # It reads: UNIQUE constraint failed: members.project_id, members.external_id
        return Conflict(str(error).rpartition(" ")[2])
    if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return ParentMissing(str(error))
    if is_unavailable(error) or str(error) == _CLOSED:
        return StoreUnavailable(str(error))
    return None


def is_unavailable(error: sqlite3.Error) -> bool:
    """Tell whether the file or the machine is to blame, not the statement."""
    return code_of(error) & 0xFF in _UNAVAILABLE


def code_of(error: sqlite3.Error) -> int:
    """Return SQLite's extended result code of `error`."""
    # Errors of the Python module itself, such as a closed connection, carry none.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
