"""A store that lets a test act right before a chosen transaction or commit: fail it, be faster."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from vestibule.store.interface import Store, StoreUnavailable, Transaction

Hook = Callable[[], Awaitable[None]]


class HookedStore:
    """`store` itself; transactions are counted from `arm`, and the hook runs before the nth.

    `commits` is how many transactions that write were begun.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.count = 0
        self._nth = 0
        self._hook: Hook | None = None
        self._lost = 0
        self.commits = 0
        self._refusing = False

    def arm(self, nth: int, hook: Hook) -> None:
        """Run `hook` once, before the `nth` transaction from now (1 is the next)."""
        self.count, self._nth, self._hook = 0, nth, hook

    def fail(self, nth: int) -> None:
        """Let the `nth` transaction from now find the database gone; the next ones find it."""
        self.arm(nth, _gone)

    def lose(self, nth: int) -> None:
        """Let the database go away right after the `nth` transaction, a write, has committed."""
        self.count, self._lost = 0, nth

    @contextmanager
    def refusing_commits(self) -> Iterator[None]:
        """Let the database go away right before every commit; what was written is rolled back."""
        self._refusing = True
        try:
            yield
        finally:
            self._refusing = False

    @property
    def fired(self) -> bool:
        """True when the hook has run since it was armed."""
        return self._hook is None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        await self._count()
        async with self.store.read() as tx:
            yield tx

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        await self._count()
        self.commits += 1
        async with self.store.write() as tx:
            yield tx
            if self._refusing:
                await _gone()
        if self.count == self._lost:
            self._lost = 0
            await _gone()

    async def close(self) -> None:
        await self.store.close()

    async def _count(self) -> None:
        self.count += 1
        if self._hook is not None and self.count == self._nth:
            hook, self._hook = self._hook, None
            await hook()


async def _gone() -> None:
    raise StoreUnavailable("the test took the database away")
