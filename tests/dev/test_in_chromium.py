"""The development pages in a real browser: nothing is stopped by its own security policy."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.dev.conftest import Development

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


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


async def test_other_pages_are_shown(development: Development, page: Page) -> None:
    await development.seeded()
    await page.goto(f"{development.base_url}/dev/mailbox")
    await expect(page.get_by_text("No message yet.")).to_be_visible()
    await page.goto(f"{development.base_url}/dev/idp")
    await expect(page.get_by_text(f"{development.base_url}/dev/idp/saml/sso")).to_be_visible()
