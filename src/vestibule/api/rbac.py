"""The `rbac` endpoint: the project's policy."""

from typing import Final

import msgspec

from vestibule.api.endpoint import Call, Group, Request, Response
from vestibule.api.objects.organizations import PermissionObject, RoleObject, role_object
from vestibule.domain import policy as policies
from vestibule.permissions import ProjectSecret

group: Final = Group("rbac")


class ResourceObject(msgspec.Struct, kw_only=True):
    """`b2b.rbac.PolicyResource`."""

    resource_id: str
    description: str
    actions: tuple[str, ...]


class ScopeObject(msgspec.Struct, kw_only=True):
    """`b2b.rbac.PolicyScope`; scopes belong to connected apps, so there is none."""

    scope: str
    description: str
    permissions: tuple[PermissionObject, ...]


class PolicyObject(msgspec.Struct, kw_only=True):
    """`b2b.rbac.Policy`."""

    roles: tuple[RoleObject, ...]
    resources: tuple[ResourceObject, ...]
    scopes: tuple[ScopeObject, ...]


class PolicyRequest(Request):
    """Nothing: the project is known by its credentials."""


class PolicyResponse(Response):
    """The roles and resources that every organization of the project has."""

    policy: PolicyObject


@group.endpoint("GET", "/v1/b2b/rbac/policy", access=ProjectSecret())
async def policy(request: PolicyRequest, call: Call) -> PolicyResponse:  # noqa: ARG001 - it is empty
    """Return the project's RBAC policy, which the SDKs check permissions against."""
    known = policies.project_policy(call.project)
    return PolicyResponse(
        policy=PolicyObject(
            roles=tuple(map(role_object, known.roles)),
            resources=tuple(
                ResourceObject(
                    resource_id=each.resource_id,
                    description=each.description,
                    actions=each.actions,
                )
                for each in known.resources
            ),
            scopes=(),
        )
    )
