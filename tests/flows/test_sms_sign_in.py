"""Somebody logs in by SSO and a code that is sent to the phone: every way there (semantics 4.2)."""

from typing import Any

import pytest

from tests.flows.test_totp_sign_in import factors
from tests.support.authenticators import AUTHENTICATE as PROVE_TOTP
from tests.support.authenticators import CREATE as CREATE_TOTP
from tests.support.authenticators import AtSecondFactor, Authenticator, at_second_factor
from tests.support.doors import Door, open_door, open_external
from tests.support.phones import (
    AUTHENTICATE,
    PHONE,
    SEND,
    code_in,
    newest_code,
    phone_path,
    texts,
    with_phone,
)
from tests.support.proofs import add_member, prove
from tests.support.refusals import left
from tests.support.scenario import Scenario
from vestibule.clock import MINUTE

BOTH = [("sso", "PRIMARY"), ("otp", "SECONDARY")]
OPTIONS = {"mfa_phone_number": PHONE, "totp_registration_id": ""}
NOT_SENT = {"member_options": None, "secondary_auth_initiated": None}


@pytest.fixture(params=["saml", "oidc"])
async def door(request: pytest.FixtureRequest, scenario: Scenario) -> Door:
    return await open_door(scenario, request.param)


async def sent_unasked(door: Door, answer: dict[str, Any]) -> str:
    """Return the code of the text that was sent with this answer."""
    required = answer["mfa_required"]
    assert required == {"member_options": OPTIONS, "secondary_auth_initiated": "sms_otp"}
    return await newest_code(door.scenario.context)


async def test_where_everybody_needs_one_a_new_member_enrols_at_the_first_login(
    door: Door,
) -> None:
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    first = await door.log_in()
    assert first["mfa_required"] == NOT_SENT
    ada = AtSecondFactor(door, first["member_id"])
    waiting = {"intermediate_session_token": first["intermediate_session_token"]}
    linked = await ada.good(SEND, mfa_phone_number=PHONE, **waiting)
    assert linked["member"]["mfa_phone_number"] == PHONE
    assert linked["member"]["mfa_phone_number_verified"] is False
    code = await newest_code(door.scenario.context)
    seen = await ada.good(AUTHENTICATE, code=code, **waiting)
    assert factors(seen) == BOTH
    assert seen["member"]["mfa_phone_number_verified"] is True
    assert seen["member"]["mfa_enrolled"] is True
    assert seen["member"]["default_mfa_method"] == "sms_otp"
    found = await left(door.scenario)
    assert (found.sessions, found.intermediate_sessions) == (1, 0)


async def test_who_has_proven_a_phone_is_sent_a_code_with_the_login(door: Door) -> None:
    ada = await at_second_factor(door)
    await with_phone(ada)
    assert (await door.log_in())["member_authenticated"] is True
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    answer = await door.log_in()
    code = await sent_unasked(door, answer)
    waiting = {"intermediate_session_token": answer["intermediate_session_token"]}
    seen = await ada.good(AUTHENTICATE, code=code, **waiting)
    assert factors(seen) == BOTH
    # What is said of the member is the same everywhere.
    assert seen["member"]["mfa_phone_number"] == PHONE
    gone = await ada.bad(AUTHENTICATE, code=code, **waiting)
    assert gone == (404, "intermediate_session_not_found")


async def test_the_code_is_sent_in_the_language_of_the_login(door: Door) -> None:
    ada = await at_second_factor(door)
    await with_phone(ada)
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    answer = await door.scenario.authenticate(await door.token(), locale="pt-br")
    await sent_unasked(door, answer)
    assert "é o seu código" in (await texts(door.scenario.context))[-1].text
    refused = await door.scenario.api.bad(
        "POST", "/v1/b2b/sso/authenticate", {"sso_token": await door.token(), "locale": "xx"}
    )
    assert refused == (400, "invalid_locale")


async def test_a_code_that_did_not_come_is_sent_again(door: Door) -> None:
    ada = await at_second_factor(door)
    await with_phone(ada)
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    answer = await door.log_in()
    former = await sent_unasked(door, answer)
    waiting = {"intermediate_session_token": answer["intermediate_session_token"]}
    await ada.good(SEND, **waiting)
    newest = await newest_code(door.scenario.context)
    refused = await ada.bad(AUTHENTICATE, code=former, **waiting)
    assert refused == (401, "unable_to_auth_otp_code")
    await ada.good(AUTHENTICATE, code=newest, **waiting)


async def test_a_session_that_is_named_asks_for_no_code(door: Door) -> None:
    ada = await at_second_factor(door)
    session = await with_phone(ada)
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    before = len(await texts(door.scenario.context))
    again = await door.scenario.authenticate(await door.token(), **session)
    assert sorted(factors(again)) == sorted(BOTH)
    assert len(await texts(door.scenario.context)) == before


async def test_who_prefers_the_authenticator_is_sent_nothing_unasked(door: Door) -> None:
    ada = await at_second_factor(door)
    session = await with_phone(ada)
    made = await ada.good(CREATE_TOTP, **session)
    app = Authenticator(door.scenario.clock, made["secret"])
    await ada.good(PROVE_TOTP, code=app.code(), set_default_mfa=True, **session)
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    before = len(await texts(door.scenario.context))
    answer = await door.log_in()
    options = {"mfa_phone_number": PHONE, "totp_registration_id": made["totp_registration_id"]}
    assert answer["mfa_required"] == {"member_options": options, "secondary_auth_initiated": None}
    assert len(await texts(door.scenario.context)) == before
    # The phone is still a way in, when it is asked for.
    waiting = {"intermediate_session_token": answer["intermediate_session_token"]}
    await ada.good(SEND, **waiting)
    code = await newest_code(door.scenario.context)
    seen = await ada.good(AUTHENTICATE, code=code, **waiting)
    assert factors(seen) == BOTH
    # Without the phone the authenticator is left, and the other way round.
    kept = await door.scenario.api.good("DELETE", phone_path(ada))
    assert kept["member"]["default_mfa_method"] == "totp"
    await door.scenario.api.good("DELETE", f"{ada.path}/totp")
    assert (await ada.member())["default_mfa_method"] == ""


async def test_a_proven_phone_counts_in_an_organization_that_knows_it(door: Door) -> None:
    ada = await at_second_factor(door)
    session = await with_phone(ada)
    there = await open_external(door, "Other", mfa_policy="REQUIRED_FOR_ALL")
    other = await there.add_member("ada@acme.test")
    body = {"organization_id": there.organization_id, **session}
    exchange = "/v1/b2b/sessions/exchange"
    api = door.scenario.api
    answer = await api.good("POST", exchange, body)
    assert answer["mfa_required"] == NOT_SENT
    waiting = {"intermediate_session_token": answer["intermediate_session_token"]}
    in_other = AtSecondFactor(there, other["member_id"])
    await in_other.good(SEND, mfa_phone_number=PHONE, **waiting)
    code = await newest_code(door.scenario.context)
    proven = await in_other.good(AUTHENTICATE, code=code, **waiting)
    phone_there = proven["member_session"]["authentication_factors"][1]["phone_number_factor"]
    # Proven here and verified there, it is asked for no more.
    answer = await api.good("POST", exchange, body)
    assert factors(answer) == BOTH
    shown = answer["member_session"]["authentication_factors"][1]["phone_number_factor"]
    assert shown == phone_there
    # A session that does not hold it is, and in the language of the exchange.
    door.scenario.clock.advance(10 * MINUTE)
    session = await ada.session()
    body = {"organization_id": there.organization_id, "locale": "fr", **session}
    answer = await api.good("POST", exchange, body)
    assert answer["mfa_required"]["secondary_auth_initiated"] == "sms_otp"
    assert "est votre code" in (await texts(door.scenario.context))[-1].text


async def test_who_comes_in_by_discovery_is_sent_a_code_on_entering_alone(
    scenario: Scenario,
) -> None:
    context, api = scenario.context, scenario.api
    token = await prove(scenario)
    organization = await scenario.organization("Strict", mfa_policy="REQUIRED_FOR_ALL")
    member = await add_member(scenario, organization)
    proven = {
        "mfa_phone_number": PHONE,
        "mfa_phone_number_verified": True,
        "default_mfa_method": "sms_otp",
    }
    async with context.store.write() as tx:
        await tx.members.change(proven, member_id=member["member_id"])
    body = {"intermediate_session_token": token}
    listed = await api.good("POST", "/v1/b2b/discovery/organizations", body)
    [found] = [
        each
        for each in listed["discovered_organizations"]
        if each["organization"]["organization_id"] == organization["organization_id"]
    ]
    assert found["mfa_required"]["secondary_auth_initiated"] is None
    assert await texts(context) == []
    body |= {"organization_id": organization["organization_id"], "locale": "es"}
    path = "/v1/b2b/discovery/intermediate_sessions/exchange"
    entered = await api.good("POST", path, body)
    assert entered["mfa_required"]["secondary_auth_initiated"] == "sms_otp"
    [text] = await texts(context)
    assert "es tu código" in text.text
    body = {
        "organization_id": organization["organization_id"],
        "member_id": member["member_id"],
        "intermediate_session_token": token,
        "code": code_in(text),
    }
    ended = await api.good("POST", AUTHENTICATE, body)
    assert ended["member_session"]["authentication_factors"][1]["delivery_method"] == "sms"
