"""A member changes its own address: by the link of a letter, or by its code."""

import re
from typing import Any

import pytest

from tests.support.asgi import Answer
from tests.support.member_session import SignedIn, sign_in
from tests.support.scenario import LOGIN_URL, Scenario
from vestibule.clock import MINUTE
from vestibule.domain import letters
from vestibule.mail import MemoryMail, Message

UNPROVEN = (401, "unable_to_verify_member_email_update")
NEW = "lovelace@acme.test"


@pytest.fixture
async def ada(scenario: Scenario) -> SignedIn:
    """Return a member who has proven the address ada@acme.test."""
    return await sign_in(scenario, await scenario.organization())


async def start(ada: SignedIn, email: str = NEW, **fields: Any) -> Message:
    """Begin a change on the member's behalf and return the letter."""
    body = {"email_address": email, **fields}
    await ada.good("POST", f"{ada.path}/start_email_update", body)
    return await letter(ada.scenario)


async def letter(scenario: Scenario) -> Message:
    """Return the newest letter."""
    assert isinstance(scenario.context.mail, MemoryMail)
    await letters.deliver(scenario.context)
    return scenario.context.mail.messages[-1]


def link(message: Message) -> str:
    """Return path and query of the letter's link."""
    (found,) = re.findall(r"https://sso\.example\.test(/\S+)", message.text)
    return str(found)


def code(message: Message) -> str:
    (found,) = re.findall(r"^\d{6}$", message.text, re.MULTILINE)
    return str(found)


async def member(ada: SignedIn) -> dict[str, Any]:
    path = f"/v1/b2b/organizations/{ada.organization_id}/member?member_id={ada.member_id}"
    return dict((await ada.scenario.api.good("GET", path))["member"])


async def confirm(ada: SignedIn, given: str) -> dict[str, Any]:
    body = {"code": given}
    return dict(await ada.good("POST", f"{ada.path}/confirm_email_update", body))


async def unproven(ada: SignedIn, given: str) -> tuple[int, str]:
    return await ada.bad("POST", f"{ada.path}/confirm_email_update", {"code": given})


async def refused(ada: SignedIn, email: str = NEW, **fields: Any) -> tuple[int, str]:
    body = {"email_address": email, **fields}
    return await ada.scenario.api.bad("POST", f"{ada.path}/start_email_update", body)


async def add(ada: SignedIn, email: str) -> str:
    """Add another member and return its path."""
    path = f"/v1/b2b/organizations/{ada.organization_id}/members"
    made = await ada.scenario.api.good("POST", path, {"email_address": email})
    return f"{path}/{made['member_id']}"


# The link --------------------------------------------------------------------------------------


async def test_link_asks_and_then_changes_the_address(ada: SignedIn) -> None:
    message = await start(ada)
    assert message.to == NEW
    browser = ada.scenario.browser()
    for _ in range(2):  # a scanner of mail follows links, too
        asked = await browser.get(link(message))
        assert asked.status == 200
        assert NEW in asked.text
        assert (await member(ada))["email_address"] == "ada@acme.test"
    done = await browser.post(link(message), {})
    assert (done.status, done.headers["location"]) == (303, LOGIN_URL)
    shown = await member(ada)
    assert (shown["email_address"], shown["email_address_verified"]) == (NEW, True)
    (retired,) = shown["retired_email_addresses"]
    assert retired["email_address"] == "ada@acme.test"


async def test_link_is_used_once(ada: SignedIn) -> None:
    message = await start(ada)
    browser = ada.scenario.browser()
    await browser.post(link(message), {})
    for again in (await browser.post(link(message), {}), await browser.get(link(message))):
        assert said(again) == (401, UNPROVEN[1])


async def test_link_lives_five_minutes(ada: SignedIn) -> None:
    message = await start(ada)
    ada.scenario.clock.advance(5 * MINUTE)
    browser = ada.scenario.browser()
    for late in (await browser.get(link(message)), await browser.post(link(message), {})):
        assert said(late) == (401, UNPROVEN[1])
    assert (await member(ada))["email_address"] == "ada@acme.test"


async def test_later_link_replaces_the_earlier(ada: SignedIn) -> None:
    first, second = await start(ada), await start(ada, "countess@acme.test")
    browser = ada.scenario.browser()
    assert said(await browser.post(link(first), {})) == (401, UNPROVEN[1])
    assert (await browser.post(link(second), {})).status == 303
    assert (await member(ada))["email_address"] == "countess@acme.test"


@pytest.mark.parametrize("token", ["", "x", "A" * 64, "é"])
async def test_made_up_link_is_refused(ada: SignedIn, token: str) -> None:
    await start(ada)
    browser = ada.scenario.browser()
    path = f"/v1/public/email_update?token={token}"
    for answer in (await browser.get(path), await browser.post(path, {})):
        assert said(answer) == (401, UNPROVEN[1])


async def test_link_goes_only_where_the_application_has_registered(ada: SignedIn) -> None:
    message = await start(ada, login_redirect_url=LOGIN_URL)
    done = await ada.scenario.browser().post(link(message), {})
    assert done.headers["location"] == LOGIN_URL
    elsewhere = await refused(ada, "x@acme.test", login_redirect_url="https://evil.example/")
    assert elsewhere == (400, "no_match_for_provided_sso_url")


async def test_address_taken_meanwhile_is_not_given_away(ada: SignedIn) -> None:
    message = await start(ada)
    await add(ada, NEW)
    answer = await ada.scenario.browser().post(link(message), {})
    assert said(answer) == (400, "duplicate_member_email")
    assert (await member(ada))["email_address"] == "ada@acme.test"


def said(answer: Answer) -> tuple[int, str]:
    """Return status and error type of the plain page."""
    found = re.search(r"<dt>Error</dt><dd><code>(\w+)</code>", answer.text)
    assert found, answer.text
    return answer.status, found[1]


# The code --------------------------------------------------------------------------------------


async def test_code_changes_the_address(ada: SignedIn) -> None:
    message = await start(ada, delivery_method="EMAIL_OTP")
    answer = await confirm(ada, code(message))
    assert answer["member"]["email_address"] == NEW
    assert answer["member"]["email_address_verified"] is True
    assert await unproven(ada, code(message)) == UNPROVEN


async def test_fifth_wrong_code_ends_the_change(ada: SignedIn) -> None:
    right = code(await start(ada, delivery_method="EMAIL_OTP"))
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        assert await unproven(ada, wrong) == UNPROVEN
    assert await unproven(ada, right) == UNPROVEN
    right = code(await start(ada, delivery_method="EMAIL_OTP"))
    await confirm(ada, right)


async def test_code_lives_five_minutes(ada: SignedIn) -> None:
    right = code(await start(ada, delivery_method="EMAIL_OTP"))
    ada.scenario.clock.advance(5 * MINUTE)
    assert await unproven(ada, right) == UNPROVEN


async def test_empty_code_is_not_that_of_a_link(ada: SignedIn) -> None:
    await start(ada)
    for given in ("", "000000"):
        assert await unproven(ada, given) == UNPROVEN


async def test_code_without_a_change_is_refused(ada: SignedIn) -> None:
    assert await unproven(ada, "123456") == UNPROVEN


async def test_code_is_kept_sealed(ada: SignedIn) -> None:
    right = code(await start(ada, delivery_method="EMAIL_OTP"))
    async with ada.scenario.context.store.read() as tx:
        (update,) = await tx.email_updates.all(member_id=ada.member_id)
    assert right not in str(update)


# Who, and which address ------------------------------------------------------------------------


async def test_member_without_a_proven_address_cannot_begin(ada: SignedIn) -> None:
    bob = await add(ada, "bob@acme.test")
    body = {"email_address": NEW}
    answer = await ada.scenario.api.bad("POST", f"{bob}/start_email_update", body)
    assert answer == (400, "member_has_no_active_verified_email")


async def test_member_that_is_not_active_cannot_begin(ada: SignedIn) -> None:
    path = f"/v1/b2b/organizations/{ada.organization_id}/members"
    body: dict[str, Any] = {"email_address": "bob@acme.test", "create_member_as_pending": True}
    made = await ada.scenario.api.good("POST", path, body)
    answer = await ada.scenario.api.bad(
        "POST", f"{path}/{made['member_id']}/start_email_update", {"email_address": NEW}
    )
    assert answer == (400, "email_updates_available_only_for_active_members")


async def test_address_that_is_not_free_cannot_be_wanted(ada: SignedIn) -> None:
    bob = await add(ada, "bob@acme.test")
    await ada.scenario.api.good("PUT", bob, {"email_address": "robert@acme.test"})
    await ada.scenario.organization("Other", claimed_email_domains=["claimed.test"])
    for email, error in {
        "ROBERT@acme.test": "duplicate_member_email",
        "ada@acme.test": "duplicate_member_email",
        "bob@acme.test": "desired_email_deactivated_by_different_member",
        "ada@claimed.test": "action_not_allowed_email_domain_is_claimed",
        "nobody": "invalid_email",
    }.items():
        assert await refused(ada, email) == (400, error)


async def test_address_that_another_member_is_changing_to_cannot_be_wanted(ada: SignedIn) -> None:
    bob = await add(ada, "bob@acme.test")
    async with ada.scenario.context.store.write() as tx:
        await tx.members.change({"email_address_verified": True}, email_address="bob@acme.test")
    await start(ada)
    body, path = {"email_address": NEW}, f"{bob}/start_email_update"
    taken = (400, "desired_email_updating_for_different_member")
    assert await ada.scenario.api.bad("POST", path, body) == taken
    ada.scenario.clock.advance(5 * MINUTE)
    await ada.scenario.api.good("POST", path, body)


async def test_member_may_go_back_to_an_address_of_its_own(ada: SignedIn) -> None:
    await confirm(ada, code(await start(ada, delivery_method="EMAIL_OTP")))
    back = await start(ada, "ada@acme.test", delivery_method="EMAIL_OTP")
    shown = (await confirm(ada, code(back)))["member"]
    assert shown["email_address"] == "ada@acme.test"


@pytest.mark.parametrize(
    ("locale", "word"), [("en", "Open"), ("es", "Abre"), ("pt-br", "Abra"), ("fr", "Ouvrez")]
)
async def test_letter_speaks_the_language_that_is_asked_for(
    ada: SignedIn, locale: str, word: str
) -> None:
    message = await start(ada, locale=locale)
    assert message.text.startswith(f"{word} ")
    assert "Acme" in message.text
    assert "{" not in message.text + message.subject


async def test_wrong_fields_are_named(ada: SignedIn) -> None:
    for fields in ({"locale": "xx"}, {"delivery_method": "PIGEON"}, {"login_redirect_url": 7}):
        assert await refused(ada, **fields) == (400, "bad_request")


async def test_members_change_their_own_address_alone(ada: SignedIn) -> None:
    bob = await add(ada, "bob@acme.test")
    denied = (403, "session_authorization_error")
    body = {"email_address": NEW, "code": "123456"}
    assert await ada.bad("POST", f"{bob}/start_email_update", body) == denied
    assert await ada.bad("POST", f"{bob}/confirm_email_update", body) == denied
