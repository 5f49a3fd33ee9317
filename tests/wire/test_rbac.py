"""The `rbac` and `rbac.organizations` groups through both SDKs."""

import pytest

from tests.wire import expected
from tests.wire.sdk import Sdk

RESOURCES = {
    "stytch.organization",
    "stytch.member",
    "stytch.self",
    "stytch.sso",
    "stytch.scim",
    "stytch.custom-org-roles",
}


@pytest.mark.drives("rbac.policy")
def test_policy_has_the_default_roles_and_resources(sdk: Sdk) -> None:
    answer = sdk.call("rbac.policy")
    policy = answer["policy"]
    assert answer == {**expected.ENVELOPE, "policy": policy}
    assert policy.keys() == {"roles", "resources", "scopes"}
    assert policy["scopes"] == []
    assert {each["resource_id"] for each in policy["resources"]} == RESOURCES
    for resource in policy["resources"]:
        assert resource.keys() == {"resource_id", "description", "actions"}
        assert resource["description"]
        assert resource["actions"]
        assert "*" not in resource["actions"]
    member, admin = policy["roles"]
    everything = [
        {"resource_id": each["resource_id"], "actions": ["*"]} for each in policy["resources"]
    ]
    assert member == {
        "role_id": "stytch_member",
        "description": expected.Like(".+"),
        "permissions": [{"resource_id": "stytch.self", "actions": ["*"]}],
    }
    assert admin == {
        "role_id": "stytch_admin",
        "description": expected.Like(".+"),
        "permissions": everything,
    }


@pytest.mark.drives("rbac.organizations.set_org_policy", "rbac.organizations.get_org_policy")
def test_organization_has_the_roles_that_were_set(sdk: Sdk, organization_id: str) -> None:
    none = {**expected.ENVELOPE, "org_policy": {"roles": []}}
    where = {"organization_id": organization_id}
    assert sdk.call("rbac.organizations.get_org_policy", **where) == none
    permissions = [
        {"resource_id": "stytch.sso", "actions": ["create", "get"]},
        {"resource_id": "stytch.member", "actions": ["*"]},
    ]
    roles = [
        {"role_id": "it-admin", "description": "Größe", "permissions": permissions},
        {"role_id": "reader", "description": "", "permissions": permissions[:1]},
    ]
    whole = {**expected.ENVELOPE, "org_policy": {"roles": roles}}
    made = sdk.call("rbac.organizations.set_org_policy", **where, org_policy={"roles": roles})
    assert made == whole
    assert sdk.call("rbac.organizations.get_org_policy", **where) == whole
    organization = sdk.call("organizations.get", **where)["organization"]
    assert organization["custom_roles"] == roles

    emptied = sdk.call("rbac.organizations.set_org_policy", **where, org_policy={"roles": []})
    assert emptied == none
