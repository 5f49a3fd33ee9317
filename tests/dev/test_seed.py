from typing import Any

import aiohttp
import pytest

from tests.dev.conftest import Development
from tests.support.saml_keys import signer
from vestibule.dev.client import ApiError, Client
from vestibule.dev.credentials import TEST_PROJECT, Credentials
from vestibule.dev.seed import OIDC_NAME, SAML_NAME, seed


async def connections(development: Development) -> tuple[dict[str, Any], dict[str, Any]]:
    listed = await development.api.call("GET", "/v1/b2b/sso/acme")
    (saml,), (oidc,) = listed["saml_connections"], listed["oidc_connections"]
    return saml, oidc


async def test_fresh_server_gets_an_organization_with_two_active_connections(
    development: Development,
) -> None:
    seeded = await development.seeded()
    saml, oidc = await connections(development)
    assert (saml["connection_id"], saml["status"]) == (seeded.saml_connection_id, "active")
    assert (oidc["connection_id"], oidc["status"]) == (seeded.oidc_connection_id, "active")
    assert (saml["display_name"], oidc["display_name"]) == (SAML_NAME, OIDC_NAME)
    assert saml["idp_entity_id"] == f"{development.base_url}/dev/idp/saml/metadata"
    assert oidc["jwks_url"] == f"{development.base_url}/dev/idp/oidc/jwks"
    found = await development.api.call("GET", "/v1/b2b/organizations/acme")
    assert found["organization"]["organization_id"] == seeded.organization_id
    assert found["organization"]["sso_jit_provisioning"] == "ALL_ALLOWED"


async def test_second_run_changes_nothing(development: Development) -> None:
    first = await development.seeded()
    before = await connections(development)
    assert await development.seeded() == first
    assert await connections(development) == before


async def test_what_somebody_changed_stays(development: Development) -> None:
    seeded = await development.seeded()
    mapping = {"email": "NameID", "full_name": "cn"}
    path = f"/v1/b2b/sso/saml/acme/connections/{seeded.saml_connection_id}"
    await development.api.call("PUT", path, {"attribute_mapping": mapping})
    await development.seeded()
    saml, _ = await connections(development)
    assert saml["attribute_mapping"] == mapping


async def test_new_certificate_replaces_the_old_one(development: Development) -> None:
    old = signer("the identity provider of yesterday").pem
    await seed(development.api, base_url=development.base_url, certificate_pem=old)
    await development.seeded()
    saml, _ = await connections(development)
    (certificate,) = saml["verification_certificates"]
    assert certificate["certificate"].split() == development.identity.certificate_pem.split()


async def test_server_that_moved_gets_its_new_addresses(development: Development) -> None:
    pem = development.identity.certificate_pem
    await seed(development.api, base_url="http://127.0.0.1:1", certificate_pem=pem)
    await development.seeded()
    saml, oidc = await connections(development)
    assert saml["idp_entity_id"] == f"{development.base_url}/dev/idp/saml/metadata"
    assert saml["idp_sso_url"] == f"{development.base_url}/dev/idp/saml/sso"
    issuer = f"{development.base_url}/dev/idp/oidc"
    assert oidc["issuer"] == issuer
    assert oidc["authorization_url"] == f"{issuer}/authorize"
    assert oidc["token_url"] == f"{issuer}/token"
    assert oidc["userinfo_url"] == f"{issuer}/userinfo"
    assert oidc["jwks_url"] == f"{issuer}/jwks"


async def test_run_that_was_cut_off_is_finished(development: Development) -> None:
    body = {"organization_name": "Acme", "organization_slug": "acme"}
    await development.api.call("POST", "/v1/b2b/organizations", body)
    for protocol, name in (("saml", SAML_NAME), ("oidc", OIDC_NAME)):
        path = f"/v1/b2b/sso/{protocol}/acme"
        await development.api.call("POST", path, {"display_name": name})
    await development.seeded()
    saml, oidc = await connections(development)
    assert (saml["status"], oidc["status"]) == ("active", "active")


async def test_wrong_credentials_are_told(
    development: Development, http: aiohttp.ClientSession
) -> None:
    wrong = Credentials(TEST_PROJECT.project_id, "wrong", TEST_PROJECT.public_token)
    api = Client(http, base_url=development.base_url, credentials=wrong)
    with pytest.raises(ApiError) as caught:
        await seed(api, base_url=development.base_url, certificate_pem="")
    assert caught.value.error_type == "unauthorized_credentials"
