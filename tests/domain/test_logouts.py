"""Logouts that an application begins, through the whole server, up to the identity provider."""

import asyncio
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from lxml import etree
from msgspec.structs import replace

from tests.support.application_logout import (
    GOODBYE,
    START,
    asked,
    begin,
    follow,
    register,
)
from tests.support.asgi import Answer
from tests.support.doors import open_door, open_external
from tests.support.scenario import BASE_URL, CLIENT_ID, IDP_ENTITY, ISSUER, Scenario
from tests.support.second_opinions import xmlsec_accepts_query
from tests.support.single_logout import ADA, POST, SLO, Provider, provider
from vestibule.clock import MINUTE, SECOND, rfc3339
from vestibule.domain.logouts import LIFE
from vestibule.saml.xml import SAML, SAMLP

END_SESSION = f"{ISSUER}/logout?tenant=1"


@pytest.fixture
async def idp(scenario: Scenario) -> Provider:
    await register(scenario)
    return await provider(scenario)


async def lives(scenario: Scenario, session: dict[str, Any]) -> bool:
    answer = await scenario.api.call(
        "POST", "/v1/b2b/sessions/authenticate", {"session_token": session["session_token"]}
    )
    return answer.status == 200


# Towards a SAML identity provider ----------------------------------------------------------------


async def test_session_ends_at_once_and_the_browser_carries_a_signed_request(
    scenario: Scenario, idp: Provider
) -> None:
    session = await idp.sign_in()
    url = await begin(scenario, session)
    assert not await lives(scenario, session)
    assert url.startswith(f"{idp.logout_url}/start?token=")
    scenario.clock.advance(MINUTE)
    answer = await follow(scenario.browser(), url)
    request = asked(answer)
    assert request.tag == f"{{{SAMLP}}}LogoutRequest"
    assert request.findtext(f"{{{SAML}}}Issuer") == idp.connection["audience_uri"]
    assert request.get("Destination") == SLO
    assert request.get("IssueInstant") == rfc3339(scenario.clock.now())
    assert request.get("NotOnOrAfter") == rfc3339(scenario.clock.now() + 5 * MINUTE)
    (name_id,) = request.iter(f"{{{SAML}}}NameID")
    assert name_id.text == ADA
    assert name_id.get("Format") == "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
    assert [each.text for each in request.iter(f"{{{SAMLP}}}SessionIndex")] == ["_session-1"]
    signed, _, signature = urlsplit(answer.headers["location"]).query.partition("&Signature=")
    pem = idp.connection["signing_certificates"][0]["certificate"]
    assert xmlsec_accepts_query(signed, pem, b64decode(unquote(signature)))


async def test_request_leaves_by_post_where_the_metadata_says_so(scenario: Scenario) -> None:
    await register(scenario)
    idp = await provider(scenario, binding=POST)
    page = await follow(scenario.browser(), await begin(scenario, await idp.sign_in()))
    assert page.status == 200
    assert "Signing you out" in page.text
    (form,) = etree.fromstring(page.text, etree.HTMLParser()).iter("form")
    assert form.get("action") == SLO
    fields = {each.get("name"): each.get("value") for each in form.iter("input")}
    assert fields.keys() == {"SAMLRequest"}
    request = etree.fromstring(b64decode(fields["SAMLRequest"] or ""))
    assert request.tag == f"{{{SAMLP}}}LogoutRequest"
    assert request.find("{http://www.w3.org/2000/09/xmldsig#}Signature") is not None


async def test_sessions_of_the_same_login_end_and_others_go_on(
    scenario: Scenario, idp: Provider
) -> None:
    mine, twin = await idp.sign_in(), await idp.sign_in()
    other = await idp.sign_in(session_index="_session-2")
    waiting = await idp.token()
    stranger = await idp.sign_in(email="bob@acme.test")
    await begin(scenario, mine)
    sessions = (mine, twin, other, stranger)
    assert [await lives(scenario, each) for each in sessions] == [False, False, True, True]
    late = await scenario.api.bad("POST", "/v1/b2b/sso/authenticate", {"sso_token": waiting})
    assert late == (404, "sso_token_not_found")


async def test_without_a_session_index_every_session_of_the_person_ends(
    scenario: Scenario, idp: Provider
) -> None:
    mine = await idp.sign_in(session_index=None)
    other = await idp.sign_in(session_index="_session-2")
    request = asked(await follow(scenario.browser(), await begin(scenario, mine)))
    assert list(request.iter(f"{{{SAMLP}}}SessionIndex")) == []
    assert not await lives(scenario, other)


@pytest.mark.case("SP-65")
async def test_assertion_from_before_the_logout_begins_nothing(
    scenario: Scenario, idp: Provider
) -> None:
    session = await idp.sign_in()
    late = idp.response()
    scenario.clock.advance(MINUTE)
    await begin(scenario, session)
    scenario.clock.advance(MINUTE)
    answer = await idp.post_response(late)
    assert answer.status == 400
    assert "expired_saml_response" in answer.text
    await idp.sign_in()


async def test_page_may_be_visited_again_until_its_time_is_over(
    scenario: Scenario, idp: Provider
) -> None:
    url = await begin(scenario, await idp.sign_in())
    first = asked(await follow(scenario.browser(), url))
    scenario.clock.advance(LIFE - 1)
    second = asked(await follow(scenario.browser(), url))
    assert first.get("ID") == second.get("ID")
    scenario.clock.advance(1)
    answer = await follow(scenario.browser(), url)
    assert answer.status == 404
    assert "logout_not_found" in answer.text
    assert "Signed out here only" in answer.text


async def test_connection_that_has_no_logout_any_more_leads_straight_to_the_end(
    scenario: Scenario, idp: Provider
) -> None:
    url = await begin(scenario, await idp.sign_in())
    path = f"/v1/b2b/sso/saml/acme/connections/{idp.connection['connection_id']}"
    await scenario.api.good("PUT", path, {"idp_entity_id": "https://new.example.com"})
    answer = await follow(scenario.browser(), url)
    assert (answer.status, answer.headers["location"]) == (302, GOODBYE)


# Where nobody is told ----------------------------------------------------------------------------


async def test_connection_without_a_logout_address_ends_here(scenario: Scenario) -> None:
    await register(scenario)
    idp = await provider(scenario, logout=False)
    mine, twin = await idp.sign_in(), await idp.sign_in()
    assert await begin(scenario, mine) == GOODBYE
    assert [await lives(scenario, each) for each in (mine, twin)] == [False, True]


async def test_deleted_connection_is_not_told(scenario: Scenario, idp: Provider) -> None:
    session = await idp.sign_in()
    scenario.clock.advance(SECOND)
    other = await scenario.oidc_connection(idp.connection["organization_id"])
    token = await scenario.oidc_token(other)
    await scenario.authenticate(token, session_token=session["session_token"])
    path = f"/v1/b2b/organizations/{idp.connection['organization_id']}"
    await scenario.api.good("PUT", path, {"sso_default_connection_id": other["connection_id"]})
    path = f"/v1/b2b/sso/acme/connections/{idp.connection['connection_id']}"
    await scenario.api.good("DELETE", path)
    assert await begin(scenario, session) == GOODBYE


async def test_logout_goes_with_its_connection(scenario: Scenario, idp: Provider) -> None:
    url = await begin(scenario, await idp.sign_in())
    path = f"/v1/b2b/sso/acme/connections/{idp.connection['connection_id']}"
    await scenario.api.good("DELETE", path)
    assert (await follow(scenario.browser(), url)).status == 404


async def test_factor_of_no_identity_provider_is_told_to_nobody(
    scenario: Scenario, idp: Provider
) -> None:
    session = await idp.sign_in()
    async with scenario.context.store.write() as tx:
        (stored,) = await tx.sessions.all()
        (factor,) = stored.factors
        code = replace(factor, type="otp", delivery_method="sms", details={}, name_id="")
        await tx.sessions.update(replace(stored, factors=(code,)))
    assert await begin(scenario, session) == GOODBYE
    assert not await lives(scenario, session)


# The other identity provider ---------------------------------------------------------------------


async def oidc(scenario: Scenario) -> dict[str, Any]:
    """Make an OIDC connection whose provider has a place for logouts."""
    await register(scenario)
    organization = await scenario.organization()
    connection = await scenario.oidc_connection(organization["organization_id"])
    path = f"/v1/b2b/sso/acme/connections/{connection['connection_id']}/settings"
    await scenario.api.good("PUT", path, {"end_session_url": END_SESSION})
    return connection


def query_of(answer: Answer) -> dict[str, list[str]]:
    assert answer.status == 302, answer.text
    assert answer.headers["location"].startswith(f"{END_SESSION}&")
    return parse_qs(urlsplit(answer.headers["location"]).query)


async def test_openid_provider_is_asked_with_the_id_token_it_gave_out(scenario: Scenario) -> None:
    connection = await oidc(scenario)
    session = await scenario.authenticate(await scenario.oidc_token(connection))
    url = await begin(scenario, session)
    assert not await lives(scenario, session)
    query = query_of(await follow(scenario.browser(), url))
    back = f"{BASE_URL}/v1/public/sso/logout/{connection['connection_id']}"
    assert query["post_logout_redirect_uri"] == [back]
    assert query["client_id"] == [CLIENT_ID]
    assert query["state"] == [parse_qs(urlsplit(url).query)["token"][0]]
    assert query["id_token_hint"][0].count(".") == 2


async def test_id_token_of_another_client_is_no_hint(scenario: Scenario) -> None:
    connection = await oidc(scenario)
    session = await scenario.authenticate(await scenario.oidc_token(connection))
    path = f"/v1/b2b/sso/oidc/acme/connections/{connection['connection_id']}"
    await scenario.api.good("PUT", path, {"client_id": "client-2"})
    query = query_of(await follow(scenario.browser(), await begin(scenario, session)))
    assert query["client_id"] == ["client-2"]
    assert "id_token_hint" not in query


async def test_newest_identity_provider_that_can_be_told_is_told(scenario: Scenario) -> None:
    """A session of two logins goes by the later one that has a logout at all."""
    connection = await oidc(scenario)
    first = await scenario.authenticate(await scenario.oidc_token(connection))
    scenario.clock.advance(SECOND)
    silent = await scenario.saml_connection(connection["organization_id"])
    token = await scenario.saml_token(silent)
    both = await scenario.authenticate(token, session_token=first["session_token"])
    assert len(both["member_session"]["authentication_factors"]) == 2
    assert "client_id" in query_of(await follow(scenario.browser(), await begin(scenario, both)))


async def test_of_two_identity_providers_the_later_one_is_told(
    scenario: Scenario, idp: Provider
) -> None:
    other = await scenario.oidc_connection(idp.connection["organization_id"])
    path = f"/v1/b2b/sso/acme/connections/{other['connection_id']}/settings"
    await scenario.api.good("PUT", path, {"end_session_url": END_SESSION})

    async def by_oidc(**session: str) -> dict[str, Any]:
        token = await scenario.oidc_token(other)
        return await scenario.authenticate(token, **session)

    for later in ("oidc", "saml"):
        scenario.clock.advance(MINUTE)
        first = await idp.sign_in() if later == "oidc" else await by_oidc()
        scenario.clock.advance(SECOND)
        linked = {"session_token": first["session_token"]}
        if later == "oidc":
            both = await by_oidc(**linked)
        else:
            both = await scenario.authenticate(await idp.token(), **linked)
        sent = await follow(scenario.browser(), await begin(scenario, both))
        wanted = END_SESSION if later == "oidc" else SLO
        assert sent.headers["location"].startswith(wanted)


async def test_provider_of_an_external_connection_is_asked_for_its_owner(
    scenario: Scenario,
) -> None:
    await register(scenario)
    owner = await open_door(scenario, "saml", "Owner")
    settings = {"idp_slo_url": SLO, "idp_slo_binding": "redirect"}
    path = f"/v1/b2b/sso/owner/connections/{owner.connection_id}/settings"
    await scenario.api.good("PUT", path, settings)
    scenario.clock.advance(SECOND)
    user = await open_external(owner)
    session = await scenario.authenticate(await user.token())
    assert session["organization_id"] == user.organization_id
    url = await begin(scenario, session)
    assert f"/{owner.connection_id}/start" in url
    request = asked(await follow(scenario.browser(), url))
    assert request.findtext(f"{{{SAML}}}Issuer") == owner.connection["audience_uri"]
    # And the owner's identity provider can end the sessions of the organizations that use it.
    scenario.clock.advance(MINUTE)
    again = await scenario.authenticate(await user.token())
    owned = Provider(scenario, owner.connection, issuer=IDP_ENTITY)
    scenario.clock.advance(SECOND)
    await owned.redirect(owned.request(name_id="ada"))
    assert not await lives(scenario, again)


# The call ----------------------------------------------------------------------------------------


async def test_session_jwt_will_do(scenario: Scenario, idp: Provider) -> None:
    session = await idp.sign_in()
    body = {"session_jwt": session["session_jwt"]}
    assert (await scenario.api.good("POST", START, body))["logout_url"].startswith(idp.logout_url)
    assert not await lives(scenario, session)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"session_token": None}, (400, "no_session_arguments")),
        ({"session_jwt": "x"}, (400, "too_many_session_arguments")),
        ({"session_token": "x"}, (400, "invalid_session_token")),
        ({"logout_redirect_url": "javascript:x"}, (400, "invalid_logout_redirect_url")),
        (
            {"logout_redirect_url": "https://evil.example/"},
            (400, "no_match_for_provided_sso_url"),
        ),
        # It is registered, but for logins.
        (
            {"logout_redirect_url": "https://app.example.test/callback"},
            (400, "no_match_for_provided_sso_url"),
        ),
        ({"logout_redirect_url": f"{GOODBYE}?a=b"}, (400, "query_params_do_not_match")),
    ],
)
async def test_call_that_cannot_be_answered_ends_nothing(
    scenario: Scenario, idp: Provider, changes: dict[str, Any], refusal: tuple[int, str]
) -> None:
    session = await idp.sign_in()
    body = {"session_token": session["session_token"], **changes}
    assert await scenario.api.bad("POST", START, body) == refusal
    assert await lives(scenario, session)


async def test_of_many_equal_calls_one_begins_the_logout(scenario: Scenario, idp: Provider) -> None:
    session = await idp.sign_in()
    body = {"session_token": session["session_token"]}
    calls = (scenario.api.call("POST", START, body) for _ in range(8))
    answers = await asyncio.gather(*calls)
    assert sorted(each.status for each in answers) == [200, *[404] * 7]
    async with scenario.context.store.read() as tx:
        assert await tx.logouts.count() == 1


async def test_session_that_has_ended_is_not_found(scenario: Scenario, idp: Provider) -> None:
    session = await idp.sign_in()
    await begin(scenario, session)
    body = {"session_token": session["session_token"]}
    assert await scenario.api.bad("POST", START, body) == (404, "session_not_found")


async def test_without_a_registered_url_nothing_ends(scenario: Scenario) -> None:
    idp = await provider(scenario)
    session = await idp.sign_in()
    body = {"session_token": session["session_token"]}
    refused = await scenario.api.bad("POST", START, body)
    assert refused == (400, "no_logout_redirect_urls_set")
    await register(scenario, f"{GOODBYE}?to={{}}")
    refused = await scenario.api.bad("POST", START, body)
    assert refused == (400, "no_default_logout_redirect_url_set")
    assert await lives(scenario, session)
    url = await begin(scenario, session, logout_redirect_url=f"{GOODBYE}?to=home")
    assert url.startswith(idp.logout_url)
