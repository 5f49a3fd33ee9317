"""A second factor that is still missing: intermediate sessions (semantics 2.4, 4.2)."""

from typing import Any

import pytest

from tests.support.doors import Door, open_door
from tests.support.refusals import left
from tests.support.scenario import Scenario
from vestibule.clock import MINUTE, rfc3339
from vestibule.ids import read_token
from vestibule.records import Factor

PATH = "/v1/b2b/sso/authenticate"


@pytest.fixture(params=["saml", "oidc"])
async def door(request: pytest.FixtureRequest, scenario: Scenario) -> Door:
    made = await open_door(scenario, request.param)
    await made.settings(mfa_policy="REQUIRED_FOR_ALL")
    return made


async def prove_second_factor(door: Door, token: str) -> None:
    """Do what an SMS code will do: add a secondary factor to the intermediate session."""
    now = door.scenario.clock.now()
    sms = Factor(
        type="otp",
        delivery_method="sms",
        details_name="phone_number_factor",
        details={"phone_id": "phone-number-1", "phone_number": "+12025550162"},
        sequence_order="SECONDARY",
        last_authenticated_at=now,
        created_at=now,
        updated_at=now,
    )
    read = read_token(token)
    assert read is not None
    async with door.scenario.context.store.write() as tx:
        found = await tx.intermediate_sessions.find(token_id=read.token_id)
        assert found is not None
        await tx.intermediate_sessions.change(
            {"factors": (*found.factors, sms)}, token_id=read.token_id
        )


async def refused(door: Door, **body: Any) -> tuple[int, str]:
    return await door.scenario.api.bad("POST", PATH, body)


async def test_where_everybody_needs_one_the_session_waits(door: Door) -> None:
    result = await door.log_in()
    assert result["member_authenticated"] is False
    assert result["session_token"] == ""
    assert result["session_jwt"] == ""
    assert result["member_session"] is None
    assert result["primary_required"] is None
    assert result["mfa_required"] == {"member_options": None, "secondary_auth_initiated": None}
    assert len(result["intermediate_session_token"]) == 64
    ends = rfc3339(door.scenario.clock.now() + 10 * MINUTE)
    assert result["intermediate_session_token_expires_at"] == ends
    # The primary factor is proven: the member is there, active, and registered.
    assert result["member"]["status"] == "active"
    assert result["member"]["mfa_enrolled"] is False
    assert len(result["member"]["sso_registrations"]) == 1
    assert result["organization"]["mfa_policy"] == "REQUIRED_FOR_ALL"
    assert result["organization_id"] == door.organization_id
    found = await left(door.scenario)
    assert (found.members, found.sessions, found.intermediate_sessions) == (1, 0, 1)


async def test_a_member_with_a_phone_is_offered_it(door: Door) -> None:
    await door.add_member("ada@acme.test", mfa_phone_number="+12025550162")
    result = await door.log_in()
    options = {"mfa_phone_number": "+12025550162", "totp_registration_id": ""}
    assert result["mfa_required"]["member_options"] == options


async def test_an_enrolled_member_needs_one_anywhere(door: Door) -> None:
    await door.settings(mfa_policy="OPTIONAL")
    await door.add_member("ada@acme.test", mfa_enrolled=True)
    assert (await door.log_in())["member_authenticated"] is False
    other = await door.log_in(subject="bob", email="bob@acme.test")
    assert other["member_authenticated"] is True
    assert other["mfa_required"] is None
    assert other["intermediate_session_token"] == ""
    assert other["intermediate_session_token_expires_at"] is None


async def test_a_session_from_before_the_policy_stays(door: Door) -> None:
    await door.settings(mfa_policy="OPTIONAL")
    before = await door.log_in()
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    path, body = "/v1/b2b/sessions/authenticate", {"session_token": before["session_token"]}
    await door.scenario.api.good("POST", path, body)


async def test_with_a_second_factor_the_intermediate_session_becomes_a_session(door: Door) -> None:
    waiting = (await door.log_in())["intermediate_session_token"]
    await prove_second_factor(door, waiting)
    result = await door.scenario.authenticate(
        await door.token(),
        intermediate_session_token=waiting,
        session_duration_minutes=30,
        session_custom_claims={"via": "mfa"},
    )
    assert result["member_authenticated"] is True
    assert result["intermediate_session_token"] == ""
    session = result["member_session"]
    assert [factor["type"] for factor in session["authentication_factors"]] == ["otp", "sso"]
    assert session["custom_claims"] == {"via": "mfa"}
    assert session["expires_at"] == rfc3339(door.scenario.clock.now() + 30 * MINUTE)
    found = await left(door.scenario)
    assert (found.sessions, found.intermediate_sessions) == (1, 0)
    again = await refused(door, sso_token=await door.token(), intermediate_session_token=waiting)
    assert again == (404, "intermediate_session_not_found")


async def test_what_is_wanted_of_a_session_means_nothing_while_it_waits(door: Door) -> None:
    first = await door.scenario.authenticate(
        await door.token(), session_duration_minutes=5, session_custom_claims={"lost": True}
    )
    waiting = first["intermediate_session_token"]
    ends = rfc3339(door.scenario.clock.now() + 10 * MINUTE)
    assert first["intermediate_session_token_expires_at"] == ends
    await prove_second_factor(door, waiting)
    result = await door.scenario.authenticate(
        await door.token(), intermediate_session_token=waiting
    )
    assert result["member_session"]["custom_claims"] == {}
    ends = rfc3339(door.scenario.clock.now() + 60 * MINUTE)
    assert result["member_session"]["expires_at"] == ends


async def test_without_one_the_same_intermediate_session_comes_back(door: Door) -> None:
    first = await door.log_in()
    waiting = first["intermediate_session_token"]
    door.scenario.clock.advance(MINUTE)
    for _ in range(3):
        result = await door.scenario.authenticate(
            await door.token(), intermediate_session_token=waiting
        )
        assert result["intermediate_session_token"] == waiting
        ends = "intermediate_session_token_expires_at"
        assert result[ends] == first[ends]
    async with door.scenario.context.store.read() as tx:
        (kept,) = await tx.intermediate_sessions.all()
    (factor,) = kept.factors
    assert factor.created_at == factor.last_authenticated_at - MINUTE


async def test_without_a_need_an_intermediate_session_is_used_up(door: Door) -> None:
    waiting = (await door.log_in())["intermediate_session_token"]
    await door.settings(mfa_policy="OPTIONAL")
    result = await door.scenario.authenticate(
        await door.token(), intermediate_session_token=waiting
    )
    assert result["member_authenticated"] is True
    (factor,) = result["member_session"]["authentication_factors"]
    assert factor["type"] == "sso"
    assert (await left(door.scenario)).intermediate_sessions == 0


async def test_an_intermediate_session_lasts_ten_minutes(door: Door) -> None:
    first, second = [(await door.log_in())["intermediate_session_token"] for _ in range(2)]
    door.scenario.clock.advance(10 * MINUTE - 1)
    await door.scenario.authenticate(await door.token(), intermediate_session_token=first)
    door.scenario.clock.advance(1)
    token = await door.token()
    gone = await refused(door, sso_token=token, intermediate_session_token=second)
    assert gone == (404, "intermediate_session_not_found")
    # A mistake of the application does not use up the sign-in.
    await door.scenario.authenticate(token)


@pytest.mark.parametrize("other", ["", "x", "A" * 64, "\u00e9" * 64])
async def test_an_unknown_intermediate_session_is_refused(door: Door, other: str) -> None:
    token = await door.token()
    if not other:
        await door.scenario.authenticate(token, intermediate_session_token=other)
        return
    gone = await refused(door, sso_token=token, intermediate_session_token=other)
    assert gone == (404, "intermediate_session_not_found")
    assert (await left(door.scenario)).members == 0


async def test_the_intermediate_session_of_another_member_is_refused(door: Door) -> None:
    waiting = (await door.log_in(subject="bob", email="bob@acme.test"))[
        "intermediate_session_token"
    ]
    token = await door.token(subject="ada", email="ada@acme.test")
    gone = await refused(door, sso_token=token, intermediate_session_token=waiting)
    assert gone == (400, "invalid_intermediate_session_token_for_organization")


async def test_bounds_are_checked_even_when_there_is_no_session_yet(door: Door) -> None:
    body = {"sso_token": await door.token(), "session_duration_minutes": 4}
    assert await refused(door, **body) == (400, "invalid_session_duration_minutes")


async def test_an_intermediate_session_is_no_session(door: Door) -> None:
    waiting = (await door.log_in())["intermediate_session_token"]
    path, body = "/v1/b2b/sessions/authenticate", {"session_token": waiting}
    assert await door.scenario.api.bad("POST", path, body) == (404, "session_not_found")
    headers = {"x-stytch-member-session": waiting}
    path = f"/v1/b2b/sso/{door.organization_id}"
    gone = await door.scenario.api.bad("GET", path, headers=headers)
    assert gone == (404, "session_not_found")
