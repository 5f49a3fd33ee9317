"""The page of a letter's link that ends a lock: it asks first, and tells nothing to others."""

import re

import pytest

from tests.support.asgi import Answer
from tests.support.authenticators import AUTHENTICATE, AtSecondFactor, at_second_factor
from tests.support.doors import open_door
from tests.support.refusals import assert_safe
from tests.support.scenario import Scenario
from vestibule.domain import letters
from vestibule.domain.mfa import unlocking
from vestibule.mail import MemoryMail

REFUSED = "unable_to_auth_magic_link"


@pytest.fixture
async def ada(scenario: Scenario) -> AtSecondFactor:
    """Return a member who is locked out after ten wrong codes."""
    await unlocking.allow(scenario.context, scenario.project, allowed=True)
    ada = await at_second_factor(await open_door(scenario, "saml"))
    await ada.enrol()
    tokens = await ada.session()
    for _ in range(10):
        await ada.bad(AUTHENTICATE, code="000000", **tokens)
    assert (await ada.member())["is_locked"]
    return ada


async def link(ada: AtSecondFactor) -> str:
    """Return path and query of the letter's link."""
    context = ada.door.scenario.context
    await letters.deliver(context)
    assert isinstance(context.mail, MemoryMail)
    (found,) = re.findall(r"https://sso\.example\.test(/\S+)", context.mail.messages[-1].text)
    return str(found)


def said(answer: Answer) -> tuple[int, str]:
    found = re.search(r"<dt>Error</dt><dd><code>(\w+)</code>", answer.text)
    assert found, answer.text
    return answer.status, found[1]


async def test_page_asks_and_then_ends_the_lock(ada: AtSecondFactor) -> None:
    url, browser = await link(ada), ada.door.scenario.browser()
    for _ in range(2):  # a scanner of mail follows links, too
        asked = await browser.get(url)
        assert asked.status == 200
        assert "ada@acme.test" in asked.text
        assert '<button type="submit">' in asked.text
        assert_safe(asked)
        assert (await ada.member())["is_locked"]
    done = await browser.post(url, {})
    assert done.status == 200
    assert "You can sign in again" in done.text
    assert_safe(done)
    shown = await ada.member()
    locked = (shown["is_locked"], shown["lock_created_at"], shown["lock_expires_at"])
    assert locked == (False, None, None)
    assert await ada.session()


async def test_used_link_is_refused_on_a_plain_page(ada: AtSecondFactor) -> None:
    url, browser = await link(ada), ada.door.scenario.browser()
    await browser.post(url, {})
    for again in (await browser.post(url, {}), await browser.get(url)):
        assert said(again) == (401, REFUSED)
        assert "ada@acme.test" not in again.text
        assert_safe(again)


@pytest.mark.parametrize("query", ["", "?token=", "?token=x", "?token=%C3%A4", "?other=1"])
async def test_what_is_no_link_is_refused(scenario: Scenario, query: str) -> None:
    browser = scenario.browser()
    for answer in (
        await browser.get(unlocking.PATH + query),
        await browser.post(unlocking.PATH + query, {}),
    ):
        assert said(answer) == (401, REFUSED)
