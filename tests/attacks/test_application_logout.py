"""Hostile answers to a logout that an application began: none counts, and none leads elsewhere."""

import asyncio
import zlib
from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from lxml import etree

from tests.support.application_logout import (
    GOODBYE,
    answer,
    begin,
    follow,
    register,
    request_of,
)
from tests.support.asgi import Answer
from tests.support.refusals import assert_safe, traces
from tests.support.saml_keys import signer
from tests.support.scenario import ISSUER, Scenario, add_project
from tests.support.single_logout import ADA, Provider, provider
from vestibule import errors
from vestibule.clock import MINUTE
from vestibule.domain.logouts import LIFE
from vestibule.errors import ErrorType
from vestibule.saml.logout import LogoutStatus
from vestibule.saml.request import post_fields

EVIL = "https://evil.example/"
RESPONSE = "SAMLResponse"


@pytest.fixture
async def idp(scenario: Scenario) -> Provider:
    await register(scenario)
    return await provider(scenario)


async def assert_refused(scenario: Scenario, got: Answer, *, error: ErrorType, reason: str) -> None:
    """The page says so, sends nobody anywhere, and the trace has the reason."""
    assert got.status == error.status, got.text
    assert "location" not in got.headers
    assert GOODBYE not in got.text
    assert_safe(got)
    (trace,) = [each for each in await traces(scenario) if each.trace_id in got.text]
    assert (trace.outcome, trace.reason, trace.error_type) == ("failed", reason, error.name)


async def still_open(scenario: Scenario) -> int:
    """Count the logouts that still wait for an answer."""
    async with scenario.context.store.read() as tx:
        return await tx.logouts.count(consumed_at=0)


@pytest.mark.case("SP-64")
@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"key": "attacker"}, (errors.invalid_signature_saml_response, "sig.value")),
        ({"issuer": EVIL}, (errors.invalid_saml_response, "saml.issuer")),
        ({"destination": EVIL}, (errors.invalid_saml_response, "saml.dest")),
        ({"issued_at": 1}, (errors.expired_saml_response, "saml.expired")),
        ({"in_response_to": "_other"}, (errors.unsolicited_saml_response, "saml.irt")),
        ({"in_response_to": ""}, (errors.unsolicited_saml_response, "saml.irt")),
    ],
)
@pytest.mark.parametrize("binding", ["redirect", "post"])
async def test_answer_that_is_not_good_uses_nothing_up(
    scenario: Scenario,
    idp: Provider,
    binding: str,
    changes: dict[str, Any],
    refusal: tuple[ErrorType, str],
) -> None:
    request_id = await request_of(idp, await idp.sign_in())
    values = {"in_response_to": request_id, **changes}
    key = values.pop("key", "idp")
    message = answer(idp, values.pop("in_response_to"), **values)
    sender = Provider(scenario, idp.connection, key=key)
    if binding == "redirect":
        got = await sender.redirect(message, parameter=RESPONSE)
    else:
        got = await sender.post(message, parameter=RESPONSE)
    await assert_refused(scenario, got, error=refusal[0], reason=refusal[1])
    assert await still_open(scenario) == 1
    # The real answer still counts.
    good = await idp.redirect(answer(idp, request_id), parameter=RESPONSE)
    assert (good.status, good.headers["location"]) == (303, GOODBYE)


@pytest.mark.case("SP-64")
async def test_unsigned_answer_is_refused(scenario: Scenario, idp: Provider) -> None:
    message = answer(idp, await request_of(idp, await idp.sign_in()))
    deflated = b64encode(zlib.compress(message, wbits=-zlib.MAX_WBITS)).decode()
    missing = errors.missing_signature_saml_response
    got = await idp.visit(urlencode({RESPONSE: deflated}))
    await assert_refused(scenario, got, error=missing, reason="sig.missing")
    got = await idp.post_fields({RESPONSE: b64encode(message).decode()})
    await assert_refused(scenario, got, error=missing, reason="sig.missing")
    assert await still_open(scenario) == 1


@pytest.mark.case("SP-64")
async def test_answer_counts_once(scenario: Scenario, idp: Provider) -> None:
    message = answer(idp, await request_of(idp, await idp.sign_in()))
    first = await idp.redirect(message, parameter=RESPONSE)
    assert first.headers["location"] == GOODBYE
    error = errors.duplicate_saml_response
    again = await idp.redirect(message, parameter=RESPONSE)
    await assert_refused(scenario, again, error=error, reason=error.name)
    another = await idp.post(
        answer(idp, str(etree.fromstring(message).get("InResponseTo"))), parameter=RESPONSE
    )
    await assert_refused(scenario, another, error=error, reason=error.name)


@pytest.mark.case("SP-64")
async def test_of_many_equal_answers_one_counts(scenario: Scenario, idp: Provider) -> None:
    message = answer(idp, await request_of(idp, await idp.sign_in()))
    got = await asyncio.gather(*(idp.redirect(message, parameter=RESPONSE) for _ in range(8)))
    assert sorted(each.status for each in got) == [303, *[400] * 7]


@pytest.mark.case("SP-64")
async def test_answer_after_its_time_is_refused(scenario: Scenario, idp: Provider) -> None:
    request_id = await request_of(idp, await idp.sign_in())
    scenario.clock.advance(LIFE)
    got = await idp.redirect(answer(idp, request_id), parameter=RESPONSE)
    error = errors.expired_saml_response
    await assert_refused(scenario, got, error=error, reason=error.name)


@pytest.mark.case("SP-64")
async def test_answer_of_another_connection_is_refused(scenario: Scenario) -> None:
    await register(scenario)
    here, there = await provider(scenario), await provider(scenario, organization="Beta")
    request_id = await request_of(here, await here.sign_in())
    # Both connections trust the same key of the same issuer: only the connection differs.
    got = await there.redirect(answer(there, request_id), parameter=RESPONSE)
    error = errors.unsolicited_saml_response
    await assert_refused(scenario, got, error=error, reason="saml.irt")
    got = await here.redirect(
        answer(here, request_id, destination=there.logout_url), parameter=RESPONSE
    )
    await assert_refused(scenario, got, error=errors.invalid_saml_response, reason="saml.dest")
    assert await still_open(scenario) == 1


@pytest.mark.case("SP-64")
@pytest.mark.parametrize("relay_state", [EVIL, "//evil.example", "javascript:alert(1)"])
async def test_relay_state_is_no_place_to_go(
    scenario: Scenario, idp: Provider, relay_state: str
) -> None:
    message = answer(idp, await request_of(idp, await idp.sign_in()))
    got = await idp.redirect(message, relay_state=relay_state, parameter=RESPONSE)
    assert got.headers["location"] == GOODBYE


@pytest.mark.case("SP-64")
async def test_signed_answer_inside_a_forged_one_is_refused(
    scenario: Scenario, idp: Provider
) -> None:
    first = await request_of(idp, await idp.sign_in())
    scenario.clock.advance(MINUTE)
    second = await request_of(idp, await idp.sign_in())
    fields = post_fields(
        answer(idp, first),
        relay_state=None,
        key=signer("idp").key,
        certificate_pem=None,
        parameter=RESPONSE,
    )
    signed = etree.fromstring(b64decode(fields[RESPONSE]))
    forged = etree.fromstring(answer(idp, second))
    etree.SubElement(forged, "{urn:oasis:names:tc:SAML:2.0:protocol}Extensions").append(signed)
    got = await idp.post_fields({RESPONSE: b64encode(etree.tostring(forged)).decode()})
    error = errors.invalid_saml_response
    await assert_refused(scenario, got, error=error, reason="saml.count")
    assert await still_open(scenario) == 2


@pytest.mark.case("SP-64")
async def test_request_is_not_taken_for_an_answer(scenario: Scenario, idp: Provider) -> None:
    request_id = await request_of(idp, await idp.sign_in())
    message = etree.fromstring(idp.request(name_id=ADA))
    message.set("InResponseTo", request_id)
    got = await idp.redirect(etree.tostring(message), parameter=RESPONSE)
    error = errors.invalid_saml_response
    await assert_refused(scenario, got, error=error, reason="saml.root")


# The URLs that carry it --------------------------------------------------------------------------


async def test_start_page_knows_only_its_own_tokens(scenario: Scenario) -> None:
    await register(scenario)
    here, there = await provider(scenario), await provider(scenario, organization="Beta")
    url = await begin(scenario, await here.sign_in())
    token = parse_qs(urlsplit(url).query)["token"][0]
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    guesses = [(here, each) for each in ("", "x", token[:-1], changed, token * 2)]
    for idp, each in (*guesses, (there, token)):
        got = await follow(scenario.browser(), f"{idp.logout_url}/start?token={each}")
        assert got.status == 404, each
        assert "logout_not_found" in got.text
        assert "location" not in got.headers


async def test_session_of_another_project_is_not_found(scenario: Scenario, idp: Provider) -> None:
    session = await idp.sign_in()
    other = await add_project(scenario.app, scenario.context, name="second")
    await register(other)
    body = {"session_token": session["session_token"]}
    refused = await other.api.bad("POST", "/v1/b2b/sso/logout/start", body)
    assert refused == (404, "session_not_found")
    async with scenario.context.store.read() as tx:
        assert await tx.sessions.count() == 1


async def test_redirect_url_of_another_project_is_no_place_to_go(
    scenario: Scenario, idp: Provider
) -> None:
    other = await add_project(scenario.app, scenario.context, name="second")
    await register(other, "https://other.example.test/bye")
    session = await idp.sign_in()
    body = {
        "session_token": session["session_token"],
        "logout_redirect_url": "https://other.example.test/bye",
    }
    refused = await scenario.api.bad("POST", "/v1/b2b/sso/logout/start", body)
    assert refused == (400, "no_match_for_provided_sso_url")


@pytest.mark.parametrize("query", ["", "state=", "state=x", "state=x&state=y", "error=x"])
async def test_return_from_an_openid_provider_needs_its_state(
    scenario: Scenario, query: str
) -> None:
    await register(scenario)
    organization = await scenario.organization()
    connection = await scenario.oidc_connection(organization["organization_id"])
    path = f"/v1/public/sso/logout/{connection['connection_id']}?{query}"
    got = await scenario.browser().get(path)
    assert got.status in {400, 404}
    assert "location" not in got.headers


async def test_return_from_an_openid_provider_counts_once(scenario: Scenario) -> None:
    await register(scenario)
    organization = await scenario.organization()
    connection = await scenario.oidc_connection(organization["organization_id"])
    settings = f"/v1/b2b/sso/acme/connections/{connection['connection_id']}/settings"
    await scenario.api.good("PUT", settings, {"end_session_url": f"{ISSUER}/logout"})
    session = await scenario.authenticate(await scenario.oidc_token(connection))
    sent = await follow(scenario.browser(), await begin(scenario, session))
    state = parse_qs(urlsplit(sent.headers["location"]).query)["state"][0]
    path = f"/v1/public/sso/logout/{connection['connection_id']}?state={state}"
    got = await scenario.browser().get(path)
    assert (got.status, got.headers["location"]) == (303, GOODBYE)
    scenario.clock.advance(MINUTE)
    again = await scenario.browser().get(path)
    await assert_refused(scenario, again, error=errors.logout_not_found, reason="logout_not_found")


@pytest.mark.case("SP-64")
async def test_refused_logout_leads_nowhere_but_to_the_registered_url(
    scenario: Scenario, idp: Provider
) -> None:
    request_id = await request_of(idp, await idp.sign_in())
    message = answer(idp, request_id, status=LogoutStatus.DENIED)
    got = await idp.redirect(message, relay_state=EVIL, parameter=RESPONSE)
    assert got.status == 200
    assert "location" not in got.headers
    assert "evil" not in got.text
    assert f'href="{GOODBYE}"' in got.text
    assert await still_open(scenario) == 0
