"""The endpoints of authenticator apps: every field, every refusal (semantics 4.4)."""

from base64 import b64decode
from typing import Any

import pytest
import structlog

from tests.support.authenticators import (
    AUTHENTICATE,
    CREATE,
    MIGRATE,
    AtSecondFactor,
    Authenticator,
    at_second_factor,
    wrong,
)
from tests.support.doors import open_door
from tests.support.scenario import Scenario
from vestibule import totp
from vestibule.clock import DAY, MINUTE, rfc3339
from vestibule.store.cleanup import remove_expired

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
NO_OPTIONS = {"mfa_phone_number": "", "totp_registration_id": ""}


@pytest.fixture
async def ada(scenario: Scenario) -> AtSecondFactor:
    return await at_second_factor(await open_door(scenario, "saml"))


async def stored(ada: AtSecondFactor) -> list[Any]:
    async with ada.door.scenario.context.store.read() as tx:
        return list(await tx.totps.all(project_id=ada.door.scenario.project.project_id))


async def test_an_authenticator_is_made_and_waits_for_its_first_code(ada: AtSecondFactor) -> None:
    made = await ada.good(CREATE)
    assert made["member_id"] == ada.member_id
    assert made["totp_registration_id"].startswith("totp-test-")
    assert len(b64decode(made["secret"] + "=" * (-len(made["secret"]) % 8), altchars=None)) > 0
    assert totp.read_secret(made["secret"]) == made["secret"]
    assert len(made["secret"]) == 32
    kind, _, picture = made["qr_code"].partition(",")
    assert kind == "data:image/png;base64"
    assert b64decode(picture, validate=True).startswith(b"\x89PNG")
    assert len(made["recovery_codes"]) == 10
    assert made["member"]["totp_registration_id"] == ""
    assert made["member"]["mfa_enrolled"] is False
    assert made["organization"]["organization_id"] == ada.door.organization_id
    codes = await ada.door.scenario.api.bad("GET", ada.codes_path)
    assert codes == (404, "recovery_codes_not_found")


async def test_the_first_code_activates_it(ada: AtSecondFactor) -> None:
    session = await ada.session()
    made = await ada.good(CREATE)
    clock = ada.door.scenario.clock
    app = Authenticator(clock, made["secret"])
    seen = await ada.good(AUTHENTICATE, code=app.code(), **session)
    assert seen["member_id"] == ada.member_id
    assert seen["session_token"] == session["session_token"]
    assert seen["session_jwt"].startswith("eyJ")
    assert seen["member"]["totp_registration_id"] == made["totp_registration_id"]
    assert seen["member"]["default_mfa_method"] == "totp"
    assert seen["member"]["mfa_enrolled"] is False
    assert seen["member_device"] is None
    now = rfc3339(clock.now())
    assert seen["member_session"]["authentication_factors"][1] == {
        "type": "totp",
        "delivery_method": "authenticator_app",
        "authenticator_app_factor": {"totp_id": made["totp_registration_id"]},
        "sequence_order": "SECONDARY",
        "created_at": now,
        "last_authenticated_at": now,
        "updated_at": now,
    }
    assert (await ada.member())["totp_registration_id"] == made["totp_registration_id"]


async def test_the_fields_beside_the_code_count(ada: AtSecondFactor) -> None:
    app, _ = await ada.enrol()
    fields = {
        "session_duration_minutes": 90,
        "session_custom_claims": {"via": "totp"},
        "set_mfa_enrollment": "enroll",
        "set_default_mfa": True,
        "telemetry_id": "t-1",
    }
    seen = await ada.good(AUTHENTICATE, code=app.code(), **await ada.session(), **fields)
    ends = rfc3339(ada.door.scenario.clock.now() + 90 * MINUTE)
    assert seen["member_session"]["expires_at"] == ends
    assert seen["member_session"]["custom_claims"] == {"via": "totp"}
    assert seen["member"]["mfa_enrolled"] is True
    assert await ada.bad(AUTHENTICATE, code="1", set_mfa_enrollment="x", session_token="x") == (
        400,
        "invalid_set_mfa_enrollment",
    )


async def test_one_that_was_never_proven_is_replaced(ada: AtSecondFactor) -> None:
    first, second = await ada.good(CREATE), await ada.good(CREATE)
    assert first["secret"] != second["secret"]
    assert set(first["recovery_codes"]).isdisjoint(second["recovery_codes"])
    clock, session = ada.door.scenario.clock, await ada.session()
    old, new = (Authenticator(clock, made["secret"]) for made in (first, second))
    refused = await ada.bad(AUTHENTICATE, code=old.code(), **session)
    assert refused == (401, "unable_to_authenticate_totp")
    await ada.good(AUTHENTICATE, code=new.code(), **session)
    assert len(await stored(ada)) == 1


@pytest.mark.parametrize("minutes", [5, 1440, None])
async def test_it_has_to_be_proven_in_time(ada: AtSecondFactor, minutes: int | None) -> None:
    clock = ada.door.scenario.clock
    life = (minutes or 60) * MINUTE
    session = (
        await ada.door.scenario.authenticate(await ada.door.token(), session_duration_minutes=3000)
    )["session_token"]
    late, in_time = [await ada.good(CREATE, expiration_minutes=minutes) for _ in range(2)]
    clock.advance(life - 1)
    app = Authenticator(clock, in_time["secret"])
    await ada.good(AUTHENTICATE, code=app.code(), session_token=session)
    await ada.door.scenario.api.good("DELETE", f"{ada.path}/totp")
    late = await ada.good(CREATE, expiration_minutes=minutes)
    clock.advance(life)
    app = Authenticator(clock, late["secret"])
    gone = await ada.bad(AUTHENTICATE, code=app.code(), session_token=session)
    assert gone == (400, "expired_totp")
    assert (await ada.member())["totp_registration_id"] == ""
    await ada.good(CREATE)


@pytest.mark.parametrize("minutes", [4, 1441, 0, -5])
async def test_the_time_to_prove_it_has_bounds(ada: AtSecondFactor, minutes: int) -> None:
    refused = await ada.bad(CREATE, expiration_minutes=minutes)
    assert refused == (400, "invalid_expiration")
    assert await stored(ada) == []


async def test_what_was_never_proven_is_forgotten_a_day_later(ada: AtSecondFactor) -> None:
    app, _ = await ada.enrol()
    bob = (await ada.door.add_member("bob@acme.test"))["member_id"]
    await AtSecondFactor(ada.door, bob).good(CREATE)
    scenario = ada.door.scenario
    scenario.clock.advance(DAY + 60 * MINUTE - 1)
    await remove_expired(scenario.context.store, now=scenario.clock.now())
    assert len(await stored(ada)) == 2
    scenario.clock.advance(1)
    await remove_expired(scenario.context.store, now=scenario.clock.now())
    (left,) = await stored(ada)
    assert left.member_id == ada.member_id
    await ada.good(AUTHENTICATE, code=app.code(), **await ada.session())


async def test_a_member_has_one_authenticator(ada: AtSecondFactor) -> None:
    app, _ = await ada.enrol()
    session = await ada.session()
    await ada.good(AUTHENTICATE, code=app.code(), **session)
    for proof in ({}, session):
        assert await ada.bad(CREATE, **proof) == (400, "active_totp_exists")
    assert await ada.bad(MIGRATE, secret=SECRET) == (400, "active_totp_exists")


@pytest.mark.parametrize("path", [CREATE, MIGRATE])
@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"organization_id": "nobody"}, (404, "organization_not_found")),
        ({"member_id": "nobody"}, (404, "member_not_found")),
        ({"organization_id": None}, (400, "bad_request")),
        ({"member_id": 7}, (400, "bad_request")),
    ],
)
async def test_whose_it_is_has_to_be_known(
    ada: AtSecondFactor, path: str, changes: dict[str, Any], refused: tuple[int, str]
) -> None:
    body = {"secret": SECRET, **ada.who, **changes}
    assert await ada.door.scenario.api.bad("POST", path, body) == refused


@pytest.mark.parametrize("path", [CREATE, MIGRATE])
async def test_who_may_not_use_one_gets_none(ada: AtSecondFactor, path: str) -> None:
    restricted = {"mfa_methods": "RESTRICTED", "allowed_mfa_methods": ["sms_otp"]}
    await ada.door.settings(**restricted)
    body = {"secret": SECRET} if path == MIGRATE else {}
    refused = await ada.bad(path, **body)
    assert refused == (400, "operation_restricted_by_organization_mfa_methods")
    pending = await ada.door.add_member("bob@acme.test", create_member_as_pending=True)
    bob = AtSecondFactor(ada.door, pending["member_id"])
    assert await bob.bad(path, **body) == (400, "action_available_only_for_active_members")


async def test_create_may_be_told_what_is_proven(ada: AtSecondFactor) -> None:
    await ada.door.settings(mfa_policy="REQUIRED_FOR_ALL")
    waiting = await ada.waiting()
    bob = await ada.waiting(subject="bob", email="bob@acme.test")
    await ada.good(CREATE, **waiting)
    assert await ada.bad(CREATE, **bob) == (400, "member_session_member_id_mismatch")
    both = {**waiting, "session_token": "x"}
    assert await ada.bad(CREATE, **both) == (400, "too_many_session_arguments")
    unknown = await ada.bad(CREATE, session_token="x")
    assert unknown == (400, "invalid_session_token")


async def test_an_authenticator_is_taken_over_from_elsewhere(ada: AtSecondFactor) -> None:
    made = await ada.good(MIGRATE, secret="gezd gnbv gy3t qojq gezd gnbv gy3t qojq")
    assert made["member_id"] == ada.member_id
    assert made["member"]["totp_registration_id"] == made["totp_registration_id"]
    assert made["member"]["mfa_enrolled"] is False
    assert len(made["recovery_codes"]) == 10
    assert made["organization"]["organization_id"] == ada.door.organization_id
    app = Authenticator(ada.door.scenario.clock, SECRET)
    await ada.good(AUTHENTICATE, code=app.code(), **await ada.session())


async def test_its_recovery_codes_come_along(ada: AtSecondFactor) -> None:
    codes = ["Old-Code-0001", "Old-Code-0002", "x" * 64]
    made = await ada.good(MIGRATE, secret=SECRET, recovery_codes=codes)
    assert made["recovery_codes"] == codes
    shown = await ada.door.scenario.api.good("GET", ada.codes_path)
    assert shown["recovery_codes"] == codes


@pytest.mark.parametrize(
    "codes",
    [
        ["1234567"],
        [""],
        ["x" * 65],
        ["x" * 300],
        ["a-b-c-d-e-f-g"],
        ["abcd-efgh", "ABCD efgh"],
        [f"code-{number:04}" for number in range(101)],
    ],
)
async def test_recovery_codes_from_elsewhere_have_bounds(
    ada: AtSecondFactor, codes: list[str]
) -> None:
    refused = await ada.bad(MIGRATE, secret=SECRET, recovery_codes=codes)
    assert refused == (400, "invalid_recovery_code")
    assert await stored(ada) == []


@pytest.mark.case("MF-08")
@pytest.mark.parametrize("secret", ["", "AAAA", "A" * 16, "0" * 32, "\u017f" * 32])
async def test_a_secret_that_is_too_short_or_none_is_refused(
    ada: AtSecondFactor, secret: str
) -> None:
    body = {**ada.who, "secret": secret}
    answer = await ada.door.scenario.api.call("POST", MIGRATE, body)
    assert (answer.status, answer.json["error_type"]) == (400, "bad_request")
    assert answer.json["error_message"].startswith("secret: expected base32 of 14 to 128 bytes")
    assert await stored(ada) == []


async def test_a_code_needs_an_authenticator(ada: AtSecondFactor) -> None:
    session = await ada.session()
    assert await ada.bad(AUTHENTICATE, code="123456", **session) == (404, "totp_not_found")
    await ada.enrol(**session)
    for code in ("", "12345", "1234567", "abcdef"):
        assert await ada.bad(AUTHENTICATE, code=code, **session) == (400, "invalid_totp_code")
    assert await ada.bad(AUTHENTICATE, **session) == (400, "bad_request")
    assert await ada.bad(AUTHENTICATE, code="123456") == (400, "no_session_arguments")


@pytest.mark.case("MF-22")
async def test_a_code_of_another_time_is_refused_and_operators_are_told(
    ada: AtSecondFactor,
) -> None:
    app, _ = await ada.enrol()
    session = await ada.session()
    with structlog.testing.capture_logs() as logs:
        code = app.code(steps=4)
        refused = await ada.bad(AUTHENTICATE, code=code, **session)
        assert refused == (401, "unable_to_authenticate_totp")
        await ada.bad(AUTHENTICATE, code=wrong(code), **session)
    (told,) = [each for each in logs if "NTP" in each["event"]]
    assert (told["seconds"], told["member_id"]) == (120, ada.member_id)
    assert code not in str(logs)


@pytest.mark.case("ST-15", verdict="holds")
async def test_after_a_change_of_second_factor_a_member_can_end_all_sessions(
    ada: AtSecondFactor,
) -> None:
    """They go on, as the contract has it; the same person may look after the rest."""
    app, _ = await ada.enrol()
    old = await ada.session()
    scenario = ada.door.scenario
    changes = ("DELETE", f"{ada.path}/totp", None), ("PUT", ada.path, {"mfa_enrolled": False})
    for method, path, body in changes:
        await scenario.api.good(method, path, body)
        new = await ada.session()
        for session in (old, new):
            await scenario.api.good("POST", "/v1/b2b/sessions/authenticate", session)
        headers = {"x-stytch-member-session": new["session_token"]}
        revoked = {"member_id": ada.member_id}
        await scenario.api.good("POST", "/v1/b2b/sessions/revoke", revoked, headers=headers)
        for session in (old, new):
            gone = await scenario.api.bad("POST", "/v1/b2b/sessions/authenticate", session)
            assert gone == (404, "session_not_found")
        old = await ada.session()
    assert app.code()


async def test_it_is_deleted_with_its_codes_and_sessions_go_on(ada: AtSecondFactor) -> None:
    app, codes = await ada.enrol()
    session = await ada.session()
    await ada.good(AUTHENTICATE, code=app.code(), set_mfa_enrollment="enroll", **session)
    scenario = ada.door.scenario
    answer = await scenario.api.good("DELETE", f"{ada.path}/totp")
    assert answer["member_id"] == ada.member_id
    member = answer["member"]
    assert (member["totp_registration_id"], member["default_mfa_method"]) == ("", "")
    assert member["mfa_enrolled"] is True
    assert answer["organization"]["organization_id"] == ada.door.organization_id
    await scenario.api.good("POST", "/v1/b2b/sessions/authenticate", session)
    assert await ada.bad(AUTHENTICATE, code=app.code(), **session) == (404, "totp_not_found")
    gone = await ada.bad("/v1/b2b/recovery_codes/recover", recovery_code=codes[0], **session)
    assert gone == (404, "recovery_codes_not_found")
    async with scenario.context.store.read() as tx:
        assert await tx.recovery_codes.count() == 0
    gone = await scenario.api.bad("DELETE", f"{ada.path}/totp")
    assert gone == (404, "totp_not_found")
    result = await ada.door.log_in()
    assert result["mfa_required"]["member_options"] is None


async def test_a_deleted_member_keeps_no_authenticator(ada: AtSecondFactor) -> None:
    await ada.enrol()
    await ada.door.scenario.api.good("DELETE", ada.path)
    assert await stored(ada) == []
    back = await ada.door.scenario.api.good("PUT", f"{ada.path}/reactivate", {})
    assert back["member"]["totp_registration_id"] == ""
    assert back["member"]["default_mfa_method"] == ""


async def test_the_default_method_has_to_be_set_up(ada: AtSecondFactor) -> None:
    scenario, change = ada.door.scenario, {"default_mfa_method": "totp"}
    refused = await scenario.api.bad("PUT", ada.path, change)
    assert refused == (400, "default_mfa_member_missing_factor")
    await ada.good(MIGRATE, secret=SECRET)
    answer = await scenario.api.good("PUT", ada.path, change)
    assert answer["member"]["default_mfa_method"] == "totp"
    await scenario.api.good("PUT", ada.path, {"mfa_phone_number": "+12025550162"})
    async with scenario.context.store.write() as tx:
        verified = {"mfa_phone_number_verified": True}
        await tx.members.change(verified, member_id=ada.member_id)
    answer = await scenario.api.good("DELETE", f"{ada.path}/totp")
    assert answer["member"]["default_mfa_method"] == "sms_otp"
