"""Providers' signing keys: kept, fetched again when a token names an unknown one (OI-26, OI-27)."""

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from vestibule.clock import HOUR, SECOND
from vestibule.fetch import Fetch, FetchError
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.jwks import Key, parse_jwks
from vestibule.oidc.signed import needs_refetch

_FRESH_FOR: Final = HOUR
# At most one fetch per URL in this time, whatever keys the tokens name.
_FLOOR: Final = 30 * SECOND
_MOST_SETS: Final = 10_000


@dataclass(frozen=True)
class _KeySet:
    keys: tuple[Key, ...]
    fetched_at: int
    tried_at: int

    def serves(self, token: str, *, now: int) -> bool:
        if now - self.tried_at <= _FLOOR:
            return True
        return now - self.fetched_at <= _FRESH_FOR and not needs_refetch(token, self.keys)


class JwksCache:
    """The key sets of one process, by URL."""

    def __init__(self) -> None:
        self._sets: dict[str, _KeySet] = {}
        self._fetching: dict[str, asyncio.Task[tuple[Key, ...]]] = {}

    async def keys_for(self, fetch: Fetch, url: str, token: str, *, now: int) -> tuple[Key, ...]:
        """Return the keys at `url`, fetched again when old or when none is meant for `token`.

        Whoever asks meanwhile waits for the same fetch. The last good set is kept through an
        outage. Raises OidcError(oidc.jwks) when there is none, FetchError when the first fetch
        fails.
        """
        known = self._sets.get(url)
        if known is not None and known.serves(token, now=now):
            return known.keys
        task = self._fetching.get(url)
        if task is None:
            task = asyncio.create_task(self._renew(fetch, url, now=now))
            self._fetching[url] = task
            task.add_done_callback(lambda done: self._end(url, done))
        # One of those who wait may give up; the others still want the keys.
        return await asyncio.shield(task)

    async def _renew(self, fetch: Fetch, url: str, *, now: int) -> tuple[Key, ...]:
        known = self._sets.get(url)
        try:
            renewed = _KeySet(await _fetch(fetch, url), fetched_at=now, tried_at=now)
        except (OidcError, FetchError):
            if known is None:
                raise
            # Try again after the floor, not at every login of the outage.
            renewed = replace(known, tried_at=now)
        if len(self._sets) >= _MOST_SETS:
            self._sets.clear()
        self._sets[url] = renewed
        return renewed.keys

    def _end(self, url: str, task: asyncio.Task[tuple[Key, ...]]) -> None:
        del self._fetching[url]
        if not task.cancelled():
            task.exception()  # looked at, even when everybody who waited has gone


async def _fetch(fetch: Fetch, url: str) -> tuple[Key, ...]:
    answer = await fetch.request("GET", url, headers={"Accept": "application/json"})
    if answer.status != 200:
        raise OidcError(Reason.JWKS, expected="status 200", received=f"status {answer.status}")
    return parse_jwks(answer.body)
