"""SSO connections on the wire (contract f)."""

from typing import Any

import msgspec

from vestibule.clock import rfc3339
from vestibule.domain.connection_lifecycle import ConnectionView
from vestibule.domain.connections import CLIENT_SECRET_PURPOSE, service_provider_url
from vestibule.domain.context import Context
from vestibule.records import (
    Connection,
    ConnectionKey,
    ExternalConfiguration,
    GroupRoleAssignment,
    OidcConfiguration,
    SamlConfiguration,
)


class X509Certificate(msgspec.Struct, kw_only=True):
    """A certificate; `issuer` is its issuer's name."""

    certificate_id: str
    certificate: str
    issuer: str
    created_at: str
    expires_at: str
    updated_at: str


class EncryptionPrivateKey(msgspec.Struct, kw_only=True):
    """A decryption key. `private_key` is always empty: it is never given out again."""

    private_key_id: str
    private_key: str
    created_at: str


class ConnectionRoleAssignment(msgspec.Struct, kw_only=True):
    """Everybody who signs in through the connection holds the role."""

    role_id: str


class GroupAssignment(msgspec.Struct, kw_only=True):
    """Everybody of the group holds the role."""

    role_id: str
    group: str


class SamlConnection(msgspec.Struct, kw_only=True):
    """`b2b.sso.SAMLConnection`."""

    organization_id: str
    connection_id: str
    status: str
    idp_entity_id: str
    display_name: str
    idp_sso_url: str
    acs_url: str
    audience_uri: str
    signing_certificates: list[X509Certificate]
    verification_certificates: list[X509Certificate]
    encryption_private_keys: list[EncryptionPrivateKey]
    saml_connection_implicit_role_assignments: list[ConnectionRoleAssignment]
    saml_group_implicit_role_assignments: list[GroupAssignment]
    alternative_audience_uri: str
    identity_provider: str
    nameid_format: str
    alternative_acs_url: str
    idp_initiated_auth_disabled: bool
    allow_gateway_callback: bool
    attribute_mapping: dict[str, Any]


class OidcConnection(msgspec.Struct, kw_only=True):
    """`b2b.sso.OIDCConnection`."""

    organization_id: str
    connection_id: str
    status: str
    display_name: str
    redirect_url: str
    client_id: str
    client_secret: str
    issuer: str
    authorization_url: str
    token_url: str
    userinfo_url: str
    jwks_url: str
    identity_provider: str
    custom_scopes: str
    attribute_mapping: dict[str, Any]


class ExternalConnection(msgspec.Struct, kw_only=True):
    """`b2b.sso.Connection`: another organization's connection, used here."""

    organization_id: str
    connection_id: str
    external_organization_id: str
    external_connection_id: str
    display_name: str
    status: str
    external_connection_implicit_role_assignments: list[ConnectionRoleAssignment]
    external_group_implicit_role_assignments: list[GroupAssignment]


def saml_object(context: Context, view: ConnectionView, saml: SamlConfiguration) -> SamlConnection:
    """Return a SAML connection as the wire shows it."""
    connection = view.connection
    url = service_provider_url(context.settings, connection.connection_id)
    return SamlConnection(
        organization_id=connection.organization_id,
        connection_id=connection.connection_id,
        status=connection.status,
        idp_entity_id=saml.idp_entity_id,
        display_name=connection.display_name,
        idp_sso_url=saml.idp_sso_url,
        acs_url=url,
        audience_uri=url,
        signing_certificates=[certificate_object(key) for key in view.of_purpose("signing")],
        verification_certificates=[
            certificate_object(key) for key in view.of_purpose("verification")
        ],
        encryption_private_keys=[
            EncryptionPrivateKey(
                private_key_id=key.key_id, private_key="", created_at=rfc3339(key.created_at)
            )
            for key in view.of_purpose("encryption")
        ],
        saml_connection_implicit_role_assignments=_roles(saml.connection_roles),
        saml_group_implicit_role_assignments=_groups(saml.group_roles),
        alternative_audience_uri=saml.alternative_audience_uri,
        identity_provider=connection.identity_provider,
        nameid_format=saml.nameid_format,
        alternative_acs_url=saml.alternative_acs_url,
        idp_initiated_auth_disabled=saml.idp_initiated_auth_disabled,
        allow_gateway_callback=saml.allow_gateway_callback,
        attribute_mapping=dict(saml.attribute_mapping or {}),
    )


def oidc_object(
    context: Context, connection: Connection, oidc: OidcConfiguration
) -> OidcConnection:
    """Return an OIDC connection as the wire shows it, its client secret included (seed S4)."""
    secret = oidc.client_secret
    return OidcConnection(
        organization_id=connection.organization_id,
        connection_id=connection.connection_id,
        status=connection.status,
        display_name=connection.display_name,
        redirect_url=service_provider_url(context.settings, connection.connection_id),
        client_id=oidc.client_id,
        client_secret=context.sealer.unseal(secret, purpose=CLIENT_SECRET_PURPOSE).decode()
        if secret
        else "",
        issuer=oidc.issuer,
        authorization_url=oidc.authorization_url,
        token_url=oidc.token_url,
        userinfo_url=oidc.userinfo_url,
        jwks_url=oidc.jwks_url,
        identity_provider=connection.identity_provider,
        custom_scopes=oidc.custom_scopes,
        attribute_mapping=dict(oidc.attribute_mapping or {}),
    )


def external_object(connection: Connection, external: ExternalConfiguration) -> ExternalConnection:
    """Return an external connection as the wire shows it."""
    return ExternalConnection(
        organization_id=connection.organization_id,
        connection_id=connection.connection_id,
        external_organization_id=external.external_organization_id,
        external_connection_id=external.external_connection_id,
        display_name=connection.display_name,
        status=connection.status,
        external_connection_implicit_role_assignments=_roles(external.connection_roles),
        external_group_implicit_role_assignments=_groups(external.group_roles),
    )


def certificate_object(key: ConnectionKey) -> X509Certificate:
    """Return a certificate as the wire shows it."""
    return X509Certificate(
        certificate_id=key.key_id,
        certificate=key.certificate,
        issuer=key.issuer,
        created_at=rfc3339(key.created_at),
        expires_at=rfc3339(key.expires_at),
        updated_at=rfc3339(key.updated_at),
    )


def _roles(role_ids: tuple[str, ...]) -> list[ConnectionRoleAssignment]:
    return [ConnectionRoleAssignment(role_id=role_id) for role_id in role_ids]


def _groups(assignments: tuple[GroupRoleAssignment, ...]) -> list[GroupAssignment]:
    return [GroupAssignment(role_id=item.role_id, group=item.group) for item in assignments]
