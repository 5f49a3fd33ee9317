"""Searching for organizations over the API: filters, pages, limits."""

from typing import Any

import pytest

from tests.support.bad_input import send
from tests.support.scenario import Scenario, add_project
from vestibule.domain import organization_search

PATH = "/v1/b2b/organizations/search"


def operand(name: str, value: Any) -> dict[str, Any]:
    return {"filter_name": name, "filter_value": value}


async def slugs(scenario: Scenario, *operands: dict[str, Any], operator: str = "AND") -> list[str]:
    """Return the slugs of what a search finds; the total must agree."""
    query = {"operator": operator, "operands": operands}
    found = await scenario.api.good("POST", PATH, {"query": query})
    names = [each["organization_slug"] for each in found["organizations"]]
    assert found["results_metadata"] == {"total": len(names), "next_cursor": None}
    return names


@pytest.fixture
async def world(scenario: Scenario) -> Scenario:
    """Return a project with three organizations, and a stranger's with one."""
    await scenario.organization("Acme 100%", organization_slug="acme")
    scenario.clock.advance(1)  # ids that are made later come later
    await scenario.organization(
        "Beta_Test", organization_slug="beta", email_allowed_domains=["b.io"]
    )
    scenario.clock.advance(1)
    await scenario.organization(
        "GAMMA",
        organization_slug="gamma",
        email_allowed_domains=["gamma.com", "b.io"],
        claimed_email_domains=["gamma.com"],
    )
    for slug, address in (("acme", "Ada@acme.com"), ("beta", "ada@acme.com"), ("beta", "bob@b.io")):
        path = f"/v1/b2b/organizations/{slug}/members"
        await scenario.api.good("POST", path, {"email_address": address})
    stranger = await add_project(scenario.app, scenario.context, name="stranger")
    await stranger.organization("Acme", email_allowed_domains=["b.io"])
    await stranger.api.good(
        "POST", "/v1/b2b/organizations/acme/members", {"email_address": "ada@acme.com"}
    )
    return scenario


ALL = ["acme", "beta", "gamma"]
# The filters of contract (g).
FILTERS = {
    "organization_ids", "organization_slugs", "organization_name_fuzzy", "organization_slug_fuzzy",
    "member_emails", "member_email_fuzzy", "allowed_domains", "allowed_domain_fuzzy",
    "claimed_email_domains", "has_active_sso_connection", "sso_connection_id",
}  # fmt: skip
FOUND: list[tuple[str, object, list[str]]] = [
    ("organization_slugs", ["beta", "gamma", "none"], ["beta", "gamma"]),
    ("organization_slugs", ["BETA"], []),
    ("organization_slugs", [], []),
    ("organization_ids", ["organization-test-1"], []),
    ("organization_name_fuzzy", "gam", ["gamma"]),
    ("organization_name_fuzzy", "TEST", ["beta"]),
    ("organization_name_fuzzy", "00%", ["acme"]),
    ("organization_name_fuzzy", "e 1_0", []),
    ("organization_name_fuzzy", "a_T", ["beta"]),
    ("organization_name_fuzzy", "%%%", []),
    ("organization_name_fuzzy", "!!!", []),
    ("organization_slug_fuzzy", "AMM", ["gamma"]),
    ("member_emails", ["ADA@ACME.com", "nobody"], ["acme", "beta"]),
    ("member_emails", ["nobody"], []),
    ("member_email_fuzzy", "ada@", ["acme", "beta"]),
    ("member_email_fuzzy", "B.IO", ["beta"]),
    ("allowed_domains", ["B.io"], ["beta", "gamma"]),
    ("allowed_domain_fuzzy", "AMMA", ["gamma"]),
    ("claimed_email_domains", ["gamma.com", "b.io"], ["gamma"]),
    ("has_active_sso_connection", False, ALL),
    ("has_active_sso_connection", True, []),
    ("sso_connection_id", "saml-connection-1", []),
]


def test_every_filter_of_the_contract_is_tried() -> None:
    assert organization_search.FILTERS.keys() == {name for name, _, _ in FOUND} == FILTERS


@pytest.mark.parametrize(("name", "value", "expected"), FOUND)
async def test_filter_finds_what_fits(
    world: Scenario, name: str, value: object, expected: list[str]
) -> None:
    assert await slugs(world, operand(name, value)) == expected


async def test_ids_find_organizations_of_the_project_alone(world: Scenario) -> None:
    stranger = await add_project(world.app, world.context, name="third")
    foreign = await stranger.organization("Foreign")
    own = (await world.api.good("GET", "/v1/b2b/organizations/beta"))["organization"]
    ids = [foreign["organization_id"], own["organization_id"]]
    assert await slugs(world, operand("organization_ids", ids)) == ["beta"]


async def test_connections_are_found_by_id_and_by_being_active(world: Scenario) -> None:
    active = await world.saml_connection("beta")
    pending = await world.api.good("POST", "/v1/b2b/sso/saml/gamma", {})
    assert await slugs(world, operand("has_active_sso_connection", value=True)) == ["beta"]
    without = await slugs(world, operand("has_active_sso_connection", value=False))
    assert without == ["acme", "gamma"]
    for connection, slug in ((active, "beta"), (pending["connection"], "gamma")):
        found = await slugs(world, operand("sso_connection_id", connection["connection_id"]))
        assert found == [slug]


async def test_retired_address_finds_nothing(world: Scenario) -> None:
    path = "/v1/b2b/organizations/beta/member?email_address=bob%40b.io"
    member_id = (await world.api.good("GET", path))["member_id"]
    await world.api.good(
        "PUT",
        f"/v1/b2b/organizations/beta/members/{member_id}",
        {"email_address": "robert@b.io"},
    )
    assert await slugs(world, operand("member_emails", ["bob@b.io"])) == []
    assert await slugs(world, operand("member_emails", ["robert@b.io"])) == ["beta"]


async def test_operators_join_the_operands(world: Scenario) -> None:
    domains = operand("allowed_domains", ["b.io"])
    name = operand("organization_name_fuzzy", "gamma")
    slug = operand("organization_slugs", ["acme"])
    assert await slugs(world, domains, name) == ["gamma"]
    assert await slugs(world, domains, slug) == []
    assert await slugs(world, domains, slug, operator="OR") == ALL
    assert await slugs(world, name, slug, operator="OR") == ["acme", "gamma"]


async def test_no_query_finds_everything(world: Scenario) -> None:
    assert await slugs(world) == ALL
    assert await slugs(world, operator="OR") == ALL
    bodies: list[dict[str, Any]] = [{}, {"query": None, "cursor": None, "limit": None}]
    for body in [*bodies, {"query": {}}, {"cursor": ""}]:
        found = await world.api.good("POST", PATH, body)
        assert [each["organization_slug"] for each in found["organizations"]] == ALL


async def test_pages_follow_each_other_without_gap_or_repetition(world: Scenario) -> None:
    for limit in (1, 2, 3, 1000):
        found: list[str] = []
        cursor = None
        while True:
            body = {"limit": limit, "cursor": cursor}
            page = await world.api.good("POST", PATH, body)
            assert page["results_metadata"]["total"] == 3
            assert len(page["organizations"]) <= limit
            found += [each["organization_slug"] for each in page["organizations"]]
            cursor = page["results_metadata"]["next_cursor"]
            if cursor is None:
                break
        assert found == ALL


async def test_cursor_stays_good_while_organizations_come_and_go(world: Scenario) -> None:
    page = await world.api.good("POST", PATH, {"limit": 2})
    await world.api.good("DELETE", "/v1/b2b/organizations/acme")
    await world.api.good("DELETE", "/v1/b2b/organizations/beta")
    world.clock.advance(1)
    await world.organization("Delta")
    cursor = page["results_metadata"]["next_cursor"]
    page = await world.api.good("POST", PATH, {"cursor": cursor})
    assert [each["organization_slug"] for each in page["organizations"]] == ["gamma", "delta"]


@pytest.mark.case("AD-22")
async def test_cursor_of_another_search_or_project_is_refused(world: Scenario) -> None:
    asked: dict[str, Any] = {"limit": 1, "query": {"operands": [operand("member_emails", ["a"])]}}
    assert (await world.api.good("POST", PATH, asked))["results_metadata"]["next_cursor"] is None
    asked["query"] = {"operands": [operand("organization_name_fuzzy", "a_t")], "operator": "OR"}
    asked["query"]["operands"].append(operand("allowed_domains", ["gamma.com"]))
    asked["cursor"] = (await world.api.good("POST", PATH, asked))["results_metadata"]["next_cursor"]
    others = [
        {**asked, "query": {**asked["query"], "operator": "AND"}},
        {**asked, "query": {**asked["query"], "operands": asked["query"]["operands"][:1]}},
        {**asked, "query": None},
    ]
    for body in others:
        answer = await world.api.call("POST", PATH, body)
        assert (answer.status, answer.json["error_type"]) == (400, "bad_request")
        assert answer.json["error_message"].startswith("cursor: ")
    stranger = await add_project(world.app, world.context, name="another")
    assert await stranger.api.bad("POST", PATH, asked) == (400, "bad_request")
    page = await world.api.good("POST", PATH, {**asked, "limit": 5})
    assert [each["organization_slug"] for each in page["organizations"]] == ["gamma"]


async def test_default_limit_is_a_hundred(scenario: Scenario) -> None:
    for number in range(101):
        await scenario.organization(f"Organization {number}")
    page = await scenario.api.good("POST", PATH, {})
    assert len(page["organizations"]) == 100
    assert page["results_metadata"]["total"] == 101
    page = await scenario.api.good("POST", PATH, {"limit": 101})
    assert (len(page["organizations"]), page["results_metadata"]["next_cursor"]) == (101, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"limit": 0}', "limit"),
        (b'{"limit": 1001}', "limit"),
        (b'{"limit": -1}', "limit"),
        (b'{"limit": "10"}', "limit"),
        (b'{"limit": 1e99}', "limit"),
        (b'{"limit": 100000000000000000000000}', "limit"),
        (b'{"cursor": 7}', "cursor"),
        (b'{"cursor": "x"}', "cursor"),
        (b'{"query": []}', "query"),
        (b'{"query": {"operator": "NOT"}}', "query.operator"),
        (b'{"query": {"operands": {}}}', "query.operands"),
        (b'{"query": {"operands": ["x"]}}', "query.operands[0]"),
    ],
)
async def test_bad_request_is_refused_by_its_field(
    scenario: Scenario, body: bytes, field: str
) -> None:
    answer = await send(scenario, "POST", PATH, body)
    assert (answer.status, answer.json["error_type"]) == (400, "bad_request")
    assert answer.json["error_message"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("operand", "error"),
    [
        ({}, "organization_search_missing_filter_name"),
        ({"filter_name": 7}, "organization_search_filter_name_must_be_string"),
        (operand("name", "Acme"), "organization_search_filter_name_not_recognized"),
        (operand("organization_ids", None), "organization_search_missing_filter_value"),
        (operand("organization_ids", "a"), "organization_search_expected_array_of_strings"),
        (operand("sso_connection_id", []), "organization_search_expected_string"),
        (operand("has_active_sso_connection", "x"), "organization_search_expected_boolean"),
        (
            operand("organization_name_fuzzy", "ab"),
            "organization_search_organization_name_fuzzy_too_short",
        ),
        (
            operand("organization_slug_fuzzy", "ab"),
            "organization_search_organization_slug_fuzzy_too_short",
        ),
        (operand("member_email_fuzzy", ""), "organization_search_member_email_fuzzy_too_short"),
        (
            operand("allowed_domain_fuzzy", "ab"),
            "organization_search_allowed_domain_fuzzy_too_short",
        ),
    ],
)
async def test_bad_operand_is_refused_by_its_error(
    scenario: Scenario, operand: dict[str, Any], error: str
) -> None:
    refused = await scenario.api.bad("POST", PATH, {"query": {"operands": [operand]}})
    assert refused == (400, error)


@pytest.mark.case("AD-23")
async def test_largest_query_is_answered(scenario: Scenario) -> None:
    await scenario.organization()
    many = operand("organization_slugs", ["acme", *(f"x{n}" for n in range(999))])
    assert await slugs(scenario, *[many] * 20) == ["acme"]
    longest = operand("organization_name_fuzzy", "%" * 1000)
    assert await slugs(scenario, longest, many, operator="OR") == ["acme"]
