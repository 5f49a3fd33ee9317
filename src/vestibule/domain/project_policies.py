"""A project's own roles and resources: read from a file, checked, kept (semantics 5.1)."""

from collections.abc import Sequence
from typing import Final

import msgspec

from vestibule import errors
from vestibule.domain import audit
from vestibule.domain.context import Context
from vestibule.domain.custom_roles import check_roles
from vestibule.domain.policy import PROJECT_POLICY, Policy
from vestibule.errors import Failure
from vestibule.records import Permissions, Project, ProjectPolicy, Resource, Role

_PREFIX: Final = "stytch"
_MAX_RESOURCES: Final = 100
_LONGEST: Final = 128
_MAX_DESCRIPTION: Final = 256
_DEFAULT_ROLES: Final = frozenset(role.role_id for role in PROJECT_POLICY.roles)


class _Permission(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    resource_id: str
    actions: tuple[str, ...]


class _Role(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    role_id: str
    description: str = ""
    permissions: tuple[_Permission, ...]


class _Resource(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    resource_id: str
    description: str = ""
    actions: tuple[str, ...]


class _File(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A policy as an operator writes it; the names are those of the API."""

    roles: tuple[_Role, ...] = ()
    resources: tuple[_Resource, ...] = ()


def read(data: bytes) -> ProjectPolicy:
    """Return the policy in a JSON text, unchecked. Raises Failure bad_request naming the field."""
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Failure(errors.bad_request, f"The policy cannot be read: {error}") from None
    return ProjectPolicy(
        roles=tuple(_role(each) for each in file.roles),
        resources=tuple(
            Resource(
                resource_id=each.resource_id, description=each.description, actions=each.actions
            )
            for each in file.resources
        ),
    )


def write(policy: ProjectPolicy) -> bytes:
    """Return the text that `read` reads as `policy`."""
    return msgspec.json.format(msgspec.json.encode(policy), indent=2)


async def replace(context: Context, project: Project, policy: ProjectPolicy) -> None:
    """Make `policy` what the project has beside the default roles and resources.

    A role of it with a default role's id has its permissions instead. Assignments of a role that
    is gone stay where they are and grant nothing. Raises Failure of the first rule that is broken.
    """
    _check_resources(policy.resources)
    for role in policy.roles:
        if role.role_id.startswith(_PREFIX) and role.role_id not in _DEFAULT_ROLES:
            raise Failure(errors.invalid_rbac_stytch_role_edit, f"role_id: {role.role_id[:128]!r}.")
    known = Policy(roles=(), resources=(*PROJECT_POLICY.resources, *policy.resources))
    check_roles(policy.roles, known, taken=())
    async with context.store.write() as tx:
        await tx.projects.change({"rbac_policy": policy}, project_id=project.project_id)
        await audit.record(tx, context, "project.set_policy", project, project.project_id)


def _role(given: _Role) -> Role:
    permissions = tuple(
        Permissions(resource_id=each.resource_id, actions=each.actions)
        for each in given.permissions
    )
    return Role(role_id=given.role_id, description=given.description, permissions=permissions)


def _check_resources(resources: Sequence[Resource]) -> None:
    if len(resources) > _MAX_RESOURCES:
        raise Failure(errors.bad_request, f"resources: expected at most {_MAX_RESOURCES}.")
    seen: set[str] = set()
    for resource in resources:
        if not resource.resource_id.strip():
            raise Failure(errors.empty_rbac_resource_id)
        if resource.resource_id.startswith(_PREFIX):
            raise Failure(errors.invalid_stytch_prefixed_resource)
        if resource.resource_id in seen:
            raise Failure(errors.rbac_resource_duplicate)
        seen.add(resource.resource_id)
        _check_texts(resource)


def _check_texts(resource: Resource) -> None:
    if len(resource.resource_id) > _LONGEST:
        raise Failure(errors.rbac_resource_id_too_long)
    if len(resource.description) > _MAX_DESCRIPTION:
        raise Failure(errors.rbac_description_too_long)
    if not resource.actions or "*" in resource.actions:
        raise Failure(errors.rbac_resource_missing_actions)
    if not all(each.strip() and len(each) <= _LONGEST for each in resource.actions):
        raise Failure(errors.rbac_action_too_long)
    if len(set(resource.actions)) != len(resource.actions):
        raise Failure(errors.rbac_action_duplicate)
