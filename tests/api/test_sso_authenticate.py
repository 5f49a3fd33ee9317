"""The endpoint `sso.authenticate` as the wire shows it (contract f, semantics 2.4)."""

from typing import Any

import pytest

from tests.support.doors import Door, open_door
from tests.support.refusals import left
from tests.support.scenario import Scenario
from vestibule.api.objects.sessions import LOCALES
from vestibule.clock import MINUTE, rfc3339

PATH = "/v1/b2b/sso/authenticate"
FIELDS = {
    "status_code",
    "request_id",
    "member_id",
    "organization_id",
    "member",
    "organization",
    "member_authenticated",
    "session_token",
    "session_jwt",
    "member_session",
    "intermediate_session_token",
    "intermediate_session_token_expires_at",
    "mfa_required",
    "primary_required",
    "reset_session",
    "member_device",
}


@pytest.fixture(params=["saml", "oidc"])
async def door(request: pytest.FixtureRequest, scenario: Scenario) -> Door:
    return await open_door(scenario, request.param)


async def test_a_full_login_has_every_field(door: Door) -> None:
    result = await door.log_in()
    assert result.keys() == FIELDS
    assert result["status_code"] == 200
    assert result["member_id"] == result["member"]["member_id"]
    assert result["organization_id"] == door.organization_id
    assert result["organization"]["organization_id"] == door.organization_id
    assert result["member_authenticated"] is True
    assert len(result["session_token"]) == 64
    assert result["session_jwt"].count(".") == 2
    assert result["intermediate_session_token"] == ""
    assert result["reset_session"] is False
    nothing = (
        "intermediate_session_token_expires_at",
        "mfa_required",
        "primary_required",
        "member_device",
    )
    assert [result[name] for name in nothing] == [None] * 4


async def test_a_login_that_waits_has_every_field(door: Door) -> None:
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    assert (await door.log_in()).keys() == FIELDS


async def test_the_session_is_as_it_was_asked_for(door: Door) -> None:
    result = await door.scenario.authenticate(
        await door.token(),
        session_duration_minutes=5,
        session_custom_claims={"plan": {"tier": "gold"}, "none": None, "iss": "evil"},
        telemetry_id="telemetry-1",
        locale="pt-br",
        session_token=None,
        session_jwt="",
        unknown_field="is ignored",
    )
    session = result["member_session"]
    assert session["expires_at"] == rfc3339(door.scenario.clock.now() + 5 * MINUTE)
    assert session["custom_claims"] == {"plan": {"tier": "gold"}}
    default = await door.log_in()
    ends = rfc3339(door.scenario.clock.now() + 60 * MINUTE)
    assert default["member_session"]["expires_at"] == ends


async def test_a_locale_is_one_of_the_list(door: Door) -> None:
    for locale in sorted(LOCALES):
        await door.scenario.authenticate(await door.token(), locale=locale)
    token = await door.token()
    for locale in ("EN", "de", "", "xx"):
        refused = await door.scenario.api.bad("POST", PATH, {"sso_token": token, "locale": locale})
        assert refused == (400, "invalid_locale")
    await door.scenario.authenticate(token, locale=None)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"sso_token": None},
        {"sso_token": 7},
        {"session_token": 7},
        {"session_jwt": []},
        {"session_custom_claims": []},
        {"session_custom_claims": "x"},
        {"session_duration_minutes": "5"},
        {"pkce_code_verifier": {}},
        {"intermediate_session_token": 1},
        {"locale": 1},
    ],
)
async def test_a_field_of_another_type_is_named_and_uses_nothing_up(
    door: Door, body: dict[str, Any]
) -> None:
    token = await door.token()
    sent = body if not body or "sso_token" in body else {"sso_token": token, **body}
    answer = await door.scenario.api.call("POST", PATH, sent)
    assert (answer.status, answer.json["error_type"]) == (400, "bad_request")
    assert next(iter(body), "sso_token") in answer.json["error_message"]
    assert (await left(door.scenario)).sessions == 0
    await door.scenario.authenticate(token)
