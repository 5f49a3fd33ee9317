"""The endpoints of recovery codes: every field, every refusal (semantics 4.5)."""

import re

import pytest

from tests.support.authenticators import (
    MIGRATE,
    RECOVER,
    ROTATE,
    AtSecondFactor,
    at_second_factor,
)
from tests.support.doors import open_door
from tests.support.scenario import Scenario
from vestibule.clock import MINUTE, rfc3339

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.fixture
async def ada(scenario: Scenario) -> AtSecondFactor:
    return await at_second_factor(await open_door(scenario, "saml"))


async def codes_of(ada: AtSecondFactor) -> list[str]:
    answer = await ada.door.scenario.api.good("GET", ada.codes_path)
    assert answer["member_id"] == answer["member"]["member_id"] == ada.member_id
    assert answer["organization"]["organization_id"] == ada.door.organization_id
    return list(answer["recovery_codes"])


async def test_a_code_stands_in_for_the_authenticator(ada: AtSecondFactor) -> None:
    _, codes = await ada.enrol()
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}", code) for code in codes)
    await ada.door.settings(mfa_policy="REQUIRED_FOR_ALL")
    seen = await ada.good(
        RECOVER,
        recovery_code=codes[3],
        session_duration_minutes=30,
        session_custom_claims={"via": "code"},
        telemetry_id="t-1",
        **await ada.waiting(),
    )
    assert seen["recovery_codes_remaining"] == 9
    assert seen["member_id"] == ada.member_id
    session = seen["member_session"]
    clock = ada.door.scenario.clock
    assert session["expires_at"] == rfc3339(clock.now() + 30 * MINUTE)
    assert session["custom_claims"] == {"via": "code"}
    factor = session["authentication_factors"][1]
    assert (factor["type"], factor["delivery_method"], factor["sequence_order"]) == (
        "recovery_codes",
        "recovery_code",
        "SECONDARY",
    )
    code_id = factor["recovery_code_factor"]["totp_recovery_code_id"]
    assert code_id.startswith("recovery-code-test-")
    assert await codes_of(ada) == [*codes[:3], *codes[4:]]


@pytest.mark.case("MF-09")
async def test_a_code_counts_once(ada: AtSecondFactor) -> None:
    _, codes = await ada.enrol()
    session = await ada.session()
    for left, code in zip(range(9, -1, -1), codes, strict=True):
        seen = await ada.good(RECOVER, recovery_code=code, **session)
        assert seen["recovery_codes_remaining"] == left
        if left:
            again = await ada.bad(RECOVER, recovery_code=code, **session)
            assert again == (401, "unable_to_authenticate_recovery_code")
    assert await codes_of(ada) == []
    none = await ada.bad(RECOVER, recovery_code=codes[0], **session)
    assert none == (404, "recovery_codes_not_found")


@pytest.mark.parametrize("change", [str.upper, lambda code: code.replace("-", " "), "  {} ".format])
async def test_a_code_may_be_typed_as_people_do(ada: AtSecondFactor, change: object) -> None:
    assert callable(change)
    _, codes = await ada.enrol()
    await ada.good(RECOVER, recovery_code=change(codes[0]), **await ada.session())


async def test_rotation_replaces_all_codes(ada: AtSecondFactor) -> None:
    _, codes = await ada.enrol()
    session = await ada.session()
    await ada.good(RECOVER, recovery_code=codes[0], **session)
    answer = await ada.good(ROTATE)
    assert answer["member_id"] == answer["member"]["member_id"] == ada.member_id
    assert answer["organization"]["organization_id"] == ada.door.organization_id
    fresh = answer["recovery_codes"]
    assert len(fresh) == 10
    assert set(fresh).isdisjoint(codes)
    assert await codes_of(ada) == fresh
    old = await ada.bad(RECOVER, recovery_code=codes[1], **session)
    assert old == (401, "unable_to_authenticate_recovery_code")
    await ada.good(RECOVER, recovery_code=fresh[1], **session)


async def test_without_an_authenticator_there_are_no_codes(ada: AtSecondFactor) -> None:
    api, session = ada.door.scenario.api, await ada.session()
    assert await api.bad("GET", ada.codes_path) == (404, "recovery_codes_not_found")
    assert await ada.bad(ROTATE) == (400, "no_active_recovery_code_backed_factor")
    refused = await ada.bad(RECOVER, recovery_code="abcd-efgh-ijkl", **session)
    assert refused == (404, "recovery_codes_not_found")
    # One that has not been proven yet backs nothing.
    made = await ada.good("/v1/b2b/totp")
    assert await api.bad("GET", ada.codes_path) == (404, "recovery_codes_not_found")
    assert await ada.bad(ROTATE) == (400, "no_active_recovery_code_backed_factor")
    refused = await ada.bad(RECOVER, recovery_code=made["recovery_codes"][0], **session)
    assert refused == (404, "recovery_codes_not_found")


async def test_what_cannot_be_a_code_is_told_apart(ada: AtSecondFactor) -> None:
    await ada.good(MIGRATE, secret=SECRET, recovery_codes=["Alt-Code-1", "Alt-Code-2"])
    session = await ada.session()
    for text in ("", "short", "x" * 65, "x" * 300):
        refused = await ada.bad(RECOVER, recovery_code=text, **session)
        assert refused == (400, "invalid_recovery_code")
    wrong = await ada.bad(RECOVER, recovery_code="alt-code-3", **session)
    assert wrong == (401, "unable_to_authenticate_recovery_code")
    assert await ada.bad(RECOVER, **session) == (400, "bad_request")
    assert await ada.bad(RECOVER, recovery_code="alt-code-1") == (400, "no_session_arguments")
    await ada.good(RECOVER, recovery_code="altcode1", **session)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_whose_they_are_has_to_be_known(ada: AtSecondFactor, method: str) -> None:
    await ada.enrol()
    for names, refused in (
        ({"organization_id": "nobody"}, (404, "organization_not_found")),
        ({"member_id": "nobody"}, (404, "member_not_found")),
    ):
        who = {**ada.who, **names}
        path = ROTATE
        if method == "GET":
            path = f"/v1/b2b/recovery_codes/{who['organization_id']}/{who['member_id']}"
        body = who if method == "POST" else None
        assert await ada.door.scenario.api.bad(method, path, body) == refused
