"""What a fresh development server starts with, set up through its own API like a customer would."""

from dataclasses import dataclass
from typing import Any, Final

from vestibule.dev.client import ApiError, Client
from vestibule.dev.credentials import OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, ORGANIZATION_SLUG
from vestibule.dev.identity_provider.oidc import ISSUER_PATH, discovery_document
from vestibule.dev.identity_provider.saml import METADATA_PATH, SSO_PATH

SAML_NAME: Final = "Test identity provider, SAML"
OIDC_NAME: Final = "Test identity provider, OpenID Connect"

_SAML_MAPPING: Final = {
    "email": "email",
    "first_name": "firstName",
    "last_name": "lastName",
    "idp_user_id": "id",
    "groups": "groups",
}


@dataclass(frozen=True)
class Seeded:
    """The ids of what is there now."""

    organization_id: str
    saml_connection_id: str
    oidc_connection_id: str


async def seed(api: Client, *, base_url: str, certificate_pem: str) -> Seeded:
    """Make the organization and its two connections where they are missing; mend their addresses.

    `certificate_pem` is the test identity provider's. What somebody changed otherwise stays as it
    is, and what a run that was cut off left half made is finished, so it may run at each start.
    Raises ApiError.
    """
    organization_id = await _organization(api)
    listed = await api.call("GET", f"/v1/b2b/sso/{organization_id}")
    saml = _named(listed["saml_connections"], SAML_NAME)
    oidc = _named(listed["oidc_connections"], OIDC_NAME)
    return Seeded(
        organization_id,
        await _saml(api, organization_id, saml, base_url=base_url, certificate=certificate_pem),
        await _oidc(api, organization_id, oidc, issuer=base_url + ISSUER_PATH),
    )


async def _organization(api: Client) -> str:
    try:
        found = await api.call("GET", f"/v1/b2b/organizations/{ORGANIZATION_SLUG}")
    except ApiError as error:
        if error.status != 404:
            raise
        found = await api.call(
            "POST",
            "/v1/b2b/organizations",
            {
                "organization_name": "Acme",
                "organization_slug": ORGANIZATION_SLUG,
                "sso_jit_provisioning": "ALL_ALLOWED",
            },
        )
    return str(found["organization"]["organization_id"])


def _named(connections: list[dict[str, Any]], name: str) -> dict[str, Any] | None:
    return next((one for one in connections if one["display_name"] == name), None)


async def _saml(
    api: Client,
    organization_id: str,
    connection: dict[str, Any] | None,
    *,
    base_url: str,
    certificate: str,
) -> str:
    path = f"/v1/b2b/sso/saml/{organization_id}"
    if connection is None:
        connection = (await api.call("POST", path, {"display_name": SAML_NAME}))["connection"]
    wanted: dict[str, Any] = {
        "idp_entity_id": base_url + METADATA_PATH,
        "idp_sso_url": base_url + SSO_PATH,
    }
    if connection["status"] != "active":
        wanted["attribute_mapping"] = _SAML_MAPPING
    old = connection["verification_certificates"]
    if not any(_same(each["certificate"], certificate) for each in old):
        wanted["x509_certificate"] = certificate
    path += f"/connections/{connection['connection_id']}"
    await api.call("PUT", path, wanted)
    for each in old:
        if not _same(each["certificate"], certificate):
            key_id = each["certificate_id"]
            await api.call("DELETE", f"{path}/verification_certificates/{key_id}")
    return str(connection["connection_id"])


async def _oidc(
    api: Client, organization_id: str, connection: dict[str, Any] | None, *, issuer: str
) -> str:
    path = f"/v1/b2b/sso/oidc/{organization_id}"
    if connection is None:
        connection = (await api.call("POST", path, {"display_name": OIDC_NAME}))["connection"]
    document = discovery_document(issuer)
    # All four addresses are named, so that nothing depends on discovery having worked once.
    wanted = {
        "issuer": issuer,
        "authorization_url": document["authorization_endpoint"],
        "token_url": document["token_endpoint"],
        "userinfo_url": document["userinfo_endpoint"],
        "jwks_url": document["jwks_uri"],
    }
    if connection["status"] != "active":
        wanted |= {"client_id": OIDC_CLIENT_ID, "client_secret": OIDC_CLIENT_SECRET}
    await api.call("PUT", f"{path}/connections/{connection['connection_id']}", wanted)
    return str(connection["connection_id"])


def _same(left: str, right: str) -> bool:
    return "".join(left.split()) == "".join(right.split())
