"""Sign-ins through LemonLDAP::NG, by both protocols."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree
from stytch.b2b.models.sso import OIDCConnection, SAMLConnection

from tests.interop.browser import Browser, DeadEndError
from tests.interop.connections import (
    configure_oidc,
    configure_saml,
    configure_saml_by_url,
    new_oidc_connection,
    new_saml_connection,
)
from tests.interop.lemonldap import DOCTOR, ZOE, lemonldap
from tests.interop.parties import RelyingParty
from tests.interop.processes import get, published
from tests.interop.server import Server
from tests.interop.sign_in import assert_signed_in, sign_in

MD = "urn:oasis:names:tc:SAML:2.0:metadata"
MAPPING = {"email": "NameID", "full_name": "displayName", "idp_user_id": "uid"}


@pytest.fixture
def saml(server: Server, organization_id: str, tmp_path: Path) -> Iterator[SAMLConnection]:
    """A connection that the provider knows by our metadata and we by the provider's."""
    connection = new_saml_connection(server, organization_id)
    configure_saml(server, connection, attribute_mapping=MAPPING)
    metadata = server.service_provider_metadata(connection)
    with lemonldap(tmp_path, service_providers=[metadata], relying_parties=[]) as provider:
        yield configure_saml_by_url(server, connection, metadata_url=provider.metadata_url)


@pytest.fixture
def oidc(server: Server, organization_id: str, tmp_path: Path) -> Iterator[OIDCConnection]:
    connection = new_oidc_connection(server, organization_id)
    party = RelyingParty(
        client_id="interop",
        client_secret="made-up-for-the-interop-tests",
        redirect_url=connection.redirect_url,
    )
    with lemonldap(tmp_path, service_providers=[], relying_parties=[party]) as provider:
        yield configure_oidc(server, connection, issuer=provider.issuer, party=party)


def without_redirect(metadata: str) -> bytes:
    document = etree.fromstring(metadata.encode())
    for service in list(document.iter(f"{{{MD}}}SingleSignOnService")):
        parent = service.getparent()
        if parent is not None and "HTTP-POST" not in service.attrib["Binding"]:
            parent.remove(service)
    return etree.tostring(document)


async def test_sign_in_by_saml(server: Server, saml: SAMLConnection) -> None:
    async with Browser(ZOE) as browser:
        url = server.start_url(saml.connection_id)
        answer = await sign_in(server, browser, url=url)
    assert_signed_in(
        server, answer, person=ZOE, connection_id=saml.connection_id, external_id="zoe"
    )


async def test_sign_in_by_saml_with_a_posted_request(
    server: Server, saml: SAMLConnection, tmp_path: Path
) -> None:
    """The provider's metadata without its Redirect endpoint: our request has to be posted."""
    metadata = without_redirect(get(saml.idp_entity_id)[1])
    (tmp_path / "published").mkdir()
    (tmp_path / "published/metadata.xml").write_bytes(metadata)
    with published(tmp_path / "published") as base_url:
        configure_saml_by_url(server, saml, metadata_url=f"{base_url}/metadata.xml")
    async with Browser(ZOE) as browser:
        url = server.start_url(saml.connection_id)
        answer = await sign_in(server, browser, url=url)
    (request,) = [v for v in browser.visits if v.url == saml.idp_sso_url and "user" not in v.fields]
    assert request.method == "POST"
    assert b"<ds:SignatureValue>" in base64.b64decode(request.fields["SAMLRequest"])
    assert_signed_in(
        server, answer, person=ZOE, connection_id=saml.connection_id, external_id="zoe"
    )


async def test_the_provider_refuses_a_saml_request_that_was_changed(
    server: Server, saml: SAMLConnection, tmp_path: Path
) -> None:
    """Shows that the provider checks our signature, by the key of our metadata."""
    async with Browser(ZOE) as browser:
        start = await browser.visit(server.start_url(saml.connection_id))
        assert start.location is not None
        changed = start.location.replace("RelayState=", "RelayState=x")
        with pytest.raises(DeadEndError, match="Authentication portal"):
            await browser.sign_in(changed, application=server.application_url)
    log = (tmp_path / "start.log").read_text()
    assert "Could not verify signature of incoming SSO request" in log


async def test_sign_in_by_oidc(server: Server, oidc: OIDCConnection) -> None:
    async with Browser(DOCTOR) as browser:
        url = server.start_url(oidc.connection_id)
        answer = await sign_in(server, browser, url=url)
    assert_signed_in(
        server, answer, person=DOCTOR, connection_id=oidc.connection_id, external_id="dwho"
    )


async def test_sign_in_by_oidc_keeps_every_character_of_a_name(
    server: Server, oidc: OIDCConnection
) -> None:
    async with Browser(ZOE) as browser:
        url = server.start_url(oidc.connection_id)
        answer = await sign_in(server, browser, url=url)
    assert_signed_in(
        server, answer, person=ZOE, connection_id=oidc.connection_id, external_id="zoe"
    )
