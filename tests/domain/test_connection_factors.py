"""What becomes of sessions when the connection that they hang on goes."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.doors import Door, open_door
from tests.support.refusals import left
from tests.support.scenario import Scenario
from vestibule.domain import connection_factors
from vestibule.ids import read_token
from vestibule.records import Factor

AUTHENTICATE = "/v1/b2b/sessions/authenticate"
GONE = (404, "session_not_found")
SMS = Factor(
    type="otp",
    delivery_method="sms",
    details_name="phone_number_factor",
    details={"phone_id": "phone-number-1"},
    sequence_order="SECONDARY",
    last_authenticated_at=1,
    created_at=1,
    updated_at=1,
)


@pytest.fixture(params=["saml", "oidc"])
async def door(request: pytest.FixtureRequest, scenario: Scenario) -> Door:
    return await open_door(scenario, request.param)


@pytest.fixture
async def other(door: Door) -> Door:
    """Return a connection of the other protocol in the same organization; not the default one."""
    if door.protocol == "saml":
        connection = await door.scenario.oidc_connection(door.organization_id)
        return Door(door.scenario, "oidc", connection)
    connection = await door.scenario.saml_connection(
        door.organization_id,
        saml_connection_implicit_role_assignments=[{"role_id": "stytch_admin"}],
    )
    return Door(door.scenario, "saml", connection)


async def delete(door: Door) -> None:
    path = f"/v1/b2b/sso/{door.organization_id}/connections/{door.connection_id}"
    await door.scenario.api.good("DELETE", path)


async def add_second_factor(door: Door, result: dict[str, Any]) -> None:
    """Do what an SMS code will do to the session and to the intermediate session of `result`."""
    async with door.scenario.context.store.write() as tx:
        for rows, text in (
            (tx.sessions, result["session_token"]),
            (tx.intermediate_sessions, result["intermediate_session_token"]),
        ):
            token = read_token(text)
            found = token and await rows.find(token_id=token.token_id)
            if found:
                await rows.update(replace(found, factors=(*found.factors, SMS)))  # type: ignore[arg-type]  # a row of its own table


@pytest.mark.case("ST-13", "ST-14")
@pytest.mark.parametrize("second_factor", [False, True])
async def test_a_session_ends_with_its_only_connection(door: Door, second_factor: bool) -> None:
    result = await door.log_in()
    bob = await door.log_in(subject="bob", email="bob@acme.test")
    elsewhere = await open_door(door.scenario, "oidc", "Elsewhere")
    stays = await elsewhere.log_in()
    if second_factor:
        await add_second_factor(door, result)
    await delete(door)
    for one in (result, bob):
        for proof in ("session_token", "session_jwt"):
            refused = await door.scenario.api.bad("POST", AUTHENTICATE, {proof: one[proof]})
            assert refused == GONE
    await door.scenario.api.good("POST", AUTHENTICATE, {"session_token": stays["session_token"]})
    member = await door.member(result["member_id"])
    assert member["status"] == "active"
    assert member["sso_registrations"] == []
    found = await left(door.scenario)
    assert (found.registrations, found.sessions) == (1, 1)


@pytest.mark.case("ST-14")
async def test_a_session_with_another_primary_factor_goes_on_without_the_roles(
    door: Door, other: Door
) -> None:
    first = await door.log_in()
    linked = await door.scenario.authenticate(
        await other.token(), session_token=first["session_token"]
    )
    assert ("stytch_admin" in linked["member_session"]["roles"]) is (other.protocol == "saml")
    await delete(other)
    result = await door.scenario.api.good(
        "POST", AUTHENTICATE, {"session_token": first["session_token"]}
    )
    assert result["member_session"]["roles"] == ["stytch_member"]
    before, after = first["member_session"], result["member_session"]
    assert after["authentication_factors"] == before["authentication_factors"]
    (registration,) = result["member"]["sso_registrations"]
    assert registration["connection_id"] == door.connection_id


@pytest.mark.case("ST-14")
async def test_an_intermediate_session_ends_too(door: Door, other: Door) -> None:
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    alone = await other.log_in(subject="bob", email="bob@acme.test")
    both = await door.log_in()
    ist = both["intermediate_session_token"]
    await door.scenario.authenticate(await other.token(), intermediate_session_token=ist)
    await add_second_factor(door, alone)
    await delete(other)
    assert (await left(door.scenario)).intermediate_sessions == 1
    again = await door.scenario.authenticate(await door.token(), intermediate_session_token=ist)
    assert again["intermediate_session_token"] == ist
    async with door.scenario.context.store.read() as tx:
        (kept,) = await tx.intermediate_sessions.all()
    assert [factor.details["provider_id"] for factor in kept.factors] == [door.connection_id]


async def test_who_is_named_like_a_connection_is_not_taken_for_it(door: Door) -> None:
    other = await door.scenario.saml_connection(
        door.organization_id, idp_entity_id="https://other.example.com"
    )
    name = f'x","provider_id":"{other["connection_id"]}"'
    results = [
        await door.log_in(subject=subject, email=f"{n}@acme.test")
        for n, subject in enumerate((other["connection_id"], name))
    ]
    await delete(Door(door.scenario, "saml", other))
    for result in results:
        token = {"session_token": result["session_token"]}
        seen = await door.scenario.api.good("POST", AUTHENTICATE, token)
        assert len(seen["member_session"]["authentication_factors"]) == 1


async def test_a_thousand_sessions_are_found(door: Door) -> None:
    scenario = door.scenario
    member_id = (await door.log_in())["member_id"]
    async with scenario.context.store.write() as tx:
        (session,) = await tx.sessions.all()
        assert session.member_id == member_id
        for n in range(1001):
            several = (
                session.factors
                if n % 2
                else (*session.factors, replace_provider(session.factors[0]))
            )
            copy = replace(session, session_id=f"s-{n}", token_id=f"t-{n}", factors=several)
            await tx.sessions.insert(copy)
        connection = await tx.connections.find(connection_id=door.connection_id)
        assert connection is not None
        await connection_factors.remove(tx, connection)
        assert await tx.sessions.count() == 501
        assert all(len(each.factors) == 1 for each in await tx.sessions.all())


def replace_provider(factor: Factor) -> Factor:
    return replace(factor, details={**factor.details, "provider_id": "another"})
