"""What a shared connection must not open: MT-01 to MT-04, MT-11, MT-15, MT-26."""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.support import oidc_documents
from tests.support.asgi import Answer, Browser
from tests.support.doors import Door, open_door, open_external
from tests.support.refusals import assert_refused, left
from tests.support.scenario import CLIENT_ID, ISSUER, Scenario, add_project
from vestibule import errors
from vestibule.clock import SECOND

AUTHENTICATE = "/v1/b2b/sso/authenticate"
CLOSED = {"sso_jit_provisioning": "NOT_ALLOWED", "email_invites": "ALL_ALLOWED"}
CLAIMED = (400, "action_not_allowed_email_domain_is_claimed")


@pytest.fixture(params=["saml", "oidc"])
async def owner(request: pytest.FixtureRequest, scenario: Scenario) -> Door:
    return await open_door(scenario, request.param, "Owner")


@pytest.fixture
async def user(owner: Door) -> Door:
    return await open_external(owner)


@pytest.mark.case("MT-01")
async def test_login_that_was_begun_with_the_owner_makes_no_session_elsewhere(
    owner: Door, user: Door
) -> None:
    victim = await user.add_member("victim@user.test")
    result = await owner.log_in(subject="attacker", email="victim@user.test")
    assert result["organization_id"] == owner.organization_id
    assert result["member_id"] != victim["member_id"]
    assert await user.member(victim["member_id"]) == victim


@pytest.mark.case("MT-03")
async def test_identity_of_the_owner_is_another_one_here(owner: Door, user: Door) -> None:
    """The registration belongs to the connection that was asked for, not to the one behind it."""
    theirs = await owner.log_in(subject="ada", email="ada@owner.test")
    mine = await user.log_in(subject="ada", email="eve@user.test")
    assert mine["organization_id"] == user.organization_id
    again = await owner.log_in(subject="ada", email="ada@owner.test")
    assert again["member_id"] == theirs["member_id"]
    assert again["member"]["email_address"] == "ada@owner.test"


@pytest.mark.case("MT-01")
@pytest.mark.parametrize("begun", ["owner", "user"])
async def test_what_an_identity_provider_says_of_organizations_means_nothing(
    owner: Door, user: Door, begun: str
) -> None:
    door, other = (owner, user) if begun == "owner" else (user, owner)
    said: dict[str, Any] = {
        "organization_id": other.organization_id,
        "connection_id": other.connection_id,
        "org_id": other.organization_id,
        "tid": other.organization_id,
        "https://stytch.com/organization": other.organization_id,
    }
    result = await door.log_in(**said)
    assert result["organization_id"] == door.organization_id
    (registration,) = result["member"]["sso_registrations"]
    assert registration["connection_id"] == door.connection_id
    assert result["member"]["trusted_metadata"] == {}
    async with door.scenario.context.store.read() as tx:
        assert await tx.members.count(organization_id=other.organization_id) == 0


# The answer to another request -----------------------------------------------------------------


async def begin(door: Door, browser: Browser) -> dict[str, str]:
    """Start a sign-in and return what was asked of the identity provider."""
    started = await door.scenario.start(browser, connection_id=door.connection_id)
    query = parse_qs(urlsplit(started.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}


async def answer_another(door: Door, other: Door) -> Answer:
    """Answer a sign-in of `other` with the state of one that was begun at `door`."""
    scenario, browser = door.scenario, door.scenario.browser()
    if door.protocol == "saml":
        mine = await scenario.saml_fields(browser, door.connection)
        theirs = await scenario.saml_fields(browser, other.connection)
        fields = {**theirs, "RelayState": mine["RelayState"]}
        return await scenario.post_callback(browser, door.connection, fields)
    mine, theirs = await begin(door, browser), await begin(other, browser)
    issued = scenario.clock.now() // SECOND
    scenario.provider.claims = oidc_documents.claims(
        iss=ISSUER,
        aud=CLIENT_ID,
        sub="ada",
        nonce=theirs["nonce"],
        email="ada@acme.test",
        name="Ada Lovelace",
        iat=issued,
        exp=issued + 300,
    )
    query = urlencode({"code": "code-1", "state": mine["state"]})
    return await browser.get(f"{urlsplit(door.connection['redirect_url']).path}?{query}")


@pytest.mark.case("MT-15")
@pytest.mark.parametrize("begun", ["owner", "user"])
async def test_answer_to_the_others_request_is_refused(owner: Door, user: Door, begun: str) -> None:
    """Both go to one address: who may not come in here must not enter by a login over there."""
    await owner.settings(**CLOSED)
    door, other = (owner, user) if begun == "owner" else (user, owner)
    answer = await answer_another(door, other)
    error, reason = {
        "saml": (errors.unsolicited_saml_response, "saml.irt"),
        "oidc": (errors.oidc_invalid_id_token, "oidc.nonce"),
    }[door.protocol]
    before = await left(door.scenario)
    trace = await assert_refused(door.scenario, answer, error=error, reason=reason, before=before)
    assert trace.connection_id == door.connection_id
    assert (before.sso_tokens, before.members, before.sessions) == (0, 0, 0)


@pytest.mark.case("SP-22")
async def test_answer_that_was_used_here_is_not_used_with_the_owner(scenario: Scenario) -> None:
    owner = await open_door(scenario, "saml", "Owner")
    user = await open_external(owner)
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, user.connection)
    await scenario.post_callback(browser, user.connection, fields)
    before = await left(scenario)
    answer = await scenario.post_callback(browser, owner.connection, fields)
    await assert_refused(
        scenario,
        answer,
        error=errors.duplicate_saml_response,
        reason="duplicate_saml_response",
        before=before,
        traces_before=1,
    )


@pytest.mark.case("MT-11")
@pytest.mark.parametrize("relay_state", ["connection_id", "organization_id", "url"])
async def test_unasked_answer_does_not_choose_where_it_lands(
    scenario: Scenario, relay_state: str
) -> None:
    """A RelayState of the identity provider's is data, never a locator."""
    owner = await open_door(scenario, "saml", "Owner")
    user = await open_external(owner)
    said = {
        "connection_id": user.connection_id,
        "organization_id": user.organization_id,
        "url": f"https://sso.example.test/v1/public/sso/start?connection_id={user.connection_id}",
    }[relay_state]
    unasked = scenario.saml_response(owner.connection, in_response_to=None)
    answer = await scenario.post_callback(
        scenario.browser(), owner.connection, {"SAMLResponse": unasked, "RelayState": said}
    )
    result = await scenario.authenticate(answer.headers["location"].rpartition("=")[2])
    assert result["organization_id"] == owner.organization_id


# Locators --------------------------------------------------------------------------------------


@pytest.mark.case("MT-11")
async def test_connection_and_organization_are_not_both_named(owner: Door, user: Door) -> None:
    for organization_id in (owner.organization_id, user.organization_id):
        started = await user.scenario.start(
            user.scenario.browser(),
            connection_id=user.connection_id,
            organization_id=organization_id,
        )
        assert started.status == 400
        assert "too_many_sso_connection_locators" in started.text


@pytest.mark.case("MT-26")
async def test_external_connection_of_another_project_is_not_started(user: Door) -> None:
    other = await add_project(user.scenario.app, user.scenario.context, name="other")
    started = await other.start(other.browser(), connection_id=user.connection_id)
    assert started.status == 404
    assert "sso_connection_not_found" in started.text
    token = {"sso_token": await user.token()}
    refused = await other.api.bad("POST", AUTHENTICATE, token)
    assert refused == (404, "sso_token_not_found")


# Sessions in the wrong hands -------------------------------------------------------------------


@pytest.mark.case("MT-04")
@pytest.mark.parametrize("proof", ["session_token", "session_jwt"])
async def test_session_of_the_owner_is_not_linked(owner: Door, user: Door, proof: str) -> None:
    there = await owner.log_in()
    result = await user.scenario.authenticate(await user.token(), **{proof: there[proof]})
    assert result["organization_id"] == user.organization_id
    assert result["session_token"] != there["session_token"]
    assert len(result["member_session"]["authentication_factors"]) == 1


@pytest.mark.case("MT-04")
async def test_intermediate_session_of_the_owner_is_refused(owner: Door, user: Door) -> None:
    await owner.settings(mfa_policy="REQUIRED_FOR_ALL")
    there = await owner.log_in()
    body = {
        "sso_token": await user.token(),
        "intermediate_session_token": there["intermediate_session_token"],
    }
    refused = await user.scenario.api.bad("POST", AUTHENTICATE, body)
    assert refused == (400, "invalid_intermediate_session_token_for_organization")


# Claimed domains -------------------------------------------------------------------------------


@pytest.mark.case("MT-02")
async def test_domain_that_the_owner_claims_is_the_owners_alone(owner: Door, user: Door) -> None:
    """A claim holds for shared connections too: such members are added before it, or not at all."""
    known = await user.add_member("old@claimed.test")
    await owner.settings(claimed_email_domains=["claimed.test"])
    assert await user.refused(subject="new", email="new@claimed.test") == CLAIMED
    result = await user.log_in(subject="old", email="old@claimed.test")
    assert result["member_id"] == known["member_id"]
