"""`make bench-credentials`: whether time tells anything about a wrong API secret (case AD-09).

One request is sent again and again with wrong credentials of three kinds, in turns: a secret that
begins like the right one, one at random, and any secret of a project that does not exist. The first
two may not differ (`timing`). The third reads two rows less, and no id of a project is a secret:
/v1/b2b/sessions/jwks/{project_id} tells everybody whether it exists. It may differ by the cost of
reading those rows, a few per cent; more would mean that something is left out.
"""

import asyncio
import random  # noqa: TID251 - the order of a measurement, the same in every run
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bench.timing import MAX_T, usual, welch
from tests.support.asgi import App, basic, call
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.scenario import open_scenario
from vestibule.clock import MINUTE
from vestibule.store import migrate
from vestibule.store.open import open_store

ROUNDS: Final = 4_000
MAX_DIFFERENCE: Final = 0.15
_PATH: Final = "/v1/b2b/rbac/policy"
_RIGHT: Final = "secret-test-first"


async def measure() -> dict[str, list[int]]:
    """Return the CPU times of each kind in nanoseconds."""
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:{Path(folder, 'vestibule.db')}"
        await asyncio.to_thread(migrate.upgrade, database)
        store = await open_store(database, connections=1)
        clock = HandClock()
        scenario = await open_scenario(store, clock=clock, entropy=SeededEntropy())
        known = scenario.project.project_id
        kinds = {
            "same beginning": basic(known, _RIGHT[:-1] + "x"),
            "at random": basic(known, "q" * len(_RIGHT)),
            "no such project": basic(known[:-1] + "x", _RIGHT),
        }
        taken: dict[str, list[int]] = {name: [] for name in kinds}
        chance, order = random.Random(9), list(kinds)  # noqa: S311 - same
        for number in range(ROUNDS):
            clock.advance(MINUTE)  # whoever guesses too often is not told any more
            chance.shuffle(order)
            for name in order:
                began = time.process_time_ns()
                await _refused(scenario.app, kinds[name], client=f"192.0.2.{number % 250}")
                taken[name].append(time.process_time_ns() - began)
        await store.close()
    return taken


async def _refused(app: App, authorization: str, *, client: str) -> None:
    headers = {"authorization": authorization}
    answer: Any = await call(app, "GET", _PATH, headers=headers, client=client)
    if answer.status != 401:
        raise AssertionError(f"{answer.status}: {answer.text}")


def main() -> int:
    """Print the means, t and the difference; 1 when one is beyond its limit."""
    taken = {name: usual(times) for name, times in asyncio.run(measure()).items()}
    means = {name: statistics.mean(times) / 1000 for name, times in taken.items()}
    t = welch(taken["same beginning"], taken["at random"])
    difference = means["no such project"] / means["at random"] - 1
    sys.stdout.write(f"wrong credentials until they are refused, {ROUNDS} calls of each kind:\n")
    for name, mean in means.items():
        sys.stdout.write(f"  {name:<28} {mean:8.1f} us\n")
    sys.stdout.write(f"  t of the first two {t:.2f}, at most {MAX_T} by chance\n")
    sys.stdout.write(f"  no such project {difference:+.1%}, at most {MAX_DIFFERENCE:.0%}\n")
    return int(abs(t) > MAX_T or abs(difference) > MAX_DIFFERENCE)


if __name__ == "__main__":
    sys.exit(main())
