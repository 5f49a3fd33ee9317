"""Decryption against xmlsec; the cases stand in tests/attacks/test_saml_encryption.py."""

from base64 import b64decode, b64encode

import pytest
import xmlsec
from lxml import etree
from lxml.etree import _Element

from tests.support.saml_documents import (
    VICTIM,
    accepted,
    document,
    expectation,
    find,
    response_element,
    tag,
)
from tests.support.saml_encryption import AES_CBC, Encryption
from tests.support.saml_keys import signer
from vestibule.saml.encryption import Plaintext, decrypt, decryption_failed, parse_in_context
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.xml import SAML, XENC, local_name


def xmlsec_encrypts(element: etree._Element, wrapper: str) -> None:
    """Have xmlsec encrypt an element in place, for the key of `signer("sp")`."""
    parent = element.getparent()
    assert parent is not None
    data = xmlsec.template.encrypted_data_create(
        parent, xmlsec.constants.TransformAes256Gcm, type=xmlsec.constants.TypeEncElement, ns="xenc"
    )
    xmlsec.template.encrypted_data_ensure_cipher_value(data)
    info = xmlsec.template.encrypted_data_ensure_key_info(data, ns="ds")
    wrapped = xmlsec.template.add_encrypted_key(info, xmlsec.constants.TransformRsaOaep)
    xmlsec.template.encrypted_data_ensure_cipher_value(wrapped)
    manager = xmlsec.KeysManager()
    pem = signer("sp").pem.encode()
    manager.add_key(xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatCertPem))
    context = xmlsec.EncryptionContext(manager)
    context.key = xmlsec.Key.generate(
        xmlsec.constants.KeyDataAes, 256, xmlsec.constants.KeyDataTypeSession
    )
    encrypted = etree.Element(tag(wrapper), nsmap={"saml": SAML})
    in_place = context.encrypt_xml(data, element)
    parent.replace(in_place, encrypted)
    encrypted.append(in_place)


def test_xmlsec_encrypts_what_we_decrypt() -> None:
    root = document()
    xmlsec_encrypts(find(root, "saml:Assertion"), "saml:EncryptedAssertion")
    assert not list(root.iter(tag("saml:Assertion")))
    assert accepted(root, expectation(decryption_keys=("sp",))).name_id == VICTIM


def test_xmlsec_encrypts_an_identifier_that_we_decrypt() -> None:
    root = response_element()
    xmlsec_encrypts(find(root, "saml:NameID"), "saml:EncryptedID")
    signed = document(root=root)
    assert not list(signed.iter(tag("saml:NameID")))
    assert accepted(signed, expectation(decryption_keys=("sp",))).name_id == VICTIM


@pytest.mark.parametrize(
    ("cipher", "authenticated"), [(Encryption().cipher, True), (AES_CBC, False)]
)
def test_decrypt_says_whether_a_change_would_show(cipher: str, authenticated: bool) -> None:
    root = document(encryption=Encryption(cipher=cipher))
    encrypted = find(root, "saml:EncryptedAssertion")
    plaintext = decrypt(encrypted, [signer("sp").key], allow_cbc=True)
    assert plaintext.authenticated is authenticated
    assertion, *_ = parse_in_context(plaintext, encrypted)
    assert (local_name(assertion), assertion.get("ID")) == ("Assertion", "_assertion-1")


def in_scope(octets: bytes, *, authenticated: bool) -> tuple[_Element, dict[str | None, str]]:
    """Parse octets where p is urn:1 and urn:2 the default; return the element and its wrapper's."""
    outside = etree.fromstring('<a xmlns:p="urn:1" xmlns="urn:2"><b/></a>')[0]
    plaintext = Plaintext(octets=octets, authenticated=authenticated)
    element, *_ = parse_in_context(plaintext, outside)
    wrapper = element.getparent()
    assert wrapper is not None
    return element, dict(wrapper.nsmap)


BOTH: dict[str | None, str] = {"p": "urn:1", None: "urn:2"}


@pytest.mark.parametrize(
    ("octets", "name", "declared"),
    [
        (b"<p:c/>", "{urn:1}c", BOTH),
        (b"<c/>", "{urn:2}c", BOTH),
        (b'<p:c xmlns:p="urn:3"/>', "{urn:3}c", {None: "urn:2"}),
        (b'<p:c xmlns:p="urn:3" xmlns="urn:4"/>', "{urn:3}c", {}),
        (b'<c xmlns="urn:4"><p:d/></c>', "{urn:4}c", {"p": "urn:1"}),
        (b'<p:c><d xmlns:p="urn:3"/></p:c>', "{urn:1}c", BOTH),
        (b"<p:c \n xmlns:p = 'urn:3'/>", "{urn:3}c", BOTH),
        (b'<p:c d=" xmlns:p="/>', "{urn:1}c", BOTH),
        (b"<p:c d=' xmlns:p=\"a'/>", "{urn:1}c", BOTH),
        (b'<!-- xmlns:p="a" --><p:c/>', "{urn:1}c", BOTH),
        (b'<p:c d=">" xmlns:p="urn:3"/>', "{urn:3}c", {None: "urn:2"}),
    ],
)
def test_plaintext_is_in_the_scope_it_does_not_declare_itself(
    octets: bytes, name: str, declared: dict[str | None, str]
) -> None:
    element, outside = in_scope(octets, authenticated=True)
    assert (element.tag, outside) == (name, declared)


def test_plaintext_that_somebody_may_have_changed_is_not_looked_at_beforehand() -> None:
    octets = b'<p:c xmlns:p="urn:3" xmlns="urn:4"/>'
    assert in_scope(octets, authenticated=True)[1] == {}
    assert in_scope(octets, authenticated=False)[1] == BOTH


@pytest.mark.case("XE-05")
@pytest.mark.parametrize("change", [16, 17, 255])
def test_xe_05_wrong_padding_is_tried_all_the_same(change: int) -> None:
    encrypted = find(document(encryption=Encryption(cipher=AES_CBC)), "saml:EncryptedAssertion")
    value = list(encrypted.iter(f"{{{XENC}}}CipherValue"))[-1]
    raw = bytearray(b64decode(value.text or ""))
    good = decrypt(encrypted, [signer("sp").key], allow_cbc=True).octets
    padding = 16 - len(good) % 16
    raw[-17] ^= padding ^ change
    value.text = b64encode(raw).decode()
    changed = decrypt(encrypted, [signer("sp").key], allow_cbc=True)
    if change == 16:
        assert len(changed.octets) == len(good) + padding - 16
    else:
        # The parser refuses it at the step at which it refuses a changed block: it is no UTF-8.
        assert (len(changed.octets), changed.octets[-1:]) == (len(good) + padding, b"\xff")
    with pytest.raises(SamlError) as caught:
        parse_in_context(changed, encrypted)
    assert caught.value.reason is Reason.XML_ENCODING


def test_failure_says_nothing() -> None:
    error = decryption_failed()
    assert error.reason is Reason.ENC
    assert str(error) == str(decryption_failed())


def test_decrypt_without_a_key() -> None:
    encrypted = find(document(encryption=Encryption()), "saml:EncryptedAssertion")
    with pytest.raises(SamlError) as caught:
        decrypt(encrypted, ())
    assert caught.value.reason is Reason.ENC_NOKEY
