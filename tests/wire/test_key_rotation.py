"""A session key is rotated while the Python SDK goes on verifying; every check of it is good.

The SDK keeps a key set for 300 seconds, and the new key is published 900 seconds before it signs.
Here both are three hundred times as short, so that the test lasts seconds.
"""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest
from stytch import B2BClient

from tests.support.determinism import HandClock, SeededEntropy
from tests.support.doors import open_door
from tests.support.scenario import open_scenario
from tests.support.served import served
from vestibule.clock import MINUTE, SECOND, SystemClock
from vestibule.domain import signing_keys
from vestibule.store.interface import Store

LEAD = 3 * SECOND
KEPT_SECONDS = 1.0


def verify_for(seconds: float, api: B2BClient, session: dict[str, Any]) -> list[str]:
    """Refresh and verify JWTs of a session, the first one too; return the kids, as they came."""
    kids: list[str] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        fresh = api.sessions.authenticate(session_token=session["session_token"]).session_jwt
        for text in (fresh, session["session_jwt"]):
            seen = api.sessions.authenticate_jwt_local(text)
            assert seen is not None
            assert seen.member_session_id == session["member_session"]["member_session_id"]
        header = api.jwks_client.get_signing_key_from_jwt(fresh)
        kids.append(str(header.key_id))
        time.sleep(0.05)
    return kids


@pytest.mark.case("ST-16", "ST-17")
async def test_no_check_of_the_sdk_fails_while_a_key_is_rotated(
    store: Store, entropy: SeededEntropy
) -> None:
    clock: Any = SystemClock()
    scenario = await open_scenario(store, clock=clock, entropy=entropy)
    session = await (await open_door(scenario, "saml")).log_in()
    async with served(scenario.app) as server:
        api = B2BClient(
            scenario.project.project_id,
            "secret-test-first",
            environment=f"http://127.0.0.1:{server.port}/",
        )
        kept = api.jwks_client.jwk_set_cache
        assert kept is not None
        assert kept.lifespan * 3 * SECOND == 15 * MINUTE
        kept.lifespan = KEPT_SECONDS
        verifying = asyncio.create_task(asyncio.to_thread(verify_for, 6.0, api, session))
        await asyncio.sleep(1)
        # Whoever rotates has a clock that is behind: the new key signs after LEAD already.
        behind = HandClock(clock.now() - 15 * MINUTE + LEAD)
        made = await signing_keys.rotate(replace(scenario.context, clock=behind), scenario.project)
        kids = await verifying
    assert kids == sorted(kids, key=[f"jwk-test-{scenario.project.name}", made.key_id].index)
    assert {*kids} == {"jwk-test-first", made.key_id}
