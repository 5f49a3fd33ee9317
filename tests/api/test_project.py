"""`project.metrics` and `debug.whoami` over the whole server, on both databases."""

from typing import Any

from tests.support.asgi import Api
from tests.support.proofs import add_member
from tests.support.scenario import Scenario, add_project

METRICS = "/v1/projects/metrics"
WHOAMI = "/v1/debug/whoami"


async def counts(scenario: Scenario) -> dict[str, int]:
    answer = await scenario.api.good("GET", METRICS)
    assert answer["project_id"] == scenario.project.project_id
    return {each["metric_type"]: each["count"] for each in answer["metrics"]}


async def test_what_a_project_holds_is_counted(scenario: Scenario) -> None:
    nothing = {"USER_COUNT": 0, "ORGANIZATION_COUNT": 0, "MEMBER_COUNT": 0, "M2M_CLIENT_COUNT": 0}
    assert await counts(scenario) == nothing
    first = await scenario.organization("First")
    second = await scenario.organization("Second")
    await add_member(scenario, first)
    await add_member(scenario, second, create_member_as_pending=True)
    gone: dict[str, Any] = await add_member(scenario, first, "bob@acme.test")
    await scenario.api.good(
        "DELETE",
        f"/v1/b2b/organizations/{first['organization_id']}/members/{gone['member_id']}",
    )
    held = {**nothing, "ORGANIZATION_COUNT": 2, "MEMBER_COUNT": 2}
    assert await counts(scenario) == held
    other = await add_project(scenario.app, scenario.context, name="second")
    assert await counts(other) == nothing
    assert await counts(scenario) == held


async def test_a_project_is_told_who_it_is(scenario: Scenario) -> None:
    answer = await scenario.api.good("GET", WHOAMI)
    del answer["request_id"]
    assert answer == {"status_code": 200, "project_id": "project-test-first", "name": "first"}
    other = await add_project(scenario.app, scenario.context, name="second")
    assert (await other.api.good("GET", WHOAMI))["name"] == "second"


async def test_wrong_credentials_are_told_nothing(scenario: Scenario) -> None:
    wrong = Api(scenario.app, project_id=scenario.project.project_id, secret="wrong")
    for path in (METRICS, WHOAMI):
        assert await wrong.bad("GET", path) == (401, "unauthorized_credentials")
