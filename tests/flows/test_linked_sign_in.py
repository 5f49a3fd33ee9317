"""A sign-in that is added to a session which the member has already (semantics 2.4)."""

import asyncio
from typing import Any

import pytest

from tests.support.doors import Door, open_door
from tests.support.refusals import left
from tests.support.scenario import Scenario
from vestibule.clock import DAY, MINUTE, rfc3339

PATH = "/v1/b2b/sso/authenticate"
SESSIONS = "/v1/b2b/sessions"


@pytest.fixture
async def door(scenario: Scenario) -> Door:
    return await open_door(scenario, "saml")


@pytest.fixture
async def second(door: Door) -> Door:
    """Return another connection of the same organization."""
    connection = await door.scenario.oidc_connection(door.organization_id)
    return Door(door.scenario, "oidc", connection)


@pytest.mark.parametrize("proof", ["session_token", "session_jwt"])
async def test_the_factor_is_added_to_the_session(door: Door, second: Door, proof: str) -> None:
    first = await door.log_in()
    door.scenario.clock.advance(2 * MINUTE)
    result = await door.scenario.authenticate(await second.token(), **{proof: first[proof]})
    assert result["session_token"] == first["session_token"]
    before, after = first["member_session"], result["member_session"]
    assert after["member_session_id"] == before["member_session_id"]
    assert after["started_at"] == before["started_at"]
    old, new = after["authentication_factors"]
    assert [old] == before["authentication_factors"]
    assert new["oidc_sso_factor"]["provider_id"] == second.connection_id
    now = rfc3339(door.scenario.clock.now())
    assert [new["created_at"], new["last_authenticated_at"]] == [now, now]
    assert after["last_accessed_at"] == now
    assert (await left(door.scenario)).sessions == 1


async def test_the_same_connection_is_proven_again(door: Door) -> None:
    first = await door.log_in()
    door.scenario.clock.advance(MINUTE)
    result = await door.scenario.authenticate(
        await door.token(), session_token=first["session_token"]
    )
    (before,) = first["member_session"]["authentication_factors"]
    (after,) = result["member_session"]["authentication_factors"]
    now = rfc3339(door.scenario.clock.now())
    assert after == {**before, "last_authenticated_at": now, "updated_at": now}


async def test_no_second_factor_is_asked_for(door: Door, second: Door) -> None:
    first = await door.log_in()
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    result = await door.scenario.authenticate(
        await second.token(), session_token=first["session_token"]
    )
    assert result["member_authenticated"] is True


@pytest.mark.case("ST-10", verdict="holds")
async def test_the_session_of_another_member_is_ignored(door: Door) -> None:
    bob = await door.log_in(subject="bob", email="bob@acme.test")
    for proof in ("session_token", "session_jwt"):
        result = await door.scenario.authenticate(await door.token(), **{proof: bob[proof]})
        assert result["member"]["email_address"] == "ada@acme.test"
        assert result["session_token"] != bob["session_token"]
    untouched = await door.scenario.api.good(
        "POST", f"{SESSIONS}/authenticate", {"session_token": bob["session_token"]}
    )
    assert len(untouched["member_session"]["authentication_factors"]) == 1


async def test_another_members_session_spares_nobody_the_second_factor(door: Door) -> None:
    bob = await door.log_in(subject="bob", email="bob@acme.test")
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    result = await door.scenario.authenticate(
        await door.token(), session_token=bob["session_token"]
    )
    assert result["member_authenticated"] is False


@pytest.mark.parametrize(
    ("minutes", "left_before", "expected"),
    [(30, 60, 30), (30, 10, 30), (None, 60 * 24, 60 * 24), (None, 30, 60)],
)
async def test_the_session_is_extended_and_only_shortened_on_demand(
    door: Door, minutes: int | None, left_before: int, expected: int
) -> None:
    """Without a duration the default of an hour applies, but a longer session stays long."""
    first = await door.scenario.authenticate(
        await door.token(), session_duration_minutes=left_before
    )
    given: Any = {} if minutes is None else {"session_duration_minutes": minutes}
    result = await door.scenario.authenticate(
        await door.token(), session_token=first["session_token"], **given
    )
    ends = rfc3339(door.scenario.clock.now() + expected * MINUTE)
    assert result["member_session"]["expires_at"] == ends


async def test_claims_are_merged_and_null_deletes(door: Door) -> None:
    first = await door.scenario.authenticate(
        await door.token(), session_custom_claims={"a": 1, "b": {"c": 2, "d": 3}, "e": 4}
    )
    result = await door.scenario.authenticate(
        await door.token(),
        session_token=first["session_token"],
        session_custom_claims={"a": None, "b": {"c": None, "x": 5}},
    )
    assert result["member_session"]["custom_claims"] == {"b": {"d": 3, "x": 5}, "e": 4}


async def test_a_session_that_has_ended_is_not_linked(door: Door) -> None:
    first = await door.log_in()
    await door.scenario.api.good(
        "POST", f"{SESSIONS}/revoke", {"session_token": first["session_token"]}
    )
    token = await door.token()
    for proof in ("session_token", "session_jwt"):
        body = {"sso_token": token, proof: first[proof]}
        assert await door.scenario.api.bad("POST", PATH, body) == (404, "session_not_found")
    second = await door.scenario.authenticate(token)
    door.scenario.clock.advance(DAY)
    token = await door.token()
    body = {"sso_token": token, "session_token": second["session_token"]}
    assert await door.scenario.api.bad("POST", PATH, body) == (404, "session_not_found")
    await door.scenario.authenticate(token)


async def test_one_session_at_most_is_named(door: Door) -> None:
    first = await door.log_in()
    token = await door.token()
    body = {
        "sso_token": token,
        "session_token": first["session_token"],
        "session_jwt": first["session_jwt"],
    }
    assert await door.scenario.api.bad("POST", PATH, body) == (400, "too_many_session_arguments")
    for body, error in (
        ({"session_token": "x"}, "invalid_session_token"),
        ({"session_jwt": "x"}, "unable_to_parse_session_jwt"),
    ):
        refused = await door.scenario.api.bad("POST", PATH, {"sso_token": token, **body})
        assert refused == (400, error)
    await door.scenario.authenticate(token)


async def test_nothing_is_lost_when_several_link_and_extend_at_once(
    door: Door, second: Door
) -> None:
    first = await door.log_in()
    session = {"session_token": first["session_token"]}
    tokens = [await door.token(), await second.token()]
    await asyncio.gather(
        *(
            door.scenario.authenticate(token, **session, session_custom_claims={f"l{n}": n})
            for n, token in enumerate(tokens)
        ),
        *(
            door.scenario.api.good(
                "POST",
                f"{SESSIONS}/authenticate",
                {**session, "session_custom_claims": {f"a{n}": n}},
            )
            for n in range(10)
        ),
    )
    result = await door.scenario.api.good("POST", f"{SESSIONS}/authenticate", session)
    claims = {"l0": 0, "l1": 1, **{f"a{n}": n for n in range(10)}}
    assert result["member_session"]["custom_claims"] == claims
    assert len(result["member_session"]["authentication_factors"]) == 2


async def test_a_session_revoked_meanwhile_is_not_brought_back(door: Door) -> None:
    first = await door.log_in()
    session = {"session_token": first["session_token"]}
    token = await door.token()
    answers = await asyncio.gather(
        door.scenario.api.call("POST", PATH, {"sso_token": token, **session}),
        door.scenario.api.call("POST", f"{SESSIONS}/revoke", session),
    )
    assert [answers[0].status in {200, 404}, answers[1].status] == [True, 200]
    refused = await door.scenario.api.bad("POST", f"{SESSIONS}/authenticate", session)
    assert refused == (404, "session_not_found")
