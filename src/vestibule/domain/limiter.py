"""Counts requests against their limits and refuses what is beyond."""

import hashlib
from collections.abc import Iterable
from typing import Final

from vestibule import errors
from vestibule.clock import MINUTE, SECOND, Clock
from vestibule.counters import Counters, CountersUnavailable
from vestibule.domain.limits import Limit
from vestibule.errors import Failure
from vestibule.log import logger

_ASK_AGAIN_AFTER: Final = SECOND
_SHOWN: Final = 100


class Limiter:
    """Counts with `counters`; limits that are not for guesses are `factor` times as high.

    What is known to be used up is refused without asking the counters. While they cannot be asked,
    a guess counts as the last one allowed in its window, and everything else is let through.
    """

    def __init__(self, counters: Counters, *, clock: Clock, factor: int = 1) -> None:
        self._counters = counters
        self._clock = clock
        self._factor = factor
        self._used_up: dict[str, int] = {}
        self._swept_at = 0
        self._down_until = 0

    async def spend(self, limit: Limit, *subject: str) -> bool:
        """Count one request of `subject` (a value for each of `limit.per`); True for the last.

        That is the one after which no other is allowed in this window. Raises Failure
        too_many_requests when it is beyond the limit.
        """
        now = self._clock.now()
        key, ends = _window(limit, subject, now)
        self._refuse(limit, key, now)
        allowed = limit.requests if limit.guess else limit.requests * self._factor
        try:
            count = await self._add(key, now, ends)
        except CountersUnavailable:
            if not limit.guess:
                return False
            count = allowed + 1
        if count >= allowed:
            self._remember(key, now, ends)
        if count == allowed:
            shown = [value[:_SHOWN] for value in subject]
            logger().warning("limit reached", limit=limit.name, per=limit.per, subject=shown)
        if count > allowed:
            self._refuse(limit, key, now)
        return count == allowed

    def check(self, limit: Limit, *subject: str) -> None:
        """Raise Failure too_many_requests when `limit` is known to be used up; count nothing."""
        now = self._clock.now()
        self._refuse(limit, _window(limit, subject, now)[0], now)

    async def close(self) -> None:
        """Let go of the counters."""
        await self._counters.close()

    def _refuse(self, limit: Limit, key: str, now: int) -> None:
        ends = self._used_up.get(key, 0)
        if ends > now:
            raise Failure(
                errors.too_many_requests,
                f"Too many requests of this kind ({limit.name}) for one {' and '.join(limit.per)}.",
                retry_after=-((now - ends) // SECOND),
            )

    def _remember(self, key: str, now: int, ends: int) -> None:
        if now - self._swept_at >= MINUTE:
            self._used_up = {k: end for k, end in self._used_up.items() if end > now}
            self._swept_at = now
        self._used_up[key] = ends

    async def _add(self, key: str, now: int, ends: int) -> int:
        # A server that is down is not waited for by each request.
        if now < self._down_until:
            raise CountersUnavailable("it was down a moment ago")
        try:
            count = await self._counters.add(key, now=now, ends=ends)
        except CountersUnavailable as error:
            if not self._down_until:
                logger().warning("limits cannot be counted", detail=str(error))
            self._down_until = now + _ASK_AGAIN_AFTER
            raise
        if self._down_until:
            logger().info("limits are counted again")
            self._down_until = 0
        return count


class Meter:
    """Counts one request against each of `limits` as soon as all it is counted per is known."""

    def __init__(self, limiter: Limiter, limits: Iterable[Limit]) -> None:
        self._limiter = limiter
        self._waiting = list(limits)
        self._known: dict[str, str] = {}

    async def know(self, **known: str) -> None:
        """Learn values of axes. Raises Failure too_many_requests."""
        self._known |= known
        waiting, self._waiting = self._waiting, []
        for limit in waiting:
            if all(axis in self._known for axis in limit.per):
                await self._limiter.spend(limit, *(self._known[axis] for axis in limit.per))
            else:
                self._waiting.append(limit)


def _window(limit: Limit, subject: tuple[str, ...], now: int) -> tuple[str, int]:
    """Return the key of the window that `now` is in, and its end.

    Keys are digests: what callers write is neither long nor readable where it is counted.
    """
    length = limit.seconds * SECOND
    number = now // length
    digest = hashlib.sha256("\0".join(subject).encode(errors="surrogatepass")).hexdigest()[:32]
    return f"{limit.name}:{number}:{digest}", (number + 1) * length
