"""The `sso.saml` endpoints."""

from typing import Any, Final

from msgspec import UNSET, UnsetType

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Request, Response, given, sent
from vestibule.api.objects.connections import SamlConnection, saml_object
from vestibule.api.objects.role_assignments import ConnectionRole, GroupRole, rename_assignments
from vestibule.api.objects.targets import ConnectionTarget
from vestibule.domain import saml_connections
from vestibule.domain.connection_lifecycle import ConnectionView
from vestibule.errors import Failure
from vestibule.permissions import Permission

group: Final = Group("sso.saml")

_CONNECTION: Final = "/v1/b2b/sso/saml/{organization_id}/connections/{connection_id}"
_NOT_FOUND: Final = (errors.organization_not_found, errors.saml_connection_not_found)
_CONFIGURATION: Final = (
    errors.invalid_display_name,
    errors.invalid_sso_idp,
    errors.invalid_idp_entity_id,
    errors.duplicate_saml_connection,
    errors.saml_connection_idp_sso_url_required,
    errors.saml_connection_idp_sso_url_invalid_format,
    errors.saml_connection_idp_sso_url_not_https,
    errors.too_many_sso_verification_certificates,
)


class CreateConnectionRequest(Request):
    """Everything may be set later."""

    organization_id: str
    display_name: str | None = None
    identity_provider: str | None = None


class CreateConnectionResponse(Response):
    """The new connection, pending until it is set up."""

    connection: SamlConnection


@group.endpoint(
    "POST",
    "/v1/b2b/sso/saml/{organization_id}",
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
    """Make a SAML connection with a signing key of its own."""
    view = await saml_connections.create(
        call.context, call.project, request.organization_id, sent(request, "organization_id")
    )
    return CreateConnectionResponse(connection=_object(call, view))


class UpdateConnectionRequest(ConnectionTarget):
    """Only what is sent changes. A certificate is added to those there are."""

    idp_entity_id: str | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    attribute_mapping: dict[str, Any] | UnsetType = UNSET
    x509_certificate: str | UnsetType = UNSET
    idp_sso_url: str | UnsetType = UNSET
    saml_connection_implicit_role_assignments: list[ConnectionRole] | UnsetType = UNSET
    saml_group_implicit_role_assignments: list[GroupRole] | UnsetType = UNSET
    alternative_audience_uri: str | UnsetType = UNSET
    identity_provider: str | UnsetType = UNSET
    signing_private_key: str | UnsetType = UNSET
    nameid_format: str | UnsetType = UNSET
    alternative_acs_url: str | UnsetType = UNSET
    idp_initiated_auth_disabled: bool | UnsetType = UNSET
    saml_encryption_private_key: str | UnsetType = UNSET
    allow_gateway_callback: bool | UnsetType = UNSET


class UpdateConnectionResponse(Response):
    """The connection as it now is."""

    connection: SamlConnection


@group.endpoint(
    "PUT",
    _CONNECTION,
    access=Permission("stytch.sso", "update"),
    errors=(
        *_NOT_FOUND,
        *_CONFIGURATION,
        errors.invalid_x509_certificate,
        errors.saml_connection_attribute_mapping_required,
        errors.saml_connection_email_mapping_required,
        errors.saml_connection_name_mapping_required,
        errors.saml_connection_no_nested_keys_in_attribute_mapping,
        errors.saml_connection_attribute_mapping_missing_groups_key,
        errors.saml_group_role_assignment_does_not_contain_member_group,
        errors.invalid_rbac_role_assignment,
        errors.cannot_assign_default_rbac_role_id,
        errors.private_key_too_long,
        errors.saml_signing_private_key_format_not_supported,
        errors.saml_signing_private_key_invalid,
        errors.too_many_encryption_certificates,
    ),
)
async def update_connection(
    request: UpdateConnectionRequest, call: Call
) -> UpdateConnectionResponse:
    """Configure a SAML connection; it becomes active once nothing is missing."""
    changes = given(request, without=("organization_id", "connection_id"))
    rename_assignments(
        changes,
        call.caller,
        connection="saml_connection_implicit_role_assignments",
        group="saml_group_implicit_role_assignments",
    )
    view = await saml_connections.update(
        call.context, call.project, request.organization_id, request.connection_id, changes
    )
    return UpdateConnectionResponse(connection=_object(call, view))


class UpdateByURLRequest(ConnectionTarget):
    """Where the identity provider publishes its metadata."""

    metadata_url: str


class UpdateByURLResponse(Response):
    """The connection as it now is."""

    connection: SamlConnection


@group.endpoint(
    "PUT",
    f"{_CONNECTION}/url",
    access=Permission("stytch.sso", "update"),
    errors=(
        *_NOT_FOUND,
        *_CONFIGURATION,
        errors.invalid_saml_metadata_url,
        errors.invalid_xml_from_saml_metadata_url,
        errors.saml_connection_metadata_invalid_format,
    ),
)
async def update_by_url(request: UpdateByURLRequest, call: Call) -> UpdateByURLResponse:
    """Configure a SAML connection from metadata; the attribute mapping comes separately."""
    view = await saml_connections.update_by_url(
        call.context,
        call.project,
        request.organization_id,
        request.connection_id,
        request.metadata_url,
    )
    return UpdateByURLResponse(connection=_object(call, view))


class DeleteVerificationCertificateRequest(ConnectionTarget):
    """Which certificate."""

    certificate_id: str


class DeleteVerificationCertificateResponse(Response):
    """What was deleted."""

    certificate_id: str


@group.endpoint(
    "DELETE",
    f"{_CONNECTION}/verification_certificates/{{certificate_id}}",
    access=Permission("stytch.sso", "update"),
    errors=(
        *_NOT_FOUND,
        errors.sso_verification_key_not_found,
        errors.cannot_delete_last_sso_verification_key,
    ),
)
async def delete_verification_certificate(
    request: DeleteVerificationCertificateRequest, call: Call
) -> DeleteVerificationCertificateResponse:
    """Stop trusting one of the identity provider's certificates, from the next login on."""
    certificate_id = await saml_connections.delete_verification_certificate(
        call.context,
        call.project,
        request.organization_id,
        request.connection_id,
        request.certificate_id,
    )
    return DeleteVerificationCertificateResponse(certificate_id=certificate_id)


class DeleteEncryptionPrivateKeyRequest(ConnectionTarget):
    """Which key."""

    private_key_id: str


class DeleteEncryptionPrivateKeyResponse(Response):
    """What was deleted."""

    private_key_id: str


@group.endpoint(
    "DELETE",
    f"{_CONNECTION}/encryption_private_keys/{{private_key_id}}",
    access=Permission("stytch.sso", "update"),
    errors=(*_NOT_FOUND, errors.sso_encryption_private_key_not_found),
)
async def delete_encryption_private_key(
    request: DeleteEncryptionPrivateKeyRequest, call: Call
) -> DeleteEncryptionPrivateKeyResponse:
    """Forget one of our decryption keys."""
    private_key_id = await saml_connections.delete_encryption_private_key(
        call.context,
        call.project,
        request.organization_id,
        request.connection_id,
        request.private_key_id,
    )
    return DeleteEncryptionPrivateKeyResponse(private_key_id=private_key_id)


def _object(call: Call, view: ConnectionView) -> SamlConnection:
    if view.connection.saml is None:
        raise Failure(errors.saml_connection_not_found)
    return saml_object(call.context, view, view.connection.saml)
