from typing import Any

import pytest
from stytch.b2b.models.sso_external import CreateConnectionResponse, UpdateConnectionResponse

from tests.support.bad_input import send, wrong_values
from tests.support.counting import CountingStore
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.member_session import sign_in
from tests.support.scenario import IDP_ENTITY, MAPPING, Scenario, add_project, open_scenario
from vestibule.api import sso_external
from vestibule.clock import SECOND
from vestibule.store.interface import Store

PATH = "/v1/b2b/sso/external/user"
ADMIN = [{"role_id": "stytch_admin"}]
STAFF = [{"role_id": "stytch_admin", "group": "staff"}]
UNKNOWN = (404, "external_connection_id_not_found")


async def owned(scenario: Scenario, name: str = "Owner", **changes: Any) -> dict[str, Any]:
    """Return what names an active SAML connection of an organization of its own."""
    organization = await scenario.organization(name)
    connection = await scenario.saml_connection(organization["organization_id"], **changes)
    return named(connection)


def named(connection: dict[str, Any]) -> dict[str, Any]:
    return {
        "external_organization_id": connection["organization_id"],
        "external_connection_id": connection["connection_id"],
    }


async def make(scenario: Scenario, body: dict[str, Any], path: str = PATH) -> dict[str, Any]:
    return dict((await scenario.api.good("POST", path, body))["connection"])


def path_of(connection: dict[str, Any]) -> str:
    return f"{PATH}/connections/{connection['connection_id']}"


async def listed(scenario: Scenario, organization: str = "user") -> list[dict[str, Any]]:
    answer = await scenario.api.good("GET", f"/v1/b2b/sso/{organization}")
    return list(answer["external_connections"])


async def organization(scenario: Scenario, name: str = "user") -> dict[str, Any]:
    return dict((await scenario.api.good("GET", f"/v1/b2b/organizations/{name}"))["organization"])


# Creation --------------------------------------------------------------------------------------


async def test_created_connection_is_active_and_has_what_was_sent(scenario: Scenario) -> None:
    user = await scenario.organization("User")
    target = await owned(scenario, identity_provider="okta")
    body = {
        **target,
        "display_name": "Their Okta",
        "connection_implicit_role_assignments": ADMIN,
        "group_implicit_role_assignments": STAFF,
    }
    answer = await scenario.api.good("POST", PATH, body)
    CreateConnectionResponse.model_validate(answer)
    made = answer["connection"]
    assert made == {
        **target,
        "organization_id": user["organization_id"],
        "connection_id": made["connection_id"],
        "display_name": "Their Okta",
        "status": "active",
        "external_connection_implicit_role_assignments": ADMIN,
        "external_group_implicit_role_assignments": STAFF,
    }
    assert made["connection_id"].startswith("external-connection-test-")
    assert await listed(scenario) == [made]
    seen = await organization(scenario)
    assert seen["sso_default_connection_id"] == made["connection_id"]
    assert seen["sso_active_connections"] == [
        {
            "connection_id": made["connection_id"],
            "display_name": "Their Okta",
            "identity_provider": "okta",
        }
    ]


async def test_created_connection_needs_no_more_than_whose_it_is(scenario: Scenario) -> None:
    await scenario.organization("User")
    owner = await scenario.organization("Owner")
    own = await scenario.oidc_connection("user")
    target = await scenario.oidc_connection("owner")
    body = {**named(target), "display_name": None, "connection_implicit_role_assignments": None}
    made = await make(scenario, body)
    assert (made["display_name"], made["status"]) == ("", "active")
    assert made["external_organization_id"] == owner["organization_id"]
    assert made["external_connection_implicit_role_assignments"] == []
    # The first active connection stays the default.
    seen = await organization(scenario)
    assert seen["sso_default_connection_id"] == own["connection_id"]


@pytest.mark.parametrize("locator", ["owner", "ext-1"])
async def test_owner_is_named_as_organizations_are_anywhere(
    scenario: Scenario, locator: str
) -> None:
    await scenario.organization("User")
    target = await owned(scenario)
    owner = await scenario.api.good(
        "PUT", "/v1/b2b/organizations/owner", {"organization_external_id": "ext-1"}
    )
    made = await make(scenario, {**target, "external_organization_id": locator})
    assert made["external_organization_id"] == owner["organization"]["organization_id"]


async def test_own_connection_is_refused_by_whatever_name(scenario: Scenario) -> None:
    user = await scenario.organization("User")
    target = await scenario.saml_connection(user["organization_id"])
    for locator in ("user", user["organization_id"]):
        body = {**named(target), "external_organization_id": locator}
        refused = await scenario.api.bad("POST", PATH, body)
        assert refused == (400, "external_organization_id_same_as_organization_id")
    assert await listed(scenario) == []


@pytest.mark.case("MT-07", "MT-26")
async def test_connection_of_another_organization_than_the_one_named_is_unknown(
    scenario: Scenario,
) -> None:
    """Knowing a connection's id is not enough: the answer does not say that there is one."""
    await scenario.organization("User")
    target = await owned(scenario)
    third = await scenario.organization("Third")
    other = await add_project(scenario.app, scenario.context, name="other")
    far = await owned(other, "Far")
    guesses = [
        {**target, "external_organization_id": third["organization_id"]},
        {**target, "external_organization_id": "organization-test-unknown"},
        {**target, "external_organization_id": ""},
        {**target, "external_connection_id": "saml-connection-test-unknown"},
        {**target, "external_connection_id": ""},
        far,
        {**target, "external_connection_id": far["external_connection_id"]},
    ]
    messages = set()
    for guess in guesses:
        answer = await scenario.api.call("POST", PATH, guess)
        assert (answer.status, answer.json["error_type"]) == UNKNOWN, guess
        messages.add(answer.json["error_message"])
    assert len(messages) == 1
    assert await listed(scenario) == []


@pytest.mark.case("MT-10")
async def test_external_connection_of_an_external_one_is_unknown(scenario: Scenario) -> None:
    await scenario.organization("User")
    await scenario.organization("Between")
    made = await make(scenario, await owned(scenario), "/v1/b2b/sso/external/between")
    assert await scenario.api.bad("POST", PATH, named(made)) == UNKNOWN


async def test_pending_connection_is_refused(scenario: Scenario) -> None:
    await scenario.organization("User")
    await scenario.organization("Owner")
    pending = (await scenario.api.good("POST", "/v1/b2b/sso/saml/owner", {}))["connection"]
    refused = await scenario.api.bad("POST", PATH, named(pending))
    assert refused == (400, "external_connection_not_active")


async def test_connection_is_referred_to_once_in_an_organization(scenario: Scenario) -> None:
    await scenario.organization("User")
    await scenario.organization("Third")
    target = await owned(scenario)
    first = await make(scenario, target)
    refused = await scenario.api.bad("POST", PATH, target)
    assert refused == (400, "duplicate_external_sso_connection")
    await make(scenario, target, "/v1/b2b/sso/external/third")
    await scenario.api.good("DELETE", f"/v1/b2b/sso/user/connections/{first['connection_id']}")
    assert (await make(scenario, target))["connection_id"] != first["connection_id"]


async def test_too_many_connections_are_refused(scenario: Scenario) -> None:
    await scenario.organization("User")
    target = await owned(scenario)
    for _ in range(100):
        await scenario.api.good("POST", "/v1/b2b/sso/oidc/user", {})
    refused = await scenario.api.bad("POST", PATH, target)
    assert refused == (400, "too_many_sso_connections")


# Roles -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [
        ("connection", [{"role_id": "nobody"}], "invalid_rbac_role_assignment"),
        ("connection", [{"role_id": "stytch_member"}], "cannot_assign_default_rbac_role_id"),
        ("group", [{"role_id": "nobody", "group": "staff"}], "invalid_rbac_role_assignment"),
        (
            "group",
            [{"role_id": "stytch_admin"}],
            "saml_group_role_assignment_does_not_contain_member_group",
        ),
        (
            "group",
            [{"role_id": "stytch_admin", "group": ""}],
            "saml_group_role_assignment_does_not_contain_member_group",
        ),
    ],
)
async def test_assignments_are_checked_as_those_of_a_saml_connection(
    scenario: Scenario, kind: str, value: list[Any], error: str
) -> None:
    await scenario.organization("User")
    target = await owned(scenario)
    body = {**target, f"{kind}_implicit_role_assignments": value}
    assert await scenario.api.bad("POST", PATH, body) == (400, error)
    made = await make(scenario, target)
    changes = {f"external_{kind}_implicit_role_assignments": value}
    assert await scenario.api.bad("PUT", path_of(made), changes) == (400, error)
    assert await listed(scenario) == [made]


async def test_roles_are_those_of_the_organization_that_refers(scenario: Scenario) -> None:
    await scenario.organization("User")
    target = await owned(scenario)
    permissions = [{"resource_id": "stytch.sso", "actions": ["get"]}]
    role = {"role_id": "theirs", "description": "", "permissions": permissions}
    policy = {"org_policy": {"roles": [role]}}
    body = {**target, "connection_implicit_role_assignments": [{"role_id": "theirs"}]}
    await scenario.api.good("PUT", "/v1/b2b/rbac/organizations/owner", policy)
    refused = await scenario.api.bad("POST", PATH, body)
    assert refused == (400, "invalid_rbac_role_assignment")
    await scenario.api.good("PUT", "/v1/b2b/rbac/organizations/user", policy)
    assert await make(scenario, body)


async def test_groups_must_be_mapped_by_the_owner(scenario: Scenario) -> None:
    await scenario.organization("User")
    mapping = {name: value for name, value in MAPPING.items() if name != "groups"}
    target = await owned(scenario, attribute_mapping=mapping)
    missing = (400, "saml_connection_attribute_mapping_missing_groups_key")
    body = {**target, "group_implicit_role_assignments": STAFF}
    assert await scenario.api.bad("POST", PATH, body) == missing
    made = await make(scenario, {**target, "group_implicit_role_assignments": []})
    changes = {"external_group_implicit_role_assignments": STAFF}
    assert await scenario.api.bad("PUT", path_of(made), changes) == missing
    connection = target["external_connection_id"]
    await scenario.api.good(
        "PUT",
        f"/v1/b2b/sso/saml/owner/connections/{connection}",
        {"attribute_mapping": MAPPING},
    )
    assert await scenario.api.good("PUT", path_of(made), changes)


async def test_openid_connect_needs_no_mapping_for_groups(scenario: Scenario) -> None:
    await scenario.organization("User")
    await scenario.organization("Owner")
    target = named(await scenario.oidc_connection("owner"))
    made = await make(scenario, {**target, "group_implicit_role_assignments": STAFF})
    assert made["external_group_implicit_role_assignments"] == STAFF


# Update ----------------------------------------------------------------------------------------


async def test_update_changes_what_is_sent(scenario: Scenario) -> None:
    await scenario.organization("User")
    made = await make(scenario, {**await owned(scenario), "display_name": "Old"})
    changes = {
        "display_name": "New",
        "external_connection_implicit_role_assignments": ADMIN,
        "external_group_implicit_role_assignments": STAFF,
    }
    expected = dict(made)
    for name, value in changes.items():
        expected[name] = value
        answer = await scenario.api.good("PUT", path_of(made), {name: value})
        UpdateConnectionResponse.model_validate(answer)
        assert answer["connection"] == expected
    nothing = await scenario.api.good("PUT", path_of(made), {})
    assert nothing["connection"] == expected
    # What it refers to is not for changing.
    same = await scenario.api.good("PUT", path_of(made), await owned(scenario, "Third"))
    assert same["connection"] == expected
    for name in list(changes)[1:]:
        expected[name] = []
        changed = await scenario.api.good("PUT", path_of(made), {name: []})
        assert changed["connection"] == expected
    assert await listed(scenario) == [expected]


async def test_name_that_is_too_long_is_refused(scenario: Scenario) -> None:
    await scenario.organization("User")
    target = await owned(scenario)
    refusal = (400, "invalid_display_name")
    assert await scenario.api.bad("POST", PATH, {**target, "display_name": "x" * 257}) == refusal
    made = await make(scenario, target)
    changes = {"display_name": "x" * 257}
    assert await scenario.api.bad("PUT", path_of(made), changes) == refusal


async def test_update_finds_external_connections_of_the_organization_alone(
    scenario: Scenario,
) -> None:
    await scenario.organization("User")
    await scenario.organization("Third")
    target = await owned(scenario)
    theirs = await make(scenario, target, "/v1/b2b/sso/external/third")
    own = await scenario.saml_connection("user")
    for connection_id in (
        theirs["connection_id"],
        own["connection_id"],
        target["external_connection_id"],
        "external-connection-test-unknown",
    ):
        path = f"{PATH}/connections/{connection_id}"
        refused = await scenario.api.bad("PUT", path, {"display_name": "Mine"})
        assert refused == (404, "sso_connection_not_found")
    assert await listed(scenario, "third") == [theirs]


@pytest.mark.parametrize(
    ("method", "request_type"),
    [
        ("POST", sso_external.CreateConnectionRequest),
        ("PUT", sso_external.UpdateConnectionRequest),
    ],
)
async def test_wrong_type_is_refused_by_the_name_of_its_field(
    scenario: Scenario, method: str, request_type: Any
) -> None:
    await scenario.organization("User")
    target = await owned(scenario)
    path = PATH if method == "POST" else path_of(await make(scenario, target))
    for name in set(request_type.__struct_fields__) - {"organization_id", "connection_id"}:
        for value in wrong_values(request_type, name):
            body = {**target, name: value} if method == "POST" else {name: value}
            answer = await scenario.api.call(method, path, body)
            assert (answer.status, answer.json["error_type"]) == (400, "bad_request"), body
            assert answer.json["error_message"].startswith(f"{name}"), body
    assert (await send(scenario, method, path, b"{")).status == 400


# On behalf of a member -------------------------------------------------------------------------


@pytest.mark.case("AD-06")
async def test_member_needs_another_permission_to_give_roles(scenario: Scenario) -> None:
    caller = await sign_in(scenario, await scenario.organization("User"))
    target = await owned(scenario)
    await caller.hold_permission("stytch.sso", ["create", "update"])
    denied = (403, "session_authorization_error")
    for body in (
        {**target, "connection_implicit_role_assignments": ADMIN},
        {**target, "group_implicit_role_assignments": []},
    ):
        assert await caller.bad("POST", PATH, body) == denied
    made = (await caller.good("POST", PATH, target))["connection"]
    for body in (
        {"external_connection_implicit_role_assignments": []},
        {"external_group_implicit_role_assignments": STAFF},
    ):
        assert await caller.bad("PUT", path_of(made), body) == denied
    await caller.hold("stytch_admin")
    changes = {"external_connection_implicit_role_assignments": ADMIN}
    assert await caller.good("PUT", path_of(made), changes)


@pytest.mark.case("MT-07")
async def test_session_of_the_owner_may_not_make_one_elsewhere(scenario: Scenario) -> None:
    owner = await scenario.organization("Owner")
    caller = await sign_in(scenario, owner)
    await caller.hold("stytch_admin")
    await scenario.organization("User")
    (own,) = (await scenario.api.good("GET", "/v1/b2b/sso/owner"))["saml_connections"]
    refused = await caller.bad("POST", PATH, named(own))
    assert refused == (403, "session_authorization_tenancy_error")
    assert await listed(scenario) == []


# Deletion --------------------------------------------------------------------------------------


async def test_deletion_severs_one_organization_alone(scenario: Scenario) -> None:
    await scenario.organization("User")
    await scenario.organization("Third")
    target = await owned(scenario)
    mine = await make(scenario, target)
    theirs = await make(scenario, target, "/v1/b2b/sso/external/third")
    await scenario.api.good("DELETE", f"/v1/b2b/sso/user/connections/{mine['connection_id']}")
    assert await listed(scenario) == []
    assert (await organization(scenario))["sso_default_connection_id"] is None
    assert await listed(scenario, "third") == [theirs]
    kept = await scenario.api.good("GET", "/v1/b2b/sso/owner")
    (connection,) = kept["saml_connections"]
    assert connection["status"] == "active"


@pytest.mark.case("MT-08")
@pytest.mark.parametrize("gone", ["connection", "organization"])
async def test_what_refers_to_a_deleted_connection_is_no_longer_active(
    scenario: Scenario, gone: str
) -> None:
    """It stays, with its settings: what another organization does deletes nothing here."""
    await scenario.organization("User")
    target = await owned(scenario)
    other = await owned(scenario, "Other")
    made = await make(scenario, {**target, "connection_implicit_role_assignments": ADMIN})
    scenario.clock.advance(SECOND)
    untouched = await make(scenario, other)
    path = f"/v1/b2b/sso/owner/connections/{target['external_connection_id']}"
    await scenario.api.good(
        "DELETE", path if gone == "connection" else "/v1/b2b/organizations/owner"
    )
    assert await listed(scenario) == [{**made, "status": "pending"}, untouched]
    active = (await organization(scenario))["sso_active_connections"]
    assert [each["connection_id"] for each in active] == [untouched["connection_id"]]
    # Its name may be changed; nothing makes it active again.
    renamed = await scenario.api.good("PUT", path_of(made), {"display_name": "Dead"})
    assert renamed["connection"]["status"] == "pending"
    groups = {"external_group_implicit_role_assignments": STAFF}
    refused = await scenario.api.bad("PUT", path_of(made), groups)
    assert refused == (400, "external_connection_not_active")
    refused = await scenario.api.bad(
        "PUT",
        "/v1/b2b/organizations/user",
        {"sso_default_connection_id": made["connection_id"]},
    )
    assert refused == (400, "invalid_sso_default_connection_id")
    await scenario.api.good("DELETE", f"/v1/b2b/sso/user/connections/{made['connection_id']}")
    assert await listed(scenario) == [untouched]


# Lists -----------------------------------------------------------------------------------------


async def test_list_takes_as_many_queries_for_three_as_for_one(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    counting = CountingStore(store)
    scenario = await open_scenario(counting, clock=clock, entropy=entropy)
    await scenario.organization("User")
    costs, made = [], []
    for number in range(3):
        target = await owned(scenario, f"Owner {number}", idp_entity_id=f"{IDP_ENTITY}/{number}")
        scenario.clock.advance(SECOND)
        made.append(await make(scenario, target))
        counting.taken()
        assert await listed(scenario) == made
        costs.append(counting.taken())
    assert costs[0] == costs[1] == costs[2] > 0
