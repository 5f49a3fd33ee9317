"""What an impersonator, or whoever finds an impersonation token, might try (ST-24)."""

import asyncio
from typing import Any

import pytest

from tests.support.doors import Door, open_door
from tests.support.refusals import left
from tests.support.scenario import Scenario, add_project
from vestibule.clock import MINUTE
from vestibule.domain import impersonation, sessions
from vestibule.domain.mfa.completion import Tokens, held_by
from vestibule.domain.outcome import Party
from vestibule.errors import Failure

PATH = "/v1/b2b/impersonation/authenticate"
AUTHENTICATE = "/v1/b2b/sessions/authenticate"
NO_TOKEN = (401, "unable_to_auth_impersonation_token")
NOT_MUTABLE = (400, "session_not_mutable")
DENIED = (403, "session_authorization_error")


@pytest.fixture
async def door(scenario: Scenario) -> Door:
    """Return a connection of a project in which members may be impersonated."""
    await impersonation.allow(scenario.context, scenario.project, allowed=True)
    return await open_door(scenario, "saml")


@pytest.fixture
async def member(door: Door) -> dict[str, Any]:
    """Return an administrator with whatever a member logs in with."""
    made = await door.add_member(roles=["stytch_admin"], mfa_phone_number="+12025550162")
    path = f"/v1/b2b/organizations/{door.organization_id}/members/{made['member_id']}"
    await door.scenario.api.good("PUT", path, {"email_address": "old@acme.test"})
    await door.scenario.api.good("PUT", path, {"email_address": "ada@acme.test"})
    return await door.member(made["member_id"])


async def token_for(scenario: Scenario, member: dict[str, Any]) -> str:
    return await impersonation.make_token(
        scenario.context,
        scenario.project,
        organization_id=member["organization_id"],
        member_id=member["member_id"],
        impersonator="support@vestibule.test",
        reason="Ticket 7",
    )


async def impersonate(scenario: Scenario, member: dict[str, Any]) -> dict[str, Any]:
    body = {"impersonation_token": await token_for(scenario, member)}
    return dict(await scenario.api.good("POST", PATH, body))


@pytest.mark.case("ST-24")
async def test_a_token_is_good_once(door: Door, member: dict[str, Any]) -> None:
    body = {"impersonation_token": await token_for(door.scenario, member)}
    calls = (door.scenario.api.call("POST", PATH, body) for _ in range(10))
    answers = await asyncio.gather(*calls)
    assert sorted(each.status for each in answers) == [200, *[401] * 9]
    assert await door.scenario.api.bad("POST", PATH, body) == NO_TOKEN
    assert (await left(door.scenario)).sessions == 1


@pytest.mark.case("ST-24")
async def test_a_token_is_good_for_five_minutes(door: Door, member: dict[str, Any]) -> None:
    scenario = door.scenario
    first, second = [await token_for(scenario, member) for _ in range(2)]
    scenario.clock.advance(5 * MINUTE - 1)
    await scenario.api.good("POST", PATH, {"impersonation_token": first})
    scenario.clock.advance(1)
    assert await scenario.api.bad("POST", PATH, {"impersonation_token": second}) == NO_TOKEN


@pytest.mark.parametrize("forged", ["", "x", "A" * 64, "\u0131" * 64, "A" * 100_000])
async def test_what_is_no_token_is_refused(door: Door, forged: str) -> None:
    assert await door.scenario.api.bad("POST", PATH, {"impersonation_token": forged}) == NO_TOKEN


async def test_a_guess_or_another_project_does_not_use_it_up(
    door: Door, member: dict[str, Any]
) -> None:
    token = await token_for(door.scenario, member)
    guess = {"impersonation_token": token[:32] + "A" * 32}
    assert await door.scenario.api.bad("POST", PATH, guess) == NO_TOKEN
    other = await add_project(door.scenario.app, door.scenario.context, name="second")
    await impersonation.allow(other.context, other.project, allowed=True)
    body = {"impersonation_token": token}
    assert await other.api.bad("POST", PATH, body) == NO_TOKEN
    await door.scenario.api.good("POST", PATH, body)


@pytest.mark.case("ST-24")
async def test_the_session_lasts_an_hour_and_is_not_extended(
    door: Door, member: dict[str, Any]
) -> None:
    scenario = door.scenario
    session = await impersonate(scenario, member)
    scenario.clock.advance(MINUTE)
    for name in ("session_token", "session_jwt"):
        for minutes in (5, 60, 527_040):
            body = {name: session[name], "session_duration_minutes": minutes}
            assert await scenario.api.bad("POST", AUTHENTICATE, body) == NOT_MUTABLE
    scenario.clock.advance(59 * MINUTE - 1)
    body = {"session_token": session["session_token"]}
    still = await scenario.api.good("POST", AUTHENTICATE, body)
    assert still["member_session"]["expires_at"] == session["member_session"]["expires_at"]
    scenario.clock.advance(1)
    gone = (404, "session_not_found")
    assert await scenario.api.bad("POST", AUTHENTICATE, body) == gone


@pytest.mark.case("ST-24")
async def test_the_mark_stays_and_no_factor_comes_beside_it(
    door: Door, member: dict[str, Any]
) -> None:
    """A login of one's own would otherwise turn it into a session like any other."""
    scenario = door.scenario
    session = await impersonate(scenario, member)
    for name in ("session_token", "session_jwt"):
        body = {"sso_token": await door.token(), name: session[name]}
        path = "/v1/b2b/sso/authenticate"
        assert await scenario.api.bad("POST", path, body) == NOT_MUTABLE
    body = {"session_token": session["session_token"]}
    still = await scenario.api.good("POST", AUTHENTICATE, body)
    (mark,) = still["member_session"]["authentication_factors"]
    assert mark["type"] == "impersonated"
    target = {"organization_id": (await scenario.organization("Other"))["organization_id"]}
    refused = await scenario.api.bad("POST", "/v1/b2b/sessions/exchange", {**body, **target})
    assert refused == (400, "insufficient_factors_for_session_exchange")


@pytest.mark.case("ST-24", verdict="refused", reason="session_not_mutable")
@pytest.mark.parametrize("name", ["session_token", "session_jwt"])
async def test_it_proves_nothing_where_second_factors_are_set_up(
    door: Door, member: dict[str, Any], name: str
) -> None:
    scenario = door.scenario
    session = await impersonate(scenario, member)
    async with scenario.context.store.write() as tx:
        held = await sessions.find(
            tx,
            scenario.project,
            session_token=session["session_token"],
            session_jwt_text="",
            now=scenario.clock.now(),
        )
        organization, who = await sessions.owner(tx, scenario.project, held)
        party = Party(scenario.project, organization, who)
        with pytest.raises(Failure) as caught:
            await held_by(tx, scenario.context, party, Tokens(**{name: session[name]}))
    assert caught.value.error.name == NOT_MUTABLE[1]


@pytest.mark.case("ST-24")
async def test_what_people_log_in_with_stays_as_it_is(door: Door, member: dict[str, Any]) -> None:
    """Neither its member's own nor, by its member's roles, anybody else's."""
    scenario = door.scenario
    session = await impersonate(scenario, member)
    headers = {"x-stytch-member-session": session["session_token"]}
    organization = f"/v1/b2b/organizations/{door.organization_id}"
    other = await door.add_member("bob@acme.test", mfa_phone_number="+12025550163")
    for target in (member, other):
        at = f"{organization}/members/{target['member_id']}"
        before = await door.member(target["member_id"])
        changes = (
            ("PUT", at, {"email_address": "mallory@acme.test"}),
            ("PUT", at, {"mfa_phone_number": "+12025550199"}),
            ("PUT", at, {"mfa_enrolled": True}),
            ("PUT", at, {"default_mfa_method": "sms_otp"}),
            ("PUT", at, {"is_breakglass": True}),
            ("POST", f"{at}/start_email_update", {"email_address": "mallory@acme.test"}),
            ("POST", f"{at}/unlink_retired_email", {"email_address": "old@acme.test"}),
        )
        for method, path, body in changes:
            refused = await scenario.api.bad(method, path, body, headers=headers)
            # Of the own address it is said first that it is never changed like this.
            own = (400, "member_cannot_update_their_email_address")
            assert refused in {DENIED, own}, (path, body)
        assert await door.member(target["member_id"]) == before
    # The rest of what the member may do is why somebody impersonates.
    await scenario.api.good("PUT", at, {"name": "Robert"}, headers=headers)


async def test_it_reaches_no_other_organization(door: Door, member: dict[str, Any]) -> None:
    scenario = door.scenario
    session = await impersonate(scenario, member)
    other = await scenario.organization("Other")
    path = f"/v1/b2b/organizations/{other['organization_id']}/members"
    await scenario.api.good("POST", path, {"email_address": "ada@acme.test"})
    body = {"session_token": session["session_token"]}
    found = await scenario.api.good("POST", "/v1/b2b/discovery/organizations", body)
    assert len(found["discovered_organizations"]) == 1
