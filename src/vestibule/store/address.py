"""Which database a setting names: `sqlite:PATH` or `postgresql://…`."""

from pathlib import Path
from typing import Final

_SQLITE: Final = "sqlite:"
_POSTGRES: Final = ("postgresql://", "postgres://")


def sqlite_path(database: str) -> Path | None:
    """Return the file of a SQLite database, or None when `database` is a PostgreSQL URL.

    Raises ValueError when it is neither; the text is not repeated, it may hold a password.
    """
    if database.startswith(_POSTGRES):
        return None
    if database.startswith(_SQLITE) and len(database) > len(_SQLITE):
        return Path(database.removeprefix(_SQLITE))
    raise ValueError("expected sqlite:PATH or postgresql://user:password@host:port/name")
