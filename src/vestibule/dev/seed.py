"""What a fresh development server starts with, set up through its own API like a customer would."""

from dataclasses import dataclass
from typing import Any, Final

from vestibule.dev.client import ApiError, Client
from vestibule.dev.credentials import OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, ORGANIZATION_SLUG
from vestibule.dev.identity_provider.oidc import ISSUER_PATH
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


class SeedError(Exception):
    """A connection to the test identity provider does not become active; the text says more."""


async def seed(api: Client, *, base_url: str, certificate_pem: str) -> Seeded:
    """Make the organization and its two connections where they are missing; mend their addresses.

    `certificate_pem` is the test identity provider's. Everything else that somebody changed stays
    as it is, so it may run at each start. Raises ApiError and SeedError.
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
    wanted: dict[str, Any] = {
        "idp_entity_id": base_url + METADATA_PATH,
        "idp_sso_url": base_url + SSO_PATH,
    }
    if connection is None:
        made = await api.call("POST", path, {"display_name": SAML_NAME})
        connection = made["connection"]
        wanted["attribute_mapping"] = _SAML_MAPPING
    old = connection["verification_certificates"]
    if not any(_same(each["certificate"], certificate) for each in old):
        wanted["x509_certificate"] = certificate
    path += f"/connections/{connection['connection_id']}"
    await _update(api, path, connection, wanted)
    for each in old:
        if not _same(each["certificate"], certificate):
            key_id = each["certificate_id"]
            await api.call("DELETE", f"{path}/verification_certificates/{key_id}")
    return str(connection["connection_id"])


async def _oidc(
    api: Client, organization_id: str, connection: dict[str, Any] | None, *, issuer: str
) -> str:
    path = f"/v1/b2b/sso/oidc/{organization_id}"
    # A new issuer makes the server read its discovery document and fill in the four URLs.
    wanted = {"issuer": issuer}
    if connection is None:
        connection = (await api.call("POST", path, {"display_name": OIDC_NAME}))["connection"]
        wanted |= {"client_id": OIDC_CLIENT_ID, "client_secret": OIDC_CLIENT_SECRET}
    await _update(api, f"{path}/connections/{connection['connection_id']}", connection, wanted)
    return str(connection["connection_id"])


async def _update(
    api: Client, path: str, connection: dict[str, Any], wanted: dict[str, Any]
) -> None:
    """Send what differs, and see that the connection is active then."""
    changes = {name: value for name, value in wanted.items() if connection.get(name) != value}
    if changes:
        answer = await api.call("PUT", path, changes)
        connection = answer["connection"]
        warning = answer.get("warning", "")
    else:
        warning = ""
    if connection["status"] != "active":
        raise SeedError(f"{connection['display_name']} is {connection['status']}. {warning}")


def _same(left: str, right: str) -> bool:
    return "".join(left.split()) == "".join(right.split())
