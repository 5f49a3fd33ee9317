"""The `sso.oidc` endpoints."""

from typing import Any, Final

from msgspec import UNSET, UnsetType

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Request, Response, given, sent
from vestibule.api.objects.connections import OidcConnection, oidc_object
from vestibule.api.objects.targets import ConnectionTarget
from vestibule.domain import oidc_connections
from vestibule.errors import Failure
from vestibule.permissions import Permission
from vestibule.records import Connection

group: Final = Group("sso.oidc")


class CreateConnectionRequest(Request):
    """Everything may be set later."""

    organization_id: str
    display_name: str | None = None
    identity_provider: str | None = None


class CreateConnectionResponse(Response):
    """The new connection, pending until it is set up."""

    connection: OidcConnection


@group.endpoint(
    "POST",
    "/v1/b2b/sso/oidc/{organization_id}",
    access=Permission("stytch.sso", "create"),
    errors=(
        errors.organization_not_found,
        errors.invalid_display_name,
        errors.invalid_sso_idp,
        errors.too_many_sso_connections,
    ),
)
async def create_connection(
    request: CreateConnectionRequest, call: Call
) -> CreateConnectionResponse:
    """Make an OpenID Connect connection."""
    view = await oidc_connections.create(
        call.context, call.project, request.organization_id, sent(request, "organization_id")
    )
    return CreateConnectionResponse(connection=_object(call, view.connection))


class UpdateConnectionRequest(ConnectionTarget):
    """Only what is sent changes; a new issuer fills in the endpoints that are not sent."""

    display_name: str | UnsetType = UNSET
    client_id: str | UnsetType = UNSET
    client_secret: str | UnsetType = UNSET
    issuer: str | UnsetType = UNSET
    authorization_url: str | UnsetType = UNSET
    token_url: str | UnsetType = UNSET
    userinfo_url: str | UnsetType = UNSET
    jwks_url: str | UnsetType = UNSET
    identity_provider: str | UnsetType = UNSET
    custom_scopes: str | UnsetType = UNSET
    attribute_mapping: dict[str, Any] | UnsetType = UNSET


class UpdateConnectionResponse(Response):
    """The connection as it now is; `warning` is '' unless discovery had something to say."""

    connection: OidcConnection
    warning: str = ""


@group.endpoint(
    "PUT",
    "/v1/b2b/sso/oidc/{organization_id}/connections/{connection_id}",
    access=Permission("stytch.sso", "update"),
    errors=(
        errors.organization_not_found,
        errors.oidc_connection_not_found,
        errors.invalid_display_name,
        errors.invalid_sso_idp,
        errors.invalid_client_id,
        errors.client_secret_too_long,
        errors.oidc_connection_issuer_url_invalid_format,
        errors.oidc_connection_authorization_url_invalid_format,
        errors.oidc_connection_token_url_invalid_format,
        errors.oidc_connection_userinfo_url_invalid_format,
        errors.oidc_connection_jwks_url_invalid_format,
        errors.saml_connection_no_nested_keys_in_attribute_mapping,
    ),
)
async def update_connection(
    request: UpdateConnectionRequest, call: Call
) -> UpdateConnectionResponse:
    """Configure an OpenID Connect connection; it becomes active once nothing is missing."""
    updated = await oidc_connections.update(
        call.context,
        call.project,
        request.organization_id,
        request.connection_id,
        given(request, without=("organization_id", "connection_id")),
    )
    return UpdateConnectionResponse(
        connection=_object(call, updated.view.connection), warning=updated.warning
    )


def _object(call: Call, connection: Connection) -> OidcConnection:
    if connection.oidc is None:
        raise Failure(errors.oidc_connection_not_found)
    return oidc_object(call.context, connection, connection.oidc)
