"""Reading the audit log, and finding what somebody with the database in hand has done to it."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.audit import checked, events
from tests.support.scenario import Scenario
from vestibule.domain import audit, audit_chain
from vestibule.domain.audit_chain import Chain, chains
from vestibule.records import AuditEvent
from vestibule.store.interface import Transaction

FIELDS: dict[str, Any] = {
    "occurred_at": 1,
    "action": "organization.create",
    "object_id": "somebody-else",
    "member_id": "somebody-else",
    "changed": (),
    "reason": "none",
    "actor_type": "operator",
    "actor_id": "somebody-else",
    "actor_session_id": "another",
    "address": "192.0.2.99",
    "user_agent": "another",
    "request_id": "another",
    "previous_hash": bytes(32),
    "hash": bytes(32),
}


async def chain_of_five(scenario: Scenario) -> str:
    organization_id = str((await scenario.organization())["organization_id"])
    for number in range(4):
        await scenario.api.good(
            "PUT", f"/v1/b2b/organizations/{organization_id}", {"organization_name": f"N{number}"}
        )
    return organization_id


def at(event: AuditEvent) -> dict[str, Any]:
    return {
        "project_id": event.project_id,
        "organization_id": event.organization_id,
        "sequence": event.sequence,
    }


async def broken(scenario: Scenario, organization_id: str) -> tuple[int, str]:
    verdict = await checked(scenario, organization_id)
    return verdict.broken_at, verdict.problem


async def test_untouched_chain_is_good(scenario: Scenario) -> None:
    organization_id = await chain_of_five(scenario)
    verdict = await checked(scenario, organization_id)
    last = (await events(scenario, organization_id))[-1]
    assert (verdict.events, verdict.problem, verdict.broken_at) == (5, "", 0)
    assert verdict.last_hash == last.hash.hex()


@pytest.mark.case("AD-43")
@pytest.mark.parametrize("name", FIELDS)
async def test_edit_of_any_field_is_found(scenario: Scenario, name: str) -> None:
    organization_id = await chain_of_five(scenario)
    third = (await events(scenario, organization_id))[2]
    assert getattr(third, name) != FIELDS[name]
    async with scenario.context.store.write() as tx:
        await tx.audit_events.update(replace(third, **{name: FIELDS[name]}))
    number, problem = await broken(scenario, organization_id)
    assert number == 3
    assert problem in {"it is not as it was written", "it does not follow the event before it"}


@pytest.mark.case("AD-43")
async def test_edit_whose_hash_was_made_to_fit_is_found_one_later(scenario: Scenario) -> None:
    organization_id = await chain_of_five(scenario)
    third = replace((await events(scenario, organization_id))[2], actor_id="somebody-else")
    async with scenario.context.store.write() as tx:
        await tx.audit_events.update(replace(third, hash=audit.digest(third)))
    assert await broken(scenario, organization_id) == (
        4,
        "it does not follow the event before it",
    )


@pytest.mark.case("AD-43")
@pytest.mark.parametrize(
    ("number", "problem"),
    [
        (1, "followed by number 2: events are missing, or have been moved"),
        (3, "followed by number 4: events are missing, or have been moved"),
        (5, "the chain has to end with number 5"),
    ],
)
async def test_deletion_is_found(scenario: Scenario, number: int, problem: str) -> None:
    organization_id = await chain_of_five(scenario)
    gone = (await events(scenario, organization_id))[number - 1]
    async with scenario.context.store.write() as tx:
        await tx.audit_events.delete(**at(gone))
    assert await broken(scenario, organization_id) == (number, problem)


@pytest.mark.case("AD-43")
async def test_deletion_whose_gap_was_closed_is_found(scenario: Scenario) -> None:
    organization_id = await chain_of_five(scenario)
    _, second, third, *_ = await events(scenario, organization_id)
    async with scenario.context.store.write() as tx:
        await tx.audit_events.delete(**at(second))
        await tx.audit_events.change({"sequence": 2}, **at(third))
    assert await broken(scenario, organization_id) == (
        2,
        "it does not follow the event before it",
    )


@pytest.mark.case("AD-43")
async def test_exchange_of_two_events_is_found(scenario: Scenario) -> None:
    organization_id = await chain_of_five(scenario)
    _, second, third, *_ = await events(scenario, organization_id)
    async with scenario.context.store.write() as tx:
        await tx.audit_events.delete(**at(second))
        await tx.audit_events.change({"sequence": 2}, **at(third))
        await tx.audit_events.insert(replace(second, sequence=3))
    assert await broken(scenario, organization_id) == (
        2,
        "it does not follow the event before it",
    )


async def lose_the_head(tx: Transaction, where: dict[str, Any]) -> None:
    await tx.audit_heads.delete(**where)


async def lose_everything_but_the_head(tx: Transaction, where: dict[str, Any]) -> None:
    await tx.audit_events.delete(**where)


async def put_one_before_all(tx: Transaction, where: dict[str, Any]) -> None:
    first = await tx.audit_events.find(**where, sequence=1)
    assert first is not None
    await tx.audit_events.insert(replace(first, sequence=0))


@pytest.mark.case("AD-43")
@pytest.mark.parametrize(
    ("harm", "number", "problem"),
    [
        (lose_the_head, 6, "the record of the chain's end is missing"),
        (lose_everything_but_the_head, 1, "the chain has to end with number 5"),
        (put_one_before_all, 1, "followed by number 0: events are missing, or have been moved"),
    ],
)
async def test_harm_at_the_ends_is_found(
    scenario: Scenario, harm: Callable[..., Any], number: int, problem: str
) -> None:
    organization_id = await chain_of_five(scenario)
    project_id = scenario.project.project_id
    async with scenario.context.store.write() as tx:
        await harm(tx, {"project_id": project_id, "organization_id": organization_id})
    assert Chain(project_id, organization_id) in await chains(scenario.context)
    assert await broken(scenario, organization_id) == (number, problem)


@pytest.mark.parametrize("at_once", [1, 2, 5, 6])
async def test_chain_longer_than_a_page_is_read_whole(scenario: Scenario, at_once: int) -> None:
    organization_id = await chain_of_five(scenario)
    chain = Chain(scenario.project.project_id, organization_id)
    found = [event async for event in audit_chain.events(scenario.context, chain, at_once=at_once)]
    assert [event.sequence for event in found] == [1, 2, 3, 4, 5]


async def test_chain_outlives_its_organization(scenario: Scenario) -> None:
    organization_id = await chain_of_five(scenario)
    await scenario.api.good("DELETE", f"/v1/b2b/organizations/{organization_id}")
    assert (await events(scenario, organization_id))[-1].action == "organization.delete"
    assert (await checked(scenario, organization_id)).problem == ""


async def test_chains_are_those_that_were_asked_for(scenario: Scenario) -> None:
    organization_id = await chain_of_five(scenario)
    project_id = scenario.project.project_id
    of_project, of_organization = Chain(project_id, ""), Chain(project_id, organization_id)
    assert await chains(scenario.context) == [of_project, of_organization]
    assert await chains(scenario.context, organization_id="") == [of_project]
    assert await chains(scenario.context, project_id="another") == []
