"""Login by SSO, then an authenticator app: the whole way, for everybody or for who is enrolled."""

from typing import Any

import pytest

from tests.support.authenticators import (
    AUTHENTICATE,
    CREATE,
    RECOVER,
    AtSecondFactor,
    Authenticator,
    at_second_factor,
)
from tests.support.doors import Door, open_door
from tests.support.refusals import left
from tests.support.scenario import Scenario
from vestibule.clock import HOUR, MINUTE


@pytest.fixture(params=["saml", "oidc"])
async def door(request: pytest.FixtureRequest, scenario: Scenario) -> Door:
    return await open_door(scenario, request.param)


def factors(answer: dict[str, Any]) -> list[tuple[str, str]]:
    found = answer["member_session"]["authentication_factors"]
    return [(each["type"], each["sequence_order"]) for each in found]


async def test_where_everybody_needs_one_a_new_member_enrols_at_the_first_login(
    door: Door,
) -> None:
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    first = await door.log_in()
    assert first["mfa_required"] == {"member_options": None, "secondary_auth_initiated": None}
    ada = AtSecondFactor(door, first["member_id"])
    waiting = {"intermediate_session_token": first["intermediate_session_token"]}
    made = await ada.good(CREATE, **waiting)
    app = Authenticator(door.scenario.clock, made["secret"])
    seen = await ada.good(AUTHENTICATE, code=app.code(), **waiting)
    assert factors(seen) == [("sso", "PRIMARY"), ("totp", "SECONDARY")]
    assert seen["member"]["mfa_enrolled"] is True
    assert seen["member"]["default_mfa_method"] == "totp"
    body = {"session_token": seen["session_token"]}
    kept = await door.scenario.api.good("POST", "/v1/b2b/sessions/authenticate", body)
    assert factors(kept) == factors(seen)
    found = await left(door.scenario)
    assert (found.sessions, found.intermediate_sessions) == (1, 0)

    door.scenario.clock.advance(HOUR)
    again = await door.log_in()
    options = {"mfa_phone_number": "", "totp_registration_id": made["totp_registration_id"]}
    assert again["mfa_required"]["member_options"] == options
    waiting = {"intermediate_session_token": again["intermediate_session_token"]}
    seen = await ada.good(AUTHENTICATE, code=app.code(), **waiting)
    assert factors(seen) == [("sso", "PRIMARY"), ("totp", "SECONDARY")]
    gone = await ada.bad(AUTHENTICATE, code=app.code(steps=1), **waiting)
    assert gone == (404, "intermediate_session_not_found")


async def test_who_is_enrolled_needs_it_anywhere_until_unenrolled(door: Door) -> None:
    ada = await at_second_factor(door)
    app, _ = await ada.enrol()
    assert (await door.log_in())["member_authenticated"] is True
    await ada.good(
        AUTHENTICATE, code=app.code(), set_mfa_enrollment="enroll", **await ada.session()
    )
    waiting = await ada.waiting()
    door.scenario.clock.advance(MINUTE)
    seen = await ada.good(AUTHENTICATE, code=app.code(), set_mfa_enrollment="unenroll", **waiting)
    assert seen["member"]["mfa_enrolled"] is False
    assert (await door.log_in())["member_authenticated"] is True


async def test_who_has_lost_the_phone_comes_in_with_a_code_and_enrols_anew(door: Door) -> None:
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    first = await door.log_in()
    ada = AtSecondFactor(door, first["member_id"])
    waiting = {"intermediate_session_token": first["intermediate_session_token"]}
    _, codes = await ada.enrol(**waiting)
    seen = await ada.good(RECOVER, recovery_code=codes[0], **await ada.waiting())
    assert factors(seen) == [("sso", "PRIMARY"), ("recovery_codes", "SECONDARY")]
    token = seen["session_token"]
    headers = {"x-stytch-member-session": token}
    await door.scenario.api.good("DELETE", f"{ada.path}/totp", headers=headers)
    assert (await door.log_in())["mfa_required"]["member_options"] is None
    await ada.enrol(session_token=token)
    assert (await door.log_in())["mfa_required"]["member_options"] is not None


async def test_a_second_login_keeps_the_second_factor_of_its_session(door: Door) -> None:
    ada = await at_second_factor(door)
    app, _ = await ada.enrol()
    session = await ada.session()
    await ada.good(AUTHENTICATE, code=app.code(), **session)
    again = await door.scenario.authenticate(await door.token(), **session)
    assert sorted(factors(again)) == [("sso", "PRIMARY"), ("totp", "SECONDARY")]


async def test_it_is_not_taken_along_to_another_organization(door: Door) -> None:
    ada = await at_second_factor(door)
    app, _ = await ada.enrol()
    session = await ada.session()
    await ada.good(AUTHENTICATE, code=app.code(), **session)
    there = await door.scenario.organization("Other", mfa_policy="REQUIRED_FOR_ALL")
    organization_id = there["organization_id"]
    path = f"/v1/b2b/sso/external/{organization_id}"
    body = {
        "external_organization_id": door.organization_id,
        "external_connection_id": door.connection_id,
    }
    await door.scenario.api.good("POST", path, body)
    members = f"/v1/b2b/organizations/{organization_id}/members"
    await door.scenario.api.good("POST", members, {"email_address": "ada@acme.test"})
    body = {"organization_id": organization_id, **session}
    answer = await door.scenario.api.good("POST", "/v1/b2b/sessions/exchange", body)
    assert answer["member_authenticated"] is False
    assert answer["mfa_required"]["member_options"] is None
