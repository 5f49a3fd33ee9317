"""Hostile documents sent as metadata, by upload or metadata_url (XP-48): refused as anywhere."""

import gzip
import socket
import zipfile
from base64 import b64encode
from io import BytesIO
from time import process_time

import pytest

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


def inside(text: str) -> str:
    """GOOD with something more in its entity."""
    return GOOD.replace("<md:IDPSSODescriptor", f"{text}<md:IDPSSODescriptor", 1)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<!DOCTYPE r [<!ENTITY l0 "ha">{LAUGHS}]>' + GOOD.replace(ENTITY_ID, "&l9;")
QUADRATIC = f'<!DOCTYPE r [<!ENTITY e "{"x" * 50_000}">]>' + inside(f"<x>{'&e;' * 1000}</x>")
DIFFERENTIAL = "<!DOCTYPE response SYSTEM 'x\"><!--'>" + GOOD

DOCTYPES = {
    "XP-01": "<!DOCTYPE r>" + GOOD,
    "XP-02": '<!DOCTYPE r [<!ENTITY e "x">]>' + GOOD,
    "XP-03": '<!DOCTYPE r [<!ENTITY e "">]>' + GOOD.replace(ENTITY_ID, ENTITY_ID + "&e;"),
    "XP-04": '<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + inside("<x>&e;</x>"),
    "XP-07": BOMB,
    "XP-08": QUADRATIC,
    "XP-09": '<!DOCTYPE r [<!ATTLIST md:EntityDescriptor ID CDATA "_x">]>' + GOOD,
    "XP-10": "<!DOCTYPE r [<!ATTLIST md:NameIDFormat x ID #IMPLIED>]>" + GOOD,
    "XP-11": DIFFERENTIAL,
}


@pytest.mark.case("XP-48")
@pytest.mark.parametrize("case", DOCTYPES)
def test_xp_48_metadata_with_a_document_type_is_refused_unread(case: str) -> None:
    data = DOCTYPES[case].encode()
    started = process_time()
    error = refusal(data)
    assert error.reason is Reason.XML_DOCTYPE
    assert process_time() - started < 0.1


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
            '<md:Extensions><xi:include xmlns:xi="http://www.w3.org/2001/XInclude"'
            f' href="{url}"/></md:Extensions>'
        ).replace(
            "entityID",
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xsi:schemaLocation="urn:x {url}" entityID',
            1,
        )
        assert read(document.encode()) == read(GOOD.encode())
        with pytest.raises(TimeoutError):
            canary.accept()


NESTED = "<x>" * 41 + "</x>" * 41
DECLARED = " ".join(f'xmlns:n{n}="urn:n{n}"' for n in range(401))
PLENTY = " ".join(f'a{n}="x"' for n in range(65))
SECOND_ID = '<md:Extensions ID="_1"><x Id="_1"/></md:Extensions>'

BROKEN: dict[str, tuple[bytes, Reason]] = {
    "XP-13 relative namespace": (inside('<x xmlns:n="1"/>').encode(), Reason.XML_NS),
    "XP-19 instruction": (inside("<?p admin?>").encode(), Reason.XML_PI),
    "XP-20 instruction behind": ((GOOD + "<?p?>").encode(), Reason.XML_PI),
    "XP-22 depth": (inside(NESTED).encode(), Reason.XML_DEPTH),
    "XP-22 deep": (inside("<x>" * 3000 + "</x>" * 3000).encode(), Reason.XML_DEPTH),
    "XP-23 size": (GOOD.encode() + b" " * (MAX_BYTES + 1 - len(GOOD)), Reason.XML_SIZE),
    "XP-25 attributes": (inside(f"<x {PLENTY}/>").encode(), Reason.XML_ATTRS),
    "XP-25b namespaces": (inside(f"<x {DECLARED}/>").encode(), Reason.XML_NS),
    "XP-26 elements": (inside("<x/>" * 12_001).encode(), Reason.XML_NODES),
    "XP-27 nodes": (inside("<x/>" * 5_001).encode(), Reason.XML_NODES),
    "XP-28 utf-16": (GOOD.encode("utf-16"), Reason.XML_ENCODING),
    "XP-28 utf-7": (
        b'<?xml version="1.0" encoding="UTF-7"?>' + GOOD.encode(),
        Reason.XML_ENCODING,
    ),
    "XP-29 latin-1": (
        b'<?xml version="1.0" encoding="ISO-8859-1"?>' + inside("<x>\u00e9</x>").encode("latin-1"),
        Reason.XML_ENCODING,
    ),
    "XP-30 overlong": (GOOD.encode() + b"\xc0\xbc", Reason.XML_ENCODING),
    "XP-30 surrogate": (
        inside("<x>\ud800</x>").encode(errors="surrogatepass"),
        Reason.XML_ENCODING,
    ),
    "XP-31 nul": (inside("<x>\x00</x>").encode(), Reason.XML),
    "XP-31 reference": (inside("<x>&#0;</x>").encode(), Reason.XML),
    "XP-31b prefix": (inside("<nope:x/>").encode(), Reason.XML),
    "XP-31b twice": (GOOD.replace("entityID", 'entityID="x" entityID', 1).encode(), Reason.XML),
    "XP-32 two roots": ((GOOD + GOOD).encode(), Reason.XML),
    "XP-35 same id": (inside(SECOND_ID).encode(), Reason.XML_ID),
    "XP-37 odd id": (inside('<x ID="a\'] or //*["/>').encode(), Reason.XML_ID),
    "XP-38 no id": (inside('<x ID=""/>').encode(), Reason.SAML_ID),
    "XP-40 base64": (b64encode(GOOD.encode()), Reason.XML),
    "html": (b"<!doctype html><html><body>Log in</body></html>", Reason.XML),
    "html closed": (b"<html><body>Log in</body></html>", Reason.METADATA),
    "json": (b'{"entityID": "https://idp.example.com"}', Reason.XML),
    "empty": (b"", Reason.XML),
    "gzip": (gzip.compress(GOOD.encode(), mtime=0), Reason.XML_ENCODING),
}


@pytest.mark.case("XP-48")
@pytest.mark.parametrize("name", BROKEN)
def test_xp_48_broken_metadata_is_refused_with_its_reason(name: str) -> None:
    data, reason = BROKEN[name]
    started = process_time()
    assert refusal(data).reason is reason
    assert process_time() - started < 0.2


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
    document = inside(f"<md:Extensions>{hidden}</md:Extensions>").encode()
    assert read(document).sso_url == REDIRECT_SSO
    alone = f'<md:EntityDescriptor {NAMESPACES} entityID="x"><md:Extensions>{hidden}'
    error = refusal(f"{alone}</md:Extensions></md:EntityDescriptor>".encode())
    assert (error.reason, error.received) == (Reason.METADATA, "none")
