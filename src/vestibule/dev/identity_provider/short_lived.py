"""Codes and access tokens: kept in memory, found by an unguessable name, gone after their time."""

import base64
from typing import Final, Generic, TypeVar

from vestibule.ids import Entropy

_MOST: Final = 1000

T = TypeVar("T")


class ShortLived(Generic[T]):
    """At most a thousand values, each for `life` microseconds; the oldest leaves first."""

    def __init__(self, *, life: int, entropy: Entropy) -> None:
        self._life = life
        self._entropy = entropy
        self._kept: dict[str, tuple[int, T]] = {}

    def add(self, value: T, *, now: int) -> str:
        """Keep `value` and return the name under which it is found."""
        name = base64.urlsafe_b64encode(self._entropy.token_bytes(30)).decode()
        if len(self._kept) >= _MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[name] = (now + self._life, value)
        return name

    def get(self, name: str, *, now: int) -> T | None:
        """Return the value, or None when it is unknown or its time is over."""
        expires_at, value = self._kept.get(name, (0, None))
        return value if now < expires_at else None

    def take(self, name: str, *, now: int) -> T | None:
        """Return the value as `get` does, once: it is gone afterwards."""
        value = self.get(name, now=now)
        self._kept.pop(name, None)
        return value
