"""Members brought back, and what is taken from them one thing at a time."""

from typing import Any

import pytest

from tests.support.member_session import sign_in
from tests.support.scenario import Scenario

ACME = "/v1/b2b/organizations/acme"
UNKNOWN = "member-test-01960000-0000-7000-8000-000000000000"
NOT_FOUND = (404, "member_not_found")
NO_ORGANIZATION = "/v1/b2b/organizations/nowhere"


@pytest.fixture
async def acme(scenario: Scenario) -> Scenario:
    """Return a project with the organization `acme`."""
    await scenario.organization()
    return scenario


async def add(scenario: Scenario, email: str = "ada@example.com", **fields: Any) -> dict[str, Any]:
    body = {"email_address": email, **fields}
    return dict((await scenario.api.good("POST", f"{ACME}/members", body))["member"])


async def verify(scenario: Scenario, member: dict[str, Any]) -> None:
    """Let the member have proven its address, as a login does."""
    async with scenario.context.store.write() as tx:
        await tx.members.change(
            {"email_address_verified": True},
            project_id=scenario.project.project_id,
            organization_id=member["organization_id"],
            member_id=member["member_id"],
        )


async def deleted(scenario: Scenario, **fields: Any) -> dict[str, Any]:
    """Return a member that has proven its address and was deleted then."""
    member = await add(scenario, **fields)
    await verify(scenario, member)
    await scenario.api.good("DELETE", path_of(member))
    return member


def path_of(member: dict[str, Any], end: str = "") -> str:
    return f"{ACME}/members/{member['member_id']}{end}"


async def retire(scenario: Scenario, member: dict[str, Any]) -> dict[str, Any]:
    """Give the member another address and return its entry for the one it had."""
    changed = await scenario.api.good(
        "PUT", path_of(member), {"email_address": "lovelace@example.com"}
    )
    (retired,) = changed["member"]["retired_email_addresses"]
    return dict(retired)


# Reactivate ------------------------------------------------------------------------------------


async def test_deleted_member_is_active_again(acme: Scenario) -> None:
    member = await deleted(acme, external_id="hr|1", roles=["stytch_admin"], name="Ada")
    answer = await acme.api.good("PUT", path_of(member, "/reactivate"))
    shown = answer["member"]
    assert (shown["member_id"], shown["status"]) == (member["member_id"], "active")
    assert (shown["email_address"], shown["name"]) == ("ada@example.com", "Ada")
    assert shown["email_address_verified"] is True
    # What deletion ended does not come back.
    assert shown["external_id"] is None
    assert [role["role_id"] for role in shown["roles"]] == ["stytch_member"]
    assert answer["organization"]["organization_slug"] == "acme"
    found = await acme.api.good("GET", f"{ACME}/member?email_address=ada@example.com")
    assert found["member"] == shown


async def test_reactivated_member_can_be_deleted_again(acme: Scenario) -> None:
    member = await deleted(acme)
    await acme.api.good("PUT", path_of(member, "/reactivate"))
    await acme.api.good("DELETE", path_of(member))
    await acme.api.good("PUT", path_of(member, "/reactivate"))


async def test_member_that_is_not_deleted_is_not_reactivated(acme: Scenario) -> None:
    member = await add(acme, external_id="hr|1")
    refused = (404, "no_deleted_member_found_for_reactivation")
    for named in (member["member_id"], UNKNOWN, "hr|1"):
        assert await acme.api.bad("PUT", f"{ACME}/members/{named}/reactivate") == refused


async def test_external_id_does_not_reactivate(acme: Scenario) -> None:
    await deleted(acme, external_id="hr|1")
    refused = (404, "no_deleted_member_found_for_reactivation")
    assert await acme.api.bad("PUT", f"{ACME}/members/hr|1/reactivate") == refused


async def test_member_is_not_reactivated_in_another_organization(acme: Scenario) -> None:
    member = await deleted(acme)
    await acme.organization("Other")
    path = f"/v1/b2b/organizations/other/members/{member['member_id']}/reactivate"
    assert await acme.api.bad("PUT", path) == (404, "no_deleted_member_found_for_reactivation")
    path = f"{NO_ORGANIZATION}/members/{member['member_id']}/reactivate"
    assert await acme.api.bad("PUT", path) == (404, "organization_not_found")


async def test_unproven_address_is_not_reactivated(acme: Scenario) -> None:
    member = await add(acme)
    await acme.api.good("DELETE", path_of(member))
    path = path_of(member, "/reactivate")
    assert await acme.api.bad("PUT", path) == (400, "email_unverified_for_reactivation")


@pytest.mark.parametrize("retired", [False, True])
async def test_address_of_another_member_is_not_taken_back(
    acme: Scenario, *, retired: bool
) -> None:
    member = await deleted(acme)
    successor = await add(acme, "ADA@example.com")
    if retired:
        await retire(acme, successor)
    path = path_of(member, "/reactivate")
    assert await acme.api.bad("PUT", path) == (400, "reactivation_email_belongs_to_another_member")
    found = await acme.api.good("GET", f"{ACME}/member?member_id={successor['member_id']}")
    assert found["member"]["status"] == "active"


async def test_address_of_a_claimed_domain_is_not_taken_back(acme: Scenario) -> None:
    member = await deleted(acme)
    await acme.organization("Other", claimed_email_domains=["example.com"])
    path = path_of(member, "/reactivate")
    assert await acme.api.bad("PUT", path) == (400, "action_not_allowed_email_domain_is_claimed")


# Retired addresses -----------------------------------------------------------------------------


@pytest.mark.parametrize("names", [["email_id"], ["email_address"], ["email_id", "email_address"]])
async def test_unlinked_address_is_free_for_others(acme: Scenario, names: list[str]) -> None:
    member = await add(acme)
    retired = await retire(acme, member)
    body = {name: retired[name] for name in names}
    answer = await acme.api.good("POST", path_of(member, "/unlink_retired_email"), body)
    assert answer["member"]["retired_email_addresses"] == []
    assert answer["organization_id"] == member["organization_id"]
    assert answer["member_id"] == member["member_id"]
    await add(acme, "ada@example.com")


async def test_unlinking_names_the_address(acme: Scenario) -> None:
    member = await add(acme)
    retired = await retire(acme, member)
    path = path_of(member, "/unlink_retired_email")
    assert await acme.api.bad("POST", path, {}) == (400, "retired_email_missing_email_identifiers")
    for body in (
        {"email_id": retired["email_id"], "email_address": "lovelace@example.com"},
        {"email_id": "email-test-x", "email_address": "ada@example.com"},
        {"email_address": "lovelace@example.com"},  # the present one
        {"email_address": "no address"},
    ):
        assert await acme.api.bad("POST", path, body) == (404, "email_not_found")
    shown = await acme.api.good("GET", f"{ACME}/member?member_id={member['member_id']}")
    assert shown["member"]["retired_email_addresses"] == [retired]


async def test_address_of_another_member_is_not_unlinked(acme: Scenario) -> None:
    retired = await retire(acme, await add(acme))
    other = await add(acme, "bob@example.com")
    path = path_of(other, "/unlink_retired_email")
    assert await acme.api.bad("POST", path, retired) == (404, "email_not_found")
    assert await acme.api.bad(
        "POST", f"{ACME}/members/{UNKNOWN}/unlink_retired_email", retired
    ) == (NOT_FOUND)


# External ids and passwords --------------------------------------------------------------------


async def test_external_id_is_taken_away(acme: Scenario) -> None:
    member = await add(acme, external_id="hr|1")
    answer = await acme.api.good("DELETE", f"{ACME}/members/hr|1/external_id")
    assert answer["member"]["external_id"] is None
    assert answer["member_id"] == member["member_id"]
    await add(acme, "bob@example.com", external_id="hr|1")
    again = await acme.api.good("DELETE", path_of(member, "/external_id"))
    assert again["member"]["external_id"] is None
    assert await acme.api.bad("DELETE", f"{ACME}/members/{UNKNOWN}/external_id") == NOT_FOUND


async def test_nobody_has_a_password(acme: Scenario) -> None:
    path = f"{ACME}/members/passwords/member-password-test-x"
    assert await acme.api.bad("DELETE", path) == (404, "member_password_not_found")
    path = f"{NO_ORGANIZATION}/members/passwords/member-password-test-x"
    assert await acme.api.bad("DELETE", path) == (404, "organization_not_found")


# Member sessions -------------------------------------------------------------------------------


async def test_no_role_takes_an_external_id_away(scenario: Scenario) -> None:
    ada = await sign_in(scenario, await scenario.organization())
    await ada.hold("stytch_admin")
    path = f"{ada.path}/external_id"
    assert await ada.bad("DELETE", path) == (403, "session_authorization_error")


async def test_members_may_unlink_their_own_addresses_alone(scenario: Scenario) -> None:
    ada = await sign_in(scenario, await scenario.organization())
    bob = await add(scenario, "bob@example.com")
    body = {"email_address": "old@example.com"}
    assert await ada.bad("POST", f"{ada.path}/unlink_retired_email", body) == (
        404,
        "email_not_found",
    )
    refused = (403, "session_authorization_error")
    assert await ada.bad("POST", path_of(bob, "/unlink_retired_email"), body) == refused
    assert await ada.bad("PUT", path_of(bob, "/reactivate")) == refused
