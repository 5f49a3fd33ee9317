"""The RBAC policy of a project: Stytch's resources and two default roles, and what it adds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from vestibule.records import Organization, Permissions, Project, Resource, Role

MEMBER_ROLE: Final = "stytch_member"
ADMIN_ROLE: Final = "stytch_admin"


@dataclass(frozen=True)
class Policy:
    """The roles of a project and the resources that they speak of."""

    roles: tuple[Role, ...]
    resources: tuple[Resource, ...]


_ORGANIZATION: Final = Resource(
    resource_id="stytch.organization",
    description="The Organization's settings.",
    actions=(
        "update.info.name",
        "update.info.slug",
        "update.info.logo-url",
        "update.settings.default-sso-connection",
        "update.settings.sso-jit-provisioning",
        "update.settings.allowed-domains",
        "update.settings.email-jit-provisioning",
        "update.settings.email-invites",
        "update.settings.allowed-auth-methods",
        "update.settings.mfa-policy",
        "update.settings.implicit-roles",
        "update.settings.allowed-mfa-methods",
        "update.settings.oauth-tenant-jit-provisioning",
        "update.settings.allowed-oauth-tenants",
        "delete",
    ),
)
_MEMBER: Final = Resource(
    resource_id="stytch.member",
    description="The Members of the Organization.",
    actions=(
        "create",
        "search",
        "delete",
        "revoke-sessions",
        "update.info.name",
        "update.info.untrusted-metadata",
        "update.info.mfa-phone",
        "update.info.email",
        "update.info.delete.mfa-phone",
        "update.info.delete.mfa-totp",
        "update.info.delete.password",
        "update.info.unlink.retired-email",
        "update.settings.is-breakglass",
        "update.settings.mfa-enrolled",
        "update.settings.roles",
        "update.settings.default-mfa-method",
        "get.connected-apps",
        "revoke.connected-app",
    ),
)
_SELF: Final = Resource(
    resource_id="stytch.self",
    description="The Member who acts.",
    actions=(
        "update.info.name",
        "update.info.untrusted-metadata",
        "update.info.mfa-phone",
        "update.info.email",
        "update.info.delete.mfa-phone",
        "update.info.delete.mfa-totp",
        "update.info.delete.password",
        "update.info.unlink.retired-email",
        "update.settings.mfa-enrolled",
        "update.settings.default-mfa-method",
        "delete",
        "revoke-sessions",
        "get.connected-apps",
        "revoke.connected-app",
    ),
)
_SSO: Final = Resource(
    resource_id="stytch.sso",
    description="The Organization's SSO connections.",
    actions=("create", "get", "update", "delete"),
)
_SCIM: Final = Resource(
    resource_id="stytch.scim",
    description="The Organization's SCIM connection.",
    actions=("create", "get", "update", "delete"),
)
_CUSTOM_ROLES: Final = Resource(
    resource_id="stytch.custom-org-roles",
    description="The Organization's own roles.",
    actions=("create", "get", "update", "delete"),
)
_RESOURCES: Final = (_ORGANIZATION, _MEMBER, _SELF, _SSO, _SCIM, _CUSTOM_ROLES)

PROJECT_POLICY: Final = Policy(
    roles=(
        Role(
            role_id=MEMBER_ROLE,
            description="Every Member holds this role.",
            permissions=(Permissions(resource_id=_SELF.resource_id, actions=("*",)),),
        ),
        Role(
            role_id=ADMIN_ROLE,
            description="May administer the Organization.",
            permissions=tuple(
                Permissions(resource_id=resource.resource_id, actions=("*",))
                for resource in _RESOURCES
            ),
        ),
    ),
    resources=_RESOURCES,
)


def project_policy(project: Project) -> Policy:
    """Return the policy of `project`: the default one with what it has of its own."""
    own = {role.role_id: role for role in project.rbac_policy.roles}
    if not own and not project.rbac_policy.resources:
        return PROJECT_POLICY
    defaults = tuple(own.pop(role.role_id, role) for role in PROJECT_POLICY.roles)
    return Policy(
        roles=(*defaults, *own.values()),
        resources=(*PROJECT_POLICY.resources, *project.rbac_policy.resources),
    )


def roles_of(policy: Policy, organization: Organization) -> Mapping[str, Role]:
    """Return the roles that exist in `organization`, by id: the project's and its own.

    Where both have a role of one name, the project's counts.
    """
    return {role.role_id: role for role in (*organization.custom_roles, *policy.roles)}
