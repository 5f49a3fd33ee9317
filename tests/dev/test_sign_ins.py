import pytest

from tests.dev.conftest import Development
from tests.dev.test_application import ZOE, came_back
from vestibule.dev.browser import Browser, Step
from vestibule.dev.credentials import TEST_PROJECT


async def shown(browser: Browser, development: Development) -> Step:
    return await browser.visit(f"{development.base_url}/dev/sign-ins")


async def test_page_without_sign_ins_says_so(development: Development, browser: Browser) -> None:
    await development.seeded()
    assert "Nobody has signed in yet." in (await shown(browser, development)).text


async def test_good_one_shows_its_checks(development: Development, browser: Browser) -> None:
    seeded = await development.seeded()
    await came_back(browser, development, seeded.saml_connection_id, ZOE)
    text = (await shown(browser, development)).text
    assert "<h2>Good</h2>" in text
    assert seeded.saml_connection_id in text
    assert "What to do" not in text


async def test_failed_one_says_what_to_do(development: Development, browser: Browser) -> None:
    seeded = await development.seeded()
    changes = {"client_secret": "wrong"}
    path = f"/v1/b2b/sso/oidc/acme/connections/{seeded.oidc_connection_id}"
    await development.api.call("PUT", path, changes)
    with pytest.raises(IndexError):  # where it ends is a page without a form
        await came_back(browser, development, seeded.oidc_connection_id, ZOE)
    text = (await shown(browser, development)).text
    assert "<h2>Failed: oidc_auth_code_error</h2>" in text
    assert "Compare client_id and client_secret with the application" in text


async def test_server_that_refuses_is_no_empty_page(
    development: Development, browser: Browser
) -> None:
    await development.seeded()
    async with development.context.store.write() as tx:
        await tx.project_secrets.delete(project_id=TEST_PROJECT.project_id)
    answer = await shown(browser, development)
    assert answer.status == 502
    assert "unauthorized_credentials" in answer.text
