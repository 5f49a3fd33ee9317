"""Connections of an organization, made and configured with the official SDK."""

from typing import Any

from stytch.b2b.models.sso import OIDCConnection, SAMLConnection

from tests.interop.parties import RelyingParty
from tests.interop.server import Server


def new_saml_connection(server: Server, organization_id: str) -> SAMLConnection:
    created = server.sdk.sso.saml.create_connection(organization_id, display_name="Interop")
    assert created.connection is not None
    assert created.connection.status == "pending"
    return created.connection


def configure_saml(server: Server, connection: SAMLConnection, **values: Any) -> SAMLConnection:
    """Sets values one by one, as somebody copies them from a provider's console."""
    updated = server.sdk.sso.saml.update_connection(
        connection.organization_id, connection.connection_id, **values
    )
    assert updated.connection is not None
    return updated.connection


def configure_saml_by_url(
    server: Server, connection: SAMLConnection, *, metadata_url: str
) -> SAMLConnection:
    updated = server.sdk.sso.saml.update_by_url(
        connection.organization_id, connection.connection_id, metadata_url
    )
    assert updated.connection is not None
    assert updated.connection.status == "active"
    return updated.connection


def new_oidc_connection(server: Server, organization_id: str) -> OIDCConnection:
    created = server.sdk.sso.oidc.create_connection(organization_id, display_name="Interop")
    assert created.connection is not None
    assert created.connection.status == "pending"
    return created.connection


def configure_oidc(
    server: Server,
    connection: OIDCConnection,
    *,
    issuer: str,
    party: RelyingParty,
    custom_scopes: str | None = None,
) -> OIDCConnection:
    """Gives the issuer and the client only: the URLs come from its discovery document."""
    updated = server.sdk.sso.oidc.update_connection(
        connection.organization_id,
        connection.connection_id,
        issuer=issuer,
        client_id=party.client_id,
        client_secret=party.client_secret,
        custom_scopes=custom_scopes,
    )
    assert updated.connection is not None
    assert updated.connection.status == "active"
    return updated.connection


def settings_path(organization_id: str, connection_id: str) -> str:
    """Where Vestibule's own settings of a connection are, which the SDK has no method for."""
    return f"/v1/b2b/sso/{organization_id}/connections/{connection_id}/settings"
