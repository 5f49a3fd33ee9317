"""The development pages in a real browser: nothing is stopped by its own security policy."""

from collections.abc import AsyncIterator
from urllib.parse import quote_plus, urlencode

import pytest
from playwright.async_api import Browser, Page, expect
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.dev.conftest import Development
from tests.dev.serving import serving
from tests.support.chromium import open_chromium
from tests.support.dom import HOSTILE, oddities
from vestibule.dev.application import start_path
from vestibule.dev.credentials import PUBLIC_TOKEN
from vestibule.dev.identity_provider.saml import INITIATE_PATH
from vestibule.mail import Message


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with open_chromium() as browser:
        yield browser


@pytest.fixture
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """A page that must not complain."""
    opened = await chromium.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    assert complaints == []


@pytest.mark.parametrize("protocol", ["SAML", "OIDC"])
async def test_login_and_logout(development: Development, page: Page, protocol: str) -> None:
    await development.seeded()
    await page.goto(f"{development.base_url}/dev/app")
    await page.get_by_role("link", name=f"Sign in with {protocol}").click()
    await expect(page.get_by_text("Test identity provider")).to_be_visible()
    await page.get_by_label("Bob Brown").check()
    await page.get_by_label("Groups").fill("sales")
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/dev/app/home")
    await expect(page.get_by_role("heading", name="Hello, Bob Brown")).to_be_visible()
    await page.get_by_role("button", name="Log out").click()
    await page.wait_for_url("**/dev/app")
    await page.goto(f"{development.base_url}/dev/app/home")
    assert page.url == f"{development.base_url}/dev/app"


async def test_someone_else_is_typed_in(development: Development, page: Page) -> None:
    await development.seeded()
    await page.goto(f"{development.base_url}/dev/app")
    await page.get_by_role("link", name="Sign in with SAML").click()
    await expect(page.get_by_label("E-mail")).to_be_hidden()
    await page.get_by_label("Someone else").check()
    await page.get_by_label("E-mail").fill("ann@example.com")
    await page.get_by_label("First name").fill("Ann")
    await page.get_by_label("Last name").fill("Ångström")
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/dev/app/home")
    await expect(page.get_by_role("heading", name="Hello, Ann Ångström")).to_be_visible()


async def test_login_works_without_scripts(development: Development, chromium: Browser) -> None:
    await development.seeded()
    page = await chromium.new_page(java_script_enabled=False)
    await page.goto(f"{development.base_url}/dev/app")
    await page.get_by_role("link", name="Sign in with SAML").click()
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("button", name="Continue").click()
    await page.wait_for_url("**/dev/app/home")
    await expect(page.get_by_role("heading", name="Hello, Alice Adams")).to_be_visible()


@pytest.mark.parametrize("protocol", ["saml", "oidc"])
async def test_application_may_live_on_another_origin(
    development: Development, page: Page, protocol: str
) -> None:
    """Chromium holds the redirects behind a form against the form-action of the form's page."""

    async def arrived(_request: Request) -> Response:
        return HTMLResponse("<link rel=icon href=data:,><h1>Arrived</h1>")

    seeded = await development.seeded()
    ids = {"saml": seeded.saml_connection_id, "oidc": seeded.oidc_connection_id}
    async with serving(lambda _: [Route("/back", arrived)]) as application:
        await development.may_return_to(f"{application}/back")
        start = start_path(ids[protocol], base_url=development.base_url, public_token=PUBLIC_TOKEN)
        ours, theirs = f"{development.base_url}/dev/app/callback", f"{application}/back"
        await page.goto(development.base_url + start.replace(quote_plus(ours), quote_plus(theirs)))
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("heading", name="Arrived")).to_be_visible()
        assert page.url.startswith(f"{application}/back?stytch_token_type=sso&token=")


@pytest.mark.parametrize("protocol", ["saml", "oidc"])
async def test_application_may_live_on_the_device(
    development: Development, page: Page, protocol: str
) -> None:
    seeded = await development.seeded()
    ids = {"saml": seeded.saml_connection_id, "oidc": seeded.oidc_connection_id}
    url = "com.example.app://callback"
    await development.may_return_to(url)
    start = start_path(ids[protocol], base_url=development.base_url, public_token=PUBLIC_TOKEN)
    ours = quote_plus(f"{development.base_url}/dev/app/callback")
    challenge = urlencode({"pkce_code_challenge": "a" * 43})
    there = f"{start.replace(ours, quote_plus(url))}&{challenge}"
    await page.goto(development.base_url + there)
    async with page.expect_request(f"{url}?stytch_token_type=sso&token=*"):
        await page.get_by_role("button", name="Sign in").click()


async def test_other_pages_are_shown(development: Development, page: Page) -> None:
    await development.seeded()
    await page.goto(f"{development.base_url}/dev/mailbox")
    await expect(page.get_by_text("No message yet.")).to_be_visible()
    await page.goto(f"{development.base_url}/dev/idp")
    await expect(page.get_by_text(f"{development.base_url}/dev/idp/saml/sso")).to_be_visible()


@pytest.mark.case("AD-15")
async def test_names_with_markup_stay_text_in_the_demo_application(
    development: Development, page: Page
) -> None:
    seeded = await development.seeded()
    organization = f"/v1/b2b/organizations/{seeded.organization_id}"
    await development.api.call("PUT", organization, {"organization_name": HOSTILE[:128]})
    saml = f"/v1/b2b/sso/saml/{seeded.organization_id}/connections/{seeded.saml_connection_id}"
    await development.api.call("PUT", saml, {"display_name": HOSTILE})
    await page.goto(f"{development.base_url}/dev/app")
    assert await oddities(page) == []
    await page.get_by_role("link", name="pwned").click()
    await page.get_by_label("Someone else").check()
    await page.get_by_label("E-mail").fill("ann@example.com")
    await page.get_by_label("First name").fill(HOSTILE)
    await page.get_by_label("Last name").fill(HOSTILE)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/dev/app/home")
    assert HOSTILE in await page.get_by_role("heading", level=1).inner_text()
    assert await oddities(page) == []


@pytest.mark.case("AD-15")
async def test_a_letter_with_markup_stays_text_in_the_mailbox(
    development: Development, page: Page
) -> None:
    links = 'javascript:window.pwned=1 https://a.test/"onmouseover=window.pwned=1 data:text/html,x'
    letter = Message(
        to=HOSTILE, subject=HOSTILE, text=f"{HOSTILE} {links}", message_id="", sent_at=0
    )
    await development.context.mail.send(letter)
    await page.goto(f"{development.base_url}/dev/mailbox")
    assert await oddities(page) == []
    assert await page.locator("pre.letter").inner_text() == letter.text
    assert await page.get_by_role("heading", level=2).inner_text() == HOSTILE


@pytest.mark.case("AD-15", "AD-16")
async def test_a_request_with_markup_stays_text_at_the_test_identity_provider(
    development: Development, page: Page
) -> None:
    query = {
        "acs": f"{development.base_url}/v1/b2b/sso/callback/none?'onfocus=window.pwned=1'",
        "audience": HOSTILE,
        "RelayState": HOSTILE,
    }
    await page.goto(f"{development.base_url}{INITIATE_PATH}?{urlencode(query)}")
    assert await oddities(page) == []
    assert await page.locator("code").first.inner_text() == HOSTILE
    assert await page.locator("input[name=relay_state]").input_value() == HOSTILE


@pytest.mark.case("AD-15")
@pytest.mark.parametrize("path", ["idp/saml/sso", "idp/saml/initiate", "idp/oidc/authorize", "app"])
async def test_what_the_development_pages_refuse_stays_text(
    development: Development, chromium: Browser, path: str
) -> None:
    await development.seeded()
    page = await chromium.new_page()
    names = ("acs", "audience", "client_id", "redirect_uri", "SAMLRequest", "token", HOSTILE)
    for query in (dict.fromkeys(names, HOSTILE), {HOSTILE: ""}):
        await page.goto(f"{development.base_url}/dev/{path}?{urlencode(query)}")
        assert await oddities(page) == []
    await page.goto(f"{development.base_url}/dev/app/callback?{urlencode({'token': HOSTILE})}")
    assert await oddities(page) == []
