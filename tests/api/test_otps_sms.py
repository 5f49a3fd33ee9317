"""The endpoints of phones: every field, every refusal (semantics 4.3)."""

from typing import Any

import pytest

from tests.support.asgi import Api
from tests.support.audit import events
from tests.support.authenticators import AUTHENTICATE as PROVE_TOTP
from tests.support.authenticators import CREATE as CREATE_TOTP
from tests.support.authenticators import AtSecondFactor, Authenticator, at_second_factor, wrong
from tests.support.doors import open_door
from tests.support.member_session import SignedIn
from tests.support.phones import (
    AUTHENTICATE,
    OTHER_PHONE,
    PHONE,
    SEND,
    newest_code,
    phone_path,
    texts,
    with_phone,
    without_sms,
)
from tests.support.scenario import Scenario
from vestibule.app import App
from vestibule.clock import MINUTE, SECOND, rfc3339
from vestibule.domain import projects
from vestibule.domain.phone_numbers import SANDBOX

NO_CODE = (404, "otp_code_not_found")
WRONG = (401, "unable_to_auth_otp_code")
ANOTHER = (400, "duplicate_member_phone_number_for_member")


@pytest.fixture
async def ada(scenario: Scenario) -> AtSecondFactor:
    return await at_second_factor(await open_door(scenario, "saml"))


async def test_a_number_is_linked_by_sending_to_it(ada: AtSecondFactor) -> None:
    sent = await ada.good(SEND, mfa_phone_number=PHONE, locale="es")
    assert sent["member_id"] == ada.member_id
    assert sent["member"]["mfa_phone_number"] == PHONE
    assert sent["member"]["mfa_phone_number_verified"] is False
    assert sent["member"]["default_mfa_method"] == ""
    assert sent["organization"]["organization_id"] == ada.door.organization_id
    [text] = await texts(ada.door.scenario.context)
    assert text.to == PHONE
    assert "es tu código" in text.text
    # It is there from now on, and named or not.
    for more in ({}, {"mfa_phone_number": PHONE}, {"mfa_phone_number": ""}):
        await ada.good(SEND, **more)
    assert [each.to for each in await texts(ada.door.scenario.context)] == [PHONE] * 4


async def test_the_first_code_verifies_the_number(ada: AtSecondFactor) -> None:
    session = await ada.session()
    await ada.good(SEND, mfa_phone_number=PHONE)
    code = await newest_code(ada.door.scenario.context)
    seen = await ada.good(AUTHENTICATE, code=code, **session)
    assert seen["member_id"] == ada.member_id
    assert seen["session_token"] == session["session_token"]
    assert seen["session_jwt"].startswith("eyJ")
    assert seen["member"]["mfa_phone_number_verified"] is True
    assert seen["member"]["default_mfa_method"] == "sms_otp"
    assert seen["member"]["mfa_enrolled"] is False
    assert seen["organization"]["organization_id"] == ada.door.organization_id
    assert seen["member_device"] is None
    now = rfc3339(ada.door.scenario.clock.now())
    shown = seen["member_session"]["authentication_factors"][1]
    phone_id = shown["phone_number_factor"]["phone_id"]
    assert phone_id.startswith("phone-number-test-")
    assert shown == {
        "type": "otp",
        "delivery_method": "sms",
        "phone_number_factor": {"phone_id": phone_id, "phone_number": PHONE},
        "sequence_order": "SECONDARY",
        "created_at": now,
        "last_authenticated_at": now,
        "updated_at": now,
    }
    # Proven again it is the same phone.
    await ada.good(SEND, **session)
    again = await ada.good(
        AUTHENTICATE, code=await newest_code(ada.door.scenario.context), **session
    )
    factors = again["member_session"]["authentication_factors"]
    assert [each["type"] for each in factors] == ["sso", "otp"]
    assert factors[1]["phone_number_factor"]["phone_id"] == phone_id


async def test_the_fields_beside_the_code_count(ada: AtSecondFactor) -> None:
    await with_phone(ada)
    await ada.good(SEND)
    fields = {
        "session_duration_minutes": 90,
        "session_custom_claims": {"via": "sms"},
        "set_mfa_enrollment": "enroll",
        "set_default_mfa": True,
        "telemetry_id": "t-1",
    }
    code = await newest_code(ada.door.scenario.context)
    seen = await ada.good(AUTHENTICATE, code=code, **await ada.session(), **fields)
    ends = rfc3339(ada.door.scenario.clock.now() + 90 * MINUTE)
    assert seen["member_session"]["expires_at"] == ends
    assert seen["member_session"]["custom_claims"] == {"via": "sms"}
    assert seen["member"]["mfa_enrolled"] is True
    assert await ada.bad(AUTHENTICATE, code="1", set_mfa_enrollment="x", session_token="x") == (
        400,
        "invalid_set_mfa_enrollment",
    )


async def test_the_default_is_changed_when_that_is_asked_for(ada: AtSecondFactor) -> None:
    app, _ = await ada.enrol()
    session = await ada.session()
    await ada.good(PROVE_TOTP, code=app.code(), **session)
    await with_phone(ada, **session)
    assert (await ada.member())["default_mfa_method"] == "totp"
    await ada.good(SEND, **session)
    code = await newest_code(ada.door.scenario.context)
    seen = await ada.good(AUTHENTICATE, code=code, set_default_mfa=True, **session)
    assert seen["member"]["default_mfa_method"] == "sms_otp"


@pytest.mark.parametrize("written", ["{0}", " {0} ", "{1}-{2}", "{1} {2}"])
async def test_a_code_is_read_as_people_write_it(ada: AtSecondFactor, written: str) -> None:
    session = await ada.session()
    await ada.good(SEND, mfa_phone_number=PHONE)
    code = await newest_code(ada.door.scenario.context)
    text = written.format(code, code[:3], code[3:])
    if "-" in written:
        assert await ada.bad(AUTHENTICATE, code=text, **session) == WRONG
    else:
        await ada.good(AUTHENTICATE, code=text, **session)


async def test_a_code_counts_for_two_minutes(ada: AtSecondFactor) -> None:
    session, clock = await ada.session(), ada.door.scenario.clock
    await ada.good(SEND, mfa_phone_number=PHONE)
    code = await newest_code(ada.door.scenario.context)
    clock.advance(2 * MINUTE)
    assert await ada.bad(AUTHENTICATE, code=code, **session) == NO_CODE
    await ada.good(SEND)
    code = await newest_code(ada.door.scenario.context)
    clock.advance(2 * MINUTE - 1)
    await ada.good(AUTHENTICATE, code=code, **session)


async def test_without_a_code_there_is_none_to_prove(ada: AtSecondFactor) -> None:
    session = await ada.session()
    assert await ada.bad(AUTHENTICATE, code="123456", **session) == NO_CODE
    # That was no guess.
    for _ in range(12):
        await ada.bad(AUTHENTICATE, code="123456", **session)
    assert (await ada.member())["is_locked"] is False


@pytest.mark.parametrize(
    ("number", "refused"),
    [
        (None, (400, "missing_sms_parameter")),
        ("", (400, "missing_sms_parameter")),
        ("2025550162", (400, "invalid_phone_number")),
        ("+1 202 555 0162", (400, "invalid_phone_number")),
        ("+19005551234", (400, "invalid_phone_number")),
        ("+881612345678", (400, "invalid_phone_number")),
    ],
)
async def test_a_number_that_cannot_be_is_not_linked(
    ada: AtSecondFactor, number: str | None, refused: tuple[int, str]
) -> None:
    assert await ada.bad(SEND, mfa_phone_number=number) == refused
    assert (await ada.member())["mfa_phone_number"] == ""
    assert await texts(ada.door.scenario.context) == []


async def test_another_number_is_set_by_deleting_the_first(ada: AtSecondFactor) -> None:
    session = await with_phone(ada)
    assert await ada.bad(SEND, mfa_phone_number=OTHER_PHONE, **session) == ANOTHER
    gone = await ada.door.scenario.api.good("DELETE", phone_path(ada))
    assert gone["member_id"] == ada.member_id
    assert gone["member"]["mfa_phone_number"] == ""
    assert gone["member"]["mfa_phone_number_verified"] is False
    assert gone["member"]["default_mfa_method"] == ""
    assert gone["organization"]["organization_id"] == ada.door.organization_id
    # Sessions go on.
    await ada.door.scenario.api.good("POST", "/v1/b2b/sessions/authenticate", session)
    linked = await ada.good(SEND, mfa_phone_number=OTHER_PHONE, **session)
    assert linked["member"]["mfa_phone_number"] == OTHER_PHONE
    assert linked["member"]["mfa_phone_number_verified"] is False
    missing = await ada.door.scenario.api.bad("DELETE", phone_path(ada).replace("member-", "x-"))
    assert missing == (404, "member_not_found")


async def test_a_member_without_a_number_has_none_to_delete(ada: AtSecondFactor) -> None:
    refused = await ada.door.scenario.api.bad("DELETE", phone_path(ada))
    assert refused == (404, "member_phone_number_not_found")


async def test_a_number_that_an_admin_set_is_proven_like_any(ada: AtSecondFactor) -> None:
    api = ada.door.scenario.api
    await api.good("PUT", ada.path, {"mfa_phone_number": PHONE, "mfa_enrolled": True})
    answer = await ada.door.log_in()
    # Nobody has proven it: nothing is sent there unasked.
    assert answer["mfa_required"] == {
        "member_options": {"mfa_phone_number": PHONE, "totp_registration_id": ""},
        "secondary_auth_initiated": None,
    }
    waiting = {"intermediate_session_token": answer["intermediate_session_token"]}
    assert await ada.bad(SEND, mfa_phone_number=OTHER_PHONE, **waiting) == ANOTHER
    await with_phone(ada, **waiting)
    assert (await ada.member())["mfa_phone_number_verified"] is True


async def test_who_has_another_factor_links_a_phone_with_its_proof(ada: AtSecondFactor) -> None:
    made = await ada.good(CREATE_TOTP)
    app, session = Authenticator(ada.door.scenario.clock, made["secret"]), await ada.session()
    await ada.good(PROVE_TOTP, code=app.code(), **session)
    nothing = await ada.bad(SEND, mfa_phone_number=PHONE)
    assert nothing == (400, "session_enforced_factor_matching_session_required")
    fresh = await ada.session()
    unproven = await ada.bad(SEND, mfa_phone_number=PHONE, **fresh)
    assert unproven == (401, "insufficient_factors")
    await ada.good(SEND, mfa_phone_number=PHONE, **session)


async def test_the_tokens_are_the_members_own_and_one_at_most(ada: AtSecondFactor) -> None:
    await with_phone(ada)
    session = await ada.session()
    bob = await ada.door.log_in(subject="bob", email="bob@acme.test")
    theirs = {"session_token": bob["session_token"]}
    mismatch = (400, "member_session_member_id_mismatch")
    assert await ada.bad(SEND, **theirs) == mismatch
    too_many = await ada.bad(SEND, session_jwt="x", **session)
    assert too_many == (400, "too_many_session_arguments")
    unknown = await ada.bad(SEND, intermediate_session_token="x")
    assert unknown == (404, "intermediate_session_not_found")
    none = await ada.bad(AUTHENTICATE, code="123456")
    assert none == (400, "no_session_arguments")
    jwt = (await ada.door.log_in())["session_jwt"]
    await ada.good(SEND, session_jwt=jwt)


async def test_who_may_not_use_it_is_sent_nothing(ada: AtSecondFactor) -> None:
    door = ada.door
    await door.settings(mfa_methods="RESTRICTED", allowed_mfa_methods=["totp"])
    refused = await ada.bad(SEND, mfa_phone_number=PHONE)
    assert refused == (400, "operation_restricted_by_organization_mfa_methods")
    await door.settings(mfa_methods="ALL_ALLOWED")
    pending = await door.add_member("new@acme.test", create_member_as_pending=True)
    body = {**ada.who, "member_id": pending["member_id"], "mfa_phone_number": PHONE}
    refused = await door.scenario.api.bad("POST", SEND, body)
    assert refused == (400, "action_available_only_for_active_members")
    other = await open_door(door.scenario, "saml", "Other")
    body = {**ada.who, "organization_id": other.organization_id, "mfa_phone_number": PHONE}
    for path, more in ((SEND, {}), (AUTHENTICATE, {"code": "123456", "session_token": "x"})):
        refused = await door.scenario.api.bad("POST", path, {**body, **more})
        assert refused == (404, "member_not_found")
    assert await texts(door.scenario.context) == []
    assert (await ada.member())["mfa_phone_number"] == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mfa_phone_number", 12025550162),
        ("mfa_phone_number", ["+12025550162"]),
        ("locale", 7),
        ("session_token", {}),
        ("organization_id", None),
    ],
)
async def test_a_field_of_another_type_is_named(
    ada: AtSecondFactor, field: str, value: Any
) -> None:
    answer = await ada.door.scenario.api.call("POST", SEND, {**ada.who, field: value})
    assert (answer.status, answer.json["error_type"]) == (400, "bad_request")
    assert answer.json["error_message"].startswith(f"{field}: ")


async def test_only_locales_of_the_api_are_locales(ada: AtSecondFactor) -> None:
    assert await ada.bad(SEND, mfa_phone_number=PHONE, locale="xx") == (400, "invalid_locale")
    await ada.good(SEND, mfa_phone_number=PHONE, locale="ja")


async def test_a_server_without_a_service_says_so(ada: AtSecondFactor) -> None:
    scenario = ada.door.scenario
    silent = Api(
        App(without_sms(scenario.context)),
        project_id=scenario.project.project_id,
        secret="secret-test-first",
    )
    answer = await silent.call("POST", SEND, {**ada.who, "mfa_phone_number": PHONE})
    assert (answer.status, answer.json["error_type"]) == (400, "unavailable_endpoint")
    assert "VESTIBULE_SMS_ACCOUNT" in answer.json["error_message"]
    assert (await ada.member())["mfa_phone_number"] == ""


async def test_the_sandbox_number_has_a_known_code_and_is_sent_nothing(
    ada: AtSecondFactor,
) -> None:
    session = await ada.session()
    for _ in range(10):
        await ada.good(SEND, mfa_phone_number=SANDBOX)
    assert await ada.bad(AUTHENTICATE, code="000001", **session) == WRONG
    seen = await ada.good(AUTHENTICATE, code="000000", **session)
    assert seen["member"]["mfa_phone_number"] == SANDBOX
    assert seen["member"]["mfa_phone_number_verified"] is True
    # Each code once, as everywhere.
    assert await ada.bad(AUTHENTICATE, code="000000", **session) == NO_CODE
    assert await texts(ada.door.scenario.context) == []


async def test_a_live_project_has_no_sandbox(scenario: Scenario) -> None:
    live = await projects.create(scenario.context, name="Live", environment="live")
    api = Api(scenario.app, project_id=live.project_id, secret=live.secret)
    made = await api.good("POST", "/v1/b2b/organizations", {"organization_name": "Acme"})
    organization_id = made["organization"]["organization_id"]
    members = f"/v1/b2b/organizations/{organization_id}/members"
    refused = (400, "invalid_phone_number_sandbox")
    body = {"email_address": "ada@acme.test"}
    assert await api.bad("POST", members, {**body, "mfa_phone_number": SANDBOX}) == refused
    member_id = (await api.good("POST", members, body))["member_id"]
    body = {"organization_id": organization_id, "member_id": member_id}
    assert await api.bad("POST", SEND, {**body, "mfa_phone_number": SANDBOX}) == refused
    path = f"{members}/{member_id}"
    assert await api.bad("PUT", path, {"mfa_phone_number": SANDBOX}) == refused


async def test_a_deleted_member_has_no_phone_when_it_comes_back(ada: AtSecondFactor) -> None:
    api = ada.door.scenario.api
    await with_phone(ada)
    await ada.good(SEND)
    await api.good("DELETE", ada.path)
    async with ada.door.scenario.context.store.read() as tx:
        assert await tx.sms_codes.all() == []
    back = await api.good("PUT", f"{ada.path}/reactivate", {})
    assert back["member"]["mfa_phone_number"] == ""
    assert back["member"]["mfa_phone_number_verified"] is False
    assert back["member"]["default_mfa_method"] == ""


async def test_what_happens_to_a_phone_stands_in_the_audit_log(ada: AtSecondFactor) -> None:
    scenario = ada.door.scenario
    session = await ada.session()
    me = SignedIn(
        scenario,
        ada.member_id,
        ada.door.organization_id,
        {"x-stytch-member-session": session["session_token"]},
    )
    await with_phone(ada, **session)
    await ada.good(SEND)
    await me.good("DELETE", phone_path(ada))
    log = [each for each in await events(scenario) if each.object_id == ada.member_id]
    found = [(each.action, each.changed, each.actor_type) for each in log]
    first_proof = ("default_mfa_method", "mfa_phone_id", "mfa_phone_number_verified")
    assert found[-4:] == [
        ("member.send_sms_code", ("mfa_phone_number",), "project_secret"),
        ("member.update", first_proof, "project_secret"),
        ("member.send_sms_code", (), "project_secret"),
        ("member.delete_phone_number", (), "member_session"),
    ]
    assert PHONE not in repr(log)


async def test_the_newest_code_stands_alone(ada: AtSecondFactor) -> None:
    session = await ada.session()
    await ada.good(SEND, mfa_phone_number=PHONE)
    former = await newest_code(ada.door.scenario.context)
    ada.door.scenario.clock.advance(SECOND)
    await ada.good(SEND)
    newest = await newest_code(ada.door.scenario.context)
    assert await ada.bad(AUTHENTICATE, code=former, **session) == WRONG
    assert await ada.bad(AUTHENTICATE, code=wrong(newest), **session) == WRONG
    await ada.good(AUTHENTICATE, code=newest, **session)
