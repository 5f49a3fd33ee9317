"""Counters that end by themselves: kept in this process, or by a Valkey or Redis server."""

import asyncio
import re
from typing import Final, Protocol

from limits.aio.storage import RedisStorage
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from vestibule.clock import MINUTE, SECOND

_SECONDS: Final = 0.25


class CountersUnavailable(Exception):
    """The server that counts cannot be reached, or does not answer in time; the text says why."""


class Counters(Protocol):
    """Something that counts; times are microseconds UTC."""

    async def add(self, key: str, *, now: int, ends: int) -> int:
        """Add one to `key` and return how many there are.

        It is not asked for after `ends` and may be forgotten then. Raises CountersUnavailable.
        """
        ...

    async def close(self) -> None:
        """Let go of what is held."""
        ...


class MemoryCounters:
    """Counts in this process alone.

    The memory storage of `limits` looks at every key it holds on each request: with 100 000 keys
    that takes a tenth of a second, and clients choose how many keys there are.
    """

    def __init__(self) -> None:
        self._counts: dict[str, tuple[int, int]] = {}
        self._swept_at = 0

    async def add(self, key: str, *, now: int, ends: int) -> int:
        """Add one; once a minute forget what has ended."""
        if now - self._swept_at >= MINUTE:
            self._counts = {k: kept for k, kept in self._counts.items() if kept[0] > now}
            self._swept_at = now
        _, count = self._counts.get(key, (ends, 0))
        self._counts[key] = (ends, count + 1)
        return count + 1

    async def close(self) -> None:
        """Nothing is held."""


class ServerCounters:
    """Counts on a Valkey or Redis server, for every node that is told of the same one.

    It is connected to when first needed, and has a quarter of a second for each answer.
    """

    def __init__(self, url: str) -> None:
        # Both servers speak one protocol; the client knows the older name only.
        self._pool = ConnectionPool.from_url(re.sub("^valkey", "redis", url))
        self._storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="vestibule",
            connection_pool=self._pool,  # type: ignore[arg-type]  # it is taken, and documented
        )

    async def add(self, key: str, *, now: int, ends: int) -> int:
        """Add one."""
        try:
            async with asyncio.timeout(_SECONDS):
                return await self._storage.incr(key, -((now - ends) // SECOND))
        except (RedisError, OSError) as error:
            raise CountersUnavailable(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.aclose()


def open_counters(url: str) -> Counters:
    """Return counters on the server at `url`, or in this process where it is empty."""
    return ServerCounters(url) if url else MemoryCounters()
