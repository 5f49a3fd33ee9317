"""Write transactions of one SQLite connection: one at a time, several to a commit.

A commit waits for the disk, so it runs in a thread of its own while the loop goes on, and whoever
comes meanwhile shares the next one. Within it each transaction is a savepoint, so that one that
fails takes nothing else with it. Nobody is told of success before the commit.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from vestibule.store.interface import StoreUnavailable
from vestibule.store.sqlite_statements import Statements, code_of, translated

_LOCK_RETRY_SECONDS: Final = 0.002
_MOST_IN_A_COMMIT: Final = 64


@dataclass
class _Group:
    """Transactions that will be committed together."""

    changes_before: int
    size: int = 0
    committed: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def fail(self, reason: str) -> None:
        self.committed.set_exception(StoreUnavailable(reason))
        self.committed.exception()  # so that asyncio does not miss a reader when all have left


class Writer:
    """Gives out `connection` (in autocommit mode) to one transaction after the other."""

    def __init__(self, connection: sqlite3.Connection, *, lock_seconds: float) -> None:
        self._connection = connection
        self._lock_seconds = lock_seconds
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._group: _Group | None = None
        self._thread = ThreadPoolExecutor(1, "sqlite-commit")
        self._commits: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Statements]:
        """Run the block as one transaction and return when it is committed.

        Raises StoreUnavailable.
        """
        await self._take_turn()
        try:
            group = await self._join()
            statements = Statements(self._connection)
            statements.run("SAVEPOINT one")
            try:
                yield statements
                statements.run("RELEASE one")
            except BaseException:
                self._undo(group)
                raise
        finally:
            self._end_turn()
        await asyncio.shield(group.committed)

    async def close(self) -> None:
        """Close the connection when the last commit is through."""
        async with self._lock:
            self._connection.close()
            self._thread.shutdown()

    async def _take_turn(self) -> None:
        self._waiting += 1
        try:
            await self._lock.acquire()
        except BaseException:
            # Those who left the commit to us are not to wait for ever.
            self._start(self._commit_for_others())
            raise
        finally:
            self._waiting -= 1

    def _end_turn(self) -> None:
        """Pass the connection on; without a next one waiting, commit first."""
        full = self._group is not None and self._group.size >= _MOST_IN_A_COMMIT
        if self._group is None or (self._waiting and not full):
            self._lock.release()
        else:
            self._start(self._commit(self._group))

    async def _join(self) -> _Group:
        if self._group is None:
            await self._begin()
            self._group = _Group(self._connection.total_changes)
        self._group.size += 1
        return self._group

    def _undo(self, group: _Group) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK TO one")
            self._connection.execute("RELEASE one")
        else:  # a full disk, say: SQLite has rolled back everything
            self._group = None
            group.fail("the database could not go on with this transaction")

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._commits.add(task)
        task.add_done_callback(self._commits.discard)

    async def _commit_for_others(self) -> None:
        await self._lock.acquire()
        self._end_turn()

    async def _commit(self, group: _Group) -> None:
        """Commit `group` and pass the connection on; it is ours until then."""
        self._group = None
        try:
            if self._connection.total_changes == group.changes_before:
                self._connection.execute("COMMIT")  # nothing to wait for
            else:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._thread, self._connection.execute, "COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            group.fail(str(error))
        else:
            group.committed.set_result(None)
        finally:
            if not group.committed.done():
                group.fail("the server stopped during the commit")
            self._lock.release()

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
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            if code_of(error) & 0xFF == sqlite3.SQLITE_BUSY:
                return False
            known = translated(error)
            if known is None:
                raise
            raise known from error
        return True
