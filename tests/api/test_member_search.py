"""Searching for members over the API: filters, pages, limits."""

from typing import Any

import pytest

from tests.support.bad_input import send
from tests.support.member_session import sign_in
from tests.support.scenario import Scenario, add_project
from vestibule.domain import member_search

PATH = "/v1/b2b/organizations/members/search"


def operand(name: str, value: Any) -> dict[str, Any]:
    return {"filter_name": name, "filter_value": value}


async def names(
    scenario: Scenario,
    *operands: dict[str, Any],
    operator: str = "AND",
    within: tuple[str, ...] = ("acme", "beta"),
) -> list[str]:
    """Return the names of what a search finds; the total must agree."""
    query = {"operator": operator, "operands": operands}
    body = {"organization_ids": within, "query": query}
    found = await scenario.api.good("POST", PATH, body)
    members = found["members"]
    assert found["results_metadata"] == {"total": len(members), "next_cursor": None}
    assert found["organizations"].keys() == {each["organization_id"] for each in members}
    return [each["name"] for each in members]


async def add(scenario: Scenario, slug: str, name: str, **fields: Any) -> dict[str, Any]:
    body = {"email_address": f"{name}@{slug}.com", "name": name, **fields}
    path = f"/v1/b2b/organizations/{slug}/members"
    scenario.clock.advance(1)  # ids that are made later come later
    return dict((await scenario.api.good("POST", path, body))["member"])


@pytest.fixture
async def world(scenario: Scenario) -> Scenario:
    """Return a project with members in two organizations, and strangers elsewhere."""
    for name in ("Acme", "Beta", "Third"):
        scenario.clock.advance(1)
        await scenario.organization(name)
    await add(
        scenario,
        "acme",
        "Ada",
        external_id="hr|1",
        mfa_phone_number="+14155552671",
        roles=["stytch_admin"],
    )
    await add(scenario, "acme", "bob_1", create_member_as_pending=True, is_breakglass=True)
    gone = await add(scenario, "acme", "Gone")
    await scenario.api.good("DELETE", f"/v1/b2b/organizations/acme/members/{gone['member_id']}")
    await add(scenario, "beta", "Eve", external_id="hr|2", email_address="EVE@acme.com")
    await add(scenario, "third", "Stranger", email_address="ada@acme.com")
    stranger = await add_project(scenario.app, scenario.context, name="stranger")
    await stranger.organization("Acme")
    await add(stranger, "acme", "Foreign", external_id="hr|1")
    return scenario


ALL = ["Ada", "bob_1", "Eve"]
# The filters of contract (g).
FILTERS = {
    "member_ids", "member_emails", "member_email_fuzzy", "member_is_breakglass", "statuses",
    "member_phone_numbers", "member_phone_number_fuzzy", "member_mfa_phone_numbers",
    "member_mfa_phone_number_fuzzy", "member_password_exists", "member_roles",
}  # fmt: skip
FOUND: list[tuple[str, object, list[str]]] = [
    ("member_ids", ["hr|1", "hr|2", "hr|3"], ["Ada", "Eve"]),
    ("member_ids", [], []),
    ("member_emails", ["ADA@acme.com", "eve@acme.com", "nobody"], ["Ada", "Eve"]),
    ("member_emails", ["gone@acme.com"], []),
    ("member_emails", [], []),
    ("member_email_fuzzy", "ACME", ALL),
    ("member_email_fuzzy", "b_1", ["bob_1"]),
    ("member_email_fuzzy", "b%1", []),
    ("member_email_fuzzy", "a_m", []),
    ("member_is_breakglass", True, ["bob_1"]),
    ("member_is_breakglass", False, ["Ada", "Eve"]),
    ("statuses", ["active"], ["Ada", "Eve"]),
    ("statuses", ["pending", "invited"], ["bob_1"]),
    ("statuses", ["deleted"], ["Gone"]),
    ("statuses", ["deleted", "pending"], ["bob_1", "Gone"]),
    ("statuses", [], []),
    ("member_mfa_phone_numbers", ["+14155552671", "+1"], ["Ada"]),
    ("member_mfa_phone_number_fuzzy", "555", ["Ada"]),
    ("member_phone_numbers", ["+14155552671"], ["Ada"]),
    ("member_phone_number_fuzzy", "+1415", ["Ada"]),
    ("member_phone_number_fuzzy", "%%%", []),
    ("member_password_exists", True, []),
    ("member_password_exists", False, ALL),
    ("member_roles", ["stytch_member"], ALL),
    ("member_roles", ["stytch_admin"], ["Ada"]),
    ("member_roles", ["none"], []),
    ("member_roles", [], []),
]


def test_every_filter_of_the_contract_finds_somebody_and_leaves_somebody_out() -> None:
    finding = {name for name, _, expected in FOUND if expected}
    leaving = {name for name, _, expected in FOUND if set(expected) != set(ALL)}
    assert finding == leaving == FILTERS
    assert member_search.FILTERS.keys() == FILTERS


@pytest.mark.parametrize(("name", "value", "expected"), FOUND)
async def test_filter_finds_what_fits(
    world: Scenario, name: str, value: object, expected: list[str]
) -> None:
    assert await names(world, operand(name, value)) == expected


async def test_member_ids_are_of_one_kind(world: Scenario) -> None:
    found = await world.api.good("POST", PATH, {"organization_ids": ["acme"]})
    (ada, bob) = [each["member_id"] for each in found["members"]]
    assert await names(world, operand("member_ids", [bob, ada])) == ["Ada", "bob_1"]
    body = {
        "organization_ids": ["acme"],
        "query": {"operands": [operand("member_ids", [ada, "hr|2"])]},
    }
    error = "member_search_cannot_mix_internal_and_external_member_ids"
    assert await world.api.bad("POST", PATH, body) == (400, error)


async def test_deleted_member_is_found_by_its_address(world: Scenario) -> None:
    operands = [operand("statuses", ["deleted"]), operand("member_emails", ["GONE@acme.com"])]
    assert await names(world, *operands) == ["Gone"]


async def test_only_the_named_organizations_are_searched(world: Scenario) -> None:
    acme = (await world.api.good("GET", "/v1/b2b/organizations/acme"))["organization"]
    assert await names(world, within=("acme",)) == ["Ada", "bob_1"]
    assert await names(world, within=(acme["organization_id"], "acme")) == ["Ada", "bob_1"]
    assert await names(world, within=("beta",)) == ["Eve"]
    by_address = operand("member_emails", ["ada@acme.com"])
    assert await names(world, by_address, within=("beta", "third")) == ["Stranger"]


async def test_operators_join_the_operands(world: Scenario) -> None:
    active = operand("statuses", ["active"])
    breakglass = operand("member_is_breakglass", value=True)
    external = operand("member_ids", ["hr|2"])
    assert await names(world, active, breakglass) == []
    assert await names(world, active, external) == ["Eve"]
    assert await names(world, external, breakglass, operator="OR") == ["bob_1", "Eve"]
    deleted = operand("statuses", ["deleted"])
    assert await names(world, external, deleted, operator="OR") == ["Gone", "Eve"]


async def test_roles_are_found_whatever_they_come_from(world: Scenario) -> None:
    by_role = operand("member_roles", ["stytch_admin"])
    assignment = {"domain": "beta.com", "role_id": "stytch_admin"}
    await world.api.good(
        "PUT",
        "/v1/b2b/organizations/beta",
        {"rbac_email_implicit_role_assignments": [assignment]},
    )
    await add(world, "beta", "Ben")
    await add(world, "beta", "Evil", email_address="evil@beta.com.example.org")
    assert await names(world, by_role) == ["Ada", "Ben"]

    connection = await world.saml_connection("beta")
    path = f"/v1/b2b/sso/saml/beta/connections/{connection['connection_id']}"
    for email, groups in (
        ("both@x.com", ["all", 'the "eng" team']),
        ("one@x.com", ['the "eng" team']),
        ("none@x.com", ['THE "eng" team', 'x"the "eng" team', 'x,"the "eng" team']),
    ):
        world.clock.advance(1)
        attributes = {"email": [email], "firstName": [email], "lastName": [""], "groups": groups}
        await world.authenticate(
            await world.saml_token(connection, email=email, attributes=attributes)
        )
    group = {"role_id": "stytch_admin", "group": 'the "eng" team'}
    await world.api.good("PUT", path, {"saml_group_implicit_role_assignments": [group]})
    found = await names(world, by_role)
    assert [name.strip() for name in found] == ["Ada", "Ben", "both@x.com", "one@x.com"]
    everybody = {"role_id": "stytch_admin"}
    await world.api.good("PUT", path, {"saml_connection_implicit_role_assignments": [everybody]})
    assert len(await names(world, by_role)) == 5


async def test_what_is_found_by_role_shows_that_role(world: Scenario) -> None:
    for role_id in ("stytch_member", "stytch_admin"):
        query = {"operands": [operand("member_roles", [role_id])]}
        found = await world.api.good("POST", PATH, {"organization_ids": ["acme"], "query": query})
        for member in found["members"]:
            assert role_id in [role["role_id"] for role in member["roles"]]


async def test_no_query_finds_everybody_but_the_deleted(world: Scenario) -> None:
    assert await names(world) == ALL
    more: list[dict[str, Any]] = [{}, {"query": None, "cursor": None, "limit": None}, {"query": {}}]
    for body in more:
        found = await world.api.good("POST", PATH, {"organization_ids": ["acme", "beta"], **body})
        assert [each["name"] for each in found["members"]] == ALL
        slugs = [each["organization_slug"] for each in found["organizations"].values()]
        assert slugs == ["acme", "beta"]


async def test_organizations_are_those_of_the_page(world: Scenario) -> None:
    body = {"organization_ids": ["beta", "acme", "third"], "limit": 1}
    page = await world.api.good("POST", PATH, body)
    (organization,) = page["organizations"].values()
    assert organization["organization_slug"] == "acme"


async def test_pages_follow_each_other_without_gap_or_repetition(world: Scenario) -> None:
    for limit in (1, 2, 3, 1000):
        found: list[str] = []
        cursor = None
        while True:
            body = {"organization_ids": ["beta", "acme"], "limit": limit, "cursor": cursor}
            page = await world.api.good("POST", PATH, body)
            assert page["results_metadata"]["total"] == 3
            assert len(page["members"]) <= limit
            found += [each["name"] for each in page["members"]]
            cursor = page["results_metadata"]["next_cursor"]
            if cursor is None:
                break
        assert found == ALL


async def test_cursor_stays_good_while_members_come_and_go(world: Scenario) -> None:
    body: dict[str, Any] = {"organization_ids": ["acme", "beta"], "limit": 2}
    page = await world.api.good("POST", PATH, body)
    assert [each["name"] for each in page["members"]] == ["Ada", "bob_1"]
    for member in page["members"]:
        path = f"/v1/b2b/organizations/acme/members/{member['member_id']}"
        await world.api.good("DELETE", path)
    await add(world, "acme", "Late")
    await add(world, "beta", "Last")
    body["cursor"] = page["results_metadata"]["next_cursor"]
    page = await world.api.good("POST", PATH, body)
    assert [each["name"] for each in page["members"]] == ["Late", "Eve"]
    assert page["results_metadata"]["total"] == 3
    body["cursor"] = page["results_metadata"]["next_cursor"]
    page = await world.api.good("POST", PATH, body)
    assert [each["name"] for each in page["members"]] == ["Last"]
    assert page["results_metadata"] == {"total": 3, "next_cursor": None}


@pytest.mark.case("AD-22")
async def test_cursor_of_another_search_is_refused(world: Scenario) -> None:
    active = {"operands": [operand("statuses", ["active"])]}
    asked: dict[str, Any] = {"organization_ids": ["acme", "beta"], "limit": 1, "query": active}
    page = await world.api.good("POST", PATH, asked)
    cursor = page["results_metadata"]["next_cursor"]
    organizations = await world.api.good("POST", "/v1/b2b/organizations/search", {"limit": 1})
    pending = {"operands": [operand("statuses", ["pending"])]}
    others = [
        {**asked, "cursor": organizations["results_metadata"]["next_cursor"]},
        {**asked, "cursor": cursor, "organization_ids": ["acme"]},
        {**asked, "cursor": cursor, "organization_ids": ["third"]},
        {**asked, "cursor": cursor, "query": pending},
        {**asked, "cursor": cursor, "query": {**active, "operator": "OR"}},
        {**asked, "cursor": cursor, "query": None},
    ]
    for body in others:
        answer = await world.api.call("POST", PATH, body)
        assert (answer.status, answer.json["error_type"]) == (400, "bad_request")
        assert answer.json["error_message"].startswith("cursor: ")
    # The same organizations by other names, and pages of another size, are the same search.
    ids = [
        (await world.api.good("GET", f"/v1/b2b/organizations/{slug}"))["organization"]
        for slug in ("beta", "acme")
    ]
    named = [each["organization_id"] for each in ids]
    page = await world.api.good(
        "POST", PATH, {**asked, "organization_ids": named, "cursor": cursor, "limit": 9}
    )
    assert [each["name"] for each in page["members"]] == ["Eve"]


@pytest.mark.case("AD-22")
async def test_cursor_of_another_organization_or_project_is_refused(world: Scenario) -> None:
    acme = (await world.api.good("GET", "/v1/b2b/organizations/acme"))["organization"]
    body: dict[str, Any] = {"organization_ids": ["acme", "beta"], "limit": 1}
    cursor = (await world.api.good("POST", PATH, body))["results_metadata"]["next_cursor"]
    member = await sign_in(world, acme, email="boss@acme.com")
    await world.api.good(
        "PUT",
        f"/v1/b2b/organizations/acme/members/{member.member_id}",
        {"roles": ["stytch_admin"]},
    )
    own = {"organization_ids": ["acme"], "cursor": cursor}
    answer = await world.api.call("POST", PATH, own, headers=member.headers)
    assert (answer.status, answer.json["error_type"]) == (400, "bad_request")
    stranger = await add_project(world.app, world.context, name="another")
    for slug in ("acme", "beta"):
        await stranger.organization(slug.title())
    body["cursor"] = cursor
    assert await stranger.api.bad("POST", PATH, body) == (400, "bad_request")


async def test_organizations_must_be_named(scenario: Scenario) -> None:
    bodies: list[dict[str, Any]] = [{}, {"organization_ids": []}]
    for body in bodies:
        got = await scenario.api.bad("POST", PATH, body)
        assert got == (400, "member_search_missing_organization_id")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"organization_ids": null}', "organization_ids"),
        (b'{"organization_ids": "acme"}', "organization_ids"),
        (b'{"organization_ids": [7]}', "organization_ids[0]"),
        (b'{"organization_ids": [%s"x"]}' % (b'"x",' * 1000), "organization_ids"),
        (b'{"organization_ids": ["acme"], "limit": 0}', "limit"),
        (b'{"organization_ids": ["acme"], "limit": 1001}', "limit"),
        (b'{"organization_ids": ["acme"], "limit": "10"}', "limit"),
        (b'{"organization_ids": ["acme"], "cursor": "x"}', "cursor"),
        (b'{"organization_ids": ["acme"], "cursor": 7}', "cursor"),
        (b'{"organization_ids": ["acme"], "query": 7}', "query"),
        (b'{"organization_ids": ["acme"], "query": {"operator": "and"}}', "query.operator"),
        (b'{"organization_ids": ["acme"], "query": {"operands": 7}}', "query.operands"),
    ],
)
async def test_bad_request_is_refused_by_its_field(
    scenario: Scenario, body: bytes, field: str
) -> None:
    await scenario.organization()
    answer = await send(scenario, "POST", PATH, body)
    assert (answer.status, answer.json["error_type"]) == (400, "bad_request")
    assert answer.json["error_message"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("operand", "error"),
    [
        ({}, "member_search_missing_filter_name"),
        ({"filter_name": 7}, "member_search_filter_name_must_be_string"),
        (operand("name", "Ada"), "member_search_filter_name_not_recognized"),
        (operand("member_ids", None), "member_search_missing_filter_value"),
        (operand("member_ids", "a"), "member_search_expected_array_of_strings"),
        (operand("member_email_fuzzy", []), "member_search_expected_string"),
        (operand("member_is_breakglass", "x"), "member_search_expected_boolean"),
        (operand("member_email_fuzzy", "ab"), "member_search_member_email_fuzzy_too_short"),
        (
            operand("member_mfa_phone_number_fuzzy", "55"),
            "member_search_member_mfa_phone_number_fuzzy_too_short",
        ),
        (operand("statuses", ["active", "gone"]), "search_invalid_status_filter"),
    ],
)
async def test_bad_operand_is_refused_by_its_error(
    scenario: Scenario, operand: dict[str, Any], error: str
) -> None:
    await scenario.organization()
    body = {"organization_ids": ["acme"], "query": {"operands": [operand]}}
    assert await scenario.api.bad("POST", PATH, body) == (400, error)


@pytest.mark.case("AD-23")
async def test_largest_query_is_answered(world: Scenario) -> None:
    many = operand("member_emails", ["ada@acme.com", *(f"x{n}@acme.com" for n in range(999))])
    assert await names(world, *[many] * 20) == ["Ada"]
    assignments = [{"domain": f"x{n}.com", "role_id": "stytch_admin"} for n in range(100)]
    for slug in ("acme", "beta"):
        await world.api.good(
            "PUT",
            f"/v1/b2b/organizations/{slug}",
            {"rbac_email_implicit_role_assignments": assignments},
        )
    by_role = operand("member_roles", ["stytch_admin"])
    assert await names(world, *[by_role] * 20) == ["Ada"]
    assert await names(world, *[by_role] * 20, operator="OR") == ["Ada"]
    for slug in ("third", "fourth"):
        if slug == "fourth":
            await world.organization("Fourth")
        await world.api.good(
            "PUT",
            f"/v1/b2b/organizations/{slug}",
            {"rbac_email_implicit_role_assignments": assignments},
        )
    body = {
        "organization_ids": ["acme", "beta", "third", "fourth"],
        "query": {"operands": [by_role]},
    }
    answer = await world.api.call("POST", PATH, body)
    assert (answer.status, answer.json["error_type"]) == (400, "bad_request")
    assert answer.json["error_message"].startswith("member_roles: ")
