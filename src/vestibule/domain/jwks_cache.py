"""Providers' signing keys: kept, fetched again when a token names an unknown one (OI-26, OI-27)."""

from dataclasses import dataclass
from typing import Final

from vestibule.clock import HOUR, SECOND
from vestibule.fetch import Fetch, FetchError
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.id_token import needs_refetch
from vestibule.oidc.jwks import Key, parse_jwks

_FRESH_FOR: Final = HOUR
# At most one fetch per URL in this time for tokens with unknown keys.
_FLOOR: Final = 30 * SECOND
_MOST_SETS: Final = 10_000


@dataclass(frozen=True)
class _KeySet:
    keys: tuple[Key, ...]
    fetched_at: int


class JwksCache:
    """The key sets of one process, by URL."""

    def __init__(self) -> None:
        self._sets: dict[str, _KeySet] = {}

    async def keys_for(self, fetch: Fetch, url: str, token: str, *, now: int) -> tuple[Key, ...]:
        """Return the keys at `url`, fetched again when old or when none is meant for `token`.

        The last good set is kept through an outage. Raises OidcError(oidc.jwks) when there is
        none, FetchError when the first fetch fails.
        """
        known = self._sets.get(url)
        if known is not None:
            age = now - known.fetched_at
            stale = age > _FRESH_FOR or (age > _FLOOR and needs_refetch(token, known.keys))
            if not stale:
                return known.keys
        try:
            keys = await _fetch(fetch, url)
        except (OidcError, FetchError):
            if known is None:
                raise
            # Try again after the floor, not at every login of the outage.
            keys = known.keys
        if len(self._sets) >= _MOST_SETS:
            self._sets.clear()
        self._sets[url] = _KeySet(keys, now)
        return keys


async def _fetch(fetch: Fetch, url: str) -> tuple[Key, ...]:
    answer = await fetch.request("GET", url, headers={"Accept": "application/json"})
    if answer.status != 200:
        raise OidcError(Reason.JWKS, expected="status 200", received=f"status {answer.status}")
    return parse_jwks(answer.body)
