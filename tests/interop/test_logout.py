"""Logouts begun in the application and at the provider, through each provider's own pages."""

from collections.abc import Callable

import pytest

from tests.interop.browser import Browser, DeadEndError
from tests.interop.doors import Door
from tests.interop.lemonldap import LemonLdap
from tests.interop.logout import (
    assert_ended,
    assert_lives,
    assert_logs_out,
    begin_logout,
    log_out_at_provider,
)


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
