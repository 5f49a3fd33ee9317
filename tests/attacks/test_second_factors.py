"""Second factors under attack: the cases MF that concern authenticators and recovery codes."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from tests.support.asgi import Answer
from tests.support.authenticators import (
    AUTHENTICATE,
    CREATE,
    RECOVER,
    ROTATE,
    STEP,
    AtSecondFactor,
    Authenticator,
    at_second_factor,
    wrong,
)
from tests.support.doors import open_door
from tests.support.every_endpoint import full_body, path_of
from tests.support.member_session import SignedIn
from tests.support.refusals import left
from tests.support.scenario import Scenario
from vestibule.api.groups import endpoints
from vestibule.clock import HOUR, MINUTE
from vestibule.ids import read_token
from vestibule.permissions import Permission
from vestibule.records import Factor

WRONG = (401, "unable_to_authenticate_totp")
USED = (400, "totp_code_already_authenticated")
LOCKED = (429, "user_lock_limit_reached")
LIMITED = (429, "too_many_requests")
NO_FACTOR = (401, "insufficient_factors")
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


@pytest.fixture
async def ada(scenario: Scenario) -> AtSecondFactor:
    return await at_second_factor(await open_door(scenario, "saml"))


def told(answers: Iterable[Answer]) -> list[tuple[int, str]]:
    """Return how often which answer came, the good ones as (200, "")."""
    return sorted((each.status, each.json.get("error_type", "")) for each in answers)


async def at_once(ada: AtSecondFactor, path: str, bodies: Iterable[dict[str, Any]]) -> list[Answer]:
    """Send all of these at the same time."""
    call = ada.door.scenario.api.call
    return list(await asyncio.gather(*(call("POST", path, {**ada.who, **b}) for b in bodies)))


@pytest.mark.case("MF-01")
async def test_a_code_counts_once_within_its_step(ada: AtSecondFactor) -> None:
    app, _ = await ada.enrol()
    first, second = await ada.session(), await ada.session()
    code = app.code()
    await ada.good(AUTHENTICATE, code=code, **first)
    for session in (first, second):
        assert await ada.bad(AUTHENTICATE, code=code, **session) == USED
    ada.door.scenario.clock.advance(STEP)
    assert await ada.bad(AUTHENTICATE, code=code, **second) == USED
    ada.door.scenario.clock.advance(STEP)
    assert await ada.bad(AUTHENTICATE, code=code, **second) == WRONG


@pytest.mark.case("MF-01")
async def test_a_code_sent_many_times_at_once_counts_once(ada: AtSecondFactor) -> None:
    app, _ = await ada.enrol()
    sessions = [await ada.session() for _ in range(3)]
    bodies = [{"code": app.code(), **sessions[n % 3]} for n in range(9)]
    answers = await at_once(ada, AUTHENTICATE, bodies)
    assert told(answers) == [(200, ""), *[USED] * 8]


@pytest.mark.case("MF-02", reason="totp_code_already_authenticated")
async def test_a_code_written_otherwise_is_the_same_code(ada: AtSecondFactor) -> None:
    app, _ = await ada.enrol()
    session, code = await ada.session(), app.code()
    await ada.good(AUTHENTICATE, code=code.translate(FULL_WIDTH), **session)
    for written in (code, f" {code[:3]} {code[3:]}\n", code.translate(FULL_WIDTH)):
        assert await ada.bad(AUTHENTICATE, code=written, **session) == USED


@pytest.mark.case("MF-03")
async def test_an_older_step_does_not_count_after_a_newer_one(ada: AtSecondFactor) -> None:
    app, _ = await ada.enrol()
    ada.door.scenario.clock.advance(5 * STEP)
    session = await ada.session()
    before, present, next_one = (app.code(steps=steps) for steps in (-1, 0, 1))
    await ada.good(AUTHENTICATE, code=present, **session)
    assert await ada.bad(AUTHENTICATE, code=before, **session) == USED
    await ada.good(AUTHENTICATE, code=next_one, **session)
    assert await ada.bad(AUTHENTICATE, code=present, **session) == USED


@pytest.mark.case("MF-04")
async def test_the_code_of_the_enrolment_does_not_log_anybody_in(ada: AtSecondFactor) -> None:
    made = await ada.good(CREATE)
    app = Authenticator(ada.door.scenario.clock, made["secret"])
    code = app.code()
    await ada.good(AUTHENTICATE, code=code, set_mfa_enrollment="enroll", **await ada.session())
    waiting = await ada.waiting()
    assert await ada.bad(AUTHENTICATE, code=code, **waiting) == USED
    ada.door.scenario.clock.advance(STEP)
    await ada.good(AUTHENTICATE, code=app.code(), **waiting)


@pytest.mark.case("MF-07")
async def test_only_the_steps_around_the_present_count(ada: AtSecondFactor) -> None:
    app, _ = await ada.enrol()
    ada.door.scenario.clock.advance(5 * STEP)
    session = await ada.session()
    for steps in (-2, 2):
        assert await ada.bad(AUTHENTICATE, code=app.code(steps=steps), **session) == WRONG
    for steps in (-1, 0, 1):
        await ada.good(AUTHENTICATE, code=app.code(steps=steps), **session)


@pytest.mark.case("MF-05")
async def test_of_many_guesses_at_once_ten_are_judged(ada: AtSecondFactor) -> None:
    app, _ = await ada.enrol()
    waiting = [await ada.session() for _ in range(3)]
    bodies = [{"code": wrong(app.code(), n + 1), **waiting[n % 3]} for n in range(50)]
    answers = told(await at_once(ada, AUTHENTICATE, bodies))
    # Most do not come as far as the lock.
    assert answers == [*[WRONG] * 10, *[LIMITED] * 30, *[LOCKED] * 10]


@pytest.mark.case("MF-06")
async def test_a_locked_member_gets_in_by_no_way_until_the_lock_is_over(
    ada: AtSecondFactor,
) -> None:
    app, codes = await ada.enrol()
    clock, api = ada.door.scenario.clock, ada.door.scenario.api
    await api.good("PUT", ada.path, {"mfa_enrolled": True})
    waiting = await ada.waiting()
    for number in range(10):
        shown = (await ada.member())["is_locked"]
        assert shown is False
        assert await ada.bad(AUTHENTICATE, code=wrong(app.code(), number + 1), **waiting) == WRONG
    member = await ada.member()
    assert member["is_locked"] is True
    assert member["lock_created_at"] < member["lock_expires_at"]
    body = {**ada.who, "code": app.code(), **waiting}
    answer = await api.call("POST", AUTHENTICATE, body)
    assert (answer.status, answer.json["error_type"]) == LOCKED
    assert int(answer.headers["retry-after"]) == 3601
    assert await ada.bad(RECOVER, recovery_code=codes[0], **waiting) == LOCKED
    assert await ada.bad(CREATE) == LOCKED
    assert await ada.door.refused() == LOCKED
    clock.advance(HOUR)
    await ada.good(AUTHENTICATE, code=app.code(), **await ada.waiting())
    assert (await ada.member())["is_locked"] is False


@pytest.mark.case("MF-06")
async def test_codes_of_every_kind_count_together(ada: AtSecondFactor) -> None:
    app, codes = await ada.enrol()
    session = await ada.session()
    for _ in range(5):
        assert await ada.bad(AUTHENTICATE, code=wrong(app.code()), **session) == WRONG
        await ada.bad(RECOVER, recovery_code="abcd-abcd-abcd", **session)
    assert await ada.bad(AUTHENTICATE, code=app.code(), **session) == LOCKED
    assert await ada.bad(RECOVER, recovery_code=codes[0], **session) == LOCKED


@pytest.mark.case("MF-09")
async def test_a_recovery_code_sent_many_times_at_once_counts_once(ada: AtSecondFactor) -> None:
    _, codes = await ada.enrol()
    sessions = [await ada.session() for _ in range(4)]
    bodies = [{"recovery_code": codes[0], **sessions[n % 4]} for n in range(10)]
    answers = await at_once(ada, RECOVER, bodies)
    refused = (401, "unable_to_authenticate_recovery_code")
    assert told(answers) == [(200, ""), *[refused] * 9]


@pytest.mark.case("MF-10", verdict="holds")
async def test_nothing_readable_of_secrets_and_codes_is_stored(ada: AtSecondFactor) -> None:
    """The catalogue asks for hashes alone; `recovery_codes.get` has to show the codes again.

    So they are sealed like every other secret that is read back, and looked up by a keyed hash,
    which tells nothing without the key.
    """
    app, codes = await ada.enrol()
    async with ada.door.scenario.context.store.read() as tx:
        (kept,) = await tx.totps.all()
        rows = await tx.recovery_codes.all()
    assert len(rows) == len({row.code_hash for row in rows}) == 10
    stored = repr([kept, *rows])
    assert app.secret not in stored
    for code in codes:
        assert code not in stored
        assert code.replace("-", "") not in stored


@pytest.mark.case("MF-11")
async def test_each_code_is_refused_in_the_place_of_the_other(ada: AtSecondFactor) -> None:
    app, codes = await ada.enrol()
    session = await ada.session()
    used = (400, "recovery_code_used_as_totp_code")
    assert await ada.bad(AUTHENTICATE, code=codes[0], **session) == used
    assert await ada.bad(AUTHENTICATE, code="abcd-abcd-abcd", **session) == (
        400,
        "invalid_totp_code",
    )
    for code in (app.code(), wrong(app.code()), app.code().translate(FULL_WIDTH)):
        refused = await ada.bad(RECOVER, recovery_code=code, **session)
        assert refused == (400, "totp_code_used_as_recovery_code")
    # Neither is used up by it.
    await ada.good(AUTHENTICATE, code=app.code(), **session)
    await ada.good(RECOVER, recovery_code=codes[0], **session)


@pytest.mark.case("MF-12")
async def test_an_intermediate_session_is_a_session_nowhere(ada: AtSecondFactor) -> None:
    await ada.door.settings(mfa_policy="REQUIRED_FOR_ALL")
    waiting = (await ada.waiting())["intermediate_session_token"]
    before = await left(ada.door.scenario)
    api = ada.door.scenario.api
    values = {**ada.who, "connection_id": ada.door.connection_id}
    asked = 0
    for endpoint in endpoints():
        path, body = path_of(endpoint, values), {**full_body(endpoint), **ada.who}
        if isinstance(endpoint.access, Permission):
            headers = {"x-stytch-member-session": waiting}
            sent = None if endpoint.method in {"GET", "DELETE"} else body
            refused = await api.bad(endpoint.method, path, sent, headers=headers)
            assert refused == (404, "session_not_found"), endpoint.operation_id
            asked += 1
    assert asked >= 40
    for path, more in (
        ("/v1/b2b/sessions/authenticate", {}),
        ("/v1/b2b/sessions/exchange", {}),
        (AUTHENTICATE, {"code": "123456"}),
        (RECOVER, {"recovery_code": "abcd-abcd-abcd"}),
        (CREATE, {}),
    ):
        refused = await ada.bad(path, session_token=waiting, **more)
        assert refused == (404, "session_not_found"), path
        refused = await ada.bad(path, session_jwt=waiting, **more)
        assert refused == (400, "unable_to_parse_session_jwt"), path
    assert await left(ada.door.scenario) == before


@pytest.mark.case("MF-13")
async def test_nobody_finishes_what_somebody_else_has_begun(ada: AtSecondFactor) -> None:
    app, codes = await ada.enrol()
    door = ada.door
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    bob = await ada.waiting(subject="bob", email="bob@acme.test")
    other = await open_door(door.scenario, "saml", "Other")
    await other.settings(mfa_policy="REQUIRED_FOR_ALL")
    elsewhere = (await other.log_in())["intermediate_session_token"]
    there = {"intermediate_session_token": elsewhere}
    mismatch = (400, "member_session_member_id_mismatch")
    foreign = (400, "invalid_intermediate_session_token_for_organization")
    for proof, refused in ((bob, mismatch), (there, foreign)):
        assert await ada.bad(AUTHENTICATE, code=app.code(), **proof) == refused
        assert await ada.bad(RECOVER, recovery_code=codes[0], **proof) == refused
    # Named by the other organization, the member is not there.
    named = {"organization_id": other.organization_id, "code": app.code(), **there}
    body = {**ada.who, **named}
    gone = await door.scenario.api.bad("POST", AUTHENTICATE, body)
    assert gone == (404, "member_not_found")
    assert (await left(door.scenario)).intermediate_sessions == 2
    await ada.good(AUTHENTICATE, code=app.code(), **await ada.waiting())


@pytest.mark.case("MF-14", verdict="holds")
async def test_the_next_login_after_the_policy_asks_for_a_second_factor(
    ada: AtSecondFactor,
) -> None:
    before = await ada.session()
    await ada.door.settings(mfa_policy="REQUIRED_FOR_ALL")
    await ada.door.scenario.api.good("POST", "/v1/b2b/sessions/authenticate", before)
    result = await ada.door.log_in()
    assert result["member_authenticated"] is False
    assert result["mfa_required"]["member_options"] is None


@pytest.mark.case("MF-21")
async def test_a_member_gives_up_its_authenticator_only_with_its_proof(
    ada: AtSecondFactor,
) -> None:
    app, codes = await ada.enrol()
    session = await ada.session()
    scenario = ada.door.scenario
    me = SignedIn(
        scenario,
        ada.member_id,
        ada.door.organization_id,
        {"x-stytch-member-session": session["session_token"]},
    )
    assert await me.bad("DELETE", f"{ada.path}/totp") == NO_FACTOR
    await ada.good(AUTHENTICATE, code=app.code(), **session)
    await me.good("DELETE", f"{ada.path}/totp")
    # With the second factor of before, none that is made later is given up.
    scenario.clock.advance(STEP)
    fresh, codes = await ada.enrol(**await ada.session())
    assert await me.bad("DELETE", f"{ada.path}/totp") == NO_FACTOR
    assert fresh.secret != app.secret
    # Who has lost the phone has the codes.
    await ada.good(RECOVER, recovery_code=codes[0], **session)
    await me.good("DELETE", f"{ada.path}/totp")


@pytest.mark.case("MF-21")
async def test_who_has_a_phone_adds_an_authenticator_only_with_its_proof(
    ada: AtSecondFactor,
) -> None:
    phone, scenario = "+12025550162", ada.door.scenario
    async with scenario.context.store.write() as tx:
        verified = {"mfa_phone_number": phone, "mfa_phone_number_verified": True}
        await tx.members.change(verified, member_id=ada.member_id)
    session = await ada.session()
    nothing = await ada.bad(CREATE)
    assert nothing == (400, "session_enforced_factor_matching_session_required")
    assert await ada.bad(CREATE, **session) == NO_FACTOR
    await prove_phone(scenario, session["session_token"], "+12025550199")
    assert await ada.bad(CREATE, **session) == NO_FACTOR
    await prove_phone(scenario, session["session_token"], phone)
    await ada.good(CREATE, **session)


async def prove_phone(scenario: Scenario, token: str, phone: str) -> None:
    """Add an SMS code's factor to a session."""
    now, read = scenario.clock.now(), read_token(token)
    assert read is not None
    factor = Factor(
        type="otp",
        delivery_method="sms",
        details_name="phone_number_factor",
        details={"phone_id": f"phone {phone}", "phone_number": phone},
        sequence_order="SECONDARY",
        last_authenticated_at=now,
        created_at=now,
        updated_at=now,
    )
    async with scenario.context.store.write() as tx:
        session = await tx.sessions.find(token_id=read.token_id)
        assert session is not None
        await tx.sessions.change({"factors": (*session.factors, factor)}, token_id=read.token_id)


@pytest.mark.case("MF-23", verdict="holds")
@pytest.mark.parametrize("claims", [{"amr": ["pwd", "mfa", "otp"]}, {"acr": "phr"}])
async def test_what_a_provider_says_of_second_factors_counts_for_nothing(
    scenario: Scenario, claims: dict[str, Any]
) -> None:
    door = await open_door(scenario, "oidc", mfa_policy="REQUIRED_FOR_ALL")
    result = await door.log_in(**claims)
    assert result["member_authenticated"] is False
    assert result["mfa_required"] is not None


async def test_codes_of_another_member_open_nothing(ada: AtSecondFactor) -> None:
    app, codes = await ada.enrol()
    added = await ada.door.add_member("bob@acme.test")
    bob = AtSecondFactor(ada.door, added["member_id"])
    token = (await ada.door.log_in(subject="bob", email="bob@acme.test"))["session_token"]
    session = {"session_token": token}
    theirs, _ = await bob.enrol(**session)
    assert await bob.bad(AUTHENTICATE, code=app.code(), **session) == WRONG
    refused = await bob.bad(RECOVER, recovery_code=codes[0], **session)
    assert refused == (401, "unable_to_authenticate_recovery_code")
    await bob.good(AUTHENTICATE, code=theirs.code(), **session)


async def test_new_codes_are_given_at_once_to_one(ada: AtSecondFactor) -> None:
    await ada.enrol()
    answers = await at_once(ada, ROTATE, [{}] * 6)
    assert {answer.status for answer in answers} == {200}
    shown = await ada.door.scenario.api.good("GET", ada.codes_path)
    given = [answer.json["recovery_codes"] for answer in answers]
    assert shown["recovery_codes"] in given
    async with ada.door.scenario.context.store.read() as tx:
        assert await tx.recovery_codes.count() == 10


async def test_authenticators_made_at_once_leave_one(ada: AtSecondFactor) -> None:
    answers = await at_once(ada, CREATE, [{}] * 6)
    assert {answer.status for answer in answers} == {200}
    async with ada.door.scenario.context.store.read() as tx:
        (kept,) = await tx.totps.all()
    assert kept.totp_registration_id in {each.json["totp_registration_id"] for each in answers}
    assert kept.expires_at == ada.door.scenario.clock.now() + 60 * MINUTE
