"""Encrypted assertions, honest and hostile (security cases XE)."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from operator import itemgetter

import pytest
from lxml import etree
from lxml.etree import _Element

from tests.support.canary import listening
from tests.support.saml_documents import (
    EMAIL,
    FORGED,
    NOW,
    REQ,
    VICTIM,
    Edit,
    Signature,
    Signed,
    accepted,
    document,
    expectation,
    find,
    octets,
    refused,
    response_element,
    sign_element,
    tag,
)
from tests.support.saml_encryption import (
    AES_CBC,
    MGF1P,
    OAEP_11,
    RSA_1_5,
    Encryption,
    Place,
    encrypt_assertion,
    encrypt_name_id,
)
from tests.support.saml_keys import signer
from vestibule.clock import MINUTE
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.response import Expectation, peek_in_response_to
from vestibule.saml.xml import DS, SAML, XENC, XENC11

OURS = expectation(decryption_keys=("sp",))
WITH_CBC = replace(OURS, allow_cbc=True)


def xenc(name: str) -> str:
    return f"{{{XENC}}}{name}"


def encrypted(
    how: Encryption | None = None,
    *,
    sign: Signed = "assertion",
    before: Edit | None = None,
    root: _Element | None = None,
) -> _Element:
    return document(sign=sign, before=before, encryption=how or Encryption(), root=root)


def cipher_value(root: _Element, parent: str = "EncryptedData") -> _Element:
    """The CipherValue of the data, or of the key."""
    holder = next(root.iter(xenc(parent)))
    return next(value for data in holder.iterchildren(xenc("CipherData")) for value in data)


def change_octets(value: _Element, change: Callable[[bytes], bytes]) -> None:
    value.text = b64encode(change(b64decode(value.text or ""))).decode()


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


@pytest.mark.case("XE-01", "XE-03")
@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
@pytest.mark.parametrize(
    ("transport", "digest", "mask"),
    [
        (MGF1P, None, None),
        (MGF1P, f"{DS}sha1", None),
        (MGF1P, f"{XENC}sha256", None),
        (OAEP_11, f"{XENC}sha256", f"{XENC11}mgf1sha256"),
        (OAEP_11, f"{XENC}sha512", f"{XENC11}mgf1sha512"),
        (OAEP_11, None, None),
    ],
)
def test_xe_01_03_gcm_and_oaep(
    sign: Signed, transport: str, digest: str | None, mask: str | None
) -> None:
    how = Encryption(transport=transport, digest=digest, mask=mask)
    result = accepted(encrypted(how, sign=sign), OURS)
    assert (result.name_id, result.assertion_id) == (VICTIM, "_assertion-1")
    assert result.warnings == ()


@pytest.mark.case("XE-01")
@pytest.mark.parametrize("bits", ["128", "192", "256"])
def test_xe_01_gcm_of_every_size(bits: str) -> None:
    root = encrypted(Encryption(cipher=f"{XENC11}aes{bits}-gcm"))
    assert accepted(root, OURS).name_id == VICTIM


@pytest.mark.case("XE-02")
def test_xe_02_encryption_is_no_authentication() -> None:
    root = encrypted(sign="none", root=response_element(subject=FORGED))
    refused(root, Reason.SIG_MISSING, OURS)


@pytest.mark.case("XE-02")
def test_xe_02_no_key_to_decrypt_with() -> None:
    refused(encrypted(), Reason.ENC_NOKEY, expectation())


@pytest.mark.case("XE-04")
@pytest.mark.parametrize("sign", ["assertion", "both"])
@pytest.mark.parametrize("bits", ["128", "192", "256"])
def test_xe_04_cbc_only_where_a_connection_allows_it(bits: str, sign: Signed) -> None:
    root = encrypted(Encryption(cipher=f"{XENC}aes{bits}-cbc"), sign=sign)
    refused(deepcopy(root), Reason.ENC_ALG, OURS)
    result = accepted(root, WITH_CBC)
    assert (result.name_id, result.warnings) == (VICTIM, ("enc.cbc",))
    assert accepted(encrypted(), WITH_CBC).warnings == ()


@pytest.mark.case("XE-04")
def test_xe_04_triple_des_never() -> None:
    root = encrypted()
    next(root.iter(xenc("EncryptionMethod"))).set("Algorithm", f"{XENC}tripledes-cbc")
    refused(root, Reason.ENC_ALG, WITH_CBC)


def answer(root: _Element, expected: Expectation) -> str:
    """Everything the verifier tells about a refusal."""
    with pytest.raises(SamlError) as caught:
        accepted(root, expected)
    error = caught.value
    return f"{error.reason} {error} {error.steps[-1]} {[step.name for step in error.steps]}"


@pytest.mark.case("XE-05")
def test_xe_05_no_answer_tells_cbc_variants_apart() -> None:
    good = encrypted(Encryption(cipher=AES_CBC))
    assert accepted(deepcopy(good), WITH_CBC).name_id == VICTIM
    size = len(b64decode(cipher_value(good).text or ""))
    answers: set[str] = set()
    for at in [*range(16), *range(16, size, 61), *range(size - 32, size)]:
        root = deepcopy(good)
        change_octets(cipher_value(root), partial(flipped, at=at))
        answers.add(answer(root, WITH_CBC))
    for length in (0, 15, 16, 17, 32, size - 16):
        root = deepcopy(good)
        change_octets(cipher_value(root), itemgetter(slice(length)))
        answers.add(answer(root, WITH_CBC))
    unsigned = encrypted(Encryption(cipher=AES_CBC), sign="none")
    foreign = document(
        signature=Signature(key=signer("attacker").key), encryption=Encryption(cipher=AES_CBC)
    )
    answers |= {answer(unsigned, WITH_CBC), answer(foreign, WITH_CBC)}
    assert len(answers) == 1
    assert answers.pop().startswith("enc ")


@pytest.mark.case("XE-05")
def test_xe_05_signed_response_refuses_a_changed_ciphertext_before_decrypting_it() -> None:
    root = encrypted(Encryption(cipher=AES_CBC), sign="response")
    assert accepted(deepcopy(root), WITH_CBC).name_id == VICTIM
    change_octets(cipher_value(root), lambda raw: flipped(raw, 3))
    refused(root, Reason.SIG_DIGEST, WITH_CBC)


@pytest.mark.case("XE-06")
def test_xe_06_rsa_1_5_never() -> None:
    refused(encrypted(Encryption(transport=RSA_1_5)), Reason.ENC_ALG, WITH_CBC)


@pytest.mark.case("XE-07", reason="enc")
def test_xe_07_key_and_data_failures_are_one() -> None:
    key, data, cut_key, other = (encrypted() for _ in range(4))
    change_octets(cipher_value(key, "EncryptedKey"), lambda raw: flipped(raw, 200))
    change_octets(cipher_value(data), lambda raw: flipped(raw, 200))
    change_octets(cipher_value(cut_key, "EncryptedKey"), lambda raw: raw[:-1])
    wrong_length = encrypted(Encryption(cipher=f"{XENC11}aes128-gcm"))
    for method in wrong_length.iter(xenc("EncryptionMethod")):
        if str(method.get("Algorithm")).endswith("gcm"):
            method.set("Algorithm", f"{XENC11}aes256-gcm")
    answers = {answer(root, OURS) for root in (key, data, cut_key, wrong_length)}
    answers.add(answer(other, expectation(decryption_keys=("sp-other",))))
    assert len(answers) == 1
    assert answers.pop().startswith("enc ")


@pytest.mark.case("XE-08")
@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw[:-4],
        lambda raw: raw[:-12],
        lambda raw: raw[:-16],
        lambda raw: raw[4:],
        lambda raw: b"\0\0\0\0" + raw,
        lambda raw: raw[:28],
        lambda raw: raw[:1],
        lambda _: b"",
    ],
    ids=["tag 12", "tag 4", "no tag", "nonce 8", "nonce 16", "empty text", "one byte", "nothing"],
)
def test_xe_08_cut_gcm(change: Callable[[bytes], bytes]) -> None:
    root = encrypted()
    change_octets(cipher_value(root), change)
    refused(root, Reason.ENC, OURS)


@pytest.mark.case("XE-08")
@pytest.mark.parametrize("value", ["not base64", "YWJj YQ", "\u00a0", None])
def test_xe_08_cipher_value_that_is_not_base64(value: str | None) -> None:
    root = encrypted()
    cipher_value(root).text = value
    refused(root, Reason.ENC, OURS)


@pytest.mark.case("XE-09")
def test_xe_09_two_encrypted_assertions_or_two_data() -> None:
    two = encrypted()
    two.append(deepcopy(find(two, "saml:EncryptedAssertion")))
    for element in list(two[-1].iter()):
        element.attrib.pop("Id", "")
    refused(two, Reason.SAML_COUNT, OURS)
    double = encrypted()
    data = next(double.iter(xenc("EncryptedData")))
    copied = deepcopy(data)
    next(copied.iter(xenc("EncryptedKey"))).attrib.pop("Id")
    data.addnext(copied)
    refused(double, Reason.SAML_COUNT, OURS)
    none = encrypted()
    find(none, "saml:EncryptedAssertion").clear()
    refused(none, Reason.SAML_COUNT, OURS)


@pytest.mark.case("XE-10")
@pytest.mark.parametrize(
    ("plaintext", "reason"),
    [
        (lambda octets: octets + octets.replace(b"_assertion-1", b"_a2"), Reason.XML),
        (lambda _: b"just text", Reason.XML),
        (lambda octets: b"text " + octets, Reason.XML),
        (lambda octets: octets + b" text", Reason.XML),
        (lambda octets: octets + b"</in-context><x/>", Reason.XML),
        (lambda octets: octets + b"</in-context><in-context>", Reason.XML),
        (lambda _: b"<x/>", Reason.XML),
        (lambda octets: octets.replace(b"saml:Assertion", b"saml:EncryptedAssertion"), Reason.XML),
        (lambda octets: b"<!DOCTYPE x>" + octets, Reason.XML_DOCTYPE),
        (lambda octets: b'<?xml version="1.0"?>' + octets, Reason.XML_PI),
        (lambda octets: octets.replace(b"Ada", b"\xff"), Reason.XML_ENCODING),
        (lambda octets: octets.replace(b'Version="2.0"', b'Version="1.1"'), Reason.SAML_VERSION),
        (lambda octets: octets.replace(b'ID="_assertion-1"', b""), Reason.SAML_ID),
    ],
)
def test_xe_10_plaintext_that_is_not_one_assertion(
    plaintext: Callable[[bytes], bytes], reason: Reason
) -> None:
    refused(encrypted(Encryption(plaintext=plaintext)), reason, OURS)


@pytest.mark.case("XE-10")
def test_xe_10_white_space_around_the_assertion() -> None:
    root = encrypted(Encryption(plaintext=lambda octets: b"\n " + octets + b"\n"))
    assert accepted(root, OURS).name_id == VICTIM


@pytest.mark.case("XE-10")
@pytest.mark.parametrize("name", ["saml:Assertion", "saml:EncryptedAssertion"])
def test_xe_10_second_assertion_inside_the_encrypted_one(name: str) -> None:
    def nest(root: _Element) -> None:
        advice = etree.SubElement(find(root, "saml:Assertion"), tag("saml:Advice"))
        etree.SubElement(advice, tag(name))

    refused(encrypted(before=nest), Reason.SAML_COUNT, OURS)


@pytest.mark.case("XE-10")
def test_xe_10_misplaced_signature_in_the_encrypted_assertion() -> None:
    def misplace(root: _Element) -> None:
        subject = find(root, "saml:Subject")
        subject.set("ID", "_subject")
        sign_element(subject, Signature(key=signer("idp").key))

    refused(encrypted(before=misplace), Reason.SIG_PLACE, OURS)


@pytest.mark.case("XE-11")
def test_xe_11_prefix_declared_outside_only() -> None:
    declaration = f' xmlns:saml="{SAML}"'.encode()

    def strip(octets: bytes) -> bytes:
        assert declaration in octets
        return octets.replace(declaration, b"")

    assert accepted(encrypted(Encryption(plaintext=strip)), OURS).name_id == VICTIM


@pytest.mark.case("XE-11")
def test_xe_11_default_namespace_and_odd_uri_outside() -> None:
    before = b"<saml:EncryptedAssertion>"
    data = octets(encrypted())
    assert before in data
    odd = b'<saml:EncryptedAssertion xmlns="urn:a" xmlns:q="urn:a&amp;b">'
    assert accepted(data.replace(before, odd), OURS).name_id == VICTIM


@pytest.mark.case("XE-11")
def test_xe_11_inclusive_prefix_declared_outside_only() -> None:
    declaration = b' xmlns:q="urn:q"'
    start = b"<samlp:Response "
    root = etree.fromstring(
        octets(response_element()).replace(start, start + declaration[1:] + b" ")
    )
    signature = Signature(key=signer("idp").key, prefixes="q")
    how = Encryption(plaintext=lambda octets: octets.replace(declaration, b"", 1))
    data = octets(document(root=root, signature=signature, encryption=how))
    assert data.count(declaration) == 1
    assert accepted(data, OURS).name_id == VICTIM
    refused(data.replace(declaration, b""), Reason.SIG_DIGEST, OURS)


@pytest.mark.case("XE-12")
@pytest.mark.parametrize("place", ["inside", "beside", "retrieval"])
def test_xe_12_places_of_the_key(place: Place) -> None:
    assert accepted(encrypted(Encryption(place=place)), OURS).name_id == VICTIM


@pytest.mark.case("XE-12")
@pytest.mark.parametrize("path", ["#_other", "#_response-1", "", None, "{canary}/key"])
def test_xe_12_key_elsewhere_is_never_fetched(path: str | None) -> None:
    with listening() as canary:
        root = encrypted(Encryption(place="retrieval"))
        method = find(root, "ds:KeyInfo")[0]
        del method.attrib["URI"]
        if path is not None:
            method.set("URI", path.format(canary=canary.url))
        refused(root, Reason.ENC, OURS)
        assert canary.hits == 0


@pytest.mark.case("XE-13")
@pytest.mark.parametrize("parent", ["EncryptedData", "EncryptedKey"])
def test_xe_13_cipher_reference(parent: str) -> None:
    with listening() as canary:
        root = encrypted()
        value = cipher_value(root, parent)
        value.tag = xenc("CipherReference")
        value.set("URI", canary.url)
        refused(root, Reason.ENC, OURS)
        assert canary.hits == 0


@pytest.mark.case("XE-13")
@pytest.mark.parametrize("parent", ["EncryptedData", "EncryptedKey"])
@pytest.mark.parametrize("name", ["CipherData", "EncryptionMethod"])
@pytest.mark.parametrize("count", [0, 2])
def test_xe_13_parts_missing_or_double(parent: str, name: str, count: int) -> None:
    root = encrypted()
    holder = next(root.iter(xenc(parent)))
    part = next(holder.iterchildren(xenc(name)))
    if count == 2:
        part.addnext(deepcopy(part))
    else:
        holder.remove(part)
    refused(root, Reason.ENC, OURS)


@pytest.mark.case("XE-14")
@pytest.mark.parametrize(("count", "fine"), [(4, True), (5, False), (50, False)])
def test_xe_14_many_encrypted_keys(count: int, fine: bool) -> None:
    root = encrypted()
    key = next(root.iter(xenc("EncryptedKey")))
    for number in range(count - 1):
        decoy = deepcopy(key)
        decoy.set("Id", f"_decoy-{number}")
        change_octets(cipher_value(decoy, "EncryptedKey"), lambda raw: flipped(raw, 9))
        key.addprevious(decoy)
    if fine:
        assert accepted(root, OURS).name_id == VICTIM
    else:
        refused(root, Reason.ENC, OURS)


@pytest.mark.case("XE-14")
def test_xe_14_only_three_private_keys_are_tried() -> None:
    three = expectation(decryption_keys=("sp-other", "sp-other", "sp"))
    assert accepted(encrypted(), three).name_id == VICTIM
    four = expectation(decryption_keys=("sp-other", "sp-other", "sp-other", "sp"))
    refused(encrypted(), Reason.ENC, four)


@pytest.mark.case("XE-14")
def test_xe_14_no_encrypted_key() -> None:
    root = encrypted()
    find(root, "ds:KeyInfo").clear()
    refused(root, Reason.ENC, OURS)


@pytest.mark.case("XE-15")
def test_xe_15_rollover_of_our_key() -> None:
    rolling = expectation(decryption_keys=("sp-new", "sp"))
    old = Encryption(certificate_pem=signer("sp").pem)
    new = Encryption(certificate_pem=signer("sp-new").pem)
    assert accepted(encrypted(old), rolling).name_id == VICTIM
    assert accepted(encrypted(new), rolling).name_id == VICTIM
    refused(encrypted(old), Reason.ENC, expectation(decryption_keys=("sp-new",)))


def hidden(how: Encryption | None = None, *, without_id: bool = False) -> Edit:
    """An edit that encrypts the NameID."""

    def hide(root: _Element) -> None:
        found = encrypt_name_id(root, how or Encryption())
        if without_id:
            next(found.iter(xenc("EncryptedKey"))).attrib.pop("Id")

    return hide


@pytest.mark.case("XE-16")
@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
@pytest.mark.parametrize("place", ["inside", "beside", "retrieval"])
def test_xe_16_encrypted_id(sign: Signed, place: Place) -> None:
    root = document(sign=sign, before=hidden(Encryption(place=place)))
    assert not list(root.iter(tag("saml:NameID")))
    result = accepted(root, OURS)
    assert (result.name_id, result.name_id_format, result.warnings) == (VICTIM, EMAIL, ())
    assert Reason.ENC in [step.name for step in result.steps]


@pytest.mark.case("XE-16")
def test_xe_16_encrypted_id_in_an_encrypted_assertion() -> None:
    root = encrypted(before=hidden(without_id=True))
    assert accepted(root, OURS).name_id == VICTIM
    refused(encrypted(before=hidden()), Reason.XML_ID, OURS)


@pytest.mark.case("XE-16")
@pytest.mark.parametrize(("keys", "good"), [(("sp", "sp-other"), True), (("sp-other",), False)])
def test_xe_16_encrypted_id_during_a_rotation(keys: tuple[str, ...], good: bool) -> None:
    for expected in (expectation(decryption_keys=keys), expectation(decryption_keys=keys[::-1])):
        if good:
            assert accepted(document(before=hidden()), expected).name_id == VICTIM
        else:
            refused(document(before=hidden()), Reason.ENC, expected)
    refused(document(before=hidden()), Reason.ENC_NOKEY, expectation())


@pytest.mark.case("XE-16")
def test_xe_16_encrypted_id_that_was_not_signed() -> None:
    root = document()
    encrypt_name_id(root, Encryption())
    refused(root, Reason.SIG_DIGEST, OURS)
    refused(document(sign="none", before=hidden()), Reason.SIG_MISSING, OURS)


@pytest.mark.case("XE-16")
def test_xe_16_encrypted_id_by_cbc_only_where_a_connection_allows_it() -> None:
    root = document(before=hidden(Encryption(cipher=AES_CBC)))
    refused(deepcopy(root), Reason.ENC_ALG, OURS)
    result = accepted(root, WITH_CBC)
    assert (result.name_id, result.warnings) == (VICTIM, ("enc.cbc",))


def foreign_name_id(octets: bytes) -> bytes:
    return octets.replace(b"Format=", b'SPNameQualifier="urn:other" Format=')


@pytest.mark.case("XE-16")
@pytest.mark.parametrize("cipher", [Encryption().cipher, AES_CBC])
@pytest.mark.parametrize(
    ("plaintext", "reason"),
    [
        (lambda octets: octets + octets, Reason.XML),
        (lambda _: b"user@example.com", Reason.XML),
        (lambda octets: b"<!DOCTYPE x>" + octets, Reason.XML_DOCTYPE),
        (lambda octets: octets.replace(b"saml:NameID", b"saml:BaseID"), Reason.SAML_SUBJECT),
        (lambda octets: octets.replace(b"saml:NameID", b"saml:EncryptedID"), Reason.SAML_SUBJECT),
        (lambda octets: octets.replace(VICTIM.encode(), b" "), Reason.SAML_SUBJECT),
        (lambda octets: octets.replace(b"user@", b"user@<x/>"), Reason.XML_MIXED),
        (lambda octets: octets.replace(b"Format=", b'ID="_x" Format='), Reason.XML_ID),
        (foreign_name_id, Reason.SAML_SUBJECT),
    ],
)
def test_xe_16_plaintext_that_is_not_one_name_id_for_us(
    plaintext: Callable[[bytes], bytes], reason: Reason, cipher: str
) -> None:
    root = document(before=hidden(Encryption(plaintext=plaintext, cipher=cipher)))
    refused(root, reason if cipher != AES_CBC else Reason.ENC, WITH_CBC)


@pytest.mark.case("XE-16")
def test_xe_16_encrypted_id_without_data() -> None:
    def hide(root: _Element) -> None:
        find(root, "saml:NameID").tag = tag("saml:EncryptedID")

    refused(document(before=hide), Reason.SAML_COUNT, OURS)


@pytest.mark.case("XE-16")
@pytest.mark.parametrize("name", ["saml:NameID", "saml:BaseID", "saml:EncryptedID"])
def test_xe_16_encrypted_id_beside_another_identifier(name: str) -> None:
    def add(root: _Element) -> None:
        hidden()(root)
        find(root, "saml:Subject").append(etree.Element(tag(name)))

    refused(document(before=add), Reason.SAML_SUBJECT, OURS)


@pytest.mark.case("XE-16")
def test_xe_16_encrypted_attribute() -> None:
    def hide(root: _Element) -> None:
        find(root, "saml:Attribute").tag = tag("saml:EncryptedAttribute")

    refused(document(before=hide), Reason.SAML_ATTRIBUTE)


@pytest.mark.case("XE-17")
@pytest.mark.parametrize("taken", ["_response-1", "_key-1"])
def test_xe_17_id_that_the_outer_document_has(taken: str) -> None:
    root = encrypted(root=response_element(assertion_id=taken))
    refused(root, Reason.XML_ID, OURS)


@pytest.mark.case("XE-18")
def test_xe_18_signed_over_the_ciphertext_by_one_inside_by_another() -> None:
    root = response_element()
    sign_element(find(root, "saml:Assertion"), Signature(key=signer("attacker").key))
    encrypt_assertion(root, Encryption())
    sign_element(root, Signature(key=signer("idp").key))
    refused(root, Reason.SIG_VALUE, OURS)


@pytest.mark.case("XE-19")
def test_xe_19_connection_that_demands_encryption() -> None:
    demanding = replace(OURS, require_encryption=True)
    refused(document(), Reason.ENC_REQUIRED, demanding)
    assert accepted(encrypted(), demanding).name_id == VICTIM


def add_parameter(root: _Element, holder: str, parameter: _Element) -> None:
    element = next(root.iter(xenc(holder)))
    next(element.iterchildren(xenc("EncryptionMethod"))).append(parameter)


@pytest.mark.case("XE-20")
@pytest.mark.parametrize("transport", [MGF1P, OAEP_11])
def test_xe_20_parameters_of_the_key_transport(transport: str) -> None:
    params = encrypted(Encryption(transport=transport))
    add_parameter(params, "EncryptedKey", etree.Element(xenc("OAEPparams")))
    refused(params, Reason.ENC_ALG, OURS)
    for name in ("mgf1sha224", "mgf1unknown", ""):
        unknown = encrypted(Encryption(transport=transport))
        mask = etree.Element(f"{{{XENC11}}}MGF", Algorithm=f"{XENC11}{name}")
        add_parameter(unknown, "EncryptedKey", mask)
        refused(unknown, Reason.ENC_ALG, OURS)
    digest = encrypted(Encryption(transport=transport))
    add_parameter(digest, "EncryptedKey", etree.Element(tag("ds:DigestMethod"), Algorithm="urn:x"))
    refused(digest, Reason.ENC_ALG, OURS)


@pytest.mark.case("XE-20")
def test_xe_20_mask_with_the_transport_that_fixes_it() -> None:
    root = encrypted(Encryption(transport=MGF1P, mask=f"{XENC11}mgf1sha1"))
    refused(root, Reason.ENC_ALG, OURS)


@pytest.mark.case("XE-20")
@pytest.mark.parametrize(("bits", "fine"), [("256", True), ("128", False), ("", False)])
def test_xe_20_key_size(bits: str, fine: bool) -> None:
    root = encrypted()
    size = etree.Element(xenc("KeySize"))
    size.text = bits
    add_parameter(root, "EncryptedData", size)
    if fine:
        assert accepted(root, OURS).name_id == VICTIM
    else:
        refused(root, Reason.ENC_ALG, OURS)


@pytest.mark.case("XE-20")
def test_xe_20_unknown_parameter_of_the_cipher() -> None:
    root = encrypted()
    add_parameter(root, "EncryptedData", etree.Element(xenc("OAEPparams")))
    refused(root, Reason.ENC_ALG, OURS)


def set_attribute(name: str, attribute: str, value: str) -> Edit:
    return lambda root: find(root, name).set(attribute, value)


def set_text(name: str, value: str) -> Edit:
    def put(root: _Element) -> None:
        find(root, name).text = value

    return put


@pytest.mark.case("XE-21")
@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (set_text("saml:Audience", "https://other.test"), Reason.SAML_AUDIENCE),
        (
            set_attribute("saml:SubjectConfirmationData", "Recipient", "https://other.test"),
            Reason.SAML_RECIPIENT,
        ),
        (
            set_attribute("saml:SubjectConfirmationData", "InResponseTo", "_other"),
            Reason.SAML_IN_RESPONSE_TO,
        ),
        (
            set_attribute("saml:Conditions", "NotOnOrAfter", "2026-11-18T11:59:00Z"),
            Reason.SAML_EXPIRED,
        ),
        (
            set_attribute("saml:Conditions", "NotBefore", "2026-11-18T12:01:01Z"),
            Reason.SAML_NOT_YET,
        ),
        (
            set_attribute("saml:SubjectConfirmation", "Method", "urn:other"),
            Reason.SAML_CONFIRMATION,
        ),
        (set_attribute("samlp:StatusCode", "Value", "urn:other"), Reason.SAML_STATUS),
        (set_attribute("samlp:Response", "Destination", "urn:other"), Reason.SAML_DESTINATION),
    ],
)
def test_xe_21_same_rules_for_an_encrypted_assertion(
    before: Edit, reason: Reason, sealed: bool
) -> None:
    root = encrypted(before=before) if sealed else document(before=before)
    refused(root, reason, OURS)


@pytest.mark.case("XE-21")
def test_xe_21_issuer_of_an_encrypted_assertion() -> None:
    root = response_element()
    find(root, "saml:Assertion")[0].text = "https://other.test"
    refused(encrypted(root=root), Reason.SAML_ISSUER, OURS)


@pytest.mark.case("XE-21")
def test_xe_21_replay_data_of_an_encrypted_assertion() -> None:
    clear, sealed = accepted(document(), OURS), accepted(encrypted(), OURS)
    assert (sealed.assertion_id, sealed.replay_until) == (clear.assertion_id, clear.replay_until)
    assert sealed.replay_until == NOW + 11 * MINUTE


def test_peek_into_an_encrypted_response_reads_the_outside() -> None:
    root = encrypted()
    assert peek_in_response_to(octets(root)) == REQ
    del root.attrib["InResponseTo"]
    assert peek_in_response_to(octets(root)) is None
