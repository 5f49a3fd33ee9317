"""Reads the trace of a refused sign-in as the admin does who has to mend the connection."""

from typing import Any

from tests.support.asgi import Answer
from tests.support.doors import Door, Protocol, open_door
from tests.support.refusals import assert_page, traces
from tests.support.scenario import Scenario
from vestibule.errors import ErrorType
from vestibule.records import Trace


async def vendor_door(scenario: Scenario, protocol: Protocol, vendor: str, **changes: Any) -> Door:
    """Open the door of a connection to this vendor."""
    door = await open_door(scenario, protocol)
    await change(door, identity_provider=vendor, **changes)
    return door


async def change(door: Door, **changes: Any) -> dict[str, Any]:
    """Change the connection by the API; return the whole answer."""
    path = f"/v1/b2b/sso/{door.protocol}/{door.organization_id}/connections/{door.connection_id}"
    return dict(await door.scenario.api.good("PUT", path, changes))


async def assert_told(
    scenario: Scenario,
    answer: Answer,
    *,
    error: ErrorType,
    reason: str,
    pitfall: str,
    side: str,
    fix: str,
) -> Trace:
    """Check that a refusal's trace names the mistake, who must act, and the whole sentence.

    The page shows none of it.
    """
    assert_page(answer, error)
    (trace,) = (each for each in await traces(scenario) if each.trace_id in answer.text)
    failed = trace.steps[-1]
    assert (trace.reason, failed.pitfall, trace.side) == (reason, pitfall, side), failed
    assert failed.fix == fix
    assert pitfall not in answer.text
    assert fix not in answer.text
    return trace
