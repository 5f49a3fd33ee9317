"""The audit log of an organization over HTTP: in pages, newest first, with the secret alone."""

from typing import Any

import pytest

from tests.support.audit import events
from tests.support.counting import CountingStore
from tests.support.determinism import NOW, HandClock, SeededEntropy
from tests.support.member_session import sign_in
from tests.support.scenario import Scenario, add_project, open_scenario
from vestibule.clock import rfc3339
from vestibule.store.interface import Store


def path(organization: dict[str, Any]) -> str:
    return f"/v1/b2b/organizations/{organization['organization_id']}/audit_events"


async def renamed(scenario: Scenario, times: int) -> dict[str, Any]:
    """Return an organization with one event more than `times`."""
    made = await scenario.organization()
    for number in range(times):
        where = f"/v1/b2b/organizations/{made['organization_id']}"
        await scenario.api.good("PUT", where, {"organization_name": f"Name {number}"})
    return made


async def test_event_shows_all_of_it(scenario: Scenario) -> None:
    organization = await renamed(scenario, 1)
    answer = await scenario.api.good("GET", path(organization))
    first, second = await events(scenario, organization["organization_id"])
    assert answer["next_cursor"] is None
    assert answer["audit_events"][0] == {
        "sequence": 2,
        "occurred_at": rfc3339(NOW),
        "action": "organization.update",
        "object_id": organization["organization_id"],
        "member_id": "",
        "changed": ["organization_name"],
        "reason": "",
        "actor": {"type": "project_secret", "id": "secret-id-first", "session_id": ""},
        "address": "192.0.2.7",
        "user_agent": "",
        "request_id": second.request_id,
        "previous_hash": first.hash.hex(),
        "hash": second.hash.hex(),
    }


async def test_pages_go_from_the_newest_to_the_oldest(scenario: Scenario) -> None:
    organization = await renamed(scenario, 4)
    seen: list[int] = []
    query, pages = "?limit=2", 0
    while query:
        answer = await scenario.api.good("GET", path(organization) + query)
        seen += [event["sequence"] for event in answer["audit_events"]]
        cursor, pages = answer["next_cursor"], pages + 1
        query = f"?limit=2&cursor={cursor}" if cursor else ""
    assert (seen, pages) == ([5, 4, 3, 2, 1], 3)


async def test_event_written_between_two_pages_moves_nothing(scenario: Scenario) -> None:
    organization = await renamed(scenario, 2)
    first = await scenario.api.good("GET", f"{path(organization)}?limit=1")
    where = f"/v1/b2b/organizations/{organization['organization_id']}"
    await scenario.api.good("PUT", where, {"organization_name": "Later"})
    query = f"?limit=1&cursor={first['next_cursor']}"
    second = await scenario.api.good("GET", path(organization) + query)
    assert [each["audit_events"][0]["sequence"] for each in (first, second)] == [3, 2]


@pytest.mark.case("AD-43")
async def test_cursor_of_another_organization_is_refused(scenario: Scenario) -> None:
    one, two = await renamed(scenario, 2), await renamed(scenario, 2)
    cursor = (await scenario.api.good("GET", f"{path(one)}?limit=1"))["next_cursor"]
    for query in (f"?cursor={cursor}", "?cursor=made-up"):
        refused = await scenario.api.bad("GET", path(two) + query)
        assert refused == (400, "bad_request")


@pytest.mark.case("AD-43")
async def test_member_reads_no_audit_log_whatever_the_roles(scenario: Scenario) -> None:
    organization = await scenario.organization()
    ada = await sign_in(scenario, organization)
    await ada.hold("stytch_admin")
    assert await ada.bad("GET", path(organization)) == (403, "session_authorization_error")
    other = await scenario.organization("Other")
    assert await ada.bad("GET", path(other)) == (403, "session_authorization_error")


@pytest.mark.case("AD-43")
async def test_organization_of_another_project_is_not_found(scenario: Scenario) -> None:
    other = await add_project(scenario.app, scenario.context, name="second")
    theirs = await other.organization()
    assert await scenario.api.bad("GET", path(theirs)) == (404, "organization_not_found")


@pytest.mark.case("AD-43")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_nothing_can_be_written_or_removed(scenario: Scenario, method: str) -> None:
    organization = await scenario.organization()
    refused = await scenario.api.bad(method, path(organization))
    assert refused == (405, "method_not_allowed")
    assert len(await events(scenario, organization["organization_id"])) == 1


async def test_page_takes_as_many_queries_for_three_as_for_one(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    counting = CountingStore(store)
    scenario = await open_scenario(counting, clock=clock, entropy=entropy)
    one, three = await renamed(scenario, 0), await renamed(scenario, 2)
    costs = []
    for organization in (one, three):
        counting.taken()
        await scenario.api.good("GET", path(organization))
        costs.append(counting.taken())
    assert costs[0] == costs[1] > 0
