"""Impersonation over the whole server, on both databases (semantics 8)."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.proofs import add_member
from tests.support.refusals import left
from tests.support.scenario import Scenario, add_project
from vestibule import errors
from vestibule.clock import MINUTE, rfc3339
from vestibule.domain import impersonation, suspension
from vestibule.errors import ErrorType, Failure

PATH = "/v1/b2b/impersonation/authenticate"
NO_TOKEN = (401, "unable_to_auth_impersonation_token")


@pytest.fixture
async def member(scenario: Scenario) -> dict[str, Any]:
    """Return a member of a project in which members may be impersonated."""
    await impersonation.allow(scenario.context, scenario.project, allowed=True)
    strict = await scenario.organization(mfa_policy="REQUIRED_FOR_ALL")
    return await add_member(scenario, strict, external_id="ada-1", roles=["stytch_admin"])


async def make(scenario: Scenario, member: dict[str, Any], **changes: str) -> str:
    values = {
        "organization_id": member["organization_id"],
        "member_id": member["member_id"],
        "impersonator": "Support@Vestibule.test",
        "reason": "Ticket 7",
        **changes,
    }
    return await impersonation.make_token(scenario.context, scenario.project, **values)


async def refusal(scenario: Scenario, member: dict[str, Any], **changes: str) -> ErrorType:
    with pytest.raises(Failure) as caught:
        await make(scenario, member, **changes)
    return caught.value.error


async def authenticate(scenario: Scenario, token: str) -> Any:
    return await scenario.api.good("POST", PATH, {"impersonation_token": token})


async def refused(scenario: Scenario, token: str) -> tuple[int, str]:
    return await scenario.api.bad("POST", PATH, {"impersonation_token": token})


async def test_a_token_becomes_a_session_of_an_hour(
    scenario: Scenario, member: dict[str, Any]
) -> None:
    token = await make(scenario, member, organization_id="acme", member_id="ada-1")
    scenario.clock.advance(MINUTE)
    result = await authenticate(scenario, token)
    now = rfc3339(scenario.clock.now())
    assert result["member_authenticated"] is True
    assert result["member"] == member
    assert (result["member_id"], result["organization_id"]) == (
        member["member_id"],
        member["organization_id"],
    )
    assert result["mfa_required"] is None
    assert result["intermediate_session_token"] == ""
    assert result["intermediate_session_token_expires_at"] is None
    session = result["member_session"]
    assert session["expires_at"] == rfc3339(scenario.clock.now() + 60 * MINUTE)
    assert session["authentication_factors"] == [
        {
            "type": "impersonated",
            "delivery_method": "impersonation",
            "sequence_order": "PRIMARY",
            "last_authenticated_at": now,
            "created_at": now,
            "updated_at": now,
            "impersonated_factor": {
                "impersonator_id": "Support@Vestibule.test",
                "impersonator_email_address": "Support@Vestibule.test",
            },
        }
    ]
    assert set(session["roles"]) == {"stytch_member", "stytch_admin"}
    path = "/v1/b2b/sessions/authenticate"
    for name in ("session_token", "session_jwt"):
        again = await scenario.api.good("POST", path, {name: result[name]})
        assert again["member_session"] == session
    # The member is as before: nothing of a login was written.
    assert again["member"] == member


async def test_both_steps_are_logged_without_the_token(
    scenario: Scenario, member: dict[str, Any]
) -> None:
    with capture_logs() as lines:
        token = await make(scenario, member)
        result = await authenticate(scenario, token)
    made, begun = (line for line in lines if "imperson" in line["event"])
    told = {
        "log_level": "info",
        "project_id": scenario.project.project_id,
        "organization_id": member["organization_id"],
        "member_id": member["member_id"],
        "impersonator": "Support@Vestibule.test",
        "reason": "Ticket 7",
    }
    assert made == {**told, "event": "impersonation token made"}
    session_id = result["member_session"]["member_session_id"]
    assert begun == {**told, "event": "member impersonated", "member_session_id": session_id}


async def test_nobody_is_impersonated_unless_the_project_allows_it(scenario: Scenario) -> None:
    member = await add_member(scenario, await scenario.organization())
    assert await refusal(scenario, member) is errors.user_impersonation_not_allowed
    await impersonation.allow(scenario.context, scenario.project, allowed=True)
    token = await make(scenario, member)
    other = await add_project(scenario.app, scenario.context, name="second")
    there = await add_member(other, await other.organization())
    assert await refusal(other, there) is errors.user_impersonation_not_allowed
    await impersonation.allow(scenario.context, scenario.project, allowed=False)
    assert await refused(scenario, token) == (400, "user_impersonation_not_allowed")
    await impersonation.allow(scenario.context, scenario.project, allowed=True)
    await authenticate(scenario, token)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"impersonator": "support"}, errors.invalid_email),
        ({"impersonator": ""}, errors.invalid_email),
        ({"reason": " "}, errors.invalid_impersonation_reason),
        ({"reason": "x" * 501}, errors.invalid_impersonation_reason),
        ({"organization_id": "nobody"}, errors.organization_not_found),
        ({"member_id": "nobody"}, errors.member_not_found),
    ],
)
async def test_what_is_wrong_is_named(
    scenario: Scenario, member: dict[str, Any], changes: dict[str, str], error: ErrorType
) -> None:
    assert await refusal(scenario, member, **changes) is error
    async with scenario.context.store.read() as tx:
        assert await tx.impersonation_tokens.count() == 0


@pytest.mark.parametrize("status", ["pending", "invited"])
async def test_only_an_active_member_is_impersonated(
    scenario: Scenario, member: dict[str, Any], status: str
) -> None:
    token = await make(scenario, member)
    async with scenario.context.store.write() as tx:
        await tx.members.change({"status": status}, member_id=member["member_id"])
    assert await refusal(scenario, member) is errors.member_impersonation_not_allowed
    assert await refused(scenario, token) == (400, "member_impersonation_not_allowed")


async def test_what_has_gone_since_is_not_impersonated(
    scenario: Scenario, member: dict[str, Any]
) -> None:
    tokens = [await make(scenario, member) for _ in range(2)]
    context, project = scenario.context, scenario.project
    await suspension.suspend(context, project, member["organization_id"])
    assert await refusal(scenario, member) is errors.organization_suspended
    assert await refused(scenario, tokens[0]) == (403, "organization_suspended")
    await suspension.resume(context, project, member["organization_id"])
    path = f"/v1/b2b/organizations/{member['organization_id']}"
    await scenario.api.good("DELETE", f"{path}/members/{member['member_id']}")
    assert await refused(scenario, tokens[0]) == NO_TOKEN
    await scenario.api.good("DELETE", path)
    assert await refused(scenario, tokens[1]) == NO_TOKEN
    assert (await left(scenario)).sessions == 0


async def test_a_lock_keeps_only_those_out_who_guess(
    scenario: Scenario, member: dict[str, Any]
) -> None:
    values = {"lock_expires_at": scenario.clock.now() + MINUTE}
    async with scenario.context.store.write() as tx:
        await tx.members.change(values, member_id=member["member_id"])
    await authenticate(scenario, await make(scenario, member))
