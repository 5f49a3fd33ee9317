"""Organizations on the wire (contract g)."""

from typing import Any

import msgspec

from vestibule.clock import rfc3339
from vestibule.domain.organizations import OrganizationView
from vestibule.records import Connection, EmailRoleAssignment, Role


class PermissionObject(msgspec.Struct, kw_only=True):
    """The actions on one resource that a role grants; `*` alone means all."""

    resource_id: str
    actions: tuple[str, ...]


class RoleObject(msgspec.Struct, kw_only=True):
    """`b2b.rbac.PolicyRole`, which `b2b.organizations.CustomRole` is a copy of."""

    role_id: str
    description: str
    permissions: tuple[PermissionObject, ...]


class ActiveConnectionObject(msgspec.Struct, kw_only=True):
    """`b2b.organizations.ActiveSSOConnection`."""

    connection_id: str
    display_name: str
    identity_provider: str


class EmailRoleAssignmentObject(msgspec.Struct, kw_only=True):
    """`b2b.organizations.EmailImplicitRoleAssignment`."""

    domain: str
    role_id: str


class OrganizationObject(msgspec.Struct, kw_only=True):
    """`b2b.organizations.Organization`."""

    organization_id: str
    organization_name: str
    organization_logo_url: str
    organization_slug: str
    organization_external_id: str | None
    sso_jit_provisioning: str
    sso_jit_provisioning_allowed_connections: tuple[str, ...]
    sso_active_connections: tuple[ActiveConnectionObject, ...]
    sso_default_connection_id: str | None
    scim_active_connection: None = None
    email_allowed_domains: tuple[str, ...]
    email_jit_provisioning: str
    email_invites: str
    auth_methods: str
    allowed_auth_methods: tuple[str, ...]
    mfa_policy: str
    mfa_methods: str
    allowed_mfa_methods: tuple[str, ...]
    oauth_tenant_jit_provisioning: str
    allowed_oauth_tenants: dict[str, Any] | None
    claimed_email_domains: tuple[str, ...]
    rbac_email_implicit_role_assignments: tuple[EmailRoleAssignmentObject, ...]
    first_party_connected_apps_allowed_type: str
    allowed_first_party_connected_apps: tuple[str, ...]
    third_party_connected_apps_allowed_type: str
    allowed_third_party_connected_apps: tuple[str, ...]
    custom_roles: tuple[RoleObject, ...]
    trusted_metadata: dict[str, Any]
    created_at: str
    updated_at: str


def organization_object(view: OrganizationView) -> OrganizationObject:
    """Return an organization as the wire shows it."""
    it = view.organization
    tenants = it.allowed_oauth_tenants
    return OrganizationObject(
        organization_id=it.organization_id,
        organization_name=it.organization_name,
        organization_logo_url=it.organization_logo_url,
        organization_slug=it.organization_slug,
        organization_external_id=it.organization_external_id,
        sso_jit_provisioning=it.sso_jit_provisioning,
        sso_jit_provisioning_allowed_connections=it.sso_jit_provisioning_allowed_connections,
        sso_active_connections=tuple(map(active_connection_object, view.active_connections)),
        sso_default_connection_id=it.sso_default_connection_id,
        email_allowed_domains=it.email_allowed_domains,
        email_jit_provisioning=it.email_jit_provisioning,
        email_invites=it.email_invites,
        auth_methods=it.auth_methods,
        allowed_auth_methods=it.allowed_auth_methods,
        mfa_policy=it.mfa_policy,
        mfa_methods=it.mfa_methods,
        allowed_mfa_methods=it.allowed_mfa_methods,
        oauth_tenant_jit_provisioning=it.oauth_tenant_jit_provisioning,
        allowed_oauth_tenants=None if tenants is None else dict(tenants),
        claimed_email_domains=it.claimed_email_domains,
        rbac_email_implicit_role_assignments=tuple(
            map(_email_role_assignment, it.rbac_email_implicit_role_assignments)
        ),
        first_party_connected_apps_allowed_type=it.first_party_connected_apps_allowed_type,
        allowed_first_party_connected_apps=it.allowed_first_party_connected_apps,
        third_party_connected_apps_allowed_type=it.third_party_connected_apps_allowed_type,
        allowed_third_party_connected_apps=it.allowed_third_party_connected_apps,
        custom_roles=tuple(map(role_object, it.custom_roles)),
        trusted_metadata=dict(it.trusted_metadata),
        created_at=rfc3339(it.created_at),
        updated_at=rfc3339(it.updated_at),
    )


def role_object(role: Role) -> RoleObject:
    """Return a role as the wire shows it."""
    return RoleObject(
        role_id=role.role_id,
        description=role.description,
        permissions=tuple(
            PermissionObject(resource_id=each.resource_id, actions=each.actions)
            for each in role.permissions
        ),
    )


def active_connection_object(connection: Connection) -> ActiveConnectionObject:
    """Return a connection as those who may sign in through it see it."""
    return ActiveConnectionObject(
        connection_id=connection.connection_id,
        display_name=connection.display_name,
        identity_provider=connection.identity_provider,
    )


def _email_role_assignment(assignment: EmailRoleAssignment) -> EmailRoleAssignmentObject:
    return EmailRoleAssignmentObject(domain=assignment.domain, role_id=assignment.role_id)
