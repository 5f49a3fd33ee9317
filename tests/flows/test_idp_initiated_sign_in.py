"""Signing in from the identity provider's own portal: no start link, no cookie, no RelayState."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.asgi import Answer
from tests.support.doors import Door, open_door
from tests.support.refusals import assert_refused, left, traces
from tests.support.scenario import LOGIN_URL, SIGNUP_URL, Scenario, token_of
from vestibule import errors
from vestibule.domain import projects


@pytest.fixture
async def door(scenario: Scenario) -> Door:
    return await open_door(scenario, "saml")


async def come(door: Door, *, email: str = "ada@acme.test", **form: str) -> Answer:
    response = door.scenario.saml_response(door.connection, in_response_to=None, email=email)
    fields = {"SAMLResponse": response, **form}
    return await door.scenario.post_callback(door.scenario.browser(), door.connection, fields)


async def set_defaults(scenario: Scenario, **changes: bool) -> None:
    async with scenario.context.store.write() as tx:
        await tx.redirect_urls.change(changes, project_id=scenario.project.project_id)


@pytest.mark.case("SP-19")
async def test_it_ends_in_a_session(door: Door) -> None:
    result = await door.scenario.authenticate(token_of(await come(door)))
    assert result["member"]["email_address"] == "ada@acme.test"
    assert result["member_authenticated"] is True
    (trace,) = await traces(door.scenario)
    assert (trace.outcome, trace.sign_in_id) == ("succeeded", "")


async def test_a_new_member_lands_on_the_default_signup_url(door: Door) -> None:
    assert (await come(door)).headers["location"].startswith(f"{SIGNUP_URL}?")


async def test_an_existing_member_lands_on_the_default_login_url(door: Door) -> None:
    await door.add_member("ada@acme.test")
    assert (await come(door)).headers["location"].startswith(f"{LOGIN_URL}?")


async def test_the_default_is_not_the_first_that_is_registered(door: Door) -> None:
    scenario = door.scenario
    other = "https://app.example.test/a-first"
    await projects.add_redirect_url(
        scenario.context, scenario.project, other, login=True, signup=True
    )
    assert (await come(door)).headers["location"].startswith(f"{SIGNUP_URL}?")


async def test_without_a_signup_default_a_new_member_lands_on_the_login_url(door: Door) -> None:
    await set_defaults(door.scenario, default_signup=False)
    assert (await come(door)).headers["location"].startswith(f"{LOGIN_URL}?")


async def test_without_any_default_the_application_is_told(door: Door) -> None:
    await set_defaults(door.scenario, default_signup=False, default_login=False)
    trace = await assert_refused(
        door.scenario,
        await come(door),
        error=errors.no_default_login_redirect_url_set,
        reason="no_default_login_redirect_url_set",
    )
    assert trace.side == "application"
    await set_defaults(door.scenario, login=False, signup=False)
    trace = await assert_refused(
        door.scenario,
        await come(door),
        error=errors.no_login_redirect_urls_set,
        reason="no_login_redirect_urls_set",
        traces_before=1,
    )


async def test_a_challenge_of_a_sign_in_begun_here_is_not_applied(door: Door) -> None:
    browser = door.scenario.browser()
    started: dict[str, Any] = {"pkce_code_challenge": "c" * 43}
    await door.scenario.saml_fields(browser, door.connection, start=started)
    response = door.scenario.saml_response(door.connection, in_response_to=None)
    answer = await door.scenario.post_callback(browser, door.connection, {"SAMLResponse": response})
    assert (await door.scenario.authenticate(token_of(answer)))["member_authenticated"] is True


async def test_it_leaves_a_sign_in_begun_in_the_same_browser_alone(door: Door) -> None:
    browser = door.scenario.browser()
    fields = await door.scenario.saml_fields(browser, door.connection)
    response = door.scenario.saml_response(door.connection, in_response_to=None)
    unsolicited = {"SAMLResponse": response}
    assert (await door.scenario.post_callback(browser, door.connection, unsolicited)).status == 303
    assert (await left(door.scenario)).consumed_sign_ins == 0
    assert (await door.scenario.post_callback(browser, door.connection, fields)).status == 303


async def test_a_connection_can_refuse_it(door: Door) -> None:
    path = f"/v1/b2b/sso/saml/{door.organization_id}/connections/{door.connection_id}"
    changed = await door.scenario.api.good("PUT", path, {"idp_initiated_auth_disabled": True})
    closed = replace(door, connection=changed["connection"])
    trace = await assert_refused(
        door.scenario,
        await come(closed),
        error=errors.saml_idp_initiated_auth_disabled,
        reason="saml_idp_initiated_auth_disabled",
    )
    assert trace.side == "vestibule"
