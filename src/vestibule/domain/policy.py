"""The RBAC policy of every project: Stytch's resources, actions and two default roles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from vestibule.records import Organization, Permissions, Role

MEMBER_ROLE: Final = "stytch_member"
ADMIN_ROLE: Final = "stytch_admin"


@dataclass(frozen=True)
class Resource:
    """Something that permissions are about, and what can be done with it."""

    resource_id: str
    description: str
    actions: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """The roles of a project and the resources that they speak of."""

    roles: tuple[Role, ...]
    resources: tuple[Resource, ...]


_ORGANIZATION: Final = Resource(
    "stytch.organization",
    "The Organization's settings.",
    (
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
    "stytch.member",
    "The Members of the Organization.",
    (
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
    "stytch.self",
    "The Member who acts.",
    (
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
    "stytch.sso", "The Organization's SSO connections.", ("create", "get", "update", "delete")
)
_SCIM: Final = Resource(
    "stytch.scim", "The Organization's SCIM connection.", ("create", "get", "update", "delete")
)
_CUSTOM_ROLES: Final = Resource(
    "stytch.custom-org-roles",
    "The Organization's own roles.",
    ("create", "get", "update", "delete"),
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


def roles_of(organization: Organization) -> Mapping[str, Role]:
    """Return the roles that exist in `organization`, by id: the project's and its own."""
    return {role.role_id: role for role in (*PROJECT_POLICY.roles, *organization.custom_roles)}
