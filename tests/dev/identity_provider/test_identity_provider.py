from collections.abc import AsyncIterator

import pytest

from tests.dev.serving import serving
from tests.support.determinism import HandClock, SeededEntropy
from vestibule.dev.browser import Browser
from vestibule.dev.credentials import OIDC_CLIENT_ID, OIDC_CLIENT_SECRET
from vestibule.dev.identity_provider import identity_provider
from vestibule.dev.identity_provider.keys import SigningIdentity

PARTNER = "https://partner.example"


@pytest.fixture
async def open_provider(
    identity: SigningIdentity, clock: HandClock, entropy: SeededEntropy
) -> AsyncIterator[str]:
    async with serving(
        lambda base_url: identity_provider(
            base_url,
            identity=identity,
            clock=clock,
            entropy=entropy,
            allowed_origins=(PARTNER,),
        )
    ) as base_url:
        yield base_url


async def test_index_shows_what_a_connection_needs(
    provider: str, browser: Browser, identity: SigningIdentity
) -> None:
    page = await browser.visit(f"{provider}/dev/idp")
    assert page.status == 200
    for value in (
        f"{provider}/dev/idp/saml/metadata",
        f"{provider}/dev/idp/saml/sso",
        f"{provider}/dev/idp/oidc",
        OIDC_CLIENT_ID,
        OIDC_CLIENT_SECRET,
        identity.certificate_pem.splitlines()[1],
    ):
        assert value in page.text


async def test_allowed_origin_is_answered(open_provider: str, browser: Browser) -> None:
    initiate = f"{open_provider}/dev/idp/saml/initiate"
    page = await browser.visit(f"{initiate}?acs={PARTNER}/acs&audience=partner")
    answer = await browser.submit(page.forms[0])
    assert answer.forms[0].action == f"{PARTNER}/acs"


async def test_origin_that_is_not_listed_stays_refused(
    open_provider: str, browser: Browser
) -> None:
    initiate = f"{open_provider}/dev/idp/saml/initiate"
    page = await browser.visit(f"{initiate}?acs=https://other.example/acs&audience=partner")
    assert page.status == 403
    assert "does not answer to https://other.example/acs" in page.text
