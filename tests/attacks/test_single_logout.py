"""Hostile logout messages through the whole server: nothing ends, and nobody is sent anywhere."""

import zlib
from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import urlencode

import pytest
from lxml import etree

from tests.support.asgi import Answer
from tests.support.refusals import assert_safe, traces
from tests.support.saml_keys import signer
from tests.support.scenario import Scenario
from tests.support.single_logout import ADA, Provider, answered, codes, provider
from vestibule import errors
from vestibule.clock import MINUTE
from vestibule.errors import ErrorType
from vestibule.saml.logout import LogoutStatus, logout_response
from vestibule.saml.request import post_fields

EVIL = "https://evil.example/"


@pytest.fixture
async def idp(scenario: Scenario) -> Provider:
    return await provider(scenario)


async def living(scenario: Scenario) -> int:
    async with scenario.context.store.read() as tx:
        return await tx.sessions.count(project_id=scenario.project.project_id)


async def assert_nothing_ended(
    scenario: Scenario, answer: Answer, *, error: ErrorType, reason: str, sessions: int = 1
) -> None:
    assert answer.status == error.status, answer.text
    assert "Sign-out did not work" in answer.text
    assert_safe(answer)
    assert "location" not in answer.headers
    (trace,) = [each for each in await traces(scenario) if each.trace_id in answer.text]
    assert (trace.outcome, trace.reason, trace.error_type) == ("failed", reason, error.name)
    assert await living(scenario) == sessions


def unsigned_query(message: bytes, parameter: str = "SAMLRequest") -> str:
    deflated = zlib.compress(message, wbits=-zlib.MAX_WBITS)
    return urlencode({parameter: b64encode(deflated).decode()})


@pytest.mark.case("SP-61")
async def test_sp_61_an_unsigned_request_ends_nothing(scenario: Scenario, idp: Provider) -> None:
    await idp.sign_in()
    missing = errors.missing_signature_saml_response
    by_redirect = await idp.visit(unsigned_query(idp.request()))
    await assert_nothing_ended(scenario, by_redirect, error=missing, reason="sig.missing")
    by_post = await idp.post_fields({"SAMLRequest": b64encode(idp.request()).decode()})
    await assert_nothing_ended(scenario, by_post, error=missing, reason="sig.missing")


@pytest.mark.case("SP-61")
@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        ({"key": "attacker"}, errors.invalid_signature_saml_response, "sig.value"),
        ({"issuer": EVIL}, errors.invalid_saml_response, "saml.issuer"),
        ({"destination": EVIL}, errors.invalid_saml_response, "saml.dest"),
        ({"not_on_or_after": 1}, errors.expired_saml_response, "saml.expired"),
        ({"issued_at": 1}, errors.expired_saml_response, "saml.expired"),
    ],
)
async def test_sp_61_a_request_that_is_not_good_ends_nothing(
    scenario: Scenario,
    idp: Provider,
    changes: dict[str, Any],
    error: ErrorType,
    reason: str,
) -> None:
    await idp.sign_in()
    values = {name: value for name, value in changes.items() if name != "key"}
    answer = await idp.redirect(idp.request(**values), key=changes.get("key"))
    await assert_nothing_ended(scenario, answer, error=error, reason=reason)


@pytest.mark.case("SP-61")
async def test_sp_61_a_request_works_once(scenario: Scenario, idp: Provider) -> None:
    message = idp.request()
    answered(await idp.redirect(message))
    scenario.clock.advance(MINUTE)
    await idp.sign_in()
    again = await idp.redirect(message)
    await assert_nothing_ended(
        scenario,
        again,
        error=errors.duplicate_saml_response,
        reason="duplicate_saml_response",
    )


@pytest.mark.case("SP-61", verdict="refused", reason="logout.unknown")
async def test_sp_61_a_name_of_another_connection_is_nobody_here(scenario: Scenario) -> None:
    here, there = await provider(scenario), await provider(scenario, organization="Beta")
    await there.sign_in(email="eve@beta.test")
    scenario.clock.advance(MINUTE)
    answer = await here.redirect(here.request(name_id="eve@beta.test"))
    assert codes(answered(answer)[0]) == ["Requester", "UnknownPrincipal"]
    assert (await traces(scenario))[-1].reason == "logout.unknown"
    assert await living(scenario) == 1


@pytest.mark.case("SP-61")
async def test_sp_61_a_request_for_one_connection_is_refused_at_another(
    scenario: Scenario,
) -> None:
    here, there = await provider(scenario), await provider(scenario, organization="Beta")
    await there.sign_in()
    message = here.request()
    answer = await there.redirect(message)
    await assert_nothing_ended(
        scenario, answer, error=errors.invalid_saml_response, reason="saml.dest"
    )


@pytest.mark.case("SP-63")
async def test_sp_63_a_forged_name_around_a_signed_request_ends_nothing(
    scenario: Scenario, idp: Provider
) -> None:
    await idp.sign_in()
    fields = post_fields(
        idp.request(name_id="eve@acme.test"),
        relay_state=None,
        key=signer("idp").key,
        certificate_pem=None,
    )
    signed = etree.fromstring(b64decode(fields["SAMLRequest"]))
    forged = etree.fromstring(idp.request(name_id=ADA))
    extensions = etree.SubElement(forged, "{urn:oasis:names:tc:SAML:2.0:protocol}Extensions")
    extensions.append(signed)
    answer = await idp.post_fields({"SAMLRequest": b64encode(etree.tostring(forged)).decode()})
    await assert_nothing_ended(
        scenario, answer, error=errors.invalid_saml_response, reason="saml.count"
    )


def sent_back(idp: Provider, *, in_response_to: str = "_ours", **changes: Any) -> bytes:
    values = {"status": LogoutStatus.SUCCESS, "issuer": "https://idp.example.com/metadata"}
    return logout_response(
        response_id="_response",
        issued_at=idp.scenario.clock.now(),
        destination=idp.logout_url,
        in_response_to=in_response_to,
        **{**values, **changes},
    )


@pytest.mark.case("SP-64")
@pytest.mark.parametrize("status", [LogoutStatus.SUCCESS, LogoutStatus.DENIED])
@pytest.mark.parametrize("relay_state", [EVIL, "//evil.example", "javascript:alert(1)"])
async def test_sp_64_an_unsolicited_response_never_leads_to_its_relay_state(
    scenario: Scenario, idp: Provider, status: LogoutStatus, relay_state: str
) -> None:
    await idp.sign_in()
    message = sent_back(idp, status=status)
    answers = [
        await idp.redirect(message, relay_state=relay_state, parameter="SAMLResponse"),
        await idp.post(message, relay_state=relay_state, parameter="SAMLResponse"),
        await idp.visit(f"{unsigned_query(message, 'SAMLResponse')}&RelayState=x"),
    ]
    for answer in answers:
        assert "evil" not in answer.text
        assert "javascript" not in answer.text
        await assert_nothing_ended(
            scenario, answer, error=errors.unsolicited_saml_response, reason="saml.irt"
        )


@pytest.mark.case("SP-65")
@pytest.mark.parametrize("indexes", [(), ("_session-1",), ("_other", "_session-1")])
async def test_sp_65_an_assertion_from_before_the_logout_begins_nothing(
    scenario: Scenario, idp: Provider, indexes: tuple[str, ...]
) -> None:
    await idp.sign_in(session_index="_another")
    late = idp.response()
    scenario.clock.advance(MINUTE)
    answered(await idp.redirect(idp.request(session_indexes=indexes)))
    before = await living(scenario)
    scenario.clock.advance(MINUTE)
    answer = await idp.post_response(late)
    assert answer.status == errors.expired_saml_response.status
    trace = (await traces(scenario))[-1]
    assert (trace.outcome, trace.reason) == ("failed", "expired_saml_response")
    assert "logged out" in trace.steps[-1].received
    assert await living(scenario) == before
    # Whoever signs in anew may.
    await idp.sign_in()


@pytest.mark.case("SP-65")
async def test_sp_65_another_session_of_the_same_person_goes_on(
    scenario: Scenario, idp: Provider
) -> None:
    await idp.sign_in()
    late = idp.response(session_index="_session-2")
    scenario.clock.advance(MINUTE)
    answered(await idp.redirect(idp.request(session_indexes=["_session-1"])))
    assert (await idp.post_response(late)).status == 303


@pytest.mark.case("SP-65")
async def test_sp_65_a_sign_in_begun_before_the_logout_does_not_outlive_it(
    scenario: Scenario, idp: Provider
) -> None:
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, idp.connection)
    scenario.clock.advance(MINUTE)
    await idp.redirect(idp.request())
    scenario.clock.advance(1)
    answer = await scenario.post_callback(browser, idp.connection, fields)
    assert answer.status == errors.expired_saml_response.status
    trace = (await traces(scenario))[-1]
    assert trace.reason == "expired_saml_response"
    scenario.clock.advance(MINUTE)
    await scenario.saml_token(idp.connection)


async def test_assertion_issued_after_the_logout_counts_whenever_the_person_was_asked(
    scenario: Scenario, idp: Provider
) -> None:
    begun = scenario.clock.now()
    scenario.clock.advance(MINUTE)
    await idp.redirect(idp.request())
    scenario.clock.advance(MINUTE)
    assert (await idp.post_response(idp.response(authenticated_at=begun))).status == 303


async def test_logout_is_remembered_again_when_it_happens_again(
    scenario: Scenario, idp: Provider
) -> None:
    await idp.sign_in()
    await idp.redirect(idp.request())
    scenario.clock.advance(10 * MINUTE)
    late = idp.response()
    scenario.clock.advance(MINUTE)
    await idp.redirect(idp.request())
    scenario.clock.advance(MINUTE)
    assert (await idp.post_response(late)).status == errors.expired_saml_response.status
