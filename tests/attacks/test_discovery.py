"""What is brought to the discovery endpoints to get where one does not belong."""

import asyncio
from typing import Any

import pytest

from tests.support.doors import Door, open_door, open_external
from tests.support.proofs import add_member, factor, holding, link, prove
from tests.support.refusals import left
from tests.support.scenario import Scenario

LIST = "/v1/b2b/discovery/organizations"
CREATE = "/v1/b2b/discovery/organizations/create"
EXCHANGE = "/v1/b2b/discovery/intermediate_sessions/exchange"
BOUND = (400, "invalid_intermediate_session_token_for_organization")
GONE = (404, "intermediate_session_not_found")


@pytest.fixture(params=["saml", "oidc"])
async def door(request: pytest.FixtureRequest, scenario: Scenario) -> Door:
    """Return the connection of an organization that wants a second factor."""
    made = await open_door(scenario, request.param)
    await made.settings(mfa_policy="REQUIRED_FOR_ALL")
    return made


async def refusals(scenario: Scenario, token: str, organization_id: str) -> set[tuple[int, str]]:
    """Return how the endpoints refuse an intermediate session."""
    proof = {"intermediate_session_token": token}
    bad = scenario.api.bad
    return {
        await bad("POST", LIST, proof),
        await bad("POST", CREATE, proof),
        await bad("POST", EXCHANGE, {**proof, "organization_id": organization_id}),
    }


@pytest.mark.case("MT-06")
async def test_the_intermediate_session_of_sso_is_refused_everywhere(door: Door) -> None:
    """Its provider speaks for one organization: not for others where the address is known."""
    scenario = door.scenario
    victim = await scenario.organization("Victim")
    await add_member(scenario, victim)
    shared = await open_external(door)
    await shared.add_member()
    token = (await door.log_in())["intermediate_session_token"]
    before = await left(scenario)
    for target in (victim["organization_id"], shared.organization_id, door.organization_id):
        assert await refusals(scenario, token, target) == {BOUND}
    assert await left(scenario) == before
    async with scenario.context.store.read() as tx:
        assert await tx.organizations.count() == 3


@pytest.mark.case("MT-06")
@pytest.mark.parametrize("first", [True, False])
async def test_a_proven_address_beside_it_does_not_help(door: Door, first: bool) -> None:
    scenario = door.scenario
    waiting = await door.log_in()
    member = await door.member(waiting["member_id"])
    now = scenario.clock.now()
    sso = factor("sso", f"sso_{door.protocol}", now=now, id="r-1", provider_id="c-1")
    email = link("ada@acme.test", now=now)
    token = await holding(scenario, member, *((sso, email) if first else (email, sso)))
    assert await refusals(scenario, token, door.organization_id) == {BOUND}


@pytest.mark.case("MT-06")
async def test_the_session_of_sso_does_not_show_where_its_address_is_known(
    scenario: Scenario,
) -> None:
    """Otherwise a hostile provider could ask who somebody is, anywhere."""
    door = await open_door(scenario, "saml", "Hostile")
    victim = await scenario.organization("Victim")
    await add_member(scenario, victim, "victim@first.test")
    session = await door.log_in(email="victim@first.test")
    body = {"session_token": session["session_token"]}
    found = (await scenario.api.good("POST", LIST, body))["discovered_organizations"]
    assert [each["organization"]["organization_name"] for each in found] == ["Hostile"]


@pytest.mark.parametrize(
    ("kind", "delivery_method"),
    [
        ("password", "knowledge"),
        ("totp", "authenticator_app"),
        ("otp", "sms"),
        ("recovery_codes", "recovery_code"),
        ("impersonated", "impersonation"),
        ("trusted_auth_token", "trusted_token_exchange"),
    ],
)
async def test_what_proves_no_address_reaches_nothing(
    scenario: Scenario, kind: str, delivery_method: str
) -> None:
    member = await add_member(scenario, await scenario.organization("Home"))
    details = {"email_address": "ada@acme.test", "impersonator_email_address": "ada@acme.test"}
    other = factor(kind, delivery_method, now=scenario.clock.now(), **details)
    for factors in ((other,), ()):
        token = await holding(scenario, member, *factors)
        answers = await refusals(scenario, token, member["organization_id"])
        assert answers == {(401, "insufficient_factors")}


@pytest.mark.parametrize("token", ["", "x", "A" * 64, "\u0131" * 64, "A" * 100_000])
async def test_a_token_that_is_none_is_refused(scenario: Scenario, token: str) -> None:
    await scenario.organization("Home")
    proof = {"intermediate_session_token": token}
    assert await scenario.api.bad("POST", CREATE, proof) == GONE
    named = {**proof, "organization_id": "home"}
    assert await scenario.api.bad("POST", EXCHANGE, named) == GONE
    assert await scenario.api.bad("POST", LIST, proof) == (
        GONE if token else (400, "no_session_arguments")
    )


async def test_another_secret_with_the_same_id_is_refused(scenario: Scenario) -> None:
    token = await prove(scenario)
    forged = token[:32] + "A" * 32
    assert await refusals(scenario, forged, "home") == {GONE}
    await scenario.api.good("POST", LIST, {"intermediate_session_token": token})


async def test_ten_exchanges_at_once_begin_one_session(scenario: Scenario) -> None:
    token = await prove(scenario)
    body = {"intermediate_session_token": token, "organization_id": "home"}
    answers = await asyncio.gather(*(scenario.api.call("POST", EXCHANGE, body) for _ in range(10)))
    assert sorted(each.status for each in answers) == [200, *[404] * 9]
    assert (await left(scenario)).sessions == 1


async def test_ten_creations_at_once_make_one_organization(scenario: Scenario) -> None:
    token = await prove(scenario)
    body = {"intermediate_session_token": token}
    answers = await asyncio.gather(*(scenario.api.call("POST", CREATE, body) for _ in range(10)))
    assert sorted(each.status for each in answers) == [200, *[404] * 9]
    async with scenario.context.store.read() as tx:
        assert await tx.organizations.count() == 2


async def test_two_proofs_of_one_address_at_once_make_one_member(scenario: Scenario) -> None:
    settings = {"email_allowed_domains": ["acme.test"], "email_jit_provisioning": "RESTRICTED"}
    organization = await scenario.organization("Joinable", **settings)
    member = await add_member(scenario, organization, "first@acme.test")
    async with scenario.context.store.write() as tx:
        await tx.members.change({"email_address_verified": True}, member_id=member["member_id"])
    tokens = [await prove(scenario, home=f"Home {number}") for number in range(5)]

    async def enter(token: str) -> Any:
        body = {"intermediate_session_token": token, "organization_id": "joinable"}
        return await scenario.api.good("POST", EXCHANGE, body)

    answers = await asyncio.gather(*map(enter, tokens))
    assert len({each["member_id"] for each in answers}) == 1
    assert (await left(scenario)).sessions == 5


async def test_a_look_alike_domain_is_not_the_domain(scenario: Scenario) -> None:
    settings = {"email_allowed_domains": ["acme.test"], "email_jit_provisioning": "RESTRICTED"}
    organization = await scenario.organization("Joinable", **settings)
    member = await add_member(scenario, organization, "first@acme.test")
    async with scenario.context.store.write() as tx:
        await tx.members.change({"email_address_verified": True}, member_id=member["member_id"])
    for number, address in enumerate(
        ("ada@xacme.test", "ada@sub.acme.test", "ada@acme.test.evil.test")
    ):
        token = await prove(scenario, address, home=f"Home {number}")
        body = {"intermediate_session_token": token, "organization_id": "joinable"}
        refused = await scenario.api.bad("POST", EXCHANGE, body)
        assert refused == (400, "invalid_email_for_jit_provisioning")
