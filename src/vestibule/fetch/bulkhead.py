"""Keeps what waits for one party apart from what waits for the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass
class _Gate:
    room: asyncio.Semaphore
    users: int = 0


class Bulkhead:
    """Lets at most `most` things go on at once for each key; the next one of that key waits."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._gates: dict[str, _Gate] = {}

    async def enter(self, key: str) -> None:
        """Wait until there is room for `key`, and take it; give it back with `leave`."""
        gate = self._gates.setdefault(key, _Gate(asyncio.Semaphore(self._most)))
        gate.users += 1
        try:
            await gate.room.acquire()
        except BaseException:
            self._forget(key, gate)
            raise

    def leave(self, key: str) -> None:
        """Give back the room that `enter` took."""
        gate = self._gates[key]
        gate.room.release()
        self._forget(key, gate)

    @asynccontextmanager
    async def room(self, key: str) -> AsyncIterator[None]:
        """Hold room for `key` in a block."""
        await self.enter(key)
        try:
            yield
        finally:
            self.leave(key)

    def _forget(self, key: str, gate: _Gate) -> None:
        gate.users -= 1
        if not gate.users:
            del self._gates[key]
