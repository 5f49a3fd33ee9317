"""Providers' signing keys: kept, fetched again when a token names an unknown one (OI-26, OI-27)."""

import asyncio
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from vestibule.clock import DAY, HOUR, SECOND
from vestibule.fetch import Fetch, FetchError
from vestibule.fetch.interface import on_behalf_of
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.jwks import Key, parse_jwks
from vestibule.oidc.signed import needs_refetch

_FRESH_FOR: Final = HOUR
# At most one fetch per URL in this time, whatever keys the tokens name.
_FLOOR: Final = 30 * SECOND
# An outage may last this long; keys that their provider has long withdrawn must not sign for ever.
_KEPT_FOR: Final = DAY
_MOST_SETS: Final = 10_000


class _Place(NamedTuple):
    tenant: str
    url: str


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
    """The key sets of one process, by tenant and URL.

    Tenants who use the same provider do not share a set: one whose requests are held up, or who
    makes up key ids, does so at nobody else's cost.
    """

    def __init__(self, *, most: int = _MOST_SETS) -> None:
        self._most = most
        self._sets: dict[_Place, _KeySet] = {}
        self._fetching: dict[_Place, asyncio.Task[tuple[Key, ...]]] = {}

    async def keys_for(self, fetch: Fetch, url: str, token: str, *, now: int) -> tuple[Key, ...]:
        """Return the keys at `url`, fetched again when old or when none is meant for `token`.

        Whoever asks meanwhile waits for the same fetch. The last good set is kept through an
        outage, for a day. Raises OidcError(oidc.jwks) when there is none, FetchError when the
        first fetch fails.
        """
        place = _Place(on_behalf_of.get(), url)
        known = self._known(place, now=now)
        if known is not None and known.serves(token, now=now):
            return known.keys
        task = self._fetching.get(place)
        if task is None:
            task = asyncio.create_task(self._renew(fetch, place, now=now))
            self._fetching[place] = task
            task.add_done_callback(lambda done: self._end(place, done))
        # One of those who wait may give up; the others still want the keys.
        return await asyncio.shield(task)

    def _known(self, place: _Place, *, now: int) -> _KeySet | None:
        known = self._sets.get(place)
        return known if known and now - known.fetched_at <= _KEPT_FOR else None

    async def _renew(self, fetch: Fetch, place: _Place, *, now: int) -> tuple[Key, ...]:
        known = self._known(place, now=now)
        try:
            renewed = _KeySet(await _fetch(fetch, place.url), fetched_at=now, tried_at=now)
        except (OidcError, FetchError):
            if known is None:
                raise
            # Try again after the floor, not at every login of the outage.
            renewed = replace(known, tried_at=now)
        self._sets.pop(place, None)
        if len(self._sets) >= self._most:
            # The one that has not been asked for the longest: it was put here first.
            del self._sets[next(iter(self._sets))]
        self._sets[place] = renewed
        return renewed.keys

    def _end(self, place: _Place, task: asyncio.Task[tuple[Key, ...]]) -> None:
        del self._fetching[place]
        if not task.cancelled():
            task.exception()  # looked at, even when everybody who waited has gone


async def _fetch(fetch: Fetch, url: str) -> tuple[Key, ...]:
    answer = await fetch.request("GET", url, headers={"Accept": "application/json"})
    if answer.status != 200:
        raise OidcError(Reason.JWKS, expected="status 200", received=f"status {answer.status}")
    return parse_jwks(answer.body)
