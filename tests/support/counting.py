"""What a request costs, counted: statements of the database, digests and comparisons of secrets."""

import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import Any

from vestibule.store.interface import Store, Transaction
from vestibule.store.table import Executor, Row


class _Counting:
    def __init__(self, executor: Executor, statements: list[str]) -> None:
        self._executor = executor
        self._statements = statements

    @property
    def row_lock(self) -> str:
        return self._executor.row_lock

    async def fetch(self, sql: str, values: Sequence[object]) -> Sequence[Row]:
        self._statements.append(sql)
        return await self._executor.fetch(sql, values)

    async def execute(self, sql: str, values: Sequence[object]) -> int:
        self._statements.append(sql)
        return await self._executor.execute(sql, values)


class CountingStore:
    """`store` itself, and the text of what it ran in `statements`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.statements: list[str] = []

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        async with self._store.read() as tx:
            yield Transaction(_Counting(tx.executor, self.statements))

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        async with self._store.write() as tx:
            yield Transaction(_Counting(tx.executor, self.statements))

    async def close(self) -> None:
        await self._store.close()

    def taken(self) -> int:
        """Return how many statements there were since the last call."""
        count = len(self.statements)
        self.statements.clear()
        return count


@contextmanager
def secrets_compared() -> Iterator[Counter[str]]:
    """Count the digests and the constant-time comparisons of the block, in this thread."""
    counts: Counter[str] = Counter()

    def note(_frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call" and function.__name__ in {"openssl_sha256", "compare_digest"}:
            counts[function.__name__] += 1

    sys.setprofile(note)
    try:
        yield counts
    finally:
        sys.setprofile(None)
