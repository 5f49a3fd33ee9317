"""A project's own roles and resources, and what they grant, on both databases (semantics 5)."""

import json
from typing import Any

import pytest

from tests.support.asgi import Api
from tests.support.member_session import SignedIn, sign_in
from tests.support.scenario import Scenario, add_project
from vestibule.domain import project_policies, projects
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.records import Project, ProjectPolicy

DOCUMENT = {"resource_id": "document", "description": "A document", "actions": ["read", "write"]}
EDITOR = {
    "role_id": "editor",
    "description": "Edits",
    "permissions": [{"resource_id": "document", "actions": ["write"]}],
}
POLICY: dict[str, Any] = {"roles": [EDITOR], "resources": [DOCUMENT]}


def role(**changes: Any) -> dict[str, Any]:
    return {"roles": [{**EDITOR, **changes}], "resources": [DOCUMENT]}


def resource(**changes: Any) -> dict[str, Any]:
    return {"resources": [{**DOCUMENT, **changes}]}


async def put(context: Context, project: Project, policy: dict[str, Any]) -> None:
    read = project_policies.read(json.dumps(policy).encode())
    await project_policies.replace(context, project, read)


async def check(ada: SignedIn, action: str, **changes: str) -> Any:
    """Ask whether Ada may do this to documents; return the answer of the server."""
    asked = {
        "organization_id": ada.organization_id,
        "resource_id": "document",
        "action": action,
        **changes,
    }
    token = ada.headers["x-stytch-member-session"]
    body = {"session_token": token, "authorization_check": asked}
    answer = await ada.scenario.api.call("POST", "/v1/b2b/sessions/authenticate", body)
    return answer.json["verdict"] if answer.status == 200 else answer.json["error_type"]


@pytest.fixture
async def ada(scenario: Scenario) -> SignedIn:
    await put(scenario.context, scenario.project, POLICY)
    return await sign_in(scenario, await scenario.organization())


async def test_policy_is_the_default_one_and_what_the_project_adds(ada: SignedIn) -> None:
    shown = (await ada.scenario.api.good("GET", "/v1/b2b/rbac/policy"))["policy"]
    assert [each["role_id"] for each in shown["roles"]] == [
        "stytch_member",
        "stytch_admin",
        "editor",
    ]
    assert shown["roles"][-1] == EDITOR
    assert shown["resources"][-1] == DOCUMENT
    assert shown["resources"][0]["resource_id"] == "stytch.organization"


async def test_role_grants_its_actions_to_who_holds_it(ada: SignedIn) -> None:
    denied = "session_authorization_error"
    assert await check(ada, "write") == denied
    await ada.hold("editor")
    assert await check(ada, "write") == {"authorized": True, "granting_roles": ["editor"]}
    assert await check(ada, "read") == denied
    assert await check(ada, "write", resource_id="stytch.member") == denied
    other = await ada.scenario.organization("Other")
    elsewhere = await check(ada, "write", organization_id=other["organization_id"])
    assert elsewhere == "session_authorization_tenancy_error"


async def test_role_is_assigned_in_every_way_that_roles_are(ada: SignedIn) -> None:
    api = ada.scenario.api
    organization = f"/v1/b2b/organizations/{ada.organization_id}"
    assignment = [{"domain": "acme.test", "role_id": "editor"}]
    await api.good("PUT", organization, {"rbac_email_implicit_role_assignments": assignment})
    found = await api.good(
        "POST",
        "/v1/b2b/organizations/members/search",
        {
            "organization_ids": [ada.organization_id],
            "query": {
                "operator": "AND",
                "operands": [{"filter_name": "member_roles", "filter_value": ["editor"]}],
            },
        },
    )
    (member,) = found["members"]
    (_, held) = member["roles"]
    source = {"type": "email_assignment", "details": {"email_domain": "acme.test"}}
    assert held == {"role_id": "editor", "sources": [source]}
    (connection,) = member["sso_registrations"]
    path = f"/v1/b2b/sso/saml/{ada.organization_id}/connections/{connection['connection_id']}"
    roles = [{"role_id": "editor"}]
    body = {"saml_connection_implicit_role_assignments": roles}
    shown = (await api.good("PUT", path, body))["connection"]
    assert shown["saml_connection_implicit_role_assignments"] == roles


async def test_role_that_is_gone_grants_nothing_until_it_comes_back(ada: SignedIn) -> None:
    scenario = ada.scenario
    await ada.hold("editor")
    await put(scenario.context, scenario.project, {"resources": [DOCUMENT]})
    assert await check(ada, "write") == "session_authorization_error"
    refusal = await scenario.api.bad("PUT", ada.path, {"roles": ["editor"]})
    assert refusal == (400, "invalid_rbac_role_assignment")
    await put(scenario.context, scenario.project, POLICY)
    assert (await check(ada, "write"))["authorized"] is True


async def test_organizations_build_roles_of_the_projects_resources(ada: SignedIn) -> None:
    api, path = ada.scenario.api, f"/v1/b2b/rbac/organizations/{ada.organization_id}"
    reader = {
        "role_id": "reader",
        "description": "",
        "permissions": [{"resource_id": "document", "actions": ["read"]}],
    }
    await api.good("PUT", path, {"org_policy": {"roles": [reader]}})
    await ada.hold("reader")
    assert (await check(ada, "read"))["granting_roles"] == ["reader"]
    taken = {"org_policy": {"roles": [{**reader, "role_id": "editor"}]}}
    assert await api.bad("PUT", path, taken) == (400, "rbac_role_duplicate")


@pytest.mark.case("AD-06")
async def test_project_counts_where_an_organization_has_a_role_of_the_same_name(
    scenario: Scenario,
) -> None:
    """A role that an organization made before cannot become more than the project's."""
    await put(scenario.context, scenario.project, {"resources": [DOCUMENT]})
    ada = await sign_in(scenario, await scenario.organization())
    path = f"/v1/b2b/rbac/organizations/{ada.organization_id}"
    everything = {**EDITOR, "permissions": [{"resource_id": "document", "actions": ["*"]}]}
    await scenario.api.good("PUT", path, {"org_policy": {"roles": [everything]}})
    await ada.hold("editor")
    assert (await check(ada, "read"))["authorized"] is True
    await put(scenario.context, scenario.project, POLICY)
    assert await check(ada, "read") == "session_authorization_error"
    assert (await check(ada, "write"))["authorized"] is True


@pytest.mark.case("AD-06")
async def test_default_role_has_the_permissions_that_the_project_gives_it(ada: SignedIn) -> None:
    scenario = ada.scenario
    own = {"resource_id": "stytch.self", "actions": ["update.info.name"]}
    member = {"role_id": "stytch_member", "permissions": [own]}
    await put(scenario.context, scenario.project, {"roles": [member]})
    assert (await ada.good("PUT", ada.path, {"name": "Ada"}))["member"]["name"] == "Ada"
    denied = (403, "session_authorization_error")
    assert await ada.bad("DELETE", ada.path) == denied
    assert await ada.bad("PUT", ada.path, {"roles": ["stytch_admin"]}) == denied


async def test_policy_is_of_one_project(ada: SignedIn) -> None:
    scenario = ada.scenario
    other: Api = (await add_project(scenario.app, scenario.context, name="second")).api
    shown = (await other.good("GET", "/v1/b2b/rbac/policy"))["policy"]
    assert [each["role_id"] for each in shown["roles"]] == ["stytch_member", "stytch_admin"]


async def test_policy_is_written_as_it_is_read(context: Context, project: Project) -> None:
    await put(context, project, POLICY)
    kept = (await projects.get(context, project.project_id)).rbac_policy
    assert json.loads(project_policies.write(kept)) == POLICY
    assert project_policies.read(project_policies.write(kept)) == kept
    assert json.loads(project_policies.write(ProjectPolicy())) == {"roles": [], "resources": []}


@pytest.mark.parametrize(
    ("policy", "error"),
    [
        (resource(resource_id="stytch.member"), "invalid_stytch_prefixed_resource"),
        (resource(resource_id=" "), "empty_rbac_resource_id"),
        (resource(resource_id="x" * 129), "rbac_resource_id_too_long"),
        (resource(description="x" * 257), "rbac_description_too_long"),
        (resource(actions=[]), "rbac_resource_missing_actions"),
        (resource(actions=["*"]), "rbac_resource_missing_actions"),
        (resource(actions=["x" * 129]), "rbac_action_too_long"),
        (resource(actions=["read", ""]), "rbac_action_too_long"),
        (resource(actions=["read", "read"]), "rbac_action_duplicate"),
        ({"resources": [DOCUMENT, DOCUMENT]}, "rbac_resource_duplicate"),
        ({"resources": [{**DOCUMENT, "resource_id": str(i)} for i in range(101)]}, "bad_request"),
        (role(role_id="stytch_owner"), "invalid_rbac_stytch_role_edit"),
        (role(role_id=""), "empty_rbac_role_id"),
        (role(permissions=[]), "rbac_role_missing_permissions"),
        (
            role(permissions=[{"resource_id": "unknown", "actions": ["*"]}]),
            "invalid_permission_resource",
        ),
        (
            role(permissions=[{"resource_id": "document", "actions": ["delete"]}]),
            "invalid_permission_action",
        ),
        (
            role(permissions=[{"resource_id": "document", "actions": ["*", "read"]}]),
            "cannot_specify_wildcard_with_other_actions",
        ),
        ({"roles": [EDITOR, EDITOR], "resources": [DOCUMENT]}, "rbac_role_duplicate"),
        ({"scopes": []}, "bad_request"),
        ({"roles": [{"role_id": 7, "permissions": []}]}, "bad_request"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_policy_that_breaks_a_rule_is_refused_whole(
    context: Context, project: Project, policy: dict[str, Any], error: str
) -> None:
    with pytest.raises(Failure) as refused:
        await put(context, project, policy)
    assert refused.value.error.name == error
    assert (await projects.get(context, project.project_id)).rbac_policy == ProjectPolicy()
