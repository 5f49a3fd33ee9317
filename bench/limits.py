"""`make bench-limits`: what counting requests adds to a login, as ratios of one run.

A login is what the server does for it: start, SAML callback, sso.authenticate, on SQLite. The same
logins run without counting, counting in memory and on a Valkey or Redis server here, interleaved in
rounds; a ratio is the median over rounds of counting / not counting. Logins are
compared by CPU time of this process; what waiting for the server adds is told by the median wall
time of one count (a login makes five), which others may be served in.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeVar

from tests.support.context import RoutedFetch, open_test_context
from tests.support.counting_server import counting_server
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.scenario import Scenario, add_project, token_of
from vestibule.app import App
from vestibule.clock import MINUTE
from vestibule.counters import Counters, open_counters
from vestibule.domain import limits
from vestibule.domain.limiter import Limiter
from vestibule.store import migrate
from vestibule.store.open import open_store

ROUNDS: Final = 201
LOGINS: Final = 2

T = TypeVar("T")
Taken = dict[str, list[float]]


class Uncounted:
    """In the place of a Limiter: asks nobody and lets everything through."""

    async def spend(self, *_: object) -> None:
        """Pass."""

    def check(self, *_: object) -> None:
        """Pass."""


@asynccontextmanager
async def opened(folder: Path, counters: Counters | None) -> AsyncIterator[Scenario]:
    """Open a server that counts with `counters`, or not at all."""
    database = f"sqlite:{folder / 'vestibule.db'}"
    folder.mkdir()  # noqa: ASYNC240 - before anything is measured
    await asyncio.to_thread(migrate.upgrade, database)
    store = await open_store(database, connections=1)
    clock = HandClock()
    context = await open_test_context(
        store, clock=clock, entropy=SeededEntropy(), fetch=RoutedFetch()
    )
    limiter = Uncounted() if counters is None else Limiter(counters, clock=clock)
    context = replace(context, limiter=limiter)  # type: ignore[arg-type]  # it has what is called
    yield await add_project(App(context), context, name="first")
    await store.close()


async def timed(taken: Taken, name: str, work: Callable[[], Awaitable[T]]) -> T:
    """Await `work`, note the CPU seconds it took under `name`, and return its result."""
    began = time.process_time()
    result = await work()
    taken.setdefault(name, []).append(time.process_time() - began)
    return result


async def login(scenario: Scenario, connection: dict[str, Any], taken: Taken) -> dict[str, Any]:
    """Log in once, note what each request has taken, and return the answer of the last."""
    browser = scenario.browser()
    request_id, relay_state = await timed(
        taken, "start", partial(scenario.saml_request, browser, connection)
    )
    response = scenario.saml_response(connection, in_response_to=request_id)
    fields = {"SAMLResponse": response, "RelayState": relay_state}
    answer = await timed(
        taken, "callback", partial(scenario.post_callback, browser, connection, fields)
    )
    redeem = partial(scenario.authenticate, token_of(answer), session_duration_minutes=60)
    return await timed(taken, "sso.authenticate", redeem)


async def one_count(url: str) -> float:
    """Return the median of the seconds that counting one request takes."""
    limiter = Limiter(open_counters(url), clock=HandClock())
    taken = []
    for _ in range(2_000):
        began = time.perf_counter()  # noqa: TID251 - the same
        await limiter.spend(limits.API, "project")
        taken.append(time.perf_counter() - began)  # noqa: TID251 - the same
    await limiter.close()
    return statistics.median(taken)


async def measure(folder: Path, url: str) -> Taken:
    """Return the seconds of each round, by how is counted."""
    kinds = {"none": None, "memory": open_counters(""), "server": open_counters(url)}
    taken: Taken = {name: [] for name in kinds}
    async with AsyncExitStack() as stack:
        logins = []
        for name, counters in kinds.items():
            scenario = await stack.enter_async_context(opened(folder / name, counters))
            organization = await scenario.organization(sso_jit_provisioning="ALL_ALLOWED")
            connection = await scenario.saml_connection(organization["organization_id"])
            logins.append((name, scenario, connection))
            await login(scenario, connection, {})
        for number in range(ROUNDS):
            for name, scenario, connection in logins[number % 3 :] + logins[: number % 3]:
                scenario.clock.advance(MINUTE)
                spent: Taken = {}
                for _ in range(LOGINS):
                    await login(scenario, connection, spent)
                taken[name].append(sum(chain.from_iterable(spent.values())))
        for counters in kinds.values():
            if counters is not None:
                await counters.close()
    return taken


def main() -> None:
    """Measure, and print the ratios."""
    with tempfile.TemporaryDirectory() as folder, counting_server() as server:
        taken = asyncio.run(measure(Path(folder), server.url))
        where = {"memory": "", "server": server.url}
        counts = {name: asyncio.run(one_count(url)) for name, url in where.items()}
    bare = taken["none"]
    sys.stdout.write(f"one login uncounted: {statistics.median(bare) / LOGINS * 1000:.2f} ms\n")
    for name, count in counts.items():
        ratios = [counted / plain for counted, plain in zip(taken[name], bare, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        sys.stdout.write(
            f"{name}: {middle:.3f} of it (quartiles {low:.3f} to {high:.3f}); "
            f"one count {count * 1e6:.0f} us\n"
        )


if __name__ == "__main__":
    main()
