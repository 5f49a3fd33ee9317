"""Each setting of a SAML connection, on and off, through the whole server."""

import zlib
from base64 import b64decode
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import etree
from structlog.testing import capture_logs

from tests.support.asgi import Answer, Browser
from tests.support.doors import Door, open_external
from tests.support.refusals import Left, assert_refused, left, traces
from tests.support.saml_documents import (
    INCLUSIVE,
    Edit,
    Signature,
    Signed,
    document,
    find,
    response_element,
)
from tests.support.saml_documents import form_field as encoded
from tests.support.saml_encryption import AES_CBC, Encryption
from tests.support.saml_keys import certificate, signer
from tests.support.scenario import IDP_ENTITY, IDP_SSO, Scenario, token_of
from vestibule import errors
from vestibule.clock import MINUTE, SECOND, rfc3339
from vestibule.saml.keys import private_key_pem
from vestibule.saml.times import read_instant
from vestibule.saml.xml import SAML, SAMLP

PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
SMARTCARD = "urn:oasis:names:tc:SAML:2.0:ac:classes:Smartcard"
_assertions = count(1)
GATEWAY = "https://gateway.example.test/acs"


async def change(scenario: Scenario, connection: dict[str, Any], **settings: Any) -> None:
    """Change settings of a connection."""
    path = f"/v1/b2b/sso/acme/connections/{connection['connection_id']}/settings"
    await scenario.api.good("PUT", path, settings)


async def update(scenario: Scenario, connection: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Change fields of the connection object."""
    path = f"/v1/b2b/sso/saml/acme/connections/{connection['connection_id']}"
    return dict((await scenario.api.good("PUT", path, fields))["connection"])


@pytest.fixture
async def connection(scenario: Scenario) -> dict[str, Any]:
    organization = await scenario.organization()
    return await scenario.saml_connection(organization["organization_id"])


@dataclass
class Begun:
    """A sign-in that waits for the identity provider's answer."""

    scenario: Scenario
    connection: dict[str, Any]
    browser: Browser
    request: etree._Element
    relay_state: str

    def response(self, how: "How") -> str:
        """Return what the identity provider would post."""
        root = response_element(
            issuer=IDP_ENTITY,
            acs=how.acs or self.connection["acs_url"],
            audience=self.connection["audience_uri"],
            in_response_to=self.request.get("ID"),
            now=self.scenario.clock.now(),
            assertion_id=f"_settings-{next(_assertions)}",
        )
        tree = document(
            sign=how.sign,
            before=how.before,
            signature=how.signature,
            encryption=how.encryption,
            root=root,
        )
        return encoded(tree)

    async def answer(self, how: "How") -> Answer:
        """Bring the answer in the browser that began."""
        fields = {"SAMLResponse": self.response(how), "RelayState": self.relay_state}
        return await self.scenario.post_callback(self.browser, self.connection, fields)


def _as_it_is(_: etree._Element) -> None:
    """Change nothing."""


@dataclass(frozen=True, kw_only=True)
class How:
    """How the identity provider answers; as usual unless a test says otherwise."""

    sign: Signed = "assertion"
    before: Edit = _as_it_is
    signature: Signature = field(default_factory=Signature)
    encryption: Encryption | None = None
    acs: str = ""


async def begin(scenario: Scenario, connection: dict[str, Any]) -> Begun:
    browser = scenario.browser()
    started = await scenario.start(browser, connection_id=connection["connection_id"])
    query = parse_qs(urlsplit(started.headers["location"]).query)
    request = zlib.decompress(b64decode(query["SAMLRequest"][0]), wbits=-zlib.MAX_WBITS)
    return Begun(scenario, connection, browser, etree.fromstring(request), query["RelayState"][0])


async def sign_in(scenario: Scenario, connection: dict[str, Any], how: How) -> Answer:
    return await (await begin(scenario, connection)).answer(how)


def encrypted(**how: Any) -> Encryption:
    return Encryption(certificate_pem=signer("service").pem, **how)


def without_authn_statement(root: etree._Element) -> None:
    statement = find(root, "saml:AuthnStatement")
    find(root, "saml:Assertion").remove(statement)


@dataclass(frozen=True, kw_only=True)
class Case:
    """An answer that passes with one value of a setting and is refused with the other."""

    setting: str
    passes: bool
    how: How
    error: errors.ErrorType
    reason: str


CASES = (
    Case(
        setting="require_signed_response",
        passes=False,
        how=How(sign="assertion"),
        error=errors.invalid_signature_saml_response,
        reason="sig.policy",
    ),
    Case(
        setting="require_signed_assertion",
        passes=False,
        how=How(sign="response"),
        error=errors.invalid_signature_saml_response,
        reason="sig.policy",
    ),
    Case(
        setting="require_encryption",
        passes=False,
        how=How(),
        error=errors.invalid_signature_saml_response,
        reason="enc.required",
    ),
    Case(
        setting="allow_cbc",
        passes=True,
        how=How(encryption=encrypted(cipher=AES_CBC), sign="both"),
        error=errors.invalid_signature_saml_response,
        reason="enc.alg",
    ),
    Case(
        setting="allow_inclusive_c14n",
        passes=True,
        how=How(signature=Signature(c14n=INCLUSIVE), sign="response"),
        error=errors.invalid_signature_saml_response,
        reason="sig.c14n",
    ),
    Case(
        setting="allow_missing_authn_statement",
        passes=True,
        how=How(before=without_authn_statement),
        error=errors.invalid_saml_response,
        reason="saml.authn",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.setting)
async def test_setting_decides_whether_the_answer_passes(
    scenario: Scenario, connection: dict[str, Any], case: Case
) -> None:
    key = private_key_pem(signer("service").key)
    await update(scenario, connection, saml_encryption_private_key=key)
    await change(scenario, connection, **{case.setting: not case.passes})
    refused = await sign_in(scenario, connection, case.how)
    trace = await assert_refused(scenario, refused, error=case.error, reason=case.reason)
    assert trace.steps[-1].fix
    await change(scenario, connection, **{case.setting: case.passes})
    assert token_of(await sign_in(scenario, connection, case.how))


@pytest.mark.parametrize(
    ("setting", "how"),
    [
        ("require_signed_response", How(sign="response")),
        ("require_signed_response", How(sign="both")),
        ("require_signed_assertion", How(sign="both")),
        ("require_encryption", How(encryption=encrypted())),
    ],
)
async def test_demand_that_is_met_passes(
    scenario: Scenario, connection: dict[str, Any], setting: str, how: How
) -> None:
    key = private_key_pem(signer("service").key)
    await update(scenario, connection, saml_encryption_private_key=key)
    await change(scenario, connection, **{setting: True})
    assert token_of(await sign_in(scenario, connection, how))


# Tolerated ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "how", "warning"),
    [
        ("allow_cbc", How(encryption=encrypted(cipher=AES_CBC), sign="both"), "enc.cbc"),
        ("allow_missing_authn_statement", How(before=without_authn_statement), "authn.missing"),
    ],
)
async def test_what_is_tolerated_is_logged_and_stands_in_the_trace(
    scenario: Scenario, connection: dict[str, Any], setting: str, how: How, warning: str
) -> None:
    key = private_key_pem(signer("service").key)
    await update(scenario, connection, saml_encryption_private_key=key)
    await change(scenario, connection, **{setting: True})
    with capture_logs() as logged:
        assert token_of(await sign_in(scenario, connection, how))
    (line,) = (each for each in logged if each["event"] == "assertion tolerated")
    assert line["log_level"] == "warning"
    assert line["connection_id"] == connection["connection_id"]
    assert line["warnings"] == [warning]
    (trace,) = await traces(scenario)
    assert trace.outcome == "succeeded"
    assert [step.received for step in trace.steps if step.name == "tolerated"] == [warning]


async def test_expired_certificate_is_tolerated_unless_it_is_refused(
    scenario: Scenario, connection: dict[str, Any]
) -> None:
    now = scenario.clock.now()
    old = certificate(
        "old", not_before=now - 2 * MINUTE, not_after=now - MINUTE, key=signer("old").key
    )
    await update(scenario, connection, x509_certificate=old)
    how = How(signature=Signature(key=signer("old").key))
    assert token_of(await sign_in(scenario, connection, how))
    (trace,) = await traces(scenario)
    assert "certificate.expired" in [step.received for step in trace.steps]
    before = await left(scenario)
    await change(scenario, connection, refuse_expired_certificates=True)
    refused = await sign_in(scenario, connection, how)
    await assert_refused(
        scenario,
        refused,
        error=errors.invalid_signature_saml_response,
        reason="sig.value",
        before=before,
        traces_before=1,
    )


# What we ask for ---------------------------------------------------------------------------------


async def test_request_asks_for_nothing_special_at_first(
    scenario: Scenario, connection: dict[str, Any]
) -> None:
    request = (await begin(scenario, connection)).request
    assert request.get("ForceAuthn") is None
    assert request.find(f"{{{SAMLP}}}RequestedAuthnContext") is None


def authenticated(seconds_ago: int, scenario: Scenario) -> Edit:
    at = scenario.clock.now() - seconds_ago * SECOND

    def edit(root: etree._Element) -> None:
        find(root, "saml:AuthnStatement").set("AuthnInstant", rfc3339(at))

    return edit


async def test_forced_login_has_to_be_a_new_one(
    scenario: Scenario, connection: dict[str, Any]
) -> None:
    old = How(before=authenticated(61, scenario))
    assert token_of(await sign_in(scenario, connection, old))
    before = await left(scenario)
    await change(scenario, connection, force_authn=True)
    begun = await begin(scenario, connection)
    assert begun.request.get("ForceAuthn") == "true"
    trace = await assert_refused(
        scenario,
        await begun.answer(old),
        error=errors.invalid_saml_response,
        reason="saml.stale",
        before=before,
        traces_before=1,
    )
    assert trace.side == "identity_provider"
    assert trace.steps[-1].received == rfc3339(scenario.clock.now() - 61 * SECOND)
    assert len(trace.steps) > 5
    # Within the clock skew it is taken for new, and the refused one has used nothing up.
    assert token_of(await begun.answer(How(before=authenticated(59, scenario))))


async def test_forced_login_without_its_time_is_refused(
    scenario: Scenario, connection: dict[str, Any]
) -> None:
    await change(scenario, connection, force_authn=True, allow_missing_authn_statement=True)
    refused = await sign_in(scenario, connection, How(before=without_authn_statement))
    trace = await assert_refused(
        scenario, refused, error=errors.invalid_saml_response, reason="saml.stale"
    )
    assert trace.steps[-1].received == "none"


def lasting(end: int) -> Edit:
    """Let the session at the identity provider end at `end`."""

    def edit(root: etree._Element) -> None:
        find(root, "saml:AuthnStatement").set("SessionNotOnOrAfter", rfc3339(end))

    return edit


async def token_lasting(scenario: Scenario, connection: dict[str, Any], minutes: int) -> str:
    end = scenario.clock.now() + minutes * MINUTE
    return token_of(await sign_in(scenario, connection, How(before=lasting(end))))


def minutes_left(scenario: Scenario, expires_at: str) -> float:
    end = read_instant(expires_at)
    # Both are written in whole seconds.
    return round((end - scenario.clock.now()) / MINUTE, 1)


@pytest.mark.case("SP-40", "ST-12")
async def test_session_outlasts_that_of_the_identity_provider_only_without_the_cap(
    scenario: Scenario, connection: dict[str, Any]
) -> None:
    def lasts(answer: dict[str, Any]) -> float:
        return minutes_left(scenario, answer["member_session"]["expires_at"])

    login = await scenario.authenticate(await token_lasting(scenario, connection, 20))
    assert lasts(login) == 60
    await change(scenario, connection, cap_sessions=True)
    login = await scenario.authenticate(await token_lasting(scenario, connection, 20))
    assert lasts(login) == 20
    body = {"session_token": login["session_token"], "session_duration_minutes": 90}
    scenario.clock.advance(5 * MINUTE)
    path = "/v1/b2b/sessions/authenticate"
    assert lasts(await scenario.api.good("POST", path, body)) == 15
    # A login that is linked to the session moves its end.
    token = await token_lasting(scenario, connection, 30)
    again = await scenario.authenticate(token, **body)
    assert lasts(again) == 30
    scenario.clock.advance(30 * MINUTE)
    assert await scenario.api.bad("POST", path, body) == (404, "session_not_found")
    token = token_of(await sign_in(scenario, connection, How()))
    assert lasts(await scenario.authenticate(token)) == 60


@pytest.mark.case("SP-40")
async def test_cap_holds_for_what_waits_and_what_is_exchanged(
    scenario: Scenario, connection: dict[str, Any]
) -> None:
    await change(scenario, connection, cap_sessions=True)
    other = await open_external(Door(scenario, "saml", connection))
    await other.add_member("user@example.com")
    login = await scenario.authenticate(await token_lasting(scenario, connection, 20))
    body = {"organization_id": other.organization_id, "session_token": login["session_token"]}
    exchanged = await scenario.api.good("POST", "/v1/b2b/sessions/exchange", body)
    assert minutes_left(scenario, exchanged["member_session"]["expires_at"]) == 20
    path = f"/v1/b2b/organizations/{connection['organization_id']}"
    await scenario.api.good("PUT", path, {"mfa_policy": "REQUIRED_FOR_ALL"})
    waiting = await scenario.authenticate(await token_lasting(scenario, connection, 5))
    assert minutes_left(scenario, waiting["intermediate_session_token_expires_at"]) == 5


@pytest.mark.case("SP-40")
async def test_login_that_is_redeemed_after_its_end_is_refused(
    scenario: Scenario, connection: dict[str, Any]
) -> None:
    await change(scenario, connection, cap_sessions=True)
    token = await token_lasting(scenario, connection, 1)
    scenario.clock.advance(MINUTE)
    refused = await scenario.api.bad("POST", "/v1/b2b/sso/authenticate", {"sso_token": token})
    assert refused == (400, "expired_saml_response")
    (trace,) = await traces(scenario)
    assert (trace.outcome, trace.side) == ("failed", "user")


@pytest.mark.case("SP-41")
async def test_requested_authn_context_has_to_be_met(
    scenario: Scenario, connection: dict[str, Any]
) -> None:
    await change(scenario, connection, requested_authn_contexts=[SMARTCARD])
    begun = await begin(scenario, connection)
    (requested,) = begun.request.iter(f"{{{SAMLP}}}RequestedAuthnContext")
    assert requested.get("Comparison") == "exact"
    assert [each.text for each in requested.iter(f"{{{SAML}}}AuthnContextClassRef")] == [SMARTCARD]
    refused = await begun.answer(How())
    trace = await assert_refused(
        scenario, refused, error=errors.invalid_saml_response, reason="saml.context"
    )
    assert (trace.steps[-1].expected, trace.steps[-1].received) == (SMARTCARD, PASSWORD)
    await change(scenario, connection, requested_authn_contexts=[SMARTCARD, PASSWORD])
    assert token_of(await sign_in(scenario, connection, How()))


# Sign-ins that the identity provider begins ------------------------------------------------------


async def test_unsolicited_response_can_become_a_sign_in_of_ours(
    scenario: Scenario, connection: dict[str, Any]
) -> None:
    await change(scenario, connection, idp_initiated_roundtrip=True)
    browser = scenario.browser()
    fields = {"SAMLResponse": scenario.saml_response(connection, in_response_to=None)}
    answer = await scenario.post_callback(browser, connection, fields)
    place = urlsplit(answer.headers["location"])
    assert answer.status == 303
    assert place.netloc == "sso.example.test"
    assert await left(scenario) == Left(replays=1)
    started = await browser.get(f"{place.path}?{place.query}")
    assert started.headers["location"].startswith(IDP_SSO)
    assert browser.cookies
    again = await scenario.post_callback(browser, connection, fields)
    await assert_refused(
        scenario,
        again,
        error=errors.duplicate_saml_response,
        reason="duplicate_saml_response",
        before=Left(replays=1),
        traces_before=1,
    )
    # The one that counts is bound to the browser.
    assert token_of(await sign_in(scenario, connection, How()))


async def test_forged_unsolicited_response_begins_nothing(
    scenario: Scenario, connection: dict[str, Any]
) -> None:
    await change(scenario, connection, idp_initiated_roundtrip=True)
    forged = scenario.saml_response(connection, in_response_to=None, idp="attacker")
    fields = {"SAMLResponse": forged}
    answer = await scenario.post_callback(scenario.browser(), connection, fields)
    await assert_refused(
        scenario, answer, error=errors.invalid_signature_saml_response, reason="sig.value"
    )


# Migration and gateways --------------------------------------------------------------------------


async def test_answer_at_the_alternative_acs_url_passes(
    scenario: Scenario, connection: dict[str, Any]
) -> None:
    old = How(acs=GATEWAY)
    refused = await sign_in(scenario, connection, old)
    await assert_refused(scenario, refused, error=errors.invalid_saml_response, reason="saml.dest")
    await update(scenario, connection, alternative_acs_url=GATEWAY)
    begun = await begin(scenario, connection)
    assert begun.request.get("AssertionConsumerServiceURL") == GATEWAY
    assert token_of(await begun.answer(old))
    assert token_of(await sign_in(scenario, connection, How()))


async def test_alternative_audience_passes_beside_our_own(
    scenario: Scenario, connection: dict[str, Any]
) -> None:
    def other(root: etree._Element) -> None:
        find(root, "saml:Audience").text = "urn:old:audience"

    refused = await sign_in(scenario, connection, How(before=other))
    error = errors.invalid_audience_saml_response
    await assert_refused(scenario, refused, error=error, reason="saml.aud")
    await update(scenario, connection, alternative_audience_uri="urn:old:audience")
    assert token_of(await sign_in(scenario, connection, How(before=other)))
    assert token_of(await sign_in(scenario, connection, How()))


async def through_gateway(begun: Begun) -> tuple[str, dict[str, str]]:
    """Bring the answer to another host, where our cookie is unknown; return the form of the hop."""
    fields = {"SAMLResponse": begun.response(How(acs=GATEWAY)), "RelayState": begun.relay_state}
    stranger = begun.scenario.browser()
    page = await begun.scenario.post_callback(stranger, begun.connection, fields)
    assert page.status == 200
    (form,) = etree.fromstring(page.text, etree.HTMLParser()).iter("form")
    hidden = {each.get("name", ""): each.get("value", "") for each in form.iter("input")}
    return form.get("action", ""), hidden


async def test_gateway_leads_the_browser_to_our_own_host(
    scenario: Scenario, connection: dict[str, Any]
) -> None:
    connection = await update(
        scenario, connection, alternative_acs_url=GATEWAY, allow_gateway_callback=True
    )
    begun = await begin(scenario, connection)
    action, fields = await through_gateway(begun)
    assert action == connection["acs_url"]
    assert token_of(await scenario.post_callback(begun.browser, connection, fields))


async def test_gateway_does_not_replace_the_cookie(
    scenario: Scenario, connection: dict[str, Any]
) -> None:
    connection = await update(
        scenario, connection, alternative_acs_url=GATEWAY, allow_gateway_callback=True
    )
    _, fields = await through_gateway(await begin(scenario, connection))
    answer = await scenario.post_callback(scenario.browser(), connection, fields)
    error = errors.missing_saml_csrf_cookie
    await assert_refused(scenario, answer, error=error, reason=error.name)


async def test_without_a_gateway_the_hop_stays_where_it_was_reached(
    scenario: Scenario, connection: dict[str, Any]
) -> None:
    connection = await update(scenario, connection, alternative_acs_url=GATEWAY)
    action, _ = await through_gateway(await begin(scenario, connection))
    assert action == urlsplit(connection["acs_url"]).path
