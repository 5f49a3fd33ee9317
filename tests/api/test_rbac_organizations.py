from typing import Any

import pytest
from stytch.b2b.api.rbac_organizations import Organizations
from stytch.b2b.models.rbac import PolicyResponse
from stytch.b2b.models.rbac_organizations import GetOrgPolicyResponse, SetOrgPolicyResponse

from tests.support.member_session import sign_in
from tests.support.scenario import Scenario, add_project

PATH = "/v1/b2b/rbac/organizations/acme"


def role(role_id: str = "editor", **changes: Any) -> dict[str, Any]:
    permissions = [
        {"resource_id": "stytch.member", "actions": ["create", "search"]},
        {"resource_id": "stytch.sso", "actions": ["*"]},
    ]
    return {"role_id": role_id, "description": "Edits", "permissions": permissions, **changes}


def policy(*roles: dict[str, Any]) -> dict[str, Any]:
    return {"org_policy": {"roles": roles}}


async def test_organization_has_no_roles_of_its_own_at_first(scenario: Scenario) -> None:
    await scenario.organization()
    answer = await scenario.api.good("GET", PATH)
    assert answer["org_policy"] == {"roles": []}
    GetOrgPolicyResponse.model_validate(answer)


async def test_roles_are_replaced_whole_and_shown_with_the_organization(
    scenario: Scenario,
) -> None:
    await scenario.organization()
    for roles in ([role(), role("viewer")], [role("viewer")], []):
        answer = await scenario.api.good("PUT", PATH, policy(*roles))
        assert answer["org_policy"] == {"roles": roles}
        assert (await scenario.api.good("GET", PATH))["org_policy"] == {"roles": roles}
        organization = await scenario.api.good("GET", "/v1/b2b/organizations/acme")
        assert organization["organization"]["custom_roles"] == roles


async def test_what_the_sdk_accepts_is_accepted(scenario: Scenario) -> None:
    await scenario.organization()
    answer = await scenario.api.good("PUT", PATH, policy(role(), role("viewer")))
    project = PolicyResponse.model_validate(
        await scenario.api.good("GET", "/v1/b2b/rbac/policy")
    ).policy
    own = SetOrgPolicyResponse.model_validate(answer).org_policy
    assert project is not None
    Organizations.validate_org_policy(project, own)


def permission(resource_id: str = "stytch.sso", actions: Any = ("get",)) -> dict[str, Any]:
    return {"resource_id": resource_id, "actions": actions}


BAD = [
    ([role(), role()], "rbac_role_duplicate"),
    ([role("stytch_admin")], "rbac_role_duplicate"),
    ([role("stytch_member")], "rbac_role_duplicate"),
    ([role("")], "empty_rbac_role_id"),
    ([role(" ")], "empty_rbac_role_id"),
    ([role("x" * 129)], "rbac_role_id_too_long"),
    ([role(description="x" * 257)], "rbac_description_too_long"),
    ([role(permissions=[])], "rbac_role_missing_permissions"),
    ([role(permissions=[permission("")])], "empty_rbac_resource_id"),
    ([role(permissions=[permission("documents")])], "invalid_permission_resource"),
    ([role(permissions=[permission("*")])], "invalid_permission_resource"),
    ([role(permissions=[permission(actions=[])])], "rbac_permission_missing_actions"),
    (
        [role(permissions=[permission(actions=["get", "*"])])],
        "cannot_specify_wildcard_with_other_actions",
    ),
    ([role(permissions=[permission(actions=["read"])])], "invalid_permission_action"),
    ([role(permissions=[permission(actions=[""])])], "invalid_permission_action"),
    ([role(f"role-{number}") for number in range(101)], "too_many_roles"),
    ([role(7)], "bad_request"),  # type: ignore[arg-type]  # on purpose
    ([{"description": "", "permissions": []}], "bad_request"),
    ([role(permissions={})], "bad_request"),
    ([role(permissions=[permission(actions="*")])], "bad_request"),
    (["editor"], "bad_request"),
]


@pytest.mark.parametrize(("roles", "error"), BAD)
async def test_bad_role_is_refused_and_changes_nothing(
    scenario: Scenario, roles: list[Any], error: str
) -> None:
    await scenario.organization()
    await scenario.api.good("PUT", PATH, policy(role("kept")))
    body = {"org_policy": {"roles": roles}}
    assert await scenario.api.bad("PUT", PATH, body) == (400, error)
    assert (await scenario.api.good("GET", PATH))["org_policy"] == {"roles": [role("kept")]}


async def test_missing_policy_is_refused_by_its_name(scenario: Scenario) -> None:
    await scenario.organization()
    bodies: list[dict[str, Any]] = [{}, {"org_policy": None}, {"org_policy": {}}]
    for body in bodies:
        answer = await scenario.api.call("PUT", PATH, body)
        assert (answer.status, answer.json["error_type"]) == (400, "bad_request")
        message = answer.json["error_message"]
        assert "org_policy" in message


async def test_roles_of_an_unknown_organization_are_not_found(scenario: Scenario) -> None:
    other = await add_project(scenario.app, scenario.context, name="other")
    foreign = await other.organization("Foreign")
    for locator in ("none", foreign["organization_id"]):
        path = f"/v1/b2b/rbac/organizations/{locator}"
        assert await scenario.api.bad("GET", path) == (404, "organization_not_found")
        assert await scenario.api.bad("PUT", path, policy()) == (404, "organization_not_found")


async def test_role_that_is_gone_grants_nothing_until_it_is_back(scenario: Scenario) -> None:
    caller = await sign_in(scenario, await scenario.organization())
    search = ("POST", "/v1/b2b/organizations/members/search", {"organization_ids": ["acme"]})
    await scenario.api.good("PUT", PATH, policy(role()))
    await caller.hold("editor")
    await caller.good(*search)
    await scenario.api.good("PUT", PATH, policy())
    assert await caller.bad(*search) == (403, "session_authorization_error")
    got = await scenario.api.good(
        "GET", f"/v1/b2b/organizations/acme/member?member_id={caller.member_id}"
    )
    assert [each["role_id"] for each in got["member"]["roles"]] == ["stytch_member"]
    await scenario.api.good("PUT", PATH, policy(role()))
    await caller.good(*search)
