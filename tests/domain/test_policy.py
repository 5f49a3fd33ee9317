from msgspec.structs import replace

from tests.support.determinism import NOW
from vestibule.domain.policy import PROJECT_POLICY, roles_of
from vestibule.records import Organization, Permissions, Role

ORGANIZATION = Organization(
    organization_id="organization-test-1",
    project_id="project-test-1",
    organization_name="Acme",
    organization_slug="acme",
    created_at=NOW,
    updated_at=NOW,
)


def test_default_roles_speak_only_of_resources_of_the_policy() -> None:
    resources = {resource.resource_id for resource in PROJECT_POLICY.resources}
    granted = {
        role.role_id: {(each.resource_id, each.actions) for each in role.permissions}
        for role in PROJECT_POLICY.roles
    }
    assert granted == {
        "stytch_member": {("stytch.self", ("*",))},
        "stytch_admin": {(resource, ("*",)) for resource in resources},
    }


def test_actions_of_a_resource_are_distinct() -> None:
    for resource in PROJECT_POLICY.resources:
        assert len(set(resource.actions)) == len(resource.actions), resource.resource_id


def test_self_has_no_action_that_would_raise_oneself() -> None:
    (own,) = (each for each in PROJECT_POLICY.resources if each.resource_id == "stytch.self")
    raising = {"update.settings.roles", "update.settings.is-breakglass"}
    assert raising & set(own.actions) == set()


def test_roles_of_an_organization_are_the_projects_and_its_own() -> None:
    own = Role(
        role_id="editor",
        permissions=(Permissions(resource_id="stytch.member", actions=("search",)),),
    )
    organization = replace(ORGANIZATION, custom_roles=(own,))
    assert roles_of(PROJECT_POLICY, ORGANIZATION).keys() == {"stytch_member", "stytch_admin"}
    assert roles_of(PROJECT_POLICY, organization).keys() == {
        "stytch_member",
        "stytch_admin",
        "editor",
    }
    assert roles_of(PROJECT_POLICY, organization)["editor"] is own
