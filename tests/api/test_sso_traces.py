"""How sign-ins went, over HTTP: what the person's page only gives a reference to."""

from collections.abc import Iterable
from typing import Any

import pytest

from tests.support.counting import CountingStore
from tests.support.determinism import NOW, HandClock, SeededEntropy
from tests.support.doors import Door, open_external
from tests.support.member_session import sign_in
from tests.support.pitfalls import vendor_door
from tests.support.scenario import Scenario, add_project, open_scenario
from vestibule.clock import SECOND, rfc3339
from vestibule.store.interface import Store


def path(organization_id: str, rest: str = "") -> str:
    return f"/v1/b2b/sso/{organization_id}/traces{rest}"


async def refuse(door: Door) -> str:
    """Sign in with a NameID that is no address, and return the trace id on the page."""
    answer = await door.come_back(subject="00u1a2b3")
    assert answer.status == 400
    door.scenario.clock.advance(SECOND)
    _, _, after = answer.text.partition("<dt>Trace</dt><dd><code>")
    return after.partition("<")[0]


async def log_in(door: Door) -> None:
    await door.log_in(subject="ada@acme.test")
    door.scenario.clock.advance(SECOND)


async def open_okta(scenario: Scenario) -> Door:
    mapping = {"email": "NameID", "first_name": "firstName", "last_name": "lastName"}
    return await vendor_door(scenario, "saml", "okta", attribute_mapping=mapping)


@pytest.fixture
async def okta(scenario: Scenario) -> Door:
    return await open_okta(scenario)


async def test_reference_on_the_page_leads_to_what_to_click(scenario: Scenario, okta: Door) -> None:
    trace_id = await refuse(okta)
    answer = await scenario.api.good("GET", path(okta.organization_id, f"/{trace_id}"))
    trace = answer["trace"]
    *passed, failed = trace["steps"]
    assert trace == {
        "trace_id": trace_id,
        "organization_id": okta.organization_id,
        "connection_id": okta.connection_id,
        "outcome": "failed",
        "error_type": "invalid_saml_response_email",
        "reason": "invalid_saml_response_email",
        "side": "identity_provider",
        "steps": [*passed, failed],
        "created_at": rfc3339(NOW),
    }
    assert all(step["passed"] for step in passed)
    assert failed == {
        "name": "invalid_saml_response_email",
        "passed": False,
        "expected": "an e-mail address as the NameID",
        "received": failed["received"],
        "fix": (
            "Okta: map email to an attribute that holds the address, or send it as the NameID "
            "(Configure SAML > Name ID format: EmailAddress, Application username: Email)."
        ),
        "pitfall": "nameid-format",
    }
    assert failed["received"].startswith("'00u1a2b3' of format ")


def outcomes(answer: dict[str, Any]) -> list[str]:
    return [each["outcome"] for each in answer["traces"]]


async def test_newest_comes_first_and_pages_follow(scenario: Scenario, okta: Door) -> None:
    await log_in(okta)
    first = [await refuse(okta) for _ in range(3)]
    seen: list[str] = []
    query, pages = "?limit=2", 0
    while query:
        answer = await scenario.api.good("GET", path(okta.organization_id, query))
        seen += [each["trace_id"] for each in answer["traces"]]
        cursor, pages = answer["next_cursor"], pages + 1
        query = f"?limit=2&cursor={cursor}" if cursor else ""
    assert (seen[:3], len(seen), pages) == (first[::-1], 4, 2)


async def test_connection_and_outcome_narrow_it_down(scenario: Scenario, okta: Door) -> None:
    await log_in(okta)
    failed = await refuse(okta)
    other = await scenario.oidc_connection(okta.organization_id)
    await scenario.oidc_token(other)

    async def ids(query: str) -> list[str]:
        answer = await scenario.api.good("GET", path(okta.organization_id, query))
        return [each["connection_id"] for each in answer["traces"]]

    assert await ids("") == [other["connection_id"], okta.connection_id, okta.connection_id]
    assert await ids(f"?connection_id={other['connection_id']}") == [other["connection_id"]]
    answer = await scenario.api.good("GET", path(okta.organization_id, "?outcome=failed"))
    assert [each["trace_id"] for each in answer["traces"]] == [failed]
    answer = await scenario.api.good("GET", path(okta.organization_id, "?outcome=succeeded"))
    assert outcomes(answer) == ["succeeded", "succeeded"]
    refused = await scenario.api.bad("GET", path(okta.organization_id, "?outcome=odd"))
    assert refused == (400, "bad_request")


async def test_what_the_redemption_refuses_is_told_too(scenario: Scenario, okta: Door) -> None:
    await okta.settings(sso_jit_provisioning="NOT_ALLOWED")
    assert await okta.refused(subject="eve@acme.test") == (
        400,
        "invalid_connection_for_jit_provisioning",
    )
    (trace,) = (await scenario.api.good("GET", path(okta.organization_id)))["traces"]
    assert (trace["outcome"], trace["side"]) == ("failed", "vestibule")
    assert trace["error_type"] == "invalid_connection_for_jit_provisioning"


async def test_trace_of_another_organization_or_project_is_not_found(
    scenario: Scenario, okta: Door
) -> None:
    trace_id = await refuse(okta)
    other = await scenario.organization("Other")
    unknown = (404, "trace_not_found")
    for organization_id, name in (
        (other["organization_id"], trace_id),
        (okta.organization_id, "x"),
    ):
        assert await scenario.api.bad("GET", path(organization_id, f"/{name}")) == unknown
    assert (await scenario.api.good("GET", path(other["organization_id"])))["traces"] == []
    elsewhere = await add_project(scenario.app, scenario.context, name="second")
    for rest in ("", f"/{trace_id}"):
        refused = await elsewhere.api.bad("GET", path(okta.organization_id, rest))
        assert refused == (404, "organization_not_found")


async def test_cursor_is_of_its_own_search_only(scenario: Scenario, okta: Door) -> None:
    for _ in range(2):
        await refuse(okta)
    cursor = (await scenario.api.good("GET", path(okta.organization_id, "?limit=1")))["next_cursor"]
    other = await scenario.organization("Other")
    for organization_id, query in (
        (other["organization_id"], f"?cursor={cursor}"),
        (okta.organization_id, f"?cursor={cursor}&outcome=failed"),
        (okta.organization_id, "?cursor=made-up"),
    ):
        refused = await scenario.api.bad("GET", path(organization_id, query))
        assert refused == (400, "bad_request")


async def test_members_read_them_who_may_read_the_connections(scenario: Scenario) -> None:
    organization = await scenario.organization()
    ada = await sign_in(scenario, organization)
    for rest in ("", "/x"):
        refused = await ada.bad("GET", path(ada.organization_id, rest))
        assert refused == (403, "session_authorization_error")
    await ada.hold_permission("stytch.sso", ["get"])
    assert outcomes(await ada.good("GET", path(ada.organization_id))) == ["succeeded"]


async def test_traces_of_an_external_sign_in_are_with_who_began_it(
    scenario: Scenario, okta: Door
) -> None:
    external = await open_external(okta)
    await refuse(external)

    async def told(organization_id: str) -> list[str]:
        answer = await scenario.api.good("GET", path(organization_id))
        return [each["connection_id"] for each in answer["traces"]]

    assert await told(external.organization_id) == [external.connection_id]
    assert await told(okta.organization_id) == []


async def test_page_takes_as_many_queries_for_three_as_for_one(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    counting = CountingStore(store)
    scenario = await open_scenario(counting, clock=clock, entropy=entropy)

    async def costs(times: Iterable[int]) -> int:
        door = await open_okta(scenario)
        for _ in times:
            await refuse(door)
        counting.taken()
        await scenario.api.good("GET", path(door.organization_id))
        return counting.taken()

    one = await costs(range(1))
    assert one == await costs(range(3)) > 0
