"""Random requests of the OpenAPI document's making, and random stories, on both databases."""

import asyncio
import logging
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

import structlog

from tests.support.databases import SharedPostgres, end_shared, shared_folder
from tests.support.described import keeps_to_its_description, operation, random_cases
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.good_values import good_values
from tests.support.model.agreement import agrees
from tests.support.scenario import open_scenario
from vestibule.api.groups import endpoints
from vestibule.clock import SECOND, SystemClock
from vestibule.store import migrate
from vestibule.store.open import open_store

_EXAMPLES: Final = 20


def requests_keep_to_their_description(*, seconds: int, seed_number: int) -> Counter[int]:
    """Send random requests to every endpoint until the time is over, each of them at least once.

    Beside them the model of tests/support/model.py is followed. Returns how often which status
    came. Raises FailureGroup at an answer that is not as described, AssertionError at a story that
    the model tells otherwise.
    """
    # Refusals are logged, and warnings; there are thousands.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    seen: Counter[int] = Counter()
    clock = SystemClock()
    end = clock.now() + seconds * SECOND
    with tempfile.TemporaryDirectory() as folder:
        try:
            postgres = SharedPostgres(shared_folder(), "fuzz")
            while not seen or clock.now() < end:
                file = Path(folder, f"{seed_number}.db")
                migrate.upgrade(f"sqlite:{file}")
                with postgres.migrated() as url:
                    seen += asyncio.run(_round(url, seed_number))
                    seen += asyncio.run(_round(f"sqlite:{file}", seed_number))
                    agrees(f"sqlite:{file}", url, examples=6, steps=20, seed_number=seed_number)
                seed_number += 1
        finally:
            end_shared(shared_folder())
    return seen


async def _round(url: str, seed_number: int) -> Counter[int]:
    seen: Counter[int] = Counter()
    store = await open_store(url, connections=2)
    try:
        for number, endpoint in enumerate(endpoints()):
            clock, entropy = HandClock(), SeededEntropy(number)
            scenario = await open_scenario(store, clock=clock, entropy=entropy, name=f"{number}")
            known = await good_values(scenario, endpoint)
            cases = random_cases(
                operation(endpoint, known), known, examples=_EXAMPLES, seed_number=seed_number
            )
            seen += await keeps_to_its_description(scenario, endpoint, cases, known)
    finally:
        await store.close()
    return seen
