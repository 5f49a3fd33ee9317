"""What becomes of a logout when the identity provider has answered: where to, and what is kept."""

from typing import Any

import pytest

from tests.support.application_logout import (
    GOODBYE,
    answer,
    begin,
    follow,
    register,
    request_of,
)
from tests.support.refusals import assert_safe, traces
from tests.support.scenario import Scenario
from tests.support.single_logout import POST, REDIRECT, Provider, provider
from vestibule.records import Trace
from vestibule.saml.logout import LogoutStatus


@pytest.fixture
async def idp(scenario: Scenario) -> Provider:
    await register(scenario)
    return await provider(scenario)


async def last_trace(scenario: Scenario) -> Trace:
    return (await traces(scenario))[-1]


async def answered(idp: Provider, status: LogoutStatus) -> Any:
    request_id = await request_of(idp, await idp.sign_in())
    idp.scenario.clock.advance(1)
    return await idp.redirect(answer(idp, request_id, status=status), parameter="SAMLResponse")


@pytest.mark.parametrize("binding", [REDIRECT, POST])
async def test_browser_ends_at_the_registered_url(scenario: Scenario, binding: str) -> None:
    await register(scenario)
    await register(scenario, "https://app.example.test/bye?from={}")
    idp = await provider(scenario)
    session = await idp.sign_in()
    chosen = "https://app.example.test/bye?from=menu"
    url = await begin(scenario, session, logout_redirect_url=chosen)
    await follow(scenario.browser(), url)
    async with scenario.context.store.read() as tx:
        (logout,) = await tx.logouts.all()
    message = answer(idp, logout.request_id)
    by = idp.redirect if binding == REDIRECT else idp.post
    got = await by(message, parameter="SAMLResponse")
    assert (got.status, got.headers["location"]) == (303, chosen)
    assert_safe(got)


async def test_complete_logout_is_traced(scenario: Scenario, idp: Provider) -> None:
    got = await answered(idp, LogoutStatus.SUCCESS)
    assert got.headers["location"] == GOODBYE
    trace = await last_trace(scenario)
    assert (trace.outcome, trace.reason) == ("succeeded", "")
    assert [step.name for step in trace.steps][:2] == ["sig.value", "saml.issuer"]
    assert (trace.steps[-1].name, trace.steps[-1].received) == ("logout", "complete")


async def test_partial_logout_is_said_and_traced(scenario: Scenario, idp: Provider) -> None:
    got = await answered(idp, LogoutStatus.PARTIAL)
    assert got.status == 200
    assert "some other applications could not be reached" in got.text
    assert f'href="{GOODBYE}"' in got.text
    assert_safe(got)
    trace = await last_trace(scenario)
    assert trace.outcome == "succeeded"
    assert trace.steps[-1].received == "partial"


async def test_refused_logout_is_said_and_traced(scenario: Scenario, idp: Provider) -> None:
    got = await answered(idp, LogoutStatus.DENIED)
    assert got.status == 200
    assert "it refused to sign you out" in got.text
    assert f'href="{GOODBYE}"' in got.text
    trace = await last_trace(scenario)
    assert (trace.outcome, trace.reason) == ("failed", "saml.status")
    assert trace.error_type == "failed_saml_response"
    assert trace.side == "identity_provider"
    assert "RequestDenied" in trace.steps[-1].received
