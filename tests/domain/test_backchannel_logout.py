"""Back-channel logout ends exactly the sessions that a good logout token names (OI-52)."""

from typing import Any

import pytest

from tests.support import oidc_documents
from tests.support.asgi import Answer, call
from tests.support.doors import Door, open_door, open_external
from tests.support.oidc_documents import ABSENT, SECOND, rsa_signer
from tests.support.refusals import assert_page, left, traces
from tests.support.scenario import CLIENT_ID, ISSUER, Scenario
from vestibule import errors
from vestibule.clock import MINUTE

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def door(scenario: Scenario) -> Door:
    return await open_door(scenario, "oidc")


def logout_token(scenario: Scenario, **changes: Any) -> str:
    issued = scenario.clock.now() // SECOND
    good = {"iss": ISSUER, "aud": CLIENT_ID, "iat": issued, "exp": issued + 120, "sub": "ada"}
    claims = oidc_documents.logout_claims(**{**good, **changes})
    return oidc_documents.token(claims, header={"typ": "logout+jwt"})


async def send(door: Door, token: str) -> Answer:
    path = f"/v1/public/sso/backchannel_logout/{door.connection_id}"
    body = f"logout_token={token}".encode()
    return await call(door.scenario.app, "POST", path, headers=FORM, body=body)


async def log_out(door: Door, **changes: Any) -> None:
    answer = await send(door, logout_token(door.scenario, **changes))
    assert (answer.status, answer.body) == (200, b""), answer.text
    assert answer.headers["cache-control"] == "no-store"


async def alive(scenario: Scenario, *logins: dict[str, Any]) -> list[bool]:
    found = []
    for login in logins:
        body = {"session_token": login["session_token"]}
        answer = await scenario.api.call("POST", "/v1/b2b/sessions/authenticate", body)
        assert answer.status == 200 or answer.json["error_type"] == "session_not_found"
        found.append(answer.status == 200)
    return found


@pytest.mark.case("OI-52")
async def test_a_person_is_logged_out_everywhere_and_nobody_else(
    scenario: Scenario, door: Door
) -> None:
    other = Door(scenario, "oidc", await scenario.oidc_connection(door.organization_id))
    saml = Door(scenario, "saml", await scenario.saml_connection(door.organization_id))
    first, second = await door.log_in(), await door.log_in(sid="session-2")
    kept = [
        await door.log_in(subject="bob", email="bob@acme.test"),
        await other.log_in(),
        await saml.log_in(),
    ]
    assert len({login["member_id"] for login in (first, second, *kept)}) == 2
    await log_out(door)
    assert await alive(scenario, first, second) == [False, False]
    assert await alive(scenario, *kept) == [True, True, True]
    (trace,) = await traces(scenario, sign_in_id="")
    assert (trace.outcome, trace.steps[-1].received) == ("succeeded", "2 ended")


@pytest.mark.case("OI-52")
@pytest.mark.parametrize("named", [{"sid": "session-1"}, {"sid": "session-1", "sub": ABSENT}])
async def test_one_session_is_logged_out_and_no_other(
    scenario: Scenario, door: Door, named: dict[str, Any]
) -> None:
    ended = await door.log_in(sid="session-1")
    kept = [
        await door.log_in(sid="session-2"),
        await door.log_in(),
        await door.log_in(subject="bob", email="bob@acme.test", sid="session-3"),
    ]
    await log_out(door, **named)
    assert await alive(scenario, ended) == [False]
    assert await alive(scenario, *kept) == [True, True, True]


@pytest.mark.case("OI-52")
async def test_a_session_of_somebody_else_is_not_named_by_its_id(
    scenario: Scenario, door: Door
) -> None:
    bob = await door.log_in(subject="bob", email="bob@acme.test", sid="session-1")
    await door.log_in()
    await log_out(door, sid="session-1")
    assert await alive(scenario, bob) == [True]
    await log_out(door, sub="nobody", jti="logout-2")
    assert await alive(scenario, bob) == [True]


@pytest.mark.case("OI-52")
async def test_logout_reaches_the_organizations_that_refer_to_the_connection(
    scenario: Scenario, door: Door
) -> None:
    partner = await open_external(door)
    theirs, ours = await partner.log_in(sid="session-1"), await door.log_in(sid="session-2")
    assert theirs["organization_id"] != ours["organization_id"]
    await log_out(door, sid="session-1")
    assert await alive(scenario, theirs, ours) == [False, True]


@pytest.mark.case("OI-52")
async def test_what_is_not_a_session_yet_does_not_become_one(
    scenario: Scenario, door: Door
) -> None:
    ada, bob = await door.token(), await door.token(subject="bob", email="bob@acme.test")
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    waiting = await door.log_in()
    assert waiting["intermediate_session_token"]
    await log_out(door)
    assert (await left(scenario)).intermediate_sessions == 0
    body = {"sso_token": ada}
    refused = await scenario.api.bad("POST", "/v1/b2b/sso/authenticate", body)
    assert refused == (404, "sso_token_not_found")
    assert (await scenario.authenticate(bob))["member_id"]


@pytest.mark.case("OI-52")
async def test_a_token_is_good_once(scenario: Scenario, door: Door) -> None:
    await door.log_in()
    token = logout_token(scenario)
    assert (await send(door, token)).status == 200
    again = await door.log_in()
    before = len(await traces(scenario))
    answer = await send(door, token)
    assert_page(answer, errors.oidc_invalid_callback_request)
    found = await traces(scenario, outcome="failed")
    assert [trace.reason for trace in found] == ["oidc.logout.replay"]
    assert len(await traces(scenario)) == before + 1
    assert await alive(scenario, again) == [True]
    scenario.clock.advance(4 * MINUTE)
    assert_page(await send(door, token), errors.expired_oidc_response)


@pytest.mark.case("OI-52")
@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        ({"nonce": "n"}, errors.oidc_invalid_id_token, "oidc.nonce"),
        ({"events": ABSENT}, errors.oidc_invalid_callback_request, "oidc.logout"),
        ({"sub": ABSENT}, errors.oidc_invalid_callback_request, "oidc.logout"),
        ({"aud": "client-2"}, errors.oidc_invalid_id_token, "oidc.aud"),
        ({"iss": "https://evil.example"}, errors.oidc_invalid_id_token, "oidc.iss"),
        ({"jti": ABSENT}, errors.oidc_invalid_callback_request, "oidc.logout"),
    ],
)
async def test_a_token_that_is_not_good_ends_nothing(
    scenario: Scenario,
    door: Door,
    changes: dict[str, Any],
    error: errors.ErrorType,
    reason: str,
) -> None:
    login = await door.log_in()
    assert_page(await send(door, logout_token(scenario, **changes)), error)
    assert error.status == 400
    (trace,) = await traces(scenario, outcome="failed")
    assert trace.reason == reason
    assert await alive(scenario, login) == [True]


@pytest.mark.case("OI-52")
async def test_a_token_of_another_provider_ends_nothing(scenario: Scenario, door: Door) -> None:
    login = await door.log_in()
    claims = oidc_documents.logout_claims(iss=ISSUER, aud=CLIENT_ID, sub="ada")
    evil = oidc_documents.token(claims, signer=rsa_signer("evil"), header={"kid": "rsa-1"})
    assert_page(await send(door, evil), errors.oidc_invalid_id_token)
    (trace,) = await traces(scenario, outcome="failed")
    assert trace.reason == "oidc.sig"
    assert await alive(scenario, login) == [True]
