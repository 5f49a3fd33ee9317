"""Logouts, begun in the application or on a provider's own page."""

import pytest
from stytch.b2b.models.sso import AuthenticateResponse
from stytch.core.response_base import StytchError

from tests.interop.browser import Browser
from tests.interop.doors import Door
from tests.interop.lemonldap import LemonLdap
from tests.interop.oidc_provider import OidcProvider
from tests.interop.simplesamlphp import SimpleSamlPhp


def begin_logout(door: Door, answer: AuthenticateResponse) -> str:
    """What the application does: it ends its session and is told where the browser goes."""
    body = {"session_token": answer.session_token}
    return str(door.server.call("POST", "/v1/b2b/sso/logout/start", body)["logout_url"])


def assert_ended(door: Door, answer: AuthenticateResponse) -> None:
    with pytest.raises(StytchError) as error:
        door.server.sdk.sessions.authenticate(session_token=answer.session_token)
    assert error.value.details.error_type == "session_not_found"


def assert_lives(door: Door, answer: AuthenticateResponse) -> None:
    door.server.sdk.sessions.authenticate(session_token=answer.session_token)


async def log_out_at_provider(door: Door, browser: Browser) -> None:
    """The person logs out of everything on the provider's own page."""
    match door.provider:
        case SimpleSamlPhp() as provider:
            back = provider.metadata_url
            await browser.go(provider.logout_url(return_to=back), until=back)
        case OidcProvider() as provider:
            await browser.go(provider.logout_url, until=f"{provider.issuer}/session/end/success")
        case LemonLdap() as provider:
            await browser.open(provider.logout_url)


async def assert_logs_out(door: Door) -> None:
    """The application logs a person out; the provider then asks for the password again."""
    async with Browser(door.person) as browser:
        await door.sign_in(browser)
        answer = await door.sign_in(browser)
        assert browser.passwords == 1
        url = begin_logout(door, answer)
        assert_ended(door, answer)
        await browser.go(url, until=door.server.application_url)
        await door.sign_in(browser)
    assert browser.passwords == 2
