"""Time and chance that tests decide: the clock stands until it is moved, bytes repeat by seed."""

import random

# 2026-03-05T12:34:56.789012Z
NOW = 1_772_714_096_789_012


class HandClock:
    """A clock that moves only when it is told to."""

    def __init__(self, now: int = NOW) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def advance(self, microseconds: int) -> None:
        self._now += microseconds


class SeededEntropy:
    """Bytes that are the same in every run, and never the same twice in one."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a test wants to repeat itself

    def token_bytes(self, size: int) -> bytes:
        return self._random.randbytes(size)
