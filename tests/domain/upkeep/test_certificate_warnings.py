"""A certificate's end is told of in time, each step once, whichever node is first."""

import asyncio
from typing import Any

import pytest

from tests.support.determinism import HandClock, SeededEntropy
from tests.support.saml_keys import NOT_BEFORE, certificate, signer
from tests.support.scenario import Scenario, open_scenario
from vestibule.clock import DAY, rfc3339
from vestibule.domain.upkeep.certificate_warnings import warn_due
from vestibule.store.open import open_store


async def connection(scenario: Scenario, *, days: int, name: str = "Acme") -> dict[str, Any]:
    """Make a SAML connection whose certificate expires in so many days."""
    organization_id = (await scenario.organization(name))["organization_id"]
    until = scenario.clock.now() + days * DAY
    key = signer("idp").key
    pem = certificate("idp", not_before=NOT_BEFORE, not_after=until, key=key)
    return await scenario.saml_connection(organization_id, x509_certificate=pem)


async def events(scenario: Scenario) -> list[dict[str, Any]]:
    async with scenario.context.store.read() as tx:
        found = await tx.outbox.all(order="created_at")
    assert {each.kind for each in found} <= {"connection.certificate_expiring"}
    return [dict(each.payload) for each in found]


async def days_told(scenario: Scenario) -> list[int]:
    return [each["days"] for each in await events(scenario)]


async def test_every_step_is_told_once(scenario: Scenario) -> None:
    made = await connection(scenario, days=90)
    for _ in range(100):
        await warn_due(scenario.context)
        await warn_due(scenario.context)
        scenario.clock.advance(DAY)
    assert await days_told(scenario) == [60, 30, 14, 7, 1, 0]
    (certificate_object,) = made["verification_certificates"]
    assert (await events(scenario))[0] == {
        "connection_id": made["connection_id"],
        "certificate_id": certificate_object["certificate_id"],
        "purpose": "verification",
        "issuer": certificate_object["issuer"],
        "expires_at": certificate_object["expires_at"],
        "days": 60,
    }


@pytest.mark.parametrize(
    ("days", "told"), [(61, []), (60, [60]), (20, [30]), (2, [7]), (1, [1]), (0, [0]), (-5, [0])]
)
async def test_certificate_that_comes_late_has_only_the_last_step_told(
    scenario: Scenario, days: int, told: list[int]
) -> None:
    await connection(scenario, days=days)
    await warn_due(scenario.context)
    assert await days_told(scenario) == told


async def test_our_own_signing_certificate_is_told_of_too(scenario: Scenario) -> None:
    made = await connection(scenario, days=36_500)
    (signing,) = made["signing_certificates"]
    scenario.clock.advance(3650 * DAY - 14 * DAY)
    await warn_due(scenario.context)
    (event,) = await events(scenario)
    assert (event["purpose"], event["days"]) == ("signing", 14)
    assert event["certificate_id"] == signing["certificate_id"]
    assert event["expires_at"] == rfc3339(scenario.clock.now() + 14 * DAY)


async def test_successor_is_told_of_for_itself(scenario: Scenario) -> None:
    made = await connection(scenario, days=10)
    await warn_due(scenario.context)
    until = scenario.clock.now() + 40 * DAY
    pem = certificate("next", not_before=NOT_BEFORE, not_after=until, key=signer("idp2").key)
    path = f"/v1/b2b/sso/saml/{made['organization_id']}/connections/{made['connection_id']}"
    await scenario.api.good("PUT", path, {"x509_certificate": pem})
    await warn_due(scenario.context)
    assert await days_told(scenario) == [14, 60]


async def test_two_nodes_tell_each_step_once(
    scenario: Scenario, database_url: str, clock: HandClock
) -> None:
    for number in range(12):
        await connection(scenario, days=20, name=f"Acme {number}")
    store = await open_store(database_url, connections=8)
    other = await open_scenario(store, clock=clock, entropy=SeededEntropy(1), name="other")
    work = [warn_due(at.context) for at in (scenario, other) * 3]
    await asyncio.gather(*work)
    await store.close()
    assert await days_told(scenario) == [30] * 12


async def test_more_certificates_than_one_batch_are_all_told_of(scenario: Scenario) -> None:
    await connection(scenario, days=20)
    async with scenario.context.store.write() as tx:
        (key,) = await tx.connection_keys.all(purpose="verification")
        for number in range(150):
            copy = {**{f: getattr(key, f) for f in key.__struct_fields__}, "key_id": f"k{number}"}
            await tx.connection_keys.insert(type(key)(**copy))
    await warn_due(scenario.context)
    assert await days_told(scenario) == [30] * 151
