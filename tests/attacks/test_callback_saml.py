"""Hostile answers at an assertion consumer service, through the whole server: the cases SP."""

import asyncio
import re
import zlib
from base64 import b64decode, b64encode
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from lxml import etree

from tests.support import saml_documents as documents
from tests.support.asgi import Answer, Api, call
from tests.support.context import MASTER_KEY, RoutedFetch
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.hooked_store import HookedStore
from tests.support.refusals import Left, assert_page, assert_refused, left, traces
from tests.support.saml_documents import Signature, find
from tests.support.saml_keys import signer
from tests.support.scenario import (
    IDP_ENTITY,
    IDP_SSO,
    LOGIN_URL,
    SIGNUP_URL,
    Scenario,
    open_scenario,
    token_of,
)
from vestibule import errors
from vestibule.app import App
from vestibule.clock import MINUTE, SECOND, rfc3339
from vestibule.domain.context import Context
from vestibule.domain.jwks_cache import JwksCache
from vestibule.saml.keys import private_key_pem
from vestibule.saml.xml import SAML, SAMLP
from vestibule.store.cleanup import remove_expired
from vestibule.store.interface import Store
from vestibule.store.sealing import open_sealer

Connection = dict[str, Any]
ONE_TOKEN = Left(sso_tokens=1, replays=1, consumed_sign_ins=1)
ONE_UNSOLICITED = Left(sso_tokens=1, replays=1)


@pytest.fixture
async def connection(scenario: Scenario) -> Connection:
    organization = await scenario.organization()
    return await scenario.saml_connection(organization["organization_id"])


async def change(scenario: Scenario, connection: Connection, **fields: Any) -> Connection:
    path = (
        f"/v1/b2b/sso/saml/{connection['organization_id']}/connections/"
        f"{connection['connection_id']}"
    )
    return dict((await scenario.api.good("PUT", path, fields))["connection"])


def response(
    scenario: Scenario,
    connection: Connection,
    *,
    before: documents.Edit | None = None,
    after: documents.Edit | None = None,
    sign: documents.Signed = "assertion",
    idp: str = "idp",
    **values: Any,
) -> str:
    """Build a Response for `connection`; `before` changes it unsigned, `after` once signed."""
    given = {
        "issuer": IDP_ENTITY,
        "acs": connection["acs_url"],
        "audience": connection["audience_uri"],
        "in_response_to": None,
        "now": scenario.clock.now(),
        **values,
    }
    root = documents.response_element(**given)
    how = Signature(key=signer(idp).key)
    tree = documents.document(sign=sign, before=before, signature=how, root=root)
    if after is not None:
        after(tree)
    return documents.form_field(tree)


async def post(
    scenario: Scenario,
    connection: Connection,
    saml_response: str,
    relay_state: str = "",
    **headers: str,
) -> Answer:
    """Post from a browser without cookies."""
    fields = {"SAMLResponse": saml_response, **({"RelayState": relay_state} if relay_state else {})}
    sent = {"content-type": "application/x-www-form-urlencoded", **headers}
    target = urlsplit(connection["acs_url"]).path
    return await call(scenario.app, "POST", target, headers=sent, body=urlencode(fields).encode())


async def started(scenario: Scenario, connection: Connection) -> tuple[Any, str, str]:
    """Begin a sign-in; return its browser, the request's id and the RelayState."""
    browser = scenario.browser()
    answer = await scenario.start(browser, connection_id=connection["connection_id"])
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    request = zlib.decompress(b64decode(query["SAMLRequest"][0]), wbits=-zlib.MAX_WBITS)
    return browser, etree.fromstring(request).get("ID", ""), query["RelayState"][0]


def without_destination(root: etree._Element) -> None:
    del root.attrib["Destination"]


@pytest.mark.case("SP-13")
async def test_a_signed_response_needs_a_destination(
    scenario: Scenario, connection: Connection
) -> None:
    bare = response(scenario, connection, before=without_destination, sign="response")
    answer = await post(scenario, connection, bare)
    await assert_refused(scenario, answer, error=errors.invalid_saml_response, reason="saml.dest")


@pytest.mark.case("SP-13")
async def test_an_unsigned_response_needs_no_destination(
    scenario: Scenario, connection: Connection
) -> None:
    bare = response(scenario, connection, before=without_destination)
    assert (await post(scenario, connection, bare)).status == 303


HOSTILE_HOSTS = {
    "host": "evil.example",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "http",
    "x-forwarded-prefix": "/evil",
    "forwarded": "host=evil.example;proto=http",
}


@pytest.mark.case("SP-14")
async def test_request_headers_do_not_say_who_we_are(
    scenario: Scenario, connection: Connection
) -> None:
    path = urlsplit(connection["acs_url"]).path
    elsewhere = response(scenario, connection, acs=f"http://evil.example{path}")
    answer = await post(scenario, connection, elsewhere, **HOSTILE_HOSTS)
    trace = await assert_refused(
        scenario, answer, error=errors.invalid_saml_response, reason="saml.dest"
    )
    assert trace.steps[-1].expected == connection["acs_url"]
    good = response(scenario, connection)
    assert (await post(scenario, connection, good, **HOSTILE_HOSTS)).status == 303
    start = urlencode(
        {"public_token": scenario.public_token, "connection_id": connection["connection_id"]}
    )
    for answer in (
        await call(scenario.app, "GET", f"/v1/public/sso/start?{start}", headers=HOSTILE_HOSTS),
        await call(
            scenario.app,
            "GET",
            f"/v1/public/sso/metadata/{connection['connection_id']}",
            headers=HOSTILE_HOSTS,
        ),
    ):
        said = answer.headers.get("location", "") + answer.text
        query = parse_qs(urlsplit(said).query)
        if "SAMLRequest" in query:
            said += zlib.decompress(b64decode(query["SAMLRequest"][0]), wbits=-15).decode()
        assert connection["acs_url"] in said
        assert "evil" not in said


@pytest.mark.case("SP-14")
@pytest.mark.parametrize(
    "host", ["", "[", "a b", "x?SAMLResponse=1", "x#y", "x/y", "\u00e9", "::", "x:99999", "%00"]
)
async def test_a_malformed_host_changes_nothing(
    scenario: Scenario, connection: Connection, host: str
) -> None:
    start = urlencode(
        {"public_token": scenario.public_token, "connection_id": connection["connection_id"]}
    )
    answer = await call(
        scenario.app, "GET", f"/v1/public/sso/start?{start}", headers={"host": host}
    )
    assert answer.status == 302
    assert (await post(scenario, connection, response(scenario, connection), host=host)).status == (
        303
    )


@pytest.mark.case("SP-17")
@pytest.mark.case("SP-53")
async def test_an_answer_in_another_browser_is_refused(
    scenario: Scenario, connection: Connection
) -> None:
    attacker, victim = scenario.browser(), scenario.browser()
    fields = await scenario.saml_fields(attacker, connection)
    await scenario.saml_fields(victim, connection)
    answer = await scenario.post_callback(victim, connection, fields)
    await assert_refused(
        scenario,
        answer,
        error=errors.saml_csrf_cookie_mismatch,
        reason="saml_csrf_cookie_mismatch",
    )
    assert (await scenario.post_callback(attacker, connection, fields)).status == 303


@pytest.mark.case("SP-17")
async def test_a_request_of_another_connection_or_organization_is_not_answered_here(
    scenario: Scenario, connection: Connection
) -> None:
    same = await scenario.saml_connection(
        connection["organization_id"], idp_entity_id="https://idp2.example.com"
    )
    other_organization = await scenario.organization("Other")
    other = await scenario.saml_connection(other_organization["organization_id"])
    for number, asked in enumerate((same, other)):
        browser, request_id, relay_state = await started(scenario, asked)
        good = scenario.saml_response(connection, in_response_to=request_id)
        fields = {"SAMLResponse": good, "RelayState": relay_state}
        answer = await scenario.post_callback(browser, connection, fields)
        await assert_refused(
            scenario,
            answer,
            error=errors.missing_saml_relay_state,
            reason="missing_saml_relay_state",
            traces_before=number,
        )


@pytest.mark.case("SP-15", "SP-17")
async def test_the_request_of_another_sign_in_of_this_browser_is_refused(
    scenario: Scenario, connection: Connection
) -> None:
    browser = scenario.browser()
    first = await scenario.saml_fields(browser, connection)
    second = await scenario.saml_fields(browser, connection)
    answer = await scenario.post_callback(
        browser, connection, {**first, "RelayState": second["RelayState"]}
    )
    await assert_refused(
        scenario, answer, error=errors.unsolicited_saml_response, reason="saml.irt"
    )


@pytest.mark.case("SP-17")
async def test_a_request_is_answered_once(scenario: Scenario, connection: Connection) -> None:
    browser, request_id, relay_state = await started(scenario, connection)
    for number in range(2):
        good = scenario.saml_response(connection, in_response_to=request_id)
        fields = {"SAMLResponse": good, "RelayState": relay_state}
        answer = await scenario.post_callback(browser, connection, fields)
        assert (answer.status == 303) is (number == 0)
    await assert_refused(
        scenario,
        answer,
        error=errors.unsolicited_saml_response,
        reason="unsolicited_saml_response",
        before=ONE_TOKEN,
        traces_before=1,
    )


@pytest.mark.case("SP-17")
async def test_a_request_is_answered_within_ten_minutes(
    scenario: Scenario, connection: Connection
) -> None:
    for number, late in enumerate((0, -1)):
        browser, request_id, relay_state = await started(scenario, connection)
        scenario.clock.advance(10 * MINUTE + late)
        good = scenario.saml_response(connection, in_response_to=request_id)
        fields = {"SAMLResponse": good, "RelayState": relay_state}
        answer = await scenario.post_callback(browser, connection, fields)
        if number == 0:
            await assert_refused(
                scenario,
                answer,
                error=errors.expired_saml_response,
                reason="expired_saml_response",
            )
    assert answer.status == 303


@pytest.mark.case("SP-18")
async def test_an_unsolicited_response_is_refused_where_the_connection_says_so(
    scenario: Scenario, connection: Connection
) -> None:
    await change(scenario, connection, idp_initiated_auth_disabled=True)
    for number, relay_state in enumerate(("", "junk", "A" * 64)):
        answer = await post(scenario, connection, response(scenario, connection), relay_state)
        await assert_refused(
            scenario,
            answer,
            error=errors.saml_idp_initiated_auth_disabled,
            reason="saml_idp_initiated_auth_disabled",
            traces_before=number,
        )
    await scenario.saml_token(connection)


@pytest.mark.case("SP-18")
async def test_an_unsolicited_response_does_not_answer_a_request(
    scenario: Scenario, connection: Connection
) -> None:
    browser, _, relay_state = await started(scenario, connection)
    fields = {"SAMLResponse": response(scenario, connection), "RelayState": relay_state}
    answer = await scenario.post_callback(browser, connection, fields)
    await assert_refused(
        scenario, answer, error=errors.unsolicited_saml_response, reason="saml.unsolicited"
    )


@pytest.mark.case("SP-19")
async def test_an_unsolicited_response_lands_on_the_default_alone(
    scenario: Scenario, connection: Connection
) -> None:
    for number, relay_state in enumerate(("", LOGIN_URL, "https://evil.example/")):
        unsolicited = response(
            scenario, connection, subject="ada@acme.test", assertion_id=f"_a-{number}"
        )
        answer = await post(scenario, connection, unsolicited, relay_state)
        assert answer.headers["location"].startswith(f"{SIGNUP_URL}?stytch_token_type=sso&token=")


def claim_to_answer(request_id: str, root: etree._Element) -> None:
    root.set("InResponseTo", request_id)


@pytest.mark.case("SP-20")
async def test_an_unsolicited_response_must_not_answer_anything(
    scenario: Scenario, connection: Connection
) -> None:
    browser, request_id, _ = await started(scenario, connection)
    for number, claimed in enumerate(("_anything", request_id, "")):
        answering = response(scenario, connection, before=partial(claim_to_answer, claimed))
        answer = await scenario.post_callback(browser, connection, {"SAMLResponse": answering})
        await assert_refused(
            scenario,
            answer,
            error=errors.missing_saml_relay_state,
            reason="missing_saml_relay_state",
            traces_before=number,
        )


def only_inside(root: etree._Element) -> None:
    """Take InResponseTo off the Response, where anybody could; it stays in the signed part."""
    del root.attrib["InResponseTo"]


@pytest.mark.case("SP-21")
async def test_without_its_relay_state_an_answer_is_not_taken_for_unsolicited(
    scenario: Scenario, connection: Connection
) -> None:
    _, request_id, _ = await started(scenario, connection)
    stolen = response(scenario, connection, in_response_to=request_id, after=only_inside)
    for number, relay_state in enumerate(("", "junk", "https://app.example.test/")):
        answer = await post(scenario, connection, stolen, relay_state)
        await assert_refused(
            scenario,
            answer,
            error=errors.missing_saml_relay_state,
            reason="missing_saml_relay_state",
            traces_before=number,
        )


@pytest.mark.case("SP-21")
async def test_nor_is_one_whose_assertion_is_encrypted(
    scenario: Scenario, connection: Connection
) -> None:
    service = signer("service")
    await change(scenario, connection, saml_encryption_private_key=private_key_pem(service.key))
    _, request_id, _ = await started(scenario, connection)
    hidden = b64decode(
        scenario.saml_response(connection, in_response_to=request_id, encrypt_for=service.pem)
    )
    root = etree.fromstring(hidden)
    only_inside(root)
    answer = await post(scenario, connection, documents.form_field(root))
    await assert_refused(
        scenario, answer, error=errors.unsolicited_saml_response, reason="saml.irt"
    )


@pytest.mark.case("SP-22", "ST-23")
async def test_the_same_answer_is_refused_the_second_time(
    scenario: Scenario, connection: Connection
) -> None:
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    assert (await scenario.post_callback(browser, connection, fields)).status == 303
    for number in range(1, 4):
        answer = await scenario.post_callback(browser, connection, fields)
        await assert_refused(
            scenario,
            answer,
            error=errors.duplicate_saml_response,
            reason="duplicate_saml_response",
            before=ONE_TOKEN,
            traces_before=number,
        )


@pytest.mark.case("SP-22")
async def test_so_is_an_unsolicited_one(scenario: Scenario, connection: Connection) -> None:
    unsolicited = response(scenario, connection)
    assert (await post(scenario, connection, unsolicited)).status == 303
    answer = await post(scenario, connection, unsolicited)
    await assert_refused(
        scenario,
        answer,
        error=errors.duplicate_saml_response,
        reason="duplicate_saml_response",
        before=ONE_UNSOLICITED,
        traces_before=1,
    )


@pytest.mark.case("SP-23")
async def test_of_fifty_at_once_exactly_one_is_accepted(
    scenario: Scenario, connection: Connection
) -> None:
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    unsolicited = response(scenario, connection, assertion_id="_unsolicited")
    for posts in (
        [scenario.post_callback(browser, connection, fields) for _ in range(50)],
        [post(scenario, connection, unsolicited) for _ in range(50)],
    ):
        answers = await asyncio.gather(*posts)
        assert sorted(answer.status for answer in answers) == [303, *[400] * 49]
    reasons = [trace.reason for trace in await traces(scenario)]
    assert sorted(reasons) == ["", "", *["duplicate_saml_response"] * 98]
    assert await left(scenario) == Left(sso_tokens=2, replays=2, consumed_sign_ins=1)


@pytest.mark.case("SP-24")
async def test_a_used_assertion_in_another_response_is_refused(
    scenario: Scenario, connection: Connection
) -> None:
    unsolicited = response(scenario, connection)
    assert (await post(scenario, connection, unsolicited)).status == 303
    again = etree.fromstring(b64decode(unsolicited))
    again.set("ID", "_another-response")
    answer = await post(scenario, connection, documents.form_field(again))
    await assert_refused(
        scenario,
        answer,
        error=errors.duplicate_saml_response,
        reason="duplicate_saml_response",
        before=ONE_UNSOLICITED,
        traces_before=1,
    )


async def restarted(scenario: Scenario) -> Scenario:
    """Return the same project on a new server process, as far as this process can tell."""
    old = scenario.context
    context = Context(
        settings=old.settings,
        clock=old.clock,
        entropy=old.entropy,
        store=old.store,
        sealer=await open_sealer(old.store, MASTER_KEY, clock=old.clock, entropy=old.entropy),
        fetch=RoutedFetch(),
        mail=old.mail,
        sms=old.sms,
        jwks=JwksCache(),
        limiter=old.limiter,
    )
    app = App(context)
    api = Api(app, project_id=scenario.project.project_id, secret="unused")
    return Scenario(context, scenario.project, api, public_token=scenario.public_token)


@pytest.mark.case("SP-25")
async def test_a_used_assertion_is_refused_until_it_could_not_be_used_anyway(
    scenario: Scenario, connection: Connection
) -> None:
    def lasting(root: etree._Element) -> None:
        end = rfc3339(scenario.clock.now() + 5 * MINUTE)
        find(root, "saml:Conditions").set("NotOnOrAfter", end)
        find(root, "saml:SubjectConfirmationData").set("NotOnOrAfter", end)

    first = response(scenario, connection, before=lasting)
    control = response(scenario, connection, before=lasting, assertion_id="_control")
    assert (await post(scenario, connection, first)).status == 303
    # Ends are whole seconds; one second before the end, the skew of 60 s granted:
    end = (scenario.clock.now() + 5 * MINUTE) // SECOND * SECOND + MINUTE
    scenario.clock.advance(end - SECOND - scenario.clock.now())
    await remove_expired(scenario.context.store, now=scenario.clock.now())
    later = await restarted(scenario)
    answer = await post(later, connection, first)
    await assert_refused(
        later,
        answer,
        error=errors.duplicate_saml_response,
        reason="duplicate_saml_response",
        before=ONE_UNSOLICITED,
        traces_before=1,
    )
    assert (await post(later, connection, control)).status == 303
    scenario.clock.advance(SECOND)
    await remove_expired(scenario.context.store, now=scenario.clock.now())
    assert_page(await post(later, connection, first), errors.expired_saml_response)
    assert sorted(trace.reason for trace in await traces(later)) == [
        "",
        "",
        "duplicate_saml_response",
        "saml.expired",
    ]


@pytest.mark.case("SP-26")
async def test_a_used_assertion_in_other_clothes_is_refused(
    scenario: Scenario, connection: Connection
) -> None:
    unsolicited = response(scenario, connection)
    assert (await post(scenario, connection, unsolicited)).status == 303
    octets = b64decode(unsolicited)
    broken = "\r\n".join(re.findall(".{1,76}", unsolicited))
    for number, other in enumerate(
        (
            broken,
            b64encode(b'<?xml version="1.0" encoding="UTF-8"?>\n' + octets).decode(),
            b64encode(octets.replace(b"<samlp:Status>", b"<!-- x --><samlp:Status>")).decode(),
            b64encode(octets + b"<!-- y -->\n").decode(),
        ),
        start=1,
    ):
        answer = await post(scenario, connection, other)
        await assert_refused(
            scenario,
            answer,
            error=errors.duplicate_saml_response,
            reason="duplicate_saml_response",
            before=ONE_UNSOLICITED,
            traces_before=number,
        )


@pytest.mark.case("SP-27")
async def test_two_identity_providers_may_use_the_same_assertion_id(
    scenario: Scenario, connection: Connection
) -> None:
    organization = await scenario.organization("Other")
    other = await scenario.saml_connection(organization["organization_id"], idp="other-idp")
    assert (await post(scenario, connection, response(scenario, connection))).status == 303
    assert (await post(scenario, other, response(scenario, other, idp="other-idp"))).status == 303


@pytest.mark.case("SP-28")
async def test_not_before_may_be_ahead_by_the_skew(
    scenario: Scenario, connection: Connection
) -> None:
    def beginning(seconds: int) -> documents.Edit:
        instant = rfc3339(scenario.clock.now() + seconds * SECOND)
        return lambda root: find(root, "saml:Conditions").set("NotBefore", instant)

    early = response(scenario, connection, before=beginning(62))
    answer = await post(scenario, connection, early)
    await assert_refused(
        scenario, answer, error=errors.not_yet_valid_saml_response, reason="saml.notyet"
    )
    good = response(scenario, connection, before=beginning(59))
    assert (await post(scenario, connection, good)).status == 303


HOSTILE_RELAY_STATES = [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "x" * 5000,
    "a\r\nSet-Cookie: evil=1",
    '"><script>alert(1)</script>',
    "' OR 1=1 --",
    "A" * 64,
]


@pytest.mark.case("SP-52")
async def test_a_relay_state_is_looked_up_and_nothing_else(
    scenario: Scenario, connection: Connection
) -> None:
    _, request_id, _ = await started(scenario, connection)
    answering = scenario.saml_response(connection, in_response_to=request_id)
    for number, relay_state in enumerate(HOSTILE_RELAY_STATES):
        answer = await post(scenario, connection, answering, relay_state)
        await assert_refused(
            scenario,
            answer,
            error=errors.missing_saml_relay_state,
            reason="missing_saml_relay_state",
            traces_before=number,
        )
        assert "evil" not in answer.text
        assert not answer.set_cookies


@pytest.mark.case("SP-52")
async def test_an_unsolicited_sign_in_ignores_its_relay_state(
    scenario: Scenario, connection: Connection
) -> None:
    for number, relay_state in enumerate(HOSTILE_RELAY_STATES):
        unsolicited = response(scenario, connection, assertion_id=f"_a-{number}")
        answer = await post(scenario, connection, unsolicited, relay_state)
        assert answer.status == 303
        location = answer.headers["location"]
        assert re.fullmatch(
            re.escape(SIGNUP_URL) + r"\?stytch_token_type=sso&token=[\w-]{64}", location
        )


@pytest.mark.case("SP-54")
async def test_a_cookie_that_did_not_come_is_waited_for_once(
    scenario: Scenario, connection: Connection
) -> None:
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    first = await post(scenario, connection, fields["SAMLResponse"], fields["RelayState"])
    assert first.status == 200
    form = etree.fromstring(first.body, etree.HTMLParser())
    again = {str(item.get("name")): str(item.get("value")) for item in form.iter("input")}
    assert again == {**fields, "reposted": "1"}
    assert form.find(".//form").get("action") == urlsplit(connection["acs_url"]).path  # type: ignore[union-attr]  # it is there
    assert await traces(scenario) == []
    # Our own page brings the cookie that a foreign one could not.
    assert (await scenario.post_callback(browser, connection, again)).status == 303


@pytest.mark.case("SP-54")
async def test_a_cookie_that_does_not_come_then_either_is_refused(
    scenario: Scenario, connection: Connection
) -> None:
    browser = scenario.browser()
    fields = {**await scenario.saml_fields(browser, connection), "reposted": "1"}
    answer = await scenario.post_callback(scenario.browser(), connection, fields)
    await assert_refused(
        scenario,
        answer,
        error=errors.missing_saml_csrf_cookie,
        reason="missing_saml_csrf_cookie",
    )


@pytest.mark.case("SP-55")
@pytest.mark.case("MT-28")
async def test_a_response_for_one_connection_is_refused_at_another_of_the_same_provider(
    scenario: Scenario, connection: Connection
) -> None:
    organization = await scenario.organization("Other")
    other = await scenario.saml_connection(organization["organization_id"])
    browser, request_id, relay_state = await started(scenario, other)
    for number, (made_for, reason, error) in enumerate(
        (
            ({}, "saml.dest", errors.invalid_saml_response),
            ({"after": without_destination}, "saml.recipient", errors.invalid_saml_response),
            ({"acs": other["acs_url"]}, "saml.aud", errors.invalid_audience_saml_response),
        )
    ):
        for_first = response(scenario, connection, in_response_to=request_id, **made_for)
        fields = {"SAMLResponse": for_first, "RelayState": relay_state}
        answer = await scenario.post_callback(browser, other, fields)
        trace = await assert_refused(
            scenario, answer, error=error, reason=reason, traces_before=number
        )
        assert trace.organization_id == organization["organization_id"]


@pytest.mark.case("SP-56")
async def test_a_connection_deleted_since_the_start_lets_nobody_in(
    scenario: Scenario, connection: Connection
) -> None:
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    token = await scenario.saml_token(connection)
    path = f"/v1/b2b/sso/{connection['organization_id']}/connections/{connection['connection_id']}"
    await scenario.api.good("DELETE", path)
    answer = await scenario.post_callback(browser, connection, fields)
    assert_page(answer, errors.sso_connection_not_found)
    assert await left(scenario) == Left()
    refused = await scenario.api.bad("POST", "/v1/b2b/sso/authenticate", {"sso_token": token})
    assert refused == (404, "sso_token_not_found")


@pytest.mark.case("SP-56")
async def test_a_connection_that_is_no_longer_active_lets_nobody_in(
    scenario: Scenario, connection: Connection
) -> None:
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    token = await scenario.saml_token(connection)
    where = {
        "project_id": scenario.project.project_id,
        "connection_id": connection["connection_id"],
    }
    async with scenario.context.store.write() as tx:
        await tx.connections.change({"status": "pending"}, **where)
    answer = await scenario.post_callback(browser, connection, fields)
    await assert_refused(
        scenario,
        answer,
        error=errors.requires_active_sso_connection,
        reason="requires_active_sso_connection",
        before=ONE_TOKEN,
        traces_before=1,
    )
    refused = await scenario.api.bad("POST", "/v1/b2b/sso/authenticate", {"sso_token": token})
    assert refused == (400, "requires_active_sso_connection")
    assert await left(scenario) == ONE_TOKEN


@pytest.mark.case("SP-56")
@pytest.mark.parametrize("how", ["deleted", "pending"])
async def test_a_connection_that_goes_while_it_answers_lets_nobody_in(
    store: Store, clock: HandClock, entropy: SeededEntropy, how: str
) -> None:
    hooked = HookedStore(store)
    scenario = await open_scenario(hooked, clock=clock, entropy=entropy)
    organization = await scenario.organization()

    async def end() -> None:
        async with store.write() as tx:
            if how == "deleted":
                await tx.connections.delete(protocol="saml")
            else:
                await tx.connections.change({"status": "pending"}, protocol="saml")

    # Before it is found, before its keys are read, and before the answer is accepted.
    expected = {
        "deleted": (
            errors.sso_connection_not_found,
            errors.invalid_signature_saml_response,
            errors.sso_connection_not_found,
        ),
        "pending": (errors.requires_active_sso_connection,) * 3,
    }[how]
    for nth, error in enumerate(expected, start=1):
        issuer = f"https://idp{nth}.example.com"
        made = await scenario.saml_connection(organization["organization_id"], idp_entity_id=issuer)
        answering = response(scenario, made, issuer=issuer)
        hooked.arm(nth, end)
        answer = await post(scenario, made, answering)
        assert hooked.fired
        assert_page(answer, error)
        assert await left(scenario) == Left()


@pytest.mark.case("SP-57")
async def test_the_request_is_random_well_formed_and_holds_nothing_of_the_link(
    scenario: Scenario, connection: Connection
) -> None:
    await change(scenario, connection, display_name='"><script>&amp;')
    seen = set()
    for _ in range(3):
        query = urlencode(
            {
                "public_token": scenario.public_token,
                "connection_id": connection["connection_id"],
                "login_hint": '"><script>',
                "RelayState": "evil",
                "SAMLRequest": "evil",
            }
        )
        answer = await scenario.browser().get(f"/v1/public/sso/start?{query}")
        given = parse_qs(urlsplit(answer.headers["location"]).query)
        assert given.keys() == {"SAMLRequest", "RelayState", "SigAlg", "Signature"}
        packed = b64decode(given["SAMLRequest"][0])
        root = etree.fromstring(zlib.decompress(packed, wbits=-zlib.MAX_WBITS))
        assert root.tag == f"{{{SAMLP}}}AuthnRequest"
        assert root.get("Destination") == IDP_SSO
        assert root.get("AssertionConsumerServiceURL") == connection["acs_url"]
        assert root.get("IssueInstant") == rfc3339(scenario.clock.now())
        assert root.findtext(f"{{{SAML}}}Issuer") == connection["audience_uri"]
        assert b"script" not in etree.tostring(root)
        assert re.fullmatch(r"_[0-9a-f]{32}", root.get("ID", ""))
        assert re.fullmatch(r"[\w-]{64}", given["RelayState"][0])
        seen.add((root.get("ID"), given["RelayState"][0]))
    assert len(seen) == 3


@pytest.mark.case("SP-58")
async def test_the_query_of_the_providers_url_is_kept(
    scenario: Scenario, connection: Connection
) -> None:
    await change(scenario, connection, idp_sso_url=f"{IDP_SSO}?tenant=a%20b&x=%22")
    answer = await scenario.start(scenario.browser(), connection_id=connection["connection_id"])
    assert answer.headers["location"].startswith(f"{IDP_SSO}?tenant=a%20b&x=%22&SAMLRequest=")


async def test_a_refused_answer_leaves_the_right_one_to_be_used(
    scenario: Scenario, connection: Connection
) -> None:
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    forged = response(scenario, connection, idp="evil")
    answer = await scenario.post_callback(browser, connection, {**fields, "SAMLResponse": forged})
    await assert_refused(
        scenario, answer, error=errors.invalid_signature_saml_response, reason="sig.value"
    )
    good = await scenario.post_callback(browser, connection, fields)
    result = await scenario.authenticate(token_of(good))
    assert result["member"]["email_address"] == "ada@acme.test"
