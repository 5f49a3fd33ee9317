"""An organization's own roles, beside those of the project."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import audit, organizations
from vestibule.domain.context import Context
from vestibule.domain.policy import Policy, project_policy
from vestibule.errors import Failure
from vestibule.records import Permissions, Project, Role

_MAX_ROLES: Final = 100
_MAX_ROLE_ID: Final = 128
_MAX_DESCRIPTION: Final = 256


async def replace_all(
    context: Context, project: Project, locator: str, roles: Sequence[Role]
) -> tuple[Role, ...]:
    """Make `roles` the organization's own ones and return them.

    An assignment of a role that is gone stays where it is and grants nothing, so that a role that
    comes back is held by the same members. Raises Failure organization_not_found and those of
    the role rules (contract d).
    """
    policy = project_policy(project)
    check_roles(roles, policy, taken={role.role_id for role in policy.roles})
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator, lock=True)
        changed = replace(organization, custom_roles=tuple(roles), updated_at=context.clock.now())
        await tx.organizations.update(changed)
        await audit.record(tx, context, "organization.set_roles", changed, changed.organization_id)
    return changed.custom_roles


def check_roles(roles: Sequence[Role], policy: Policy, *, taken: Collection[str]) -> None:
    """Pass when these roles can be, beside those whose ids are `taken`. Raises Failure."""
    if len(roles) > _MAX_ROLES:
        raise Failure(errors.too_many_roles, f"roles: expected at most {_MAX_ROLES} roles.")
    seen = set(taken)
    actions = {each.resource_id: frozenset(each.actions) for each in policy.resources}
    for role in roles:
        if not role.role_id.strip():
            raise Failure(errors.empty_rbac_role_id)
        if len(role.role_id) > _MAX_ROLE_ID:
            raise Failure(errors.rbac_role_id_too_long)
        if role.role_id in seen:
            raise Failure(errors.rbac_role_duplicate, f"role_id: {role.role_id!r} is taken.")
        seen.add(role.role_id)
        if len(role.description) > _MAX_DESCRIPTION:
            raise Failure(errors.rbac_description_too_long)
        if not role.permissions:
            raise Failure(errors.rbac_role_missing_permissions)
        for permission in role.permissions:
            _check_permission(permission, actions)


def _check_permission(permission: Permissions, actions: Mapping[str, frozenset[str]]) -> None:
    if not permission.resource_id:
        raise Failure(errors.empty_rbac_resource_id)
    known = actions.get(permission.resource_id)
    if known is None:
        raise Failure(
            errors.invalid_permission_resource,
            f"resource_id: {permission.resource_id[:100]!r} is not in the project's policy.",
        )
    if not permission.actions:
        raise Failure(errors.rbac_permission_missing_actions)
    if permission.actions == ("*",):
        return
    if "*" in permission.actions:
        raise Failure(errors.cannot_specify_wildcard_with_other_actions)
    for action in permission.actions:
        if action not in known:
            raise Failure(
                errors.invalid_permission_action,
                f"actions: {action[:100]!r} is not an action of {permission.resource_id}.",
            )
