"""Connections to the server's own test identity provider, set up through an SDK."""

from typing import Any

from tests.wire.sdk import Sdk
from vestibule.dev.credentials import OIDC_CLIENT_ID, OIDC_CLIENT_SECRET

SAML_MAPPING = {
    "email": "email",
    "first_name": "firstName",
    "last_name": "lastName",
    "idp_user_id": "id",
    "groups": "groups",
}


def saml(sdk: Sdk, organization_id: str, base_url: str) -> dict[str, Any]:
    """Make a SAML connection from the identity provider's metadata; return it, active."""
    made = sdk.call("sso.saml.create_connection", organization_id=organization_id)
    where = {
        "organization_id": organization_id,
        "connection_id": made["connection"]["connection_id"],
    }
    sdk.call("sso.saml.update_connection", **where, attribute_mapping=SAML_MAPPING)
    answer = sdk.call("sso.saml.update_by_url", **where, metadata_url=metadata_url(base_url))
    return dict(answer["connection"])


def oidc(sdk: Sdk, organization_id: str, base_url: str) -> dict[str, Any]:
    """Make an OIDC connection by discovery; return it, active."""
    made = sdk.call("sso.oidc.create_connection", organization_id=organization_id)
    answer = sdk.call(
        "sso.oidc.update_connection",
        organization_id=organization_id,
        connection_id=made["connection"]["connection_id"],
        issuer=issuer(base_url),
        client_id=OIDC_CLIENT_ID,
        client_secret=OIDC_CLIENT_SECRET,
    )
    return dict(answer["connection"])


def named(connection: dict[str, Any]) -> dict[str, Any]:
    """Return what names a connection for an external one that refers to it."""
    return {
        "external_organization_id": connection["organization_id"],
        "external_connection_id": connection["connection_id"],
    }


def metadata_url(base_url: str) -> str:
    return f"{base_url}/dev/idp/saml/metadata"


def issuer(base_url: str) -> str:
    return f"{base_url}/dev/idp/oidc"
