"""The external id of an organization, and how many members it counts."""

from tests.support.member_session import sign_in
from tests.support.scenario import Scenario

ORGANIZATIONS = "/v1/b2b/organizations"
NOT_FOUND = (404, "organization_not_found")


async def test_external_id_is_taken_away(scenario: Scenario) -> None:
    await scenario.organization(organization_external_id="crm-1")
    answer = await scenario.api.good("DELETE", f"{ORGANIZATIONS}/crm-1/external_id")
    assert answer["organization"]["organization_external_id"] is None
    assert await scenario.api.bad("GET", f"{ORGANIZATIONS}/crm-1") == NOT_FOUND
    await scenario.organization("Other", organization_external_id="crm-1")
    await scenario.api.good("DELETE", f"{ORGANIZATIONS}/acme/external_id")


async def test_members_are_counted_without_deleted_ones(scenario: Scenario) -> None:
    await scenario.organization()
    path = f"{ORGANIZATIONS}/acme/members"
    for number in range(3):
        body = {"email_address": f"m{number}@example.com", "create_member_as_pending": number == 0}
        last = (await scenario.api.good("POST", path, body))["member_id"]
    await scenario.organization("Other")
    assert (await scenario.api.good("GET", f"{ORGANIZATIONS}/acme/metrics"))["member_count"] == 3
    await scenario.api.good("DELETE", f"{path}/{last}")
    assert (await scenario.api.good("GET", f"{ORGANIZATIONS}/acme/metrics"))["member_count"] == 2
    assert (await scenario.api.good("GET", f"{ORGANIZATIONS}/other/metrics"))["member_count"] == 0
    assert await scenario.api.bad("GET", f"{ORGANIZATIONS}/nowhere/metrics") == NOT_FOUND


async def test_no_role_takes_the_external_id_away(scenario: Scenario) -> None:
    ada = await sign_in(scenario, await scenario.organization(organization_external_id="crm-1"))
    await ada.hold("stytch_admin")
    refused = (403, "session_authorization_error")
    assert await ada.bad("DELETE", f"{ORGANIZATIONS}/acme/external_id") == refused
    shown = await scenario.api.good("GET", f"{ORGANIZATIONS}/acme")
    assert shown["organization"]["organization_external_id"] == "crm-1"
