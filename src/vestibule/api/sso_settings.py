"""The `sso.settings` endpoints: Vestibule's own settings of a connection."""

from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Response, given
from vestibule.api.objects.role_assignments import (
    ConnectionRole,
    NamedGroupRole,
    rename_assignments,
)
from vestibule.api.objects.targets import ConnectionTarget
from vestibule.api.objects.upkeep import (
    ExpiryWarning,
    Metadata,
    metadata_object,
    warning_objects,
)
from vestibule.domain import connection_settings
from vestibule.domain.upkeep.report import report_of
from vestibule.permissions import Permission
from vestibule.records import Connection, OidcConfiguration, SamlConfiguration

group: Final = Group("sso.settings", own=True)

_SETTINGS: Final = "/v1/b2b/sso/{organization_id}/connections/{connection_id}/settings"
_NOT_FOUND: Final = (errors.organization_not_found, errors.sso_connection_not_found)
_ROLES: Final = (
    errors.invalid_rbac_role_assignment,
    errors.cannot_assign_default_rbac_role_id,
    errors.saml_group_role_assignment_does_not_contain_member_group,
    errors.saml_connection_attribute_mapping_missing_groups_key,
)


ClientAuthentication = Literal["", "client_secret_basic", "client_secret_post"]


class NamedGroupAssignment(msgspec.Struct, kw_only=True):
    """Members in `group` (at the identity provider) hold the role; people call it display_name."""

    role_id: str
    group: str
    display_name: str


class SamlSettings(msgspec.Struct, kw_only=True, tag_field="protocol", tag="saml"):
    """The settings of a SAML connection."""

    force_authn: bool
    requested_authn_contexts: list[str]
    require_signed_response: bool
    require_signed_assertion: bool
    require_encryption: bool
    refuse_expired_certificates: bool
    allow_cbc: bool
    allow_inclusive_c14n: bool
    allow_missing_authn_statement: bool
    idp_initiated_roundtrip: bool
    trust_metadata_certificates: bool
    metadata_certificate: str
    cap_sessions: bool
    absent_groups_mean_none: bool
    idp_slo_url: str
    idp_slo_response_url: str
    idp_slo_binding: str
    implicit_role_assignments: list[ConnectionRole]
    group_implicit_role_assignments: list[NamedGroupAssignment]


class OidcSettings(msgspec.Struct, kw_only=True, tag_field="protocol", tag="oidc"):
    """The settings of an OpenID Connect connection.

    Its groups are those of the claim `groups`, or of the one that `attribute_mapping` names.
    `client_authentication` is '' where the provider's discovery document decides.
    """

    end_session_url: str
    client_authentication: ClientAuthentication
    absent_groups_mean_none: bool
    implicit_role_assignments: list[ConnectionRole]
    group_implicit_role_assignments: list[NamedGroupAssignment]


class ExternalSettings(msgspec.Struct, kw_only=True, tag_field="protocol", tag="external"):
    """An external connection has no settings of its own."""


Settings = SamlSettings | OidcSettings | ExternalSettings


class SettingsResponse(Response):
    """The settings as they now are; which there are depends on the protocol."""

    connection_id: str
    settings: Settings
    metadata: Metadata | None
    warnings: list[ExpiryWarning]


@group.endpoint("GET", _SETTINGS, access=Permission("stytch.sso", "get"), errors=_NOT_FOUND)
async def get(request: ConnectionTarget, call: Call) -> SettingsResponse:
    """Get the settings of a connection."""
    connection = await connection_settings.get(
        call.context, call.project, request.organization_id, request.connection_id
    )
    return await _response(call, connection)


class UpdateRequest(ConnectionTarget, forbid_unknown_fields=True):
    """Only what is sent changes. A setting of another protocol is refused."""

    force_authn: bool | UnsetType = UNSET
    requested_authn_contexts: list[str] | UnsetType = UNSET
    require_signed_response: bool | UnsetType = UNSET
    require_signed_assertion: bool | UnsetType = UNSET
    require_encryption: bool | UnsetType = UNSET
    refuse_expired_certificates: bool | UnsetType = UNSET
    allow_cbc: bool | UnsetType = UNSET
    allow_inclusive_c14n: bool | UnsetType = UNSET
    allow_missing_authn_statement: bool | UnsetType = UNSET
    idp_initiated_roundtrip: bool | UnsetType = UNSET
    trust_metadata_certificates: bool | UnsetType = UNSET
    metadata_certificate: str | UnsetType = UNSET
    cap_sessions: bool | UnsetType = UNSET
    absent_groups_mean_none: bool | UnsetType = UNSET
    idp_slo_url: str | UnsetType = UNSET
    idp_slo_response_url: str | UnsetType = UNSET
    idp_slo_binding: Literal["redirect", "post"] | UnsetType = UNSET
    end_session_url: str | UnsetType = UNSET
    client_authentication: ClientAuthentication | UnsetType = UNSET
    implicit_role_assignments: list[ConnectionRole] | UnsetType = UNSET
    group_implicit_role_assignments: list[NamedGroupRole] | UnsetType = UNSET


@group.endpoint(
    "PUT", _SETTINGS, access=Permission("stytch.sso", "update"), errors=(*_NOT_FOUND, *_ROLES)
)
async def update(request: UpdateRequest, call: Call) -> SettingsResponse:
    """Change settings of a connection; they count from the next login on."""
    changes = given(request, without=("organization_id", "connection_id"))
    rename_assignments(
        changes,
        call.caller,
        connection="implicit_role_assignments",
        group="group_implicit_role_assignments",
    )
    connection = await connection_settings.update(
        call.context, call.project, request.organization_id, request.connection_id, changes
    )
    return await _response(call, connection)


async def _response(call: Call, connection: Connection) -> SettingsResponse:
    settings: Settings
    if connection.saml is not None:
        settings = _saml(connection.saml)
    elif connection.oidc is not None:
        settings = OidcSettings(
            end_session_url=connection.oidc.end_session_url,
            client_authentication=connection.oidc.client_authentication,
            absent_groups_mean_none=connection.oidc.absent_groups_mean_none,
            **_assignments(connection.oidc),
        )
    else:
        settings = ExternalSettings()
    report = await report_of(call.context, connection)
    return SettingsResponse(
        connection_id=connection.connection_id,
        settings=settings,
        metadata=metadata_object(report),
        warnings=warning_objects(report),
    )


def _saml(saml: SamlConfiguration) -> SamlSettings:
    policy = saml.policy
    return SamlSettings(
        force_authn=policy.force_authn,
        requested_authn_contexts=list(policy.requested_authn_contexts),
        require_signed_response=policy.require_signed_response,
        require_signed_assertion=policy.require_signed_assertion,
        require_encryption=policy.require_encryption,
        refuse_expired_certificates=policy.refuse_expired_certificates,
        allow_cbc=policy.allow_cbc,
        allow_inclusive_c14n=policy.allow_inclusive_c14n,
        allow_missing_authn_statement=policy.allow_missing_authn_statement,
        idp_initiated_roundtrip=policy.idp_initiated_roundtrip,
        trust_metadata_certificates=policy.trust_metadata_certificates,
        metadata_certificate=policy.metadata_certificate,
        cap_sessions=policy.cap_sessions,
        absent_groups_mean_none=policy.absent_groups_mean_none,
        idp_slo_url=saml.idp_slo_url,
        idp_slo_response_url=saml.idp_slo_response_url,
        idp_slo_binding=saml.idp_slo_binding,
        **_assignments(saml),
    )


def _assignments(configuration: SamlConfiguration | OidcConfiguration) -> dict[str, Any]:
    return {
        "implicit_role_assignments": [
            ConnectionRole(role_id=role_id) for role_id in configuration.connection_roles
        ],
        "group_implicit_role_assignments": [
            NamedGroupAssignment(
                role_id=each.role_id, group=each.group, display_name=each.display_name
            )
            for each in configuration.group_roles
        ],
    }
