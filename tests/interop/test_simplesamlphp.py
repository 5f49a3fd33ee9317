"""Sign-ins through SimpleSAMLphp."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from lxml import etree
from stytch.b2b.models.sso import SAMLConnection
from stytch.core.response_base import StytchError

from tests.interop.browser import Browser, DeadEndError
from tests.interop.connections import (
    configure_saml,
    configure_saml_by_url,
    new_saml_connection,
)
from tests.interop.server import Server
from tests.interop.sign_in import assert_signed_in, member_emails, refused, sign_in
from tests.interop.simplesamlphp import ALICE, BOB, SimpleSamlPhp, key_entry, simplesamlphp

MAPPING = {"email": "email", "first_name": "givenName", "last_name": "sn", "idp_user_id": "uid"}
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
LAYOUTS = {
    "assertion": {"saml20.sign.assertion": True, "saml20.sign.response": False},
    "response": {"saml20.sign.assertion": False, "saml20.sign.response": True},
    "both": {"saml20.sign.assertion": True, "saml20.sign.response": True},
}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleSamlPhp]:
    with simplesamlphp(tmp_path_factory.mktemp("simplesamlphp")) as started:
        yield started


@pytest.fixture
def connection(server: Server, organization_id: str, provider: SimpleSamlPhp) -> SAMLConnection:
    configured = configure_saml(
        server,
        new_saml_connection(server, organization_id),
        idp_entity_id=provider.entity_id,
        idp_sso_url=provider.sso_url,
        x509_certificate=provider.certificate,
        attribute_mapping=MAPPING,
    )
    assert configured.status == "active"
    return configured


def trust(provider: SimpleSamlPhp, connection: SAMLConnection, **options: Any) -> None:
    provider.trust(entity_id=connection.audience_uri, acs_url=connection.acs_url, **options)


def signed_elements(browser: Browser) -> set[str]:
    """The local names of what carries a signature in the Response that was posted."""
    response = etree.fromstring(base64.b64decode(browser.posted("SAMLResponse")))
    parents = (signature.getparent() for signature in response.iter(SIGNATURE))
    return {etree.QName(parent).localname.lower() for parent in parents if parent is not None}


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_sign_in_with_each_signature_layout(
    server: Server,
    provider: SimpleSamlPhp,
    connection: SAMLConnection,
    layout: str,
) -> None:
    trust(provider, connection, **LAYOUTS[layout])
    async with Browser(BOB) as browser:
        url = server.start_url(connection.connection_id)
        answer = await sign_in(server, browser, url=url)
    assert signed_elements(browser) == ({"assertion", "response"} if layout == "both" else {layout})
    assert_signed_in(
        server, answer, person=BOB, connection_id=connection.connection_id, external_id="bob"
    )


async def test_sign_in_configured_by_metadata_url(
    server: Server, provider: SimpleSamlPhp, organization_id: str
) -> None:
    created = new_saml_connection(server, organization_id)
    configure_saml(server, created, attribute_mapping=MAPPING)
    updated = configure_saml_by_url(server, created, metadata_url=provider.metadata_url)
    assert (updated.idp_entity_id, updated.idp_sso_url) == (provider.entity_id, provider.sso_url)
    trust(provider, updated)
    async with Browser(ALICE) as browser:
        url = server.start_url(updated.connection_id)
        answer = await sign_in(server, browser, url=url)
    assert_signed_in(
        server, answer, person=ALICE, connection_id=updated.connection_id, external_id="alice"
    )


def checking(connection: SAMLConnection) -> Mapping[str, Any]:
    """The options with which the provider takes only requests that this connection signed."""
    entry = key_entry(connection.signing_certificates[0].certificate)
    return {"validate.authnrequest": True, "keys": [entry]}


async def test_sign_in_when_the_provider_checks_our_signature(
    server: Server, provider: SimpleSamlPhp, connection: SAMLConnection
) -> None:
    trust(provider, connection, **checking(connection))
    async with Browser(ALICE) as browser:
        url = server.start_url(connection.connection_id)
        answer = await sign_in(server, browser, url=url)
    assert "Signature=" in next(v.url for v in browser.visits if "SAMLRequest=" in v.url)
    assert_signed_in(
        server, answer, person=ALICE, connection_id=connection.connection_id, external_id="alice"
    )


async def test_the_provider_refuses_a_request_that_was_changed(
    server: Server, provider: SimpleSamlPhp, connection: SAMLConnection
) -> None:
    """Shows that the test above proves something: the provider does check."""
    trust(provider, connection, **checking(connection))
    async with Browser(ALICE) as browser:
        start = await browser.visit(server.start_url(connection.connection_id))
        assert start.location is not None
        changed = start.location.replace("RelayState=", "RelayState=x")
        with pytest.raises(DeadEndError, match="validat"):
            await browser.go(changed, until=server.application_url)


async def test_sign_in_begun_at_the_provider(
    server: Server, provider: SimpleSamlPhp, connection: SAMLConnection
) -> None:
    trust(provider, connection)
    async with Browser(BOB) as browser:
        url = provider.initiate_url(connection.audience_uri)
        answer = await sign_in(server, browser, url=url)
    assert b"InResponseTo" not in base64.b64decode(browser.posted("SAMLResponse"))
    assert_signed_in(
        server, answer, person=BOB, connection_id=connection.connection_id, external_id="bob"
    )


async def test_sign_in_begun_at_the_provider_is_refused_where_it_is_disabled(
    server: Server,
    provider: SimpleSamlPhp,
    connection: SAMLConnection,
    organization_id: str,
) -> None:
    configure_saml(server, connection, idp_initiated_auth_disabled=True)
    trust(provider, connection)
    async with Browser(BOB) as browser:
        url = provider.initiate_url(connection.audience_uri)
        reason = await refused(server, browser, url=url, connection_id=connection.connection_id)
    assert reason == "saml_idp_initiated_auth_disabled"
    assert member_emails(server, organization_id) == []


async def test_a_second_sign_in_is_the_same_member(
    server: Server, provider: SimpleSamlPhp, connection: SAMLConnection
) -> None:
    trust(provider, connection)
    ids = []
    for _ in range(2):
        async with Browser(ALICE) as browser:
            url = server.start_url(connection.connection_id)
            ids.append((await sign_in(server, browser, url=url)).member_id)
    assert ids[0] == ids[1]


async def test_a_response_signed_by_another_key_makes_no_member(
    server: Server,
    provider: SimpleSamlPhp,
    connection: SAMLConnection,
    organization_id: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Another SimpleSAMLphp with its own key poses as the configured one."""
    with simplesamlphp(tmp_path_factory.mktemp("other"), entity_id=provider.entity_id) as other:
        trust(other, connection)
        async with Browser(BOB) as browser:
            start = await browser.visit(server.start_url(connection.connection_id))
            assert start.location is not None
            url = start.location.replace(provider.base_url, other.base_url)
            reason = await refused(server, browser, url=url, connection_id=connection.connection_id)
    assert reason == "sig.value"
    assert member_emails(server, organization_id) == []


async def test_an_sso_token_works_once(
    server: Server, provider: SimpleSamlPhp, connection: SAMLConnection
) -> None:
    trust(provider, connection)
    async with Browser(BOB) as browser:
        url = server.start_url(connection.connection_id)
        query = await browser.go(url, until=server.application_url)
    server.sdk.sso.authenticate(sso_token=query["token"])
    with pytest.raises(StytchError) as error:
        server.sdk.sso.authenticate(sso_token=query["token"])
    assert error.value.details.error_type == "sso_token_not_found"
