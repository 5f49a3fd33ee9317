"""Logouts begun in the application and at the provider, through each provider's own pages."""

from collections.abc import Callable

import pytest
from stytch.b2b.models.sso import AuthenticateResponse
from stytch.core.response_base import StytchError

from tests.interop.browser import Browser, DeadEndError
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


async def test_a_logout_of_the_application_ends_the_providers_session(door: Door) -> None:
    await assert_logs_out(door)


async def test_a_logout_of_the_application_by_a_posted_request(
    lemonldap_saml: Callable[[], Door],
) -> None:
    door = lemonldap_saml()
    door.change_settings(idp_slo_binding="post")
    await assert_logs_out(door)


@pytest.mark.parametrize(
    ("doors", "complaint"),
    [("simplesamlphp", "validat"), ("lemonldap_saml", "Signature is not valid")],
)
async def test_the_provider_refuses_a_logout_request_that_was_changed(
    request: pytest.FixtureRequest, doors: str, complaint: str
) -> None:
    """Shows that the provider checks our signature before it ends anything."""
    door: Door = request.getfixturevalue(doors)()
    async with Browser(door.person) as browser:
        answer = await door.sign_in(browser)
        start = await browser.visit(begin_logout(door, answer))
        assert start.location is not None
        changed = start.location.replace("&SigAlg=", "&RelayState=x&SigAlg=")
        with pytest.raises(DeadEndError, match=complaint):
            await browser.go(changed, until=door.server.application_url)
        await door.sign_in(browser)
    assert browser.passwords == 1


async def test_a_logout_at_the_provider_ends_our_session(door: Door) -> None:
    """That of this browser only. LemonLDAP::NG 2.16 tells nobody by OpenID Connect."""
    async with Browser(door.person) as elsewhere, Browser(door.person) as browser:
        other = await door.sign_in(elsewhere)
        answer = await door.sign_in(browser)
        await log_out_at_provider(door, browser)
        if isinstance(door.provider, LemonLdap) and door.protocol == "oidc":
            assert_lives(door, answer)
        else:
            assert_ended(door, answer)
        assert_lives(door, other)
        await door.sign_in(browser)
    assert browser.passwords == 2
