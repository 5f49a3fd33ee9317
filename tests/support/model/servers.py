"""Two servers, on SQLite and on PostgreSQL, that are asked the same and have to say the same."""

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from tests.support.asgi import Answer
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.model.nouns import LOCK_AFTER, LOCKED_FOR, Pair
from tests.support.scenario import Scenario, open_scenario
from vestibule.clock import SECOND
from vestibule.settings import Settings
from vestibule.store.cleanup import remove_expired
from vestibule.store.interface import Store
from vestibule.store.open import open_store

T = TypeVar("T")

_SETTINGS: Final = Settings(
    base_url="https://sso.example.test",
    user_lock_threshold=LOCK_AFTER,
    user_lock_seconds=LOCKED_FOR // SECOND,
    limits_factor=1_000,
)
_ID: Final = re.compile(rb"[a-z][a-z-]*-test-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SECRETS: Final = (
    "session_jwt|request_id|[a-z_]*session_token|secret|qr_code|recovery_codes|certificate"
)
_SECRET: Final = re.compile(rf'"({_SECRETS})":(?:"[^"]*"|\[[^][]*\])'.encode())


class Servers:
    """A project of its own in both for each story. What is asked of them takes no time."""

    def __init__(self, urls: Pair, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._numbers = itertools.count(1000)
        self._clocks = (HandClock(), HandClock())
        self._stores: list[Store] = [runner.run(open_store(url, connections=2)) for url in urls]
        self._sides: list[Scenario]

    def begin(self) -> int:
        """Give both a new project and the same time, and return it."""
        number = next(self._numbers)
        self._clocks = (HandClock(), HandClock())
        self._sides = [
            self._runner.run(
                open_scenario(
                    store,
                    clock=clock,
                    entropy=SeededEntropy(number),
                    settings=_SETTINGS,
                    name=f"{number}",
                )
            )
            for store, clock in zip(self._stores, self._clocks, strict=True)
        ]
        return self._clocks[0].now()

    def pass_time(self, microseconds: int) -> None:
        for clock in self._clocks:
            clock.advance(microseconds)

    def ask(
        self,
        method: str,
        paths: Pair | str,
        bodies: tuple[Any, Any] | dict[str, Any] | None = None,
        *,
        on_behalf_of: Pair | None = None,
    ) -> tuple[Answer, Answer]:
        """Ask both servers; what is one is asked of both. `on_behalf_of` are session tokens."""
        body_of = bodies if isinstance(bodies, tuple) else (bodies, bodies)
        path_of = paths if isinstance(paths, tuple) else (paths, paths)
        first, second = self.each(
            lambda side, at: side.api.call(
                method,
                path_of[at],
                body_of[at],
                headers={"x-stytch-member-session": on_behalf_of[at]} if on_behalf_of else {},
            )
        )
        assert first.status < 500, first.text
        assert comparable(first) == comparable(second)
        return first, second

    def each(self, work: Callable[[Scenario, int], Awaitable[T]]) -> tuple[T, T]:
        """Let both do something; the number is 0 for the first, 1 for the second."""
        first, second = (
            self._runner.run(_of(work(side, at))) for at, side in enumerate(self._sides)
        )
        return first, second

    def clean_up(self) -> None:
        """Let both remove what is over, as every server does from time to time."""
        self.each(lambda side, at: remove_expired(self._stores[at], now=side.clock.now()))

    def close(self) -> None:
        for store in self._stores:
            self._runner.run(store.close())


async def _of(work: Awaitable[T]) -> T:
    return await work


def comparable(answer: Answer) -> tuple[int, bytes]:
    """Return an answer with each id replaced by its place among them, and without secrets."""
    places: dict[bytes, int] = {}
    text = _SECRET.sub(rb'"\1":""', answer.body)
    return answer.status, _ID.sub(
        lambda found: b"id-%d" % places.setdefault(found[0], len(places)), text
    )


def both(values: tuple[Any, Any], *names: str | int) -> tuple[Any, Any]:
    """Return what stands below `names` in both of two answers."""
    first, second = values
    for name in names:
        first, second = first[name], second[name]
    return first, second
