"""Letters whose reader and whose writers are strangers to one another (AD-21)."""

import re
from typing import Final

import pytest

from tests.support.asgi import call
from tests.support.context import BASE_URL
from tests.support.dom import HOSTILE
from tests.support.member_session import SignedIn, sign_in
from tests.support.scenario import Scenario
from vestibule.domain import letters
from vestibule.mail import MemoryMail, Message

NAME: Final = f"Acme\n\nhttps://evil.test/login\r\n{HOSTILE}"[:128]
ELSEWHERE: Final = {
    "host": "evil.test",
    "x-forwarded-host": "evil.test",
    "x-forwarded-proto": "http",
    "x-original-host": "evil.test",
    "forwarded": "host=evil.test;proto=http",
    "origin": "https://evil.test",
    "referer": "https://evil.test/",
}


@pytest.fixture
async def ada(scenario: Scenario) -> SignedIn:
    """Return a member of an organization that somebody has named for its effect."""
    member = await sign_in(scenario, await scenario.organization(NAME))
    await member.scenario.api.good("PUT", member.path, {"name": HOSTILE})
    return member


async def written(ada: SignedIn, **fields: str) -> Message:
    """Begin a change of address under a foreign host name; return the letter."""
    body = {"email_address": "lovelace@acme.test", **fields}
    path = f"{ada.path}/start_email_update"
    await ada.scenario.api.good("POST", path, body, headers={**ada.headers, **ELSEWHERE})
    await letters.deliver(ada.scenario.context)
    assert isinstance(ada.scenario.context.mail, MemoryMail)
    return ada.scenario.context.mail.messages[-1]


@pytest.mark.case("AD-21")
@pytest.mark.parametrize("locale", ["en", "es", "pt-br", "fr"])
async def test_the_only_link_is_ours_whatever_the_request_says(ada: SignedIn, locale: str) -> None:
    letter = await written(ada, locale=locale)
    (link,) = re.findall(r"\w+://\S+", letter.text)
    assert re.fullmatch(re.escape(BASE_URL) + r"/v1/public/email_update\?token=[\w-]{64}", link)
    assert letter.text.count("\n\n") == 2
    assert "\r" not in letter.text
    assert "evil.test" not in letter.subject


@pytest.mark.case("AD-21")
async def test_a_letter_with_a_code_has_no_link(ada: SignedIn) -> None:
    letter = await written(ada, delivery_method="EMAIL_OTP")
    assert "://" not in letter.text
    assert "\r" not in letter.text


@pytest.mark.case("AD-21")
async def test_no_page_takes_its_own_address_from_the_request(ada: SignedIn) -> None:
    """What pages and answers lead to is what the settings say, whatever Host is."""
    scenario = ada.scenario
    connection = await scenario.saml_connection(ada.organization_id, idp_entity_id="https://b.test")
    paths = [
        f"/v1/public/sso/metadata/{connection['connection_id']}",
        (
            f"/v1/public/sso/start?public_token={scenario.public_token}"
            f"&connection_id={connection['connection_id']}"
        ),
        f"/v1/b2b/sso/callback/{connection['connection_id']}",
        "/v1/public/email_update?token=x",
        "/v1/b2b/organizations/none",
        "/nowhere",
    ]
    for path in paths:
        for accept in ("text/html", "application/json"):
            own = {"authorization": scenario.api.authorization, "accept": accept}
            answer = await call(scenario.app, "GET", path, headers={**own, **ELSEWHERE})
            assert "evil.test" not in answer.text
            assert not any("evil.test" in value for value in answer.headers.values())
