"""Hostile answers at an OIDC redirect URL and from the provider's endpoints: the cases OI."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from msgspec.structs import replace

from tests.support import oidc_documents
from tests.support.asgi import Answer, Browser, call
from tests.support.oidc_documents import ABSENT, Signer, rsa_signer
from tests.support.refusals import Left, assert_page, assert_refused, left, traces
from tests.support.scenario import CLIENT_ID, ISSUER, Scenario, token_of
from vestibule import errors
from vestibule.clock import MINUTE, SECOND
from vestibule.errors import ErrorType
from vestibule.fetch import FetchError, FetchResponse, Reason

Connection = dict[str, Any]
TOKEN_URL = f"{ISSUER}/token"
USED = Left(consumed_sign_ins=1)
ONE_TOKEN = Left(sso_tokens=1, consumed_sign_ins=1)


@pytest.fixture
async def connection(scenario: Scenario) -> Connection:
    organization = await scenario.organization()
    return await scenario.oidc_connection(organization["organization_id"])


def path(connection: Connection) -> str:
    return urlsplit(connection["redirect_url"]).path


async def started(scenario: Scenario, connection: Connection) -> tuple[Browser, str]:
    """Begin a sign-in that the provider is ready to finish; return its browser and state."""
    browser = scenario.browser()
    answer = await scenario.start(browser, connection_id=connection["connection_id"])
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    scenario.provider.claims = claims(scenario, nonce=query["nonce"][0])
    return browser, query["state"][0]


def claims(scenario: Scenario, **changes: object) -> dict[str, Any]:
    issued = scenario.clock.now() // SECOND
    good = {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "sub": "op-user-1",
        "email": "ada@acme.test",
        "email_verified": ABSENT,
        "iat": issued,
        "exp": issued + 300,
    }
    return oidc_documents.changed(oidc_documents.claims(), {**good, **changes})


async def come_back(
    browser: Browser, connection: Connection, query: dict[str, str] | list[tuple[str, str]]
) -> Answer:
    return await browser.get(f"{path(connection)}?{urlencode(query)}")


def token_requests(scenario: Scenario) -> list[dict[str, list[str]]]:
    return [
        parse_qs(body.decode(), strict_parsing=True)
        for method, _, body in scenario.fetch.requests
        if method == "POST"
    ]


def answering(
    document: object, *, status: int = 200, content_type: str = "application/json"
) -> Callable[[str, str, bytes], Awaitable[FetchResponse]]:
    """Return an endpoint that always answers this."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()

    async def answer(_method: str, url: str, _body: bytes) -> FetchResponse:
        return FetchResponse(
            status=status, headers={"content-type": content_type}, body=body, url=url
        )

    return answer


@pytest.mark.case("OI-01")
async def test_an_answer_without_state_is_refused(
    scenario: Scenario, connection: Connection
) -> None:
    browser, _ = await started(scenario, connection)
    for number, query in enumerate(({"code": "code-1"}, {"code": "code-1", "state": ""}, {})):
        answer = await come_back(browser, connection, query)
        await assert_refused(
            scenario,
            answer,
            error=errors.missing_oidc_state_param,
            reason="oidc.state",
            traces_before=number,
        )
    assert token_requests(scenario) == []


@pytest.mark.case("OI-01")
async def test_an_unknown_state_is_refused(scenario: Scenario, connection: Connection) -> None:
    browser, state = await started(scenario, connection)
    others = (
        "A" * 64,
        state[:32] + "A" * 32,
        "x",
        state[:-1],
        state + "A",
        state.swapcase(),
        "\0",
        "\u00e9",
        "x" * 9000,
    )
    for number, other in enumerate(others):
        answer = await come_back(browser, connection, {"code": "code-1", "state": other})
        await assert_refused(
            scenario,
            answer,
            error=errors.unsolicited_oidc_response,
            reason="unsolicited_oidc_response",
            traces_before=number,
        )
    assert token_requests(scenario) == []


@pytest.mark.case("OI-01")
async def test_a_state_of_another_browser_is_refused(
    scenario: Scenario, connection: Connection
) -> None:
    browser, state = await started(scenario, connection)
    other, _ = await started(scenario, connection)
    scenario.provider.claims = claims(scenario)
    query = {"code": "code-1", "state": state}
    answer = await come_back(other, connection, query)
    await assert_refused(
        scenario,
        answer,
        error=errors.oidc_csrf_cookie_mismatch,
        reason="oidc_csrf_cookie_mismatch",
    )
    answer = await come_back(scenario.browser(), connection, query)
    await assert_refused(
        scenario,
        answer,
        error=errors.missing_oidc_csrf_cookie,
        reason="missing_oidc_csrf_cookie",
        traces_before=1,
    )
    assert token_requests(scenario) == []
    del browser


@pytest.mark.case("OI-01", "OI-04")
async def test_a_state_works_once(scenario: Scenario, connection: Connection) -> None:
    browser, state = await started(scenario, connection)
    query = {"code": "code-1", "state": state}
    assert (await come_back(browser, connection, query)).status == 302
    # The browser still has everything it had before; the server remembers.
    for number in range(1, 3):
        answer = await come_back(browser, connection, query)
        await assert_refused(
            scenario,
            answer,
            error=errors.unsolicited_oidc_response,
            reason="unsolicited_oidc_response",
            before=ONE_TOKEN,
            traces_before=number,
        )
    assert len(token_requests(scenario)) == 1


@pytest.mark.case("OI-02")
async def test_a_state_lasts_ten_minutes(scenario: Scenario, connection: Connection) -> None:
    browser, state = await started(scenario, connection)
    scenario.clock.advance(10 * MINUTE)
    answer = await come_back(browser, connection, {"code": "code-1", "state": state})
    await assert_refused(
        scenario, answer, error=errors.expired_oidc_response, reason="expired_oidc_response"
    )
    assert "took too long; sign in again" in answer.text
    browser, state = await started(scenario, connection)
    scenario.clock.advance(10 * MINUTE - 1)
    scenario.provider.claims |= {"exp": scenario.clock.now() // SECOND + 300}
    answer = await come_back(browser, connection, {"code": "code-1", "state": state})
    assert answer.status == 302


@pytest.mark.case("OI-03")
async def test_of_callbacks_at_once_one_redeems_the_code(
    scenario: Scenario, connection: Connection
) -> None:
    browser, state = await started(scenario, connection)
    query = {"code": "code-1", "state": state}
    answers = await asyncio.gather(*(come_back(browser, connection, query) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [302, *[400] * 19]
    assert len(token_requests(scenario)) == 1
    assert await left(scenario) == ONE_TOKEN
    reasons = sorted(trace.reason for trace in await traces(scenario))
    assert reasons == ["", *["unsolicited_oidc_response"] * 19]


async def supporting_iss(scenario: Scenario, connection: Connection) -> None:
    """Let the provider's metadata promise the `iss` parameter of RFC 9207."""
    where = {"connection_id": connection["connection_id"]}
    async with scenario.context.store.write() as tx:
        stored = await tx.connections.find(**where)
        assert stored is not None
        assert stored.oidc is not None
        promised = replace(stored.oidc, iss_parameter_supported=True)
        await tx.connections.update(replace(stored, oidc=promised))


@pytest.mark.case("OI-09")
@pytest.mark.case("OI-10")
async def test_a_code_of_another_issuer_is_refused_before_it_is_sent_anywhere(
    scenario: Scenario, connection: Connection
) -> None:
    browser, state = await started(scenario, connection)
    for number, iss in enumerate(("https://evil.example", f"{ISSUER}/", "")):
        answer = await come_back(
            browser, connection, {"code": "code-1", "state": state, "iss": iss}
        )
        await assert_refused(
            scenario,
            answer,
            error=errors.oidc_invalid_id_token,
            reason="oidc.iss",
            traces_before=number,
        )
    assert token_requests(scenario) == []
    answer = await come_back(browser, connection, {"code": "code-1", "state": state, "iss": ISSUER})
    assert answer.status == 302
    urls = {url for method, url, _ in scenario.fetch.requests if method == "POST"}
    assert urls == {TOKEN_URL}


@pytest.mark.case("OI-10")
async def test_a_promised_iss_parameter_must_come_once(
    scenario: Scenario, connection: Connection
) -> None:
    await supporting_iss(scenario, connection)
    browser, state = await started(scenario, connection)
    good = [("code", "code-1"), ("state", state)]
    answer = await come_back(browser, connection, good)
    await assert_refused(scenario, answer, error=errors.oidc_invalid_id_token, reason="oidc.iss")
    answer = await come_back(browser, connection, [*good, ("iss", ISSUER), ("iss", ISSUER)])
    await assert_refused(
        scenario,
        answer,
        error=errors.oidc_invalid_callback_request,
        reason="oidc.callback",
        traces_before=1,
    )
    assert token_requests(scenario) == []
    assert (await come_back(browser, connection, [*good, ("iss", ISSUER)])).status == 302


@pytest.mark.case("OI-11")
async def test_a_state_of_another_connection_is_refused(
    scenario: Scenario, connection: Connection
) -> None:
    organization = await scenario.organization("Other")
    other = await scenario.oidc_connection(organization["organization_id"])
    browser, state = await started(scenario, other)
    answer = await come_back(browser, connection, {"code": "code-1", "state": state})
    await assert_refused(
        scenario,
        answer,
        error=errors.unsolicited_oidc_response,
        reason="unsolicited_oidc_response",
    )
    assert token_requests(scenario) == []
    assert (await come_back(browser, other, {"code": "code-1", "state": state})).status == 302


@pytest.mark.case("OI-12")
async def test_doubled_parameters_are_refused(scenario: Scenario, connection: Connection) -> None:
    browser, state = await started(scenario, connection)
    good = [("code", "code-1"), ("state", state)]
    doubled: list[tuple[list[tuple[str, str]], str, ErrorType]] = [
        ([*good, ("code", "x")], "oidc.callback", errors.oidc_invalid_callback_request),
        ([*good, ("code", "code-1")], "oidc.callback", errors.oidc_invalid_callback_request),
        ([*good, ("error", "x")], "oidc.callback", errors.oidc_invalid_callback_request),
        ([*good, ("state", state)], "oidc.state", errors.missing_oidc_state_param),
        ([*good, ("state", "x")], "oidc.state", errors.missing_oidc_state_param),
        ([*good, *[("x", "y")] * 60], "oidc.state", errors.missing_oidc_state_param),
    ]
    for number, (query, reason, error) in enumerate(doubled):
        answer = await come_back(browser, connection, query)
        await assert_refused(scenario, answer, error=error, reason=reason, traces_before=number)
    assert token_requests(scenario) == []
    assert (await come_back(browser, connection, good)).status == 302


@pytest.mark.case("OI-13")
async def test_an_error_of_the_provider_is_told_to_the_admin_alone(
    scenario: Scenario, connection: Connection
) -> None:
    browser, state = await started(scenario, connection)
    descriptions = ("", "<script>alert(1)</script>", "a\r\nSet-Cookie: x=1", "x" * 10_000)
    for number, words in enumerate(descriptions):
        query = {
            "error": "access_denied",
            "error_description": words,
            "error_uri": "https://evil.example/",
            "state": state,
        }
        answer = await come_back(browser, connection, query)
        trace = await assert_refused(
            scenario,
            answer,
            error=errors.oidc_auth_code_error,
            reason="oidc.code",
            traces_before=number,
        )
        received = trace.steps[-1].received
        assert received.startswith("access_denied")
        assert len(received) <= 200
        assert received.isprintable()
        assert "evil" not in received
        for text in ("evil", "script", "access_denied", "Set-Cookie"):
            assert text not in answer.text
        assert not answer.set_cookies
    # The person may try again with the same sign-in, say after asking for access.
    answer = await come_back(browser, connection, {"code": "code-1", "state": state})
    assert answer.status == 302


@pytest.mark.case("OI-13")
@pytest.mark.parametrize(
    "words", ["AADSTS50105: not assigned", "User is not assigned to the client application."]
)
async def test_a_person_without_access_to_the_application_is_told_so(
    scenario: Scenario, connection: Connection, words: str
) -> None:
    browser, state = await started(scenario, connection)
    query = {"error": "access_denied", "error_description": words, "state": state}
    answer = await come_back(browser, connection, query)
    await assert_refused(
        scenario,
        answer,
        error=errors.oidc_user_not_assigned_to_app_in_idp,
        reason="oidc.code",
    )


@pytest.mark.case("OI-14")
async def test_answers_of_other_flows_are_refused(
    scenario: Scenario, connection: Connection
) -> None:
    browser, state = await started(scenario, connection)
    good = {"code": "code-1", "state": state}
    for number, name in enumerate(("id_token", "access_token", "token_type", "response")):
        answer = await come_back(browser, connection, {**good, name: "x"})
        await assert_refused(
            scenario,
            answer,
            error=errors.oidc_invalid_callback_request,
            reason="oidc.callback",
            traces_before=number,
        )
    answer = await browser.post(path(connection), good)
    await assert_refused(
        scenario,
        answer,
        error=errors.method_not_allowed,
        reason="http.method",
        traces_before=4,
    )
    assert answer.headers["allow"] == "GET"
    # A fragment never reaches a server: what does is an answer without anything.
    assert_page(await browser.get(path(connection)), errors.missing_oidc_state_param)
    assert token_requests(scenario) == []


@pytest.mark.case("OI-14")
async def test_a_link_scanner_uses_nothing_up(scenario: Scenario, connection: Connection) -> None:
    browser, state = await started(scenario, connection)
    query = urlencode({"code": "code-1", "state": state})
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    for method in ("HEAD", "OPTIONS"):
        answer = await call(
            scenario.app, method, f"{path(connection)}?{query}", headers={"cookie": cookie}
        )
        assert_page(answer, errors.method_not_allowed)
    assert await traces(scenario) == []
    assert await left(scenario) == Left()
    assert (await browser.get(f"{path(connection)}?{query}")).status == 302


@pytest.mark.case("OI-15")
@pytest.mark.parametrize(
    "code",
    ["x" * 10_000, "a\r\nX-Evil: 1", "a&client_id=evil&redirect_uri=evil", "a=b+c%26d \u00e9"],
)
async def test_a_code_is_sent_as_one_form_field(
    scenario: Scenario, connection: Connection, code: str
) -> None:
    browser, state = await started(scenario, connection)
    assert (await come_back(browser, connection, {"code": code, "state": state})).status == 302
    (request,) = token_requests(scenario)
    assert request.keys() == {"grant_type", "code", "redirect_uri", "code_verifier"}
    assert request["code"] == [code]
    assert request["redirect_uri"] == [connection["redirect_url"]]


@pytest.mark.case("OI-05", "OI-08")
async def test_a_code_of_another_sign_in_is_refused(
    scenario: Scenario, connection: Connection
) -> None:
    """The attacker's code, in the victim's callback: the ID token has the attacker's nonce."""
    browser, state = await started(scenario, connection)
    attacker, _ = await started(scenario, connection)
    assert attacker.cookies != browser.cookies
    answer = await come_back(browser, connection, {"code": "of-the-attacker", "state": state})
    await assert_refused(
        scenario, answer, error=errors.oidc_invalid_id_token, reason="oidc.nonce", before=USED
    )


@pytest.mark.case("OI-55")
async def test_tokens_of_the_provider_open_nothing_here(
    scenario: Scenario, connection: Connection
) -> None:
    scenario.provider.access_token = "a" * 64
    login = await scenario.authenticate(await scenario.oidc_token(connection))
    id_token = oidc_documents.token(scenario.provider.claims)
    sessions, bad = "/v1/b2b/sessions/authenticate", scenario.api.bad
    for token in ("a" * 64, id_token):
        assert (await bad("POST", sessions, {"session_token": token}))[1] in {
            "session_not_found",
            "invalid_session_token",
        }
        assert (await bad("POST", sessions, {"session_jwt": token}))[1] in {
            "jwt_invalid_issuer",
            "unable_to_parse_session_jwt",
        }
        body = {"sso_token": token}
        assert (await bad("POST", "/v1/b2b/sso/authenticate", body))[1] == "sso_token_not_found"
        target = f"/v1/b2b/organizations/{login['organization_id']}"
        for name in ("x-stytch-member-session", "x-stytch-member-sessionjwt"):
            answer = await scenario.api.call("PUT", target, {}, headers={name: token})
            assert 400 <= answer.status < 500
        bearer = {"authorization": f"Bearer {token}"}
        answer = await scenario.api.call("PUT", target, {}, headers=bearer)
        assert answer.json["error_type"] == "unauthorized_credentials"


def publishing(scenario: Scenario, *signers: Signer) -> None:
    document = {"keys": [signer.jwk() for signer in signers]}
    scenario.fetch.answers[f"{ISSUER}/jwks"] = answering(document)


def signing(scenario: Scenario, signer: Signer, **header: Any) -> None:
    """Let the token endpoint sign the claims that are due with this key."""

    async def answer(_method: str, url: str, _body: bytes) -> FetchResponse:
        token = oidc_documents.token(scenario.provider.claims, signer=signer, header=header)
        body = {"access_token": "access-1", "token_type": "Bearer", "id_token": token}
        return FetchResponse(
            status=200,
            headers={"content-type": "application/json"},
            body=json.dumps(body).encode(),
            url=url,
        )

    scenario.fetch.answers[TOKEN_URL] = answer


def jwks_fetches(scenario: Scenario) -> int:
    return [url for _, url, _ in scenario.fetch.requests].count(f"{ISSUER}/jwks")


@pytest.mark.case("OI-26")
async def test_a_key_that_is_new_is_fetched_once(
    scenario: Scenario, connection: Connection
) -> None:
    await scenario.oidc_token(connection)
    await scenario.oidc_token(connection)
    assert jwks_fetches(scenario) == 1
    scenario.clock.advance(31 * SECOND)
    publishing(scenario, rsa_signer(), rsa_signer("rsa-2"))
    signing(scenario, rsa_signer("rsa-2"))
    await scenario.oidc_token(connection)
    assert jwks_fetches(scenario) == 2
    await scenario.oidc_token(connection)
    assert jwks_fetches(scenario) == 2


@pytest.mark.case("OI-27")
async def test_tokens_with_unknown_keys_do_not_flood_the_provider(
    scenario: Scenario, connection: Connection
) -> None:
    await scenario.oidc_token(connection)
    signer = rsa_signer("rsa-unknown")
    for number in range(12):
        scenario.clock.advance(5 * SECOND)
        signing(scenario, signer, kid=f"random-{number}")
        answer = await scenario.oidc_callback(scenario.browser(), connection)
        assert_page(answer, errors.oidc_invalid_id_token)
    assert {trace.reason for trace in await traces(scenario, outcome="failed")} == {"oidc.key"}
    assert jwks_fetches(scenario) == 1 + 1


@pytest.mark.case("OI-41")
@pytest.mark.parametrize("subject", ["op-user-2", "", None, ABSENT, 7, ["op-user-1"]])
async def test_userinfo_about_somebody_else_is_refused(
    scenario: Scenario, connection: Connection, subject: object
) -> None:
    scenario.provider.userinfo = {"sub": subject}
    if subject is ABSENT:
        scenario.fetch.answers[f"{ISSUER}/userinfo"] = answering({"email": "ada@acme.test"})
    answer = await scenario.oidc_callback(scenario.browser(), connection)
    await assert_refused(
        scenario,
        answer,
        error=errors.oidc_response_subject_mismatch,
        reason="oidc.sub",
        before=USED,
    )


@pytest.mark.case("OI-41")
async def test_signed_userinfo_is_refused(scenario: Scenario, connection: Connection) -> None:
    evil = oidc_documents.token({"sub": "op-user-1"}, signer=rsa_signer("evil")).encode()
    userinfo = f"{ISSUER}/userinfo"
    for number, (body, content_type, status) in enumerate(
        (
            (evil, "application/jwt", 200),
            (b"<html>", "text/html", 200),
            (b"[]", "application/json", 200),
            (b'{"sub":"op-user-1"}', "application/json", 403),
        )
    ):
        scenario.fetch.answers[userinfo] = answering(body, content_type=content_type, status=status)
        answer = await scenario.oidc_callback(scenario.browser(), connection)
        await assert_refused(
            scenario,
            answer,
            error=errors.oidc_invalid_userinfo,
            reason="oidc.userinfo",
            before=Left(consumed_sign_ins=number + 1),
            traces_before=number,
        )


@pytest.mark.case("OI-42")
async def test_an_address_is_verified_by_whoever_gave_it(
    scenario: Scenario, connection: Connection
) -> None:
    scenario.provider.userinfo = {"email": "victim@acme.test", "email_verified": False}
    answer = await scenario.oidc_callback(scenario.browser(), connection, email_verified=True)
    await assert_refused(
        scenario,
        answer,
        error=errors.oidc_response_unverified_email,
        reason="oidc.email",
        before=USED,
    )


@pytest.mark.case("OI-43")
@pytest.mark.parametrize("verified", [False, "false", 0, "", "no", [True]])
async def test_an_address_that_is_not_verified_is_refused(
    scenario: Scenario, connection: Connection, verified: object
) -> None:
    answer = await scenario.oidc_callback(scenario.browser(), connection, email_verified=verified)
    await assert_refused(
        scenario,
        answer,
        error=errors.oidc_response_unverified_email,
        reason="oidc.email",
        before=USED,
    )


@pytest.mark.case("OI-43")
@pytest.mark.parametrize("verified", [True, "true", ABSENT])
async def test_an_address_that_is_verified_or_not_spoken_of_is_accepted(
    scenario: Scenario, connection: Connection, verified: object
) -> None:
    await scenario.oidc_token(connection, email_verified=verified)


@pytest.mark.case("OI-44")
async def test_the_address_of_another_member_does_not_switch_accounts(
    scenario: Scenario, connection: Connection
) -> None:
    victim = await scenario.authenticate(
        await scenario.oidc_token(connection, sub="victim", email="victim@acme.test")
    )
    attacker = await scenario.authenticate(
        await scenario.oidc_token(connection, sub="attacker", email="attacker@acme.test")
    )
    before = await left(scenario)
    token = await scenario.oidc_token(connection, sub="attacker", email="victim@acme.test")
    refused = await scenario.api.bad("POST", "/v1/b2b/sso/authenticate", {"sso_token": token})
    assert refused == (400, "duplicate_member_email")
    (trace,) = await traces(scenario, outcome="failed")
    assert (trace.reason, trace.error_type) == ("duplicate_member_email", "duplicate_member_email")
    after = await left(scenario)
    assert (after.members, after.sessions) == (before.members, before.sessions)
    token = await scenario.oidc_token(connection, sub="attacker", email="attacker@acme.test")
    assert (await scenario.authenticate(token))["member_id"] == attacker["member_id"]
    assert attacker["member_id"] != victim["member_id"]


def failing(reason: Reason) -> Callable[[str, str, bytes], Awaitable[FetchResponse]]:
    async def answer(_method: str, _url: str, _body: bytes) -> FetchResponse:
        raise FetchError(reason, detail="as the test wants it")

    return answer


TOKENS = {"access_token": "access-1", "token_type": "Bearer", "id_token": "x"}


@pytest.mark.case("OI-45")
@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        (answering({"error": "invalid_grant"}, status=400), "oidc.code.grant"),
        (answering({"error": "invalid_client"}, status=401), "oidc.code.client"),
        (answering({"error": "invalid_scope"}, status=400), "oidc.code.refused"),
        (answering(b"", status=500, content_type="text/html"), "oidc.code.unavailable"),
        (answering(b"<html>", content_type="text/html"), "oidc.code.answer"),
        (answering(b"", status=204), "oidc.code.refused"),
        (answering(b"", status=302), "oidc.code.redirect"),
        (failing(Reason.REDIRECT), "oidc.code.unavailable"),
        (failing(Reason.TIMEOUT), "oidc.code.unavailable"),
        (failing(Reason.UNREACHABLE), "oidc.code.unavailable"),
        (failing(Reason.TOO_LARGE), "oidc.code.unavailable"),
        (answering({"error": "invalid_grant", **TOKENS}), "oidc.code.grant"),
        (answering({**TOKENS, "id_token": None}), "oidc.code.id_token"),
        (answering({**TOKENS, "id_token": ["x"]}), "oidc.code.id_token"),
        (answering({**TOKENS, "token_type": "mac"}), "oidc.code.token_type"),
        (answering([]), "oidc.code.answer"),
        (answering(b'{"a":1,"a":2}'), "oidc.code.answer"),
        (answering(b'{"a":"\\u0000"}'), "oidc.code.answer"),
        (answering(b'{"a":"\\ud800"}'), "oidc.code.answer"),
    ],
)
async def test_what_a_token_endpoint_may_do_wrong(
    scenario: Scenario, connection: Connection, endpoint: Any, reason: str
) -> None:
    scenario.fetch.answers[TOKEN_URL] = endpoint
    answer = await scenario.oidc_callback(scenario.browser(), connection)
    await assert_refused(
        scenario, answer, error=errors.oidc_auth_code_error, reason=reason, before=USED
    )
    assert len(token_requests(scenario)) == 1
    assert "as the test wants it" not in str(await traces(scenario))


@pytest.mark.case("OI-45")
async def test_a_jwks_that_cannot_be_had_is_refused(
    scenario: Scenario, connection: Connection
) -> None:
    endpoints = [
        (failing(Reason.TIMEOUT), "oidc.jwks"),
        (answering(b"", status=404), "oidc.jwks"),
        (answering({"keys": "x"}), "oidc.jwks"),
        (answering({"keys": []}), "oidc.key"),
    ]
    for number, (endpoint, reason) in enumerate(endpoints):
        scenario.clock.advance(MINUTE)
        scenario.fetch.answers[f"{ISSUER}/jwks"] = endpoint
        answer = await scenario.oidc_callback(scenario.browser(), connection)
        await assert_refused(
            scenario,
            answer,
            error=errors.oidc_invalid_id_token,
            reason=reason,
            before=Left(consumed_sign_ins=number + 1),
            traces_before=number,
        )


@pytest.mark.case("OI-46")
async def test_the_secret_goes_where_the_admin_said_and_nowhere_else(
    scenario: Scenario, connection: Connection
) -> None:
    evil = "https://evil.example/token"
    scenario.fetch.answers[f"{ISSUER}/.well-known/openid-configuration"] = answering(
        {"issuer": ISSUER, "token_endpoint": evil, "jwks_uri": "https://evil.example/jwks"}
    )
    scenario.clock.advance(2 * 60 * MINUTE)
    await scenario.oidc_token(connection)
    scenario.fetch.requests.clear()
    answer = await scenario.oidc_callback(scenario.browser(), connection)
    assert token_of(answer)
    hosts = {urlsplit(url).netloc for _, url, _ in scenario.fetch.requests}
    assert hosts == {urlsplit(ISSUER).netloc}
