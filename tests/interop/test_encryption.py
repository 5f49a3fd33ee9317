"""Assertions and NameIDs that a provider encrypts for us: by AES-CBC all but one of them."""

import base64
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from stytch.b2b.models.sso import SAMLConnection

from tests.interop.browser import Browser
from tests.interop.connections import configure_saml, configure_saml_by_url, new_saml_connection
from tests.interop.doors import LL_MAPPING, Door, assert_came_in, made, signed_logout
from tests.interop.lemonldap import ZOE, ServiceProvider, lemonldap
from tests.interop.logout import assert_ended, assert_logs_out, log_out_at_provider
from tests.interop.samlp import BOB as SAMLP_BOB
from tests.interop.samlp import CLAIMS, samlp
from tests.interop.server import Server, new_organization
from tests.interop.sign_in import member_emails, refused, sign_in
from tests.interop.simplesamlphp import SimpleSamlPhp, key_entry
from vestibule.saml.keys import new_private_key, private_key_pem

MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
CERTIFICATE = "{http://www.w3.org/2000/09/xmldsig#}X509Certificate"


def make_key(server: Server, connection: SAMLConnection) -> str:
    """Gives a connection a key to decrypt with; the certificate that our metadata then has."""
    pem = private_key_pem(new_private_key())
    configure_saml(server, connection, saml_encryption_private_key=pem)
    metadata = etree.fromstring(server.service_provider_metadata(connection).encode())
    (key,) = metadata.iterfind(f".//{MD}KeyDescriptor[@use='encryption']")
    (certificate,) = key.iter(CERTIFICATE)
    return f"-----BEGIN CERTIFICATE-----\n{certificate.text}\n-----END CERTIFICATE-----"


def simplesamlphp_door(doors: Callable[[], Door], **options: Any) -> Door:
    door = doors()
    assert isinstance(door.provider, SimpleSamlPhp)
    listed = door.server.sdk.sso.get_connections(door.organization_id)
    (connection,) = listed.saml_connections
    certificate = make_key(door.server, connection)
    options |= signed_logout(door.server, connection)
    options["keys"] = [{**options["keys"][0], "encryption": False}, key_entry(certificate)]
    door.provider.trust(entity_id=connection.audience_uri, acs_url=connection.acs_url, **options)
    return door


@pytest.fixture
def lemonldap_assertions(server: Server, tmp_path: Path) -> Iterator[Door]:
    connection = new_saml_connection(server, new_organization(server))
    make_key(server, connection)
    configure_saml(server, connection, attribute_mapping=LL_MAPPING)
    known = ServiceProvider(server.service_provider_metadata(connection), "assertion")
    with lemonldap(tmp_path, service_providers=[known]) as provider:
        configure_saml_by_url(server, connection, metadata_url=provider.metadata_url)
        yield made(server, provider, connection, ZOE)


@pytest.fixture
def simplesamlphp_assertions(simplesamlphp: Callable[[], Door]) -> Door:
    return simplesamlphp_door(simplesamlphp, **{"assertion.encryption": True})


@pytest.fixture(params=["simplesamlphp_assertions", "lemonldap_assertions"])
def assertion_door(request: pytest.FixtureRequest) -> Door:
    """A door to a provider that encrypts assertions."""
    door: Door = request.getfixturevalue(request.param)
    return door


@pytest.fixture
def nameid_door(simplesamlphp: Callable[[], Door]) -> Door:
    """A door to a provider that encrypts NameIDs."""
    return simplesamlphp_door(simplesamlphp, **{"nameid.encryption": True})


async def assert_tolerated_only(door: Door, element: bytes) -> None:
    """What is encrypted by CBC, which does not notice changes, counts where that is allowed."""
    async with Browser(door.person) as browser:
        to = door.connection_id
        reason = await refused(door.server, browser, url=door.url, connection_id=to)
    assert element in base64.b64decode(browser.posted("SAMLResponse"))
    assert reason == "enc.alg"
    assert member_emails(door.server, door.organization_id) == []
    door.change_settings(allow_cbc=True)
    async with Browser(door.person) as browser:
        answer = await door.sign_in(browser)
    assert element in base64.b64decode(browser.posted("SAMLResponse"))
    assert_came_in(door, answer)


async def test_an_assertion_encrypted_by_cbc_counts_where_that_is_allowed(
    assertion_door: Door,
) -> None:
    await assert_tolerated_only(assertion_door, b"EncryptedAssertion")


async def test_a_name_id_encrypted_by_cbc_counts_where_that_is_allowed(nameid_door: Door) -> None:
    await assert_tolerated_only(nameid_door, b"EncryptedID")


async def test_a_logout_of_the_provider_with_an_encrypted_name_id(nameid_door: Door) -> None:
    door = nameid_door
    door.change_settings(allow_cbc=True)
    async with Browser(door.person) as browser:
        answer = await door.sign_in(browser)
        await log_out_at_provider(door, browser)
    assert_ended(door, answer)
    sent = [each.query["SAMLRequest"] for each in browser.visits if "/sso/logout/" in each.url]
    assert b"EncryptedID" in zlib.decompress(base64.b64decode(sent[-1]), wbits=-zlib.MAX_WBITS)


async def test_a_logout_of_ours_where_name_ids_are_encrypted(nameid_door: Door) -> None:
    nameid_door.change_settings(allow_cbc=True)
    await assert_logs_out(nameid_door)


async def test_an_assertion_encrypted_by_gcm(
    server: Server, organization_id: str, tmp_path: Path
) -> None:
    connection = new_saml_connection(server, organization_id)
    certificate = make_key(server, connection)
    with samlp(tmp_path, acs_url=connection.acs_url, encrypt_for=certificate) as provider:
        configure_saml(
            server,
            connection,
            idp_entity_id=provider.entity_id,
            idp_sso_url=provider.sso_url,
            x509_certificate=provider.certificate,
            attribute_mapping={"email": f"{CLAIMS}/emailaddress", "full_name": f"{CLAIMS}/name"},
        )
        async with Browser(SAMLP_BOB) as browser:
            url = server.start_url(connection.connection_id)
            answer = await sign_in(server, browser, url=url)
    response = base64.b64decode(browser.posted("SAMLResponse"))
    assert b"EncryptedAssertion" in response
    assert b"xmlenc11#aes256-gcm" in response
    assert (answer.member.email_address, answer.member.name) == (SAMLP_BOB.email, SAMLP_BOB.name)
