import socket
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie

import aiohttp
import pytest

from tests.dev.conftest import Development
from tests.dev.serving import serving
from tests.support.determinism import HandClock
from vestibule.clock import HOUR
from vestibule.dev.application import COOKIE, Application
from vestibule.dev.browser import Browser, Step
from vestibule.dev.client import ApiError, Client
from vestibule.dev.credentials import TEST_PROJECT

ZOE = {"person": "zoe", "groups": "sales"}


async def came_back(
    browser: Browser, development: Development, connection_id: str, person: dict[str, str]
) -> Step:
    """Sign in up to the redirect that brings the token to the application."""
    application = Application(development.base_url, TEST_PROJECT, development.api)
    step = await browser.visit(application.start_url(connection_id))
    for _ in range(10):
        if step.location.startswith(f"{development.base_url}/dev/app/callback"):
            return step
        if step.location:
            step = await browser.visit(step.location)
        else:
            answers = person if "person" in step.forms[0].fields else {}
            step = await browser.submit(step.forms[0], answers)
    raise AssertionError(step.text)


async def signed_in(browser: Browser, development: Development) -> Step:
    """Sign Zoë in by SAML and return her home page."""
    seeded = await development.seeded()
    back = await came_back(browser, development, seeded.saml_connection_id, ZOE)
    landed = await browser.visit(back.location)
    assert landed.location == f"{development.base_url}/dev/app/home"
    return await browser.visit(landed.location)


async def test_each_active_connection_has_a_button(
    development: Development, browser: Browser
) -> None:
    seeded = await development.seeded()
    await development.api.call("POST", "/v1/b2b/sso/saml/acme", {"display_name": "Pending one"})
    page = await browser.visit(f"{development.base_url}/dev/app")
    assert "Sign in with SAML" in page.text
    assert "Sign in with OIDC" in page.text
    assert f"connection_id={seeded.saml_connection_id}&amp;" in page.text
    assert f"connection_id={seeded.oidc_connection_id}&amp;" in page.text
    assert "Pending one" not in page.text
    assert "You are signed in already" not in page.text


async def test_organization_without_connections_says_so(
    development: Development, browser: Browser
) -> None:
    body = {"organization_name": "Acme", "organization_slug": "acme"}
    await development.api.call("POST", "/v1/b2b/organizations", body)
    page = await browser.visit(f"{development.base_url}/dev/app")
    assert "No active connection yet" in page.text


@pytest.mark.parametrize("protocol", ["saml", "oidc"])
async def test_login_ends_at_a_page_that_knows_the_member(
    development: Development, browser: Browser, protocol: str
) -> None:
    seeded = await development.seeded()
    ids = {"saml": seeded.saml_connection_id, "oidc": seeded.oidc_connection_id}
    back = await came_back(browser, development, ids[protocol], ZOE)
    landed = await browser.visit(back.location)
    home = await browser.visit(landed.location)
    assert home.status == 200
    assert "Hello, Zoë Müller &amp; &lt;Söhne&gt;" in home.text
    assert "zoe@example.com" in home.text
    assert ids[protocol] in home.text
    assert f"sso_{protocol}" in home.text
    assert seeded.organization_id in home.text
    assert "https://stytch.com/session" in home.text


async def test_page_does_not_hold_the_session_token(
    development: Development, browser: Browser, http: aiohttp.ClientSession
) -> None:
    home = await signed_in(browser, development)
    token = session_token(http)
    assert token
    assert token not in home.text


def session_token(http: aiohttp.ClientSession) -> str:
    return next((cookie.value for cookie in http.cookie_jar if cookie.key == COOKIE), "")


async def test_cookie_is_kept_from_scripts_and_from_the_rest_of_the_server(
    development: Development, browser: Browser, http: aiohttp.ClientSession
) -> None:
    seeded = await development.seeded()
    back = await came_back(browser, development, seeded.saml_connection_id, ZOE)
    async with http.get(back.location, allow_redirects=False) as answer:
        cookie = SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert cookie["httponly"]
    assert cookie["samesite"] == "lax"
    assert cookie["path"] == "/dev/app"
    assert not cookie["secure"]


async def test_logout_ends_the_session_at_the_server(
    development: Development, browser: Browser, http: aiohttp.ClientSession
) -> None:
    home = await signed_in(browser, development)
    token = session_token(http)
    out = await browser.submit(home.forms[0])
    assert out.location == f"{development.base_url}/dev/app"
    assert session_token(http) == ""
    with pytest.raises(ApiError) as caught:
        await development.api.call(
            "POST", "/v1/b2b/sessions/authenticate", {"session_token": token}
        )
    assert caught.value.error_type == "session_not_found"


async def test_second_logout_does_no_harm(development: Development, browser: Browser) -> None:
    home = await signed_in(browser, development)
    await browser.submit(home.forms[0])
    out = await browser.submit(home.forms[0])
    assert out.location == f"{development.base_url}/dev/app"


async def test_logout_without_a_session_does_no_harm(
    development: Development, http: aiohttp.ClientSession
) -> None:
    url = f"{development.base_url}/dev/app/logout"
    async with http.post(url, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/dev/app")


async def test_unfinished_login_is_told_and_opens_no_session(
    development: Development, browser: Browser, http: aiohttp.ClientSession
) -> None:
    seeded = await development.seeded()
    policy = {"mfa_policy": "REQUIRED_FOR_ALL"}
    await development.api.call("PUT", f"/v1/b2b/organizations/{seeded.organization_id}", policy)
    back = await came_back(browser, development, seeded.saml_connection_id, ZOE)
    page = await browser.visit(back.location)
    assert page.status == 403
    assert "asks for a second factor" in page.text
    assert session_token(http) == ""


async def test_home_without_a_session_leads_to_the_sign_in(
    development: Development, browser: Browser
) -> None:
    page = await browser.visit(f"{development.base_url}/dev/app/home")
    assert page.location == f"{development.base_url}/dev/app"


async def test_home_forgets_a_session_that_is_over(
    development: Development,
    browser: Browser,
    http: aiohttp.ClientSession,
    clock: HandClock,
) -> None:
    await signed_in(browser, development)
    clock.advance(HOUR)
    page = await browser.visit(f"{development.base_url}/dev/app/home")
    assert page.location == f"{development.base_url}/dev/app"
    assert session_token(http) == ""


async def test_token_that_was_used_is_refused_with_the_servers_words(
    development: Development, browser: Browser
) -> None:
    seeded = await development.seeded()
    back = await came_back(browser, development, seeded.oidc_connection_id, ZOE)
    await browser.visit(back.location)
    page = await browser.visit(back.location)
    assert page.status == 400
    assert "The server refused" in page.text
    assert "sso_token_not_found" in page.text
    assert "request-id-test-" in page.text


@pytest.mark.parametrize(
    "query", ["", "?token=x", "?stytch_token_type=sso", "?stytch_token_type=magic_links&token=x"]
)
async def test_callback_without_a_token_is_refused(
    development: Development, browser: Browser, query: str
) -> None:
    page = await browser.visit(f"{development.base_url}/dev/app/callback{query}")
    assert page.status == 400
    assert "No token" in page.text


@pytest.fixture
async def orphan(http: aiohttp.ClientSession) -> AsyncIterator[str]:
    """The application alone: the server that it asks is away."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        away = f"http://127.0.0.1:{listener.getsockname()[1]}"
    api = Client(http, base_url=away, credentials=TEST_PROJECT)
    async with serving(
        lambda base_url: Application(base_url, TEST_PROJECT, api).routes()
    ) as base_url:
        yield base_url


@pytest.mark.parametrize("path", ["/dev/app", "/dev/app/callback?stytch_token_type=sso&token=x"])
async def test_server_that_is_away_is_told(orphan: str, browser: Browser, path: str) -> None:
    page = await browser.visit(orphan + path)
    assert page.status == 502
    assert "does not answer" in page.text


async def test_session_survives_a_server_that_is_away(
    orphan: str, http: aiohttp.ClientSession
) -> None:
    headers = {"Cookie": f"{COOKIE}=token"}
    for method, path in (("GET", "/dev/app/home"), ("POST", "/dev/app/logout")):
        url = orphan + path
        async with http.request(method, url, headers=headers, allow_redirects=False) as answer:
            assert answer.status == 502
            assert "Set-Cookie" not in answer.headers
