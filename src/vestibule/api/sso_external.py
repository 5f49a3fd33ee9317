"""The `sso.external` endpoints: another organization's connection, used here (semantics 3)."""

from typing import Final

from msgspec import UNSET, UnsetType

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Request, Response, given, sent
from vestibule.api.objects.connections import ExternalConnection, external_object
from vestibule.api.objects.role_assignments import ConnectionRole, GroupRole, rename_assignments
from vestibule.api.objects.targets import ConnectionTarget
from vestibule.domain import external_connections
from vestibule.errors import Failure
from vestibule.permissions import Permission
from vestibule.records import Connection

group: Final = Group("sso.external")

_CONFIGURATION: Final = (
    errors.invalid_display_name,
    errors.invalid_rbac_role_assignment,
    errors.cannot_assign_default_rbac_role_id,
    errors.saml_group_role_assignment_does_not_contain_member_group,
    errors.saml_connection_attribute_mapping_missing_groups_key,
    errors.external_connection_not_active,
)


class CreateConnectionRequest(Request):
    """Whose connection, and what it means here; the organization may be named as anywhere."""

    organization_id: str
    external_organization_id: str
    external_connection_id: str
    display_name: str | None = None
    connection_implicit_role_assignments: list[ConnectionRole] | None = None
    group_implicit_role_assignments: list[GroupRole] | None = None


class CreateConnectionResponse(Response):
    """The new connection, active at once."""

    connection: ExternalConnection


@group.endpoint(
    "POST",
    "/v1/b2b/sso/external/{organization_id}",
    access=Permission("stytch.sso", "create"),
    errors=(
        errors.organization_not_found,
        errors.external_connection_id_not_found,
        errors.external_organization_id_same_as_organization_id,
        errors.duplicate_external_sso_connection,
        errors.too_many_sso_connections,
        *_CONFIGURATION,
    ),
)
async def create_connection(
    request: CreateConnectionRequest, call: Call
) -> CreateConnectionResponse:
    """Let members sign in through another organization's SAML or OpenID Connect connection."""
    changes = sent(request, "organization_id")
    rename_assignments(
        changes,
        call.caller,
        connection="connection_implicit_role_assignments",
        group="group_implicit_role_assignments",
    )
    made = await external_connections.create(
        call.context, call.project, request.organization_id, changes
    )
    return CreateConnectionResponse(connection=_object(made))


class UpdateConnectionRequest(ConnectionTarget):
    """Only what is sent changes."""

    display_name: str | UnsetType = UNSET
    external_connection_implicit_role_assignments: list[ConnectionRole] | UnsetType = UNSET
    external_group_implicit_role_assignments: list[GroupRole] | UnsetType = UNSET


class UpdateConnectionResponse(Response):
    """The connection as it now is."""

    connection: ExternalConnection


@group.endpoint(
    "PUT",
    "/v1/b2b/sso/external/{organization_id}/connections/{connection_id}",
    access=Permission("stytch.sso", "update"),
    errors=(errors.organization_not_found, errors.sso_connection_not_found, *_CONFIGURATION),
)
async def update_connection(
    request: UpdateConnectionRequest, call: Call
) -> UpdateConnectionResponse:
    """Change the name of an external connection, or the roles that it gives here."""
    changes = given(request, without=("organization_id", "connection_id"))
    rename_assignments(
        changes,
        call.caller,
        connection="external_connection_implicit_role_assignments",
        group="external_group_implicit_role_assignments",
    )
    changed = await external_connections.update(
        call.context, call.project, request.organization_id, request.connection_id, changes
    )
    return UpdateConnectionResponse(connection=_object(changed))


def _object(connection: Connection) -> ExternalConnection:
    if connection.external is None:
        raise Failure(errors.sso_connection_not_found)
    return external_object(connection, connection.external)
