"""An identity provider changes its signing key: with an overlap, and from one login to the next."""

from typing import Any

import pytest

from tests.support.asgi import Answer
from tests.support.metadata_host import FedConnection, MetadataHost, fed_connection
from tests.support.scenario import Scenario
from vestibule.clock import DAY, MINUTE
from vestibule.domain.upkeep.metadata_refresh import refresh_due


@pytest.fixture
async def fed(scenario: Scenario) -> FedConnection:
    return await fed_connection(scenario, MetadataHost(scenario.fetch))


async def sign_in(fed: FedConnection, idp: str) -> Answer:
    connection = await fed.connection()
    browser = fed.scenario.browser()
    fields = await fed.scenario.saml_fields(browser, connection, idp=idp)
    return await fed.scenario.post_callback(browser, connection, fields)


async def good(fed: FedConnection, idp: str) -> bool:
    answer = await sign_in(fed, idp)
    if answer.status == 303:
        return True
    assert "invalid_signature_saml_response" in answer.text
    return False


async def background(fed: FedConnection, wait: int) -> None:
    """Let time go by, with the background at work each minute."""
    for _ in range(wait // MINUTE):
        fed.scenario.clock.advance(MINUTE)
        await refresh_due(fed.scenario.context)


@pytest.mark.case("OP-15", verdict="accepted")
async def test_rollover_with_an_overlap_refuses_nobody(fed: FedConnection) -> None:
    await fed.put_settings(trust_metadata_certificates=True)
    assert await good(fed, "idp")
    fed.host.publish("idp", "idp2")
    await background(fed, DAY // 4)
    assert await good(fed, "idp")
    assert await good(fed, "idp2")
    fed.host.publish("idp2")
    await background(fed, DAY // 4)
    assert await good(fed, "idp2")
    assert not await good(fed, "idp")


@pytest.mark.case("OP-15", verdict="refused", reason="sig.value")
async def test_key_used_before_it_was_seen_is_read_for_within_minutes(fed: FedConnection) -> None:
    await fed.put_settings(trust_metadata_certificates=True)
    await background(fed, 10 * MINUTE)
    fed.host.publish("idp", "idp2")
    assert not await good(fed, "idp2")
    assert fed.host.asked == 1
    await background(fed, MINUTE)
    assert fed.host.asked == 2
    assert await good(fed, "idp2")


@pytest.mark.case("OP-15", verdict="holds")
async def test_forged_answers_ask_for_metadata_once_in_ten_minutes(fed: FedConnection) -> None:
    await background(fed, 10 * MINUTE)
    for _ in range(11):
        for _ in range(3):
            assert not await good(fed, "attacker")
        await background(fed, MINUTE)
    assert fed.host.asked == 2
    assert not await good(fed, "attacker")
    await background(fed, MINUTE)
    assert fed.host.asked == 3


async def test_abrupt_rollover_waits_for_a_person(fed: FedConnection) -> None:
    await fed.put_settings(trust_metadata_certificates=True)
    await background(fed, 10 * MINUTE)
    fed.host.publish("idp2")
    assert not await good(fed, "idp2")
    await background(fed, MINUTE)
    offer: dict[str, Any] = (await fed.shown())["offer"]
    assert offer["caution"] == ["all_signing_keys"]
    assert not await good(fed, "idp2")
    await fed.decide("accept", offer["digest"])
    assert await good(fed, "idp2")


async def test_login_never_waits_for_metadata(fed: FedConnection) -> None:
    fed.scenario.clock.advance(DAY)
    fed.host.gone = True
    assert await good(fed, "idp")
    assert not await good(fed, "idp2")
    assert fed.host.asked == 1
