"""Metadata whose signer is pinned: set up from it, and read again, only while it is signed."""

from typing import Any

import pytest

from tests.support.saml_keys import signer
from tests.support.saml_metadata import entity, key, role, service, signed
from tests.support.scenario import IDP_ENTITY, MAPPING, Scenario
from vestibule.clock import HOUR
from vestibule.fetch import FetchResponse

METADATA_URL = "https://idp.example.com/metadata.xml"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
SSO = "https://idp.example.com/sso"
INVALID = "saml_connection_metadata_invalid_format"


def metadata(*idps: str, sso: str = SSO) -> str:
    """Return unsigned metadata with these keys, that could be signed."""
    keys = [key(signer(name).pem) for name in idps or ("idp",)]
    described = role(keys=keys, services=[service(REDIRECT, sso)])
    return entity(described, entity_id=IDP_ENTITY, attributes=' ID="_metadata"')


def publish(scenario: Scenario, document: str) -> None:
    async def answer(_method: str, asked: str, _body: bytes) -> FetchResponse:
        return FetchResponse(status=200, headers={}, body=document.encode(), url=asked)

    scenario.fetch.answers[METADATA_URL] = answer


@pytest.fixture
async def where(scenario: Scenario) -> str:
    """Return the path of a new SAML connection that pins the federation's certificate."""
    organization = await scenario.organization()
    base = f"/v1/b2b/sso/saml/{organization['organization_id']}"
    made = (await scenario.api.good("POST", base, {}))["connection"]
    path = f"{base}/connections/{made['connection_id']}"
    await scenario.api.good("PUT", path, {"attribute_mapping": MAPPING})
    await settings(scenario, path, metadata_certificate=signer("federation").pem)
    return path


async def settings(scenario: Scenario, path: str, **changes: Any) -> dict[str, Any]:
    target = f"{path.replace('/sso/saml/', '/sso/')}/settings"
    return dict(await scenario.api.good("PUT", target, changes))


async def shown(scenario: Scenario) -> dict[str, Any]:
    answer = await scenario.api.good("GET", "/v1/b2b/sso/acme")
    return dict(answer["saml_connections"][0])


async def refused(scenario: Scenario, path: str) -> tuple[str, str]:
    """Set up from what is published, which must be refused; see that nothing was taken."""
    before = await shown(scenario)
    answer = await scenario.api.call("PUT", f"{path}/url", {"metadata_url": METADATA_URL})
    assert answer.status == 400
    assert await shown(scenario) == before
    return answer.json["error_type"], answer.json["error_message"]


async def test_only_what_the_pinned_certificate_signed_is_taken(
    scenario: Scenario, where: str
) -> None:
    publish(scenario, metadata())
    kind, message = await refused(scenario, where)
    assert kind == INVALID
    assert "expected metadata that its known certificate signed" in message
    publish(scenario, signed(metadata(), by="attacker"))
    kind, message = await refused(scenario, where)
    assert (kind, "a signature by a pinned certificate" in message) == (INVALID, True)
    publish(scenario, signed(metadata()).replace(SSO, "https://evil.example/sso"))
    kind, message = await refused(scenario, where)
    assert (kind, "EntityDescriptor as it was signed" in message) == (INVALID, True)
    publish(scenario, signed(metadata()))
    answer = await scenario.api.good("PUT", f"{where}/url", {"metadata_url": METADATA_URL})
    assert answer["connection"]["status"] == "active"
    assert answer["connection"]["idp_sso_url"] == SSO


async def test_without_a_pinned_certificate_https_is_trusted_but_nothing_broken(
    scenario: Scenario, where: str
) -> None:
    await settings(scenario, where, metadata_certificate="")
    publish(scenario, signed(metadata()).replace(SSO, "https://evil.example/sso"))
    assert (await refused(scenario, where))[0] == INVALID
    for document in (signed(metadata(), by="somebody"), metadata()):
        publish(scenario, document)
        await scenario.api.good("PUT", f"{where}/url", {"metadata_url": METADATA_URL})


@pytest.mark.case("SP-68")
async def test_metadata_that_is_read_again_has_to_be_signed_too(
    scenario: Scenario, where: str
) -> None:
    publish(scenario, signed(metadata()))
    await scenario.api.good("PUT", f"{where}/url", {"metadata_url": METADATA_URL})
    before = await shown(scenario)
    # Even where new certificates are taken without a person's yes.
    await settings(scenario, where, trust_metadata_certificates=True)
    publish(scenario, metadata("idp", "attacker"))
    path = f"{where.replace('/sso/saml/', '/sso/')}/settings/metadata/refresh"
    scenario.clock.advance(HOUR)
    read = await scenario.api.good("POST", path, {})
    assert "known certificate" in read["metadata"]["last_error"]
    assert read["metadata"]["offer"] is None
    assert await shown(scenario) == before
    publish(scenario, signed(metadata("idp", "renewed")))
    scenario.clock.advance(HOUR)
    await scenario.api.good("POST", path, {})
    certificates = [
        each["certificate"] for each in (await shown(scenario))["verification_certificates"]
    ]
    assert certificates == [signer("idp").pem, signer("renewed").pem]
