"""Sign-ins through LemonLDAP::NG, by both protocols."""

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from tests.interop.browser import Browser, DeadEndError
from tests.interop.doors import Door, assert_came_in
from tests.interop.lemonldap import DOCTOR, ZOE, LemonLdap
from tests.interop.parties import Person
from tests.interop.processes import get, published

MD = "urn:oasis:names:tc:SAML:2.0:metadata"


@pytest.fixture
def saml(lemonldap_saml: Callable[[], Door]) -> Door:
    """A connection that the provider knows by our metadata and we by the provider's."""
    return lemonldap_saml()


@pytest.fixture
def oidc(lemonldap_oidc: Callable[[], Door]) -> Door:
    return lemonldap_oidc()


def without_redirect(metadata: str) -> bytes:
    document = etree.fromstring(metadata.encode())
    for service in list(document.iter(f"{{{MD}}}SingleSignOnService")):
        parent = service.getparent()
        if parent is not None and "HTTP-POST" not in service.attrib["Binding"]:
            parent.remove(service)
    return etree.tostring(document)


def provider_of(door: Door) -> LemonLdap:
    assert isinstance(door.provider, LemonLdap)
    return door.provider


async def assert_signs_in(door: Door, browser: Browser) -> None:
    answer = await door.sign_in(browser)
    assert_came_in(door, answer)


async def test_sign_in_by_saml(saml: Door) -> None:
    async with Browser(ZOE) as browser:
        await assert_signs_in(saml, browser)


async def test_sign_in_by_saml_with_a_posted_request(saml: Door, tmp_path: Path) -> None:
    """The provider's metadata without its Redirect endpoint: our request has to be posted."""
    metadata = without_redirect(get(provider_of(saml).metadata_url)[1])
    (tmp_path / "published").mkdir()
    (tmp_path / "published/metadata.xml").write_bytes(metadata)
    with published(tmp_path / "published") as base_url:
        updated = saml.server.sdk.sso.saml.update_by_url(
            saml.organization_id, saml.connection_id, f"{base_url}/metadata.xml"
        )
    assert updated.connection is not None
    async with Browser(ZOE) as browser:
        await assert_signs_in(saml, browser)
    to = updated.connection.idp_sso_url
    (request,) = [v for v in browser.visits if v.url == to and "user" not in v.fields]
    assert request.method == "POST"
    assert b"<ds:SignatureValue>" in base64.b64decode(request.fields["SAMLRequest"])


async def test_the_provider_refuses_a_saml_request_that_was_changed(saml: Door) -> None:
    """Shows that the provider checks our signature, by the key of our metadata."""
    async with Browser(ZOE) as browser:
        start = await browser.visit(saml.url)
        assert start.location is not None
        changed = start.location.replace("RelayState=", "RelayState=x")
        with pytest.raises(DeadEndError, match="Authentication portal"):
            await browser.go(changed, until=saml.server.application_url)
    log = (provider_of(saml).home / "start.log").read_text()
    assert "Could not verify signature of incoming SSO request" in log


@pytest.mark.parametrize("person", [DOCTOR, ZOE])
async def test_sign_in_by_oidc_keeps_every_character_of_a_name(oidc: Door, person: Person) -> None:
    async with Browser(person) as browser:
        await assert_signs_in(replace(oidc, person=person), browser)
