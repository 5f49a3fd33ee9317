"""Connected Apps: none, for everybody who may ask."""

import pytest

from tests.support.member_session import sign_in
from tests.support.scenario import Scenario

ACME = "/v1/b2b/organizations/acme"
UNKNOWN = f"{ACME}/members/member-test-01960000-0000-7000-8000-000000000000"
NO_APP = (404, "connected_app_not_found")
NO_MEMBER = (404, "member_not_found")
DENIED = (403, "session_authorization_error")


async def add(scenario: Scenario, email: str = "bob@example.com") -> str:
    """Add a member to `acme` and return its path."""
    made = await scenario.api.good("POST", f"{ACME}/members", {"email_address": email})
    return f"{ACME}/members/{made['member_id']}"


async def test_there_are_none(scenario: Scenario) -> None:
    await scenario.organization()
    member = await add(scenario)
    assert (await scenario.api.good("GET", f"{ACME}/connected_apps"))["connected_apps"] == []
    assert (await scenario.api.good("GET", f"{member}/connected_apps"))["connected_apps"] == []
    assert await scenario.api.bad("GET", f"{ACME}/connected_apps/app") == NO_APP
    assert await scenario.api.bad("POST", f"{member}/connected_apps/app/revoke", {}) == NO_APP


async def test_unknown_organizations_and_members_are_said_so(scenario: Scenario) -> None:
    await scenario.organization()
    assert await scenario.api.bad("GET", f"{UNKNOWN}/connected_apps") == NO_MEMBER
    assert await scenario.api.bad("POST", f"{UNKNOWN}/connected_apps/app/revoke", {}) == NO_MEMBER
    for path in ("/connected_apps", "/connected_apps/app"):
        refused = await scenario.api.bad("GET", f"/v1/b2b/organizations/nowhere{path}")
        assert refused == (404, "organization_not_found")


async def test_members_may_ask_about_themselves_alone(scenario: Scenario) -> None:
    ada = await sign_in(scenario, await scenario.organization())
    bob = await add(scenario)
    assert (await ada.good("GET", f"{ada.path}/connected_apps"))["connected_apps"] == []
    assert await ada.bad("POST", f"{ada.path}/connected_apps/app/revoke", {}) == NO_APP
    assert await ada.bad("GET", f"{bob}/connected_apps") == DENIED
    assert await ada.bad("POST", f"{bob}/connected_apps/app/revoke", {}) == DENIED


@pytest.mark.parametrize("path", ["/connected_apps", "/connected_apps/app"])
async def test_no_role_asks_about_the_organization(scenario: Scenario, path: str) -> None:
    ada = await sign_in(scenario, await scenario.organization())
    await ada.hold("stytch_admin")
    assert await ada.bad("GET", f"{ACME}{path}") == DENIED
