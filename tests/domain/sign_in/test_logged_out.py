"""What is remembered of a logout, and for how long."""

import pytest

from tests.support.saml_keys import signer
from tests.support.scenario import IDP_ENTITY, Scenario
from tests.support.single_logout import ADA, Provider, provider
from vestibule import errors
from vestibule.clock import MINUTE
from vestibule.domain.sign_in import callback, logged_out
from vestibule.errors import Failure
from vestibule.saml.expectation import Expectation
from vestibule.saml.response import VerifiedAssertion, read_form_field, verify_response
from vestibule.store.cleanup import remove_expired


@pytest.fixture
async def idp(scenario: Scenario) -> Provider:
    return await provider(scenario, logout=False)


def assertion(idp: Provider, *, session_index: str | None) -> VerifiedAssertion:
    expectation = Expectation(
        idp_entity_id=IDP_ENTITY,
        keys=(signer("idp").certificate,),
        acs_urls=(idp.connection["acs_url"],),
        audiences=(idp.connection["audience_uri"],),
        request_id=None,
    )
    response = read_form_field(idp.response(session_index=session_index))
    return verify_response(response, expectation, now=idp.scenario.clock.now())


async def stands(idp: Provider, *, session_index: str | None, begun: int) -> bool:
    """Tell whether a sign-in begun then may go on."""
    context = idp.scenario.context
    found = await callback.target(context, idp.connection["connection_id"])
    shown = assertion(idp, session_index=session_index)
    async with context.store.read() as tx:
        try:
            await logged_out.refuse(tx, found, shown, begun=begun)
        except Failure as failure:
            return failure.error is not errors.expired_saml_response
    return True


async def log_out(idp: Provider, *indexes: str) -> int:
    context = idp.scenario.context
    found = await callback.target(context, idp.connection["connection_id"])
    now = context.clock.now()
    async with context.store.write() as tx:
        await logged_out.remember(tx, found, ADA, indexes, now=now)
    return now


async def test_a_logged_out_index_is_refused_for_what_began_before(idp: Provider) -> None:
    at = await log_out(idp, "_1")
    assert not await stands(idp, session_index="_1", begun=at)
    assert await stands(idp, session_index="_1", begun=at + 1)
    assert await stands(idp, session_index="_2", begun=at)
    assert await stands(idp, session_index=None, begun=at)


async def test_a_name_logged_out_everywhere_is_refused_whatever_the_index(idp: Provider) -> None:
    at = await log_out(idp)
    assert not await stands(idp, session_index="_1", begun=at)
    assert not await stands(idp, session_index=None, begun=at)


async def test_it_is_remembered_longer_than_an_assertion_can_be_used(
    scenario: Scenario, idp: Provider
) -> None:
    at = await log_out(idp, "_1")
    scenario.clock.advance(25 * MINUTE)
    await remove_expired(scenario.context.store, now=scenario.clock.now())
    assert not await stands(idp, session_index="_1", begun=at)
    scenario.clock.advance(5 * MINUTE)
    await remove_expired(scenario.context.store, now=scenario.clock.now())
    assert await stands(idp, session_index="_1", begun=at)
