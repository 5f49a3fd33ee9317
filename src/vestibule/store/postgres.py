"""PostgreSQL through asyncpg: a few connections, held and handed out behind a semaphore.

The pool of asyncpg is not used: its reset costs a round trip per request (perf.md section 4).
Reads run statement by statement without BEGIN and COMMIT, which would treble their round trips.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import asyncpg

from vestibule.store.interface import (
    Conflict,
    ParentMissing,
    StoreUnavailable,
    Transaction,
    Unstorable,
)
from vestibule.store.read_only import ReadOnly
from vestibule.store.storable import require_storable
from vestibule.store.table import Row

T = TypeVar("T")

_CONNECT_SECONDS: Final = 5.0
# A server that takes longer is gone or frozen. It rolls back itself once nobody is there any more.
_ROLLBACK_SECONDS: Final = 1.0
_CLOSE_SECONDS: Final = 1.0
# The server gives up first, so that the connection stays usable; the client only when it is gone.
_CLIENT_SECONDS: Final = 15.0
_SERVER_SETTINGS: Final = {
    "application_name": "vestibule",
    "statement_timeout": "10s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    "default_transaction_isolation": "read committed",
}
_UNAVAILABLE: Final = (
    OSError,  # TimeoutError is one
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.OperatorInterventionError,  # shut down, or a statement ran out of time
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby: fail-over is under way
    asyncpg.InvalidCachedStatementError,  # the schema has just been migrated
    asyncpg.InternalServerError,
)


class PostgresStore:
    """A migrated PostgreSQL database."""

    def __init__(self, url: str, *, connections: int, queue_seconds: float) -> None:
        self._url = url
        self._queue_seconds = queue_seconds
        self._idle: list[asyncpg.Connection] = []
        self._free = asyncio.Semaphore(connections)
        self._closed = False

    @classmethod
    async def open(
        cls, url: str, *, connections: int, queue_seconds: float = 5.0
    ) -> "PostgresStore":
        """Connect once, to know that it works; up to `connections` come when they are needed.

        `queue_seconds` is how long a transaction waits for one. Raises StoreUnavailable.
        """
        store = cls(url, connections=connections, queue_seconds=queue_seconds)
        async with store._connection():
            return store

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """Open a transaction that only reads. Raises StoreUnavailable."""
        async with self._connection() as connection:
            yield Transaction(ReadOnly(_Statements(connection)))

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """Open a transaction that commits at the end of the block. Raises StoreUnavailable."""
        async with self._connection() as connection:
            statements = _Statements(connection)
            try:
                await statements.execute("BEGIN", ())
                yield Transaction(statements)
                await statements.execute("COMMIT", ())
            except BaseException:  # cancellation too: the server would go on and keep its locks
                await _roll_back(connection)
                raise

    async def close(self) -> None:
        """Close the connections; one still in use is closed when it comes back."""
        self._closed = True
        idle, self._idle = self._idle, []
        await asyncio.gather(*map(_close, idle))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        try:
            async with asyncio.timeout(self._queue_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise StoreUnavailable("all database connections are in use") from None
        try:
            connection = await self._take()
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            self._free.release()

    async def _take(self) -> asyncpg.Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return await _connect(self._url)

    def _give_back(self, connection: asyncpg.Connection) -> None:
        if connection.is_closed():
            return
        if self._closed or connection.is_in_transaction():
            connection.terminate()
        else:
            self._idle.append(connection)


class _Statements:
    """Runs statements on one connection; after one has failed, no more."""

    row_lock = " FOR NO KEY UPDATE"

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._failed = False

    async def fetch(self, sql: str, values: Sequence[object]) -> Sequence[Row]:
        return await self._run(self._connection.fetch, sql, values)

    async def execute(self, sql: str, values: Sequence[object]) -> int:
        status = await self._run(self._connection.execute, sql, values)
        # "INSERT 0 1", "UPDATE 3", "BEGIN"
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def _run(
        self, method: Callable[..., Awaitable[T]], sql: str, values: Sequence[object]
    ) -> T:
        if self._failed:
            raise RuntimeError("this transaction has failed; catch errors outside of its block")
        self._failed = True
        require_storable(values)
        try:
            result = await method(sql, *values)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            known = _translated(error, connection_closed=self._connection.is_closed())
            if known is None:
                raise
            raise known from error
        self._failed = False
        return result


async def _connect(url: str) -> asyncpg.Connection:
    try:
        connection = await asyncpg.connect(
            url,
            timeout=_CONNECT_SECONDS,
            command_timeout=_CLIENT_SECONDS,
            statement_cache_size=500,
            server_settings=_SERVER_SETTINGS,
        )
    except (asyncpg.PostgresError, OSError) as error:
        raise StoreUnavailable(str(error) or type(error).__name__) from error
    encoding = connection.get_settings().server_encoding
    if encoding != "UTF8":
        connection.terminate()
        raise StoreUnavailable(f"the database's encoding is {encoding}; it has to be UTF8")
    return connection


async def _roll_back(connection: asyncpg.Connection) -> None:
    """Roll back; a connection on which this fails too is not used again."""
    try:
        await connection.execute("ROLLBACK", timeout=_ROLLBACK_SECONDS)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        connection.terminate()


async def _close(connection: asyncpg.Connection) -> None:
    try:
        await connection.close(timeout=_CLOSE_SECONDS)
    except _UNAVAILABLE:
        connection.terminate()


def _translated(error: Exception, *, connection_closed: bool) -> Exception | None:
    if isinstance(error, asyncpg.UniqueViolationError):
        # Names are ours: members__external_id, organization_domains__domain__claimed.
        table, column = str(error.constraint_name).split("__")[:2]
        return Conflict(f"{table}.{column}")
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        return ParentMissing(str(error))
    if isinstance(error, asyncpg.ProgramLimitExceededError):
        return Unstorable("text too long for an index")
    lost = isinstance(error, asyncpg.InterfaceError) and connection_closed
    if lost or isinstance(error, _UNAVAILABLE):
        return StoreUnavailable(str(error) or type(error).__name__)
    return None  # a mistake of ours
