"""Opens the database that a setting names, with the engine it takes."""

from vestibule.store.address import sqlite_path
from vestibule.store.interface import Store
from vestibule.store.postgres import PostgresStore
from vestibule.store.sqlite import SqliteStore


async def open_store(database: str, *, connections: int) -> Store:
    """Return the store at `database`, which `migrate.upgrade` has brought up to date.

    PostgreSQL gets at most `connections` connections. Raises StoreUnavailable, and ValueError for
    an address of neither form.
    """
    path = sqlite_path(database)
    if path is None:
        return await PostgresStore.open(database, connections=connections)
    return SqliteStore.open(path)
