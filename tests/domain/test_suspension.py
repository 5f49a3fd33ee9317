"""A suspended organization: who is refused, and that all is there again when it is resumed."""

import pytest

from tests.support.doors import Door, open_door
from tests.support.scenario import Scenario, add_project
from vestibule import errors
from vestibule.domain import suspension
from vestibule.errors import Failure

AUTHENTICATE = "/v1/b2b/sessions/authenticate"
SUSPENDED = (403, "organization_suspended")


@pytest.fixture
async def door(scenario: Scenario) -> Door:
    return await open_door(scenario, "saml", organization_external_id="acme-1")


@pytest.mark.parametrize("locator", ["id", "acme", "acme-1"])
async def test_sessions_do_not_count_until_it_is_resumed(door: Door, locator: str) -> None:
    scenario = door.scenario
    named = door.organization_id if locator == "id" else locator
    first = await door.log_in()
    elsewhere = await open_door(scenario, "saml", "Elsewhere")
    other = await elsewhere.log_in()
    for _ in range(2):
        suspended = await suspension.suspend(scenario.context, scenario.project, named)
        assert suspended == door.organization_id
    for proof in ("session_token", "session_jwt"):
        refused = await scenario.api.bad("POST", AUTHENTICATE, {proof: first[proof]})
        assert refused == SUSPENDED
    headers = {"x-stytch-member-session": first["session_token"]}
    path = f"/v1/b2b/sso/{door.organization_id}"
    assert await scenario.api.bad("GET", path, headers=headers) == SUSPENDED
    # The backend itself may look after it, and other organizations are not touched.
    await scenario.api.good("GET", path)
    await scenario.api.good("POST", AUTHENTICATE, {"session_token": other["session_token"]})
    resumed = await suspension.resume(scenario.context, scenario.project, named)
    assert resumed == door.organization_id
    again = await scenario.api.good("POST", AUTHENTICATE, {"session_token": first["session_token"]})
    assert (
        again["member_session"]["member_session_id"]
        == (first["member_session"]["member_session_id"])
    )


async def test_a_change_of_settings_does_not_resume_it(door: Door) -> None:
    scenario = door.scenario
    await suspension.suspend(scenario.context, scenario.project, door.organization_id)
    await door.settings(organization_name="Acme Two")
    assert await door.refused() == SUSPENDED


async def test_an_organization_of_another_project_is_unknown(door: Door) -> None:
    scenario = door.scenario
    other = await add_project(scenario.app, scenario.context, name="second")
    with pytest.raises(Failure) as caught:
        await suspension.suspend(scenario.context, other.project, door.organization_id)
    assert caught.value.error is errors.organization_not_found
    await door.log_in()
