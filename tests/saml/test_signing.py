"""sign_enveloped and sign_query, judged by xmlsec and signxml."""

from base64 import b64decode
from urllib.parse import parse_qs

import pytest
from lxml import etree
from lxml.etree import _Element

from tests.support.saml_keys import signer
from tests.support.second_opinions import (
    canonical,
    signxml_reads,
    xmlsec_accepts,
    xmlsec_accepts_query,
)
from vestibule.saml.signing import RSA_SHA256, append_key_info, sign_enveloped, sign_query
from vestibule.saml.xml import DS, SAML

RESPONSE = b"""<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"
    xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r1" Version="2.0">
  <saml:Issuer>https://idp.example.com</saml:Issuer>
  <saml:Assertion ID="_a1" Version="2.0">
    <saml:Issuer>https://idp.example.com</saml:Issuer>
    <saml:Subject><saml:NameID>user@example.com</saml:NameID></saml:Subject>
  </saml:Assertion>
</samlp:Response>"""


def response() -> _Element:
    return etree.fromstring(RESPONSE)


def assertion_of(root: _Element) -> _Element:
    assertion = root.find(f"{{{SAML}}}Assertion")
    assert assertion is not None
    return assertion


def resent(root: _Element) -> _Element:
    """The document as the other side gets it."""
    return etree.fromstring(etree.tostring(root))


def test_enveloped_signature_of_a_response_convinces_xmlsec_and_signxml() -> None:
    idp = signer("idp")
    root = response()
    before = canonical(root)
    sign_enveloped(root, key=idp.key, certificate_pem=idp.pem)
    assert xmlsec_accepts(resent(root), idp.pem)
    assert signxml_reads(resent(root), idp.pem) == before


def test_enveloped_signature_of_an_assertion_inside_a_response_convinces_both() -> None:
    idp = signer("idp")
    root = response()
    before = canonical(assertion_of(root))
    sign_enveloped(assertion_of(root), key=idp.key, certificate_pem=idp.pem)
    assert xmlsec_accepts(assertion_of(resent(root)), idp.pem)
    assert signxml_reads(assertion_of(resent(root)), idp.pem) == before


def test_assertion_and_response_can_both_be_signed() -> None:
    idp = signer("idp")
    root = response()
    sign_enveloped(assertion_of(root), key=idp.key, certificate_pem=None)
    sign_enveloped(root, key=idp.key, certificate_pem=None)
    received = resent(root)
    assert xmlsec_accepts(assertion_of(received), idp.pem)
    assert xmlsec_accepts(received, idp.pem)


@pytest.mark.parametrize("changed", ["NameID", "Issuer"])
def test_a_change_after_signing_is_seen_by_xmlsec(changed: str) -> None:
    idp = signer("idp")
    root = response()
    sign_enveloped(root, key=idp.key, certificate_pem=None)
    received = resent(root)
    element = next(received.iter(f"{{{SAML}}}{changed}"))
    element.text = "admin@example.com"
    assert not xmlsec_accepts(received, idp.pem)


def test_another_key_is_seen_by_xmlsec() -> None:
    root = response()
    sign_enveloped(root, key=signer("attacker").key, certificate_pem=None)
    assert not xmlsec_accepts(resent(root), signer("idp").pem)


def test_signature_stands_behind_the_issuer_with_one_reference_and_two_transforms() -> None:
    idp = signer("idp")
    root = response()
    sign_enveloped(root, key=idp.key, certificate_pem=idp.pem)
    signature = root[1]
    assert [child.tag for child in signature] == [
        f"{{{DS}}}SignedInfo",
        f"{{{DS}}}SignatureValue",
        f"{{{DS}}}KeyInfo",
    ]
    algorithms = [e.get("Algorithm") for e in signature.iter() if e.get("Algorithm")]
    assert algorithms == [
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        RSA_SHA256,
        "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/2001/04/xmlenc#sha256",
    ]
    assert [e.get("URI") for e in signature.iter(f"{{{DS}}}Reference")] == ["#_r1"]


def test_signature_stands_where_the_caller_wants_it() -> None:
    idp = signer("idp")
    root = response()
    sign_enveloped(root, key=idp.key, certificate_pem=None, position=0)
    assert root[0].tag == f"{{{DS}}}Signature"
    assert xmlsec_accepts(resent(root), idp.pem)


def test_signature_without_a_certificate_has_no_key_info() -> None:
    root = response()
    sign_enveloped(root, key=signer("idp").key, certificate_pem=None)
    assert [child.tag for child in root[1]] == [f"{{{DS}}}SignedInfo", f"{{{DS}}}SignatureValue"]


@pytest.mark.parametrize("wrong", [None, "", "1abc", "a b", "a'] or //*[", "#_r1", "_é"])
def test_an_element_without_a_proper_id_cannot_be_signed(wrong: str | None) -> None:
    root = response()
    if wrong is None:
        del root.attrib["ID"]
    else:
        root.set("ID", wrong)
    with pytest.raises(ValueError, match="an ID that is an NCName"):
        sign_enveloped(root, key=signer("idp").key, certificate_pem=None)
    assert root.find(f"{{{DS}}}Signature") is None


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_key_info_holds_the_certificate_without_its_pem_lines(line_end: str) -> None:
    idp = signer("idp")
    parent = etree.Element("parent")
    append_key_info(parent, idp.pem.replace("\n", line_end))
    body = parent.findtext(f".//{{{DS}}}X509Certificate")
    assert body == "".join(idp.pem.splitlines()[1:-1])


@pytest.mark.case("SP-59")
def test_signed_query_covers_every_octet_before_the_signature() -> None:
    idp = signer("idp")
    query = sign_query("SAMLRequest=fZ%2B%3D&RelayState=a%20b", key=idp.key)
    signed, _, _ = query.partition("&Signature=")
    fields = parse_qs(query, strict_parsing=True)
    signature = b64decode(fields["Signature"][0], validate=True)
    assert list(fields) == ["SAMLRequest", "RelayState", "SigAlg", "Signature"]
    assert fields["SigAlg"] == [RSA_SHA256]
    assert xmlsec_accepts_query(signed, idp.pem, signature)
    assert not xmlsec_accepts_query(signed.replace("a%20b", "a+b"), idp.pem, signature)
    assert not xmlsec_accepts_query(signed, signer("attacker").pem, signature)
