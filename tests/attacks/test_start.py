"""The start link under attack: where it may send a browser, and whom it starts: ST-08, MT-10 ff."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from msgspec.structs import replace

from tests.support.asgi import Answer, call
from tests.support.context import BASE_URL
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.doors import Protocol, open_door
from tests.support.hooked_store import HookedStore
from tests.support.refusals import Left, assert_page, assert_refused, assert_safe
from tests.support.scenario import (
    CLIENT_ID,
    ISSUER,
    LOGIN_URL,
    SIGNUP_URL,
    Scenario,
    add_project,
    open_scenario,
    token_of,
)
from vestibule import errors
from vestibule.domain import projects
from vestibule.errors import ErrorType
from vestibule.store.interface import Store

Connection = dict[str, Any]


@pytest.fixture
async def connection(scenario: Scenario) -> Connection:
    organization = await scenario.organization()
    return await scenario.oidc_connection(organization["organization_id"])


async def sign_ins(scenario: Scenario) -> int:
    async with scenario.context.store.read() as tx:
        return await tx.sign_ins.count(project_id=scenario.project.project_id)


async def refused(
    scenario: Scenario, error: ErrorType, *, message: str = "", **parameters: str
) -> None:
    answer = await scenario.start(scenario.browser(), **parameters)
    assert_page(answer, error, message)
    assert not answer.set_cookies
    assert await sign_ins(scenario) == 0


HOST = "app.example.test"

# None of these is https://app.example.test/callback, whatever some parser may think.
NEARLY = [
    f"https://{HOST}.evil.example/callback",
    f"https://{HOST}/callback/",
    f"https://{HOST}/callback/../evil",
    f"https://{HOST}/callback2",
    f"https://{HOST}/Callback",
    f"https://{HOST}/",
    f"https://{HOST}",
    f"https://sub.{HOST}/callback",
    f"https://{HOST}:8443/callback",
    f"https://{HOST}:0443/callback",
    f"http://{HOST}/callback",
    f"http://{HOST}:443/callback",
    f"ftp://{HOST}/callback",
    f"https://{HOST}./callback",
    f"https://{HOST}/%63allback",
    f"https://{HOST}//callback",
    f"https://{HOST}/callback;a=b",
    "https://localhost/callback",
    "https://127.0.0.1/callback",
    "https://[::1]/callback",
    f"data://{HOST}/callback",
]
BROKEN = [
    f"https://good@{HOST}/callback",
    "https://app.example.test@evil.example/callback",
    f"https://evil.example\\@{HOST}/callback",
    f"https:\\\\{HOST}\\callback",
    f"https://{HOST}\\.evil.example/callback",
    f"https://{HOST}%2eevil.example/callback",
    f"https://{HOST}%00.evil.example/callback",
    f"https://evil.example%2f@{HOST}/callback",
    f"ht\ttps://{HOST}/callback",
    f"https://{HOST}/call\nback",
    f" https://{HOST}/callback",
    f"https://{HOST}/callback ",
    f"https://{HOST}/callback#",
    f"https://{HOST}/callback#@evil.example",
    f"//{HOST}/callback",
    f"/\\{HOST}/callback",
    f"https:{HOST}/callback",
    f"https:/{HOST}/callback",
    f"https:///{HOST}/callback",
    "/callback",
    "callback",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://",
    "https://*/callback",
    "https://*.example.test/callback",
    f"https://{HOST}:x/callback",
    f"https://{HOST}:/callback",
    f"https://{HOST}:443443/callback",
    "https://\uff41pp.example.test/callback",
    "https://app\u3002example.test/callback",
    f"https://{HOST}/caf\u00e9",
    f"https://{HOST}/callback?x={{}}",
    f"https://{HOST}/" + "a" * 3000,
]


@pytest.mark.case("ST-08")
@pytest.mark.parametrize("kind", ["login", "signup"])
async def test_a_redirect_url_that_is_nearly_registered_is_refused(
    scenario: Scenario, connection: Connection, kind: str
) -> None:
    await projects.add_redirect_url(
        scenario.context, scenario.project, SIGNUP_URL + "2", login=True, signup=False
    )
    invalid = {"login": errors.invalid_login_sso_url, "signup": errors.invalid_signup_sso_url}
    other = {"login": SIGNUP_URL, "signup": LOGIN_URL}
    locator = {"connection_id": connection["connection_id"]}
    registered = {"login": "/callback", "signup": "/welcome"}[kind]
    for url in (*NEARLY, other[kind]):
        given = {f"{kind}_redirect_url": url.replace("/callback", registered)}
        if url == other[kind]:
            given = {f"{kind}_redirect_url": url}
        await refused(scenario, errors.no_match_for_provided_sso_url, **locator, **given)
    for url in BROKEN:
        given = {f"{kind}_redirect_url": url.replace("/callback", registered)}
        await refused(scenario, invalid[kind], **locator, **given)


@pytest.mark.case("ST-08")
async def test_the_query_of_a_redirect_url_is_the_registered_one(
    scenario: Scenario, connection: Connection
) -> None:
    registered = "https://app.example.test/in?fixed=1&return_to={}"
    await projects.add_redirect_url(
        scenario.context, scenario.project, registered, login=True, signup=True
    )
    base = "https://app.example.test/in"
    for query in (
        "",
        "?",
        "?fixed=1",
        "?return_to=x",
        "?fixed=2&return_to=x",
        "?fixed=1&return_to=x&more=1",
        "?fixed=1&return_to=x&return_to=y",
        "?fixed=1&fixed=1&return_to=x",
        "?fixed=1&Return_to=x",
    ):
        await refused(
            scenario,
            errors.query_params_do_not_match,
            connection_id=connection["connection_id"],
            login_redirect_url=base + query,
        )
    browser = scenario.browser()
    wanted = f"{base}?return_to=%2Fdeep%3Fa%3Db%26c&fixed=1"
    answer = await scenario.oidc_callback(
        browser, connection, start={"login_redirect_url": wanted, "signup_redirect_url": wanted}
    )
    assert answer.headers["location"].startswith(f"{wanted}&stytch_token_type=sso&token=")
    assert len(token_of(answer)) == 64


@pytest.mark.case("ST-08")
@pytest.mark.parametrize("protocol", ["saml", "oidc"])
async def test_a_redirect_url_removed_during_a_login_is_sent_no_token(
    scenario: Scenario, protocol: Protocol
) -> None:
    """It may have been removed because it is somebody else's by now."""
    door = await open_door(scenario, protocol)

    async def remove() -> None:
        await projects.remove_redirect_url(scenario.context, scenario.project, SIGNUP_URL)

    trace = await assert_refused(
        scenario,
        await door.come_back(between=remove),
        error=errors.no_match_for_provided_sso_url,
        reason="no_match_for_provided_sso_url",
        # A code is redeemed only for a sign-in that is used up.
        before=Left(consumed_sign_ins=1 if protocol == "oidc" else 0),
    )
    assert trace.side == "application"
    assert "removed" in trace.steps[-1].fix
    # What is still registered is none the worse for it.
    await door.add_member(email="eve@acme.test")
    assert LOGIN_URL in (await door.come_back(email="eve@acme.test")).headers["location"]


@pytest.mark.case("ST-08")
async def test_another_projects_redirect_url_is_not_registered_here(
    scenario: Scenario, connection: Connection
) -> None:
    other = await add_project(scenario.app, scenario.context, name="second")
    url = "https://second.example.test/callback"
    await projects.add_redirect_url(other.context, other.project, url, login=True, signup=True)
    await refused(
        scenario,
        errors.no_match_for_provided_sso_url,
        connection_id=connection["connection_id"],
        login_redirect_url=url,
    )


@pytest.mark.case("MT-10", "MT-11")
async def test_exactly_one_locator_is_needed(scenario: Scenario, connection: Connection) -> None:
    other = await scenario.organization("Other")
    await refused(
        scenario,
        errors.too_many_sso_connection_locators,
        connection_id=connection["connection_id"],
        organization_id=other["organization_id"],
    )
    await refused(
        scenario,
        errors.too_many_sso_connection_locators,
        connection_id=connection["connection_id"],
        organization_id=connection["organization_id"],
    )
    await refused(scenario, errors.missing_sso_connection_locator)
    await refused(
        scenario, errors.missing_sso_connection_locator, connection_id="", organization_id=""
    )


@pytest.mark.case("MT-12", "MT-13")
async def test_unknown_and_foreign_connections_are_refused_alike(
    scenario: Scenario, connection: Connection
) -> None:
    other = await add_project(scenario.app, scenario.context, name="second")
    answers = []
    for connection_id in (
        connection["connection_id"],
        "saml-connection-test-01960000-0000-7000-8000-000000000000",
        "oidc-connection-test-01960000-0000-7000-8000-000000000000",
        "x",
        "' OR 1=1 --",
        "%",
        "_" * 40,
        "x" * 9000,
        "\u00e9",
    ):
        answer = await other.start(other.browser(), connection_id=connection_id)
        assert_page(answer, errors.sso_connection_not_found)
        answers.append(shape(answer))
    assert len(set(answers)) == 1
    assert await sign_ins(other) == 0


def shape(answer: Answer) -> tuple[int, str]:
    """Return what tells two pages apart, without their request id."""
    text = answer.text
    start = text.index("request-id-")
    return answer.status, text[:start] + text[text.index("<", start) :]


@pytest.mark.case("MT-13")
async def test_an_organization_of_another_project_is_unknown(
    scenario: Scenario, connection: Connection
) -> None:
    other = await add_project(scenario.app, scenario.context, name="second")
    for locator in (connection["organization_id"], "acme", "unknown"):
        answer = await other.start(other.browser(), organization_id=locator)
        assert_page(answer, errors.organization_not_found)


async def test_hints_of_other_products_are_no_locators(
    scenario: Scenario, connection: Connection
) -> None:
    for name in ("idp_hint", "organization_hint", "connection", "organization", "provider"):
        await refused(
            scenario,
            errors.missing_sso_connection_locator,
            **{name: connection["connection_id"]},
        )


async def test_a_public_token_is_needed(scenario: Scenario, connection: Connection) -> None:
    locator = {"connection_id": connection["connection_id"]}
    await refused(scenario, errors.public_token_required, public_token="", **locator)
    for unknown in ("x", scenario.project.project_id, "' OR 1=1 --", "\u00e9", "x" * 9000):
        await refused(scenario, errors.public_token_not_found, public_token=unknown, **locator)


@pytest.mark.parametrize(
    "given", ["a" * 42, "a" * 44, "a" * 42 + "=", "a" * 42 + "\n", "\u00e9" * 43]
)
async def test_a_malformed_challenge_is_refused(
    scenario: Scenario, connection: Connection, given: str
) -> None:
    await refused(
        scenario,
        errors.invalid_pkce_code_challenge,
        connection_id=connection["connection_id"],
        pkce_code_challenge=given,
    )


NATIVE = "com.example.app://callback"


async def test_token_for_an_application_on_a_device_needs_a_challenge(
    scenario: Scenario, connection: Connection
) -> None:
    await projects.add_redirect_url(
        scenario.context, scenario.project, NATIVE, login=True, signup=True
    )
    locator = {"connection_id": connection["connection_id"]}
    for kind in ("login_redirect_url", "signup_redirect_url"):
        await refused(
            scenario, errors.pkce_required_for_native_callback, **locator, **{kind: NATIVE}
        )
    # Another application that takes the scheme has the token, but not the verifier.
    verifier = "v" * 43
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    start = {
        "login_redirect_url": NATIVE,
        "signup_redirect_url": NATIVE,
        "pkce_code_challenge": challenge,
    }
    back = await scenario.oidc_callback(scenario.browser(), connection, start=start)
    assert back.headers["location"].startswith(f"{NATIVE}?stytch_token_type=sso&token=")
    path, body = "/v1/b2b/sso/authenticate", {"sso_token": token_of(back)}
    assert await scenario.api.bad("POST", path, body) == (400, "pkce_expected_code_verifier")
    await scenario.authenticate(body["sso_token"], pkce_code_verifier=verifier)


@pytest.mark.case("OI-54")
async def test_the_link_cannot_change_the_request_to_the_provider(
    scenario: Scenario, connection: Connection
) -> None:
    answer = await scenario.start(
        scenario.browser(),
        connection_id=connection["connection_id"],
        custom_scopes="groups offline_access",
        redirect_uri="https://evil.example",
        client_id="evil",
        request_uri="https://evil.example",
        state="evil",
        nonce="evil",
        response_type="token",
        scope="evil",
        prompt="none",
        login_hint="evil",
    )
    assert_safe(answer)
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert answer.headers["location"].startswith(f"{ISSUER}/authorize?")
    assert query.keys() == {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    }
    assert query["scope"] == ["openid email profile groups offline_access"]
    assert query["client_id"] == [CLIENT_ID]
    assert query["response_type"] == ["code"]
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == [
        f"{BASE_URL}/v1/b2b/sso/callback/{connection['connection_id']}"
    ]
    assert "evil" not in answer.headers["location"]


@pytest.mark.case("OI-51")
async def test_a_login_is_not_begun_by_an_issuer(
    scenario: Scenario, connection: Connection
) -> None:
    """Third-party initiated login is not offered: a provider's own link names no connection."""
    evil = "https://evil.example"
    for issuer in (ISSUER, evil):
        await refused(
            scenario,
            errors.missing_sso_connection_locator,
            iss=issuer,
            login_hint="ada@acme.test",
            target_link_uri=evil,
        )
    # Beside a connection these are unknown words.
    answer = await scenario.start(
        scenario.browser(),
        connection_id=connection["connection_id"],
        iss=evil,
        target_link_uri=evil,
    )
    assert answer.headers["location"].startswith(f"{ISSUER}/authorize?")
    assert "evil" not in answer.headers["location"]
    async with scenario.context.store.read() as tx:
        (sign_in,) = await tx.sign_ins.all(project_id=scenario.project.project_id)
    assert (sign_in.login_redirect_url, sign_in.signup_redirect_url) == (LOGIN_URL, SIGNUP_URL)


@pytest.mark.case("OI-54")
@pytest.mark.parametrize("scopes", ['"', "a\\b", "caf\u00e9", "a\x7f", "x" * 257, "x " * 600])
async def test_scopes_that_no_provider_could_read_are_refused(
    scenario: Scenario, connection: Connection, scopes: str
) -> None:
    answer = await scenario.start(
        scenario.browser(), connection_id=connection["connection_id"], custom_scopes=scopes
    )
    assert answer.status == 400
    assert "custom_scopes: " in answer.text
    assert await sign_ins(scenario) == 0


async def test_a_parameter_that_is_given_twice_is_refused(
    scenario: Scenario, connection: Connection
) -> None:
    good = [("public_token", scenario.public_token), ("connection_id", connection["connection_id"])]
    for name, value in (*good, ("custom_scopes", "a")):
        query = urlencode([*good, ("custom_scopes", "a"), (name, value)])
        answer = await scenario.browser().get(f"/v1/public/sso/start?{query}")
        assert_page(answer, errors.bad_request, f"{name}: given more than once.")
    for query in ("a=%ff", "a=%00", "&".join(f"a{n}=x" for n in range(60))):
        answer = await scenario.browser().get(f"/v1/public/sso/start?{urlencode(good)}&{query}")
        assert answer.status == 400
    assert await sign_ins(scenario) == 0


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "OPTIONS"])
async def test_other_methods_start_nothing(
    scenario: Scenario, connection: Connection, method: str
) -> None:
    query = urlencode(
        {"public_token": scenario.public_token, "connection_id": connection["connection_id"]}
    )
    answer = await call(scenario.app, method, f"/v1/public/sso/start?{query}")
    assert_page(answer, errors.method_not_allowed)
    assert answer.headers["allow"] == "GET"
    assert await sign_ins(scenario) == 0


async def test_an_authorization_url_that_names_our_parameters_is_no_fault_of_ours(
    scenario: Scenario, connection: Connection
) -> None:
    where = {"connection_id": connection["connection_id"]}
    async with scenario.context.store.write() as tx:
        stored = await tx.connections.find(**where)
        assert stored is not None
        assert stored.oidc is not None
        wrong = replace(stored.oidc, authorization_url=f"{ISSUER}/authorize?state=fixed")
        await tx.connections.update(replace(stored, oidc=wrong))
    answer = await scenario.start(scenario.browser(), **where)
    assert answer.status == 400
    assert "oidc_connection_authorization_url_invalid_format" in answer.text


async def test_a_connection_deleted_while_it_is_started_is_not_found(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    hooked = HookedStore(store)
    scenario = await open_scenario(hooked, clock=clock, entropy=entropy)
    organization = await scenario.organization()
    connection = await scenario.oidc_connection(organization["organization_id"])

    async def delete() -> None:
        async with store.write() as tx:
            await tx.connections.delete(connection_id=connection["connection_id"])

    nth = 0
    while hooked.fired:
        nth += 1
        if nth > 1:
            connection = await scenario.oidc_connection(organization["organization_id"])
        hooked.arm(nth, delete)
        answer = await scenario.start(scenario.browser(), connection_id=connection["connection_id"])
        if hooked.fired:
            assert_page(answer, errors.sso_connection_not_found)
    assert nth == 4
