"""The `rbac.organizations` endpoints: an organization's own roles."""

from typing import Final

import msgspec

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Request, Response
from vestibule.api.objects.organizations import RoleObject, role_object
from vestibule.api.objects.targets import OrganizationTarget
from vestibule.domain import custom_roles, organizations
from vestibule.permissions import ProjectSecret
from vestibule.records import Role

group: Final = Group("rbac.organizations")


class OrganizationPolicyObject(msgspec.Struct, kw_only=True):
    """`b2b.rbac.OrgPolicy`: the roles that an organization has beside the project's."""

    roles: tuple[RoleObject, ...]


class OrganizationPolicyInput(msgspec.Struct, kw_only=True):
    """An organization's own roles, all of them."""

    roles: tuple[Role, ...]


class SetOrgPolicyRequest(Request):
    """The roles to have from now on; those that are not named are gone."""

    organization_id: str
    org_policy: OrganizationPolicyInput


class OrgPolicyResponse(Response):
    """The organization's own roles."""

    org_policy: OrganizationPolicyObject


@group.endpoint(
    "GET",
    "/v1/b2b/rbac/organizations/{organization_id}",
    access=ProjectSecret(),
    errors=(errors.organization_not_found,),
)
async def get_org_policy(request: OrganizationTarget, call: Call) -> OrgPolicyResponse:
    """Return the organization's own roles; most have none."""
    organization = await organizations.get(call.context, call.project, request.organization_id)
    return _response(organization.custom_roles)


@group.endpoint(
    "PUT",
    "/v1/b2b/rbac/organizations/{organization_id}",
    access=ProjectSecret(),
    errors=(
        errors.organization_not_found,
        errors.too_many_roles,
        errors.empty_rbac_role_id,
        errors.rbac_role_id_too_long,
        errors.rbac_role_duplicate,
        errors.rbac_description_too_long,
        errors.rbac_role_missing_permissions,
        errors.empty_rbac_resource_id,
        errors.invalid_permission_resource,
        errors.rbac_permission_missing_actions,
        errors.cannot_specify_wildcard_with_other_actions,
        errors.invalid_permission_action,
    ),
)
async def set_org_policy(request: SetOrgPolicyRequest, call: Call) -> OrgPolicyResponse:
    """Replace the organization's own roles."""
    roles = await custom_roles.replace_all(
        call.context, call.project, request.organization_id, request.org_policy.roles
    )
    return _response(roles)


def _response(roles: tuple[Role, ...]) -> OrgPolicyResponse:
    return OrgPolicyResponse(
        org_policy=OrganizationPolicyObject(roles=tuple(map(role_object, roles)))
    )
