"""Hostile documents sent as metadata, by upload or metadata_url (XP-48): refused as anywhere."""

import socket
import zipfile
from io import BytesIO
from time import process_time

import pytest

from tests.support.hostile_xml import hostile_documents, inside
from tests.support.saml_keys import signer
from tests.support.saml_metadata import (
    ENTITY_ID,
    NAMESPACES,
    POST,
    REDIRECT_SSO,
    entity,
    key,
    role,
    service,
)
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.metadata import IdentityProviderMetadata, parse_identity_provider
from vestibule.saml.xml import MAX_BYTES

NOW = 1_795_003_200_000_000  # 2026-11-18T12:00:00Z
GOOD = entity(role(keys=[key(signer("idp").pem)]))


def read(data: bytes) -> IdentityProviderMetadata:
    return parse_identity_provider(data, now=NOW)


def refusal(data: bytes) -> SamlError:
    """Why `data` is refused, where GOOD is read."""
    assert read(GOOD.encode()).entity_id == ENTITY_ID
    with pytest.raises(SamlError) as refused:
        read(data)
    return refused.value


DOCUMENTS = hostile_documents(GOOD)


@pytest.mark.case("XP-48")
@pytest.mark.parametrize("name", DOCUMENTS)
def test_xp_48_hostile_metadata_is_refused_with_its_reason(name: str) -> None:
    data, reason = DOCUMENTS[name]
    started = process_time()
    assert refusal(data).reason is reason
    assert process_time() - started < 0.2


@pytest.mark.case("XP-48")
def test_xp_48_a_login_page_instead_of_metadata_is_refused() -> None:
    error = refusal(b"<html><body>Log in</body></html>")
    assert (error.reason, error.received) == (Reason.METADATA, "none")


@pytest.mark.case("XP-48")
@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:{port}/x.dtd">',
        '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:{port}/x">%p;]>',
        '<?xml-stylesheet type="text/xsl" href="http://127.0.0.1:{port}/x.xsl"?>',
    ],
)
def test_xp_48_metadata_that_points_elsewhere_makes_no_request(prolog: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0.05)
        port = canary.getsockname()[1]
        error = refusal((prolog.format(port=port) + GOOD).encode())
        assert error.reason in {Reason.XML_DOCTYPE, Reason.XML_PI}
        with pytest.raises(TimeoutError):
            canary.accept()


@pytest.mark.case("XP-48")
def test_xp_48_schema_location_and_xinclude_are_inert() -> None:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0.05)
        url = f"http://127.0.0.1:{canary.getsockname()[1]}/x"
        document = inside(
            GOOD,
            '<md:Extensions><xi:include xmlns:xi="http://www.w3.org/2001/XInclude"'
            f' href="{url}"/></md:Extensions>',
        ).replace(
            "entityID",
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xsi:schemaLocation="urn:x {url}" entityID',
            1,
        )
        assert read(document.encode()) == read(GOOD.encode())
        with pytest.raises(TimeoutError):
            canary.accept()


@pytest.mark.case("XP-48", "SR-19")
def test_xp_48_a_zip_archive_is_refused_unpacked() -> None:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        name = zipfile.ZipInfo("../metadata.xml")
        target.writestr(name, b" " * 10_000_000, compress_type=zipfile.ZIP_DEFLATED)
    assert len(archive.getvalue()) < MAX_BYTES
    assert refusal(archive.getvalue()).reason is Reason.XML_ENCODING


@pytest.mark.case("XP-48")
@pytest.mark.parametrize("written", ["{0}<!--x-->{1}", "{0}<![CDATA[{1}]]>"])
def test_xp_48_a_comment_or_cdata_cuts_no_value(written: str) -> None:
    body = key(signer("idp").pem).partition("<ds:X509Certificate>")[2].partition("<")[0]
    document = GOOD.replace(body, written.format(body[:100], body[100:]))
    assert document != GOOD
    assert read(document.encode()) == read(GOOD.encode())


@pytest.mark.case("XP-48")
@pytest.mark.parametrize("element", ["NameIDFormat", "X509Certificate"])
def test_xp_48_an_element_within_a_value_is_refused(element: str) -> None:
    head, tag, tail = GOOD.partition(f"{element}>")
    error = refusal(f"{head}{tag}<x/>{tail}".encode())
    assert error.reason is Reason.XML_MIXED


@pytest.mark.case("XP-48")
def test_xp_48_prefixed_and_foreign_attributes_are_not_read() -> None:
    document = GOOD.replace(
        "entityID", 'md:entityID="https://evil.test" EntityID="https://evil.test" entityID', 1
    ).replace("Location", 'xmlns:Location="urn:evil" md:Location="https://evil.test/" Location', 1)
    assert document.count("evil") == 4
    assert read(document.encode()) == read(GOOD.encode())


@pytest.mark.case("XP-48")
@pytest.mark.parametrize(
    "namespace", ["urn:oasis:names:tc:SAML:1.0:metadata", "urn:oasis:names:tc:SAML:2.0:metadata/"]
)
def test_xp_48_a_look_alike_namespace_is_another_document(namespace: str) -> None:
    error = refusal(GOOD.replace("urn:oasis:names:tc:SAML:2.0:metadata", namespace).encode())
    assert (error.reason, error.received) == (Reason.METADATA, "none")


@pytest.mark.case("XP-48")
def test_xp_48_a_role_hidden_deeper_is_not_read() -> None:
    hidden = role(services=[service(POST, "https://evil.test/")])
    document = inside(GOOD, f"<md:Extensions>{hidden}</md:Extensions>").encode()
    assert read(document).sso_url == REDIRECT_SSO
    alone = f'<md:EntityDescriptor {NAMESPACES} entityID="x"><md:Extensions>{hidden}'
    error = refusal(f"{alone}</md:Extensions></md:EntityDescriptor>".encode())
    assert (error.reason, error.received) == (Reason.METADATA, "none")
