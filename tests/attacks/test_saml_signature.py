"""Signatures that are wrong in one thing (security cases XS)."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree
from lxml.etree import _Element

from tests.support.canary import listening
from tests.support.saml_documents import (
    ENVELOPED,
    FORGED,
    INCLUSIVE,
    MORE,
    NOW,
    RSA_SHA256,
    VICTIM,
    Signature,
    Signed,
    accepted,
    changed,
    document,
    expectation,
    find,
    fragment,
    octets,
    refused,
    response_element,
    sign_element,
    tag,
)
from tests.support.saml_key_kinds import certificate_of, curve_certificate, curve_key, rsa_key
from tests.support.saml_keys import NOT_AFTER, NOT_BEFORE, certificate, signer
from vestibule.clock import DAY
from vestibule.saml.errors import Reason
from vestibule.saml.keys import Certificate, read_certificate
from vestibule.saml.response import Expectation
from vestibule.saml.xml import DS, EXC_C14N


def signed_by(name: str, *, key_info: str | None = None) -> Signature:
    return Signature(key=signer(name).key, certificate_pem=key_info and signer(key_info).pem)


def edited(edit: Callable[[_Element], None]) -> _Element:
    """A Response whose SignedInfo was changed before the identity provider signed it."""
    return document(signature=Signature(key=signer("idp").key, edit=edit))


def pinned(*certificates: Certificate) -> Expectation:
    return replace(expectation(), keys=certificates)


@pytest.mark.case("XS-01")
@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
def test_xs_01_what_identity_providers_sign(sign: Signed) -> None:
    result = accepted(document(sign=sign))
    assert (result.name_id, result.warnings) == (VICTIM, ())
    assert [step.passed for step in result.steps] == [True] * len(result.steps)


@pytest.mark.case("XS-02")
def test_xs_02_no_signature() -> None:
    refused(document(sign="none"), Reason.SIG_MISSING)


@pytest.mark.case("XS-03")
@pytest.mark.parametrize("sign", ["none", "assertion", "both"])
def test_xs_03_connection_without_a_certificate(sign: Signed) -> None:
    refused(document(sign=sign), Reason.SIG_NOKEY, expectation(keys=()))


@pytest.mark.case("XS-05b")
def test_xs_05b_certificate_in_the_message_is_no_pinned_key() -> None:
    root = document(signature=signed_by("attacker", key_info="attacker"))
    refused(root, Reason.SIG_NOKEY, expectation(keys=()))


@pytest.mark.case("XS-04")
@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
def test_xs_04_name_id_changed_after_signing(sign: Signed) -> None:
    data = changed(octets(document(sign=sign)), f">{VICTIM}</saml:N", f">{FORGED}</saml:N")
    refused(data, Reason.SIG_DIGEST)


@pytest.mark.case("XS-05")
@pytest.mark.parametrize("bit", [0, 7, 1024, 2047])
def test_xs_05_one_bit_of_the_signature_value(bit: int) -> None:
    root = document()
    value = find(root, "ds:SignatureValue")
    raw = bytearray(b64decode(value.text or ""))
    raw[bit // 8] ^= 1 << bit % 8
    value.text = b64encode(raw).decode()
    refused(root, Reason.SIG_VALUE)


@pytest.mark.case("XS-05")
@pytest.mark.parametrize("value", ["", "====", "not base64!", "YWJj", "YWJjZA", None])
def test_xs_05_signature_value_of_another_form(value: str | None) -> None:
    root = document()
    find(root, "ds:SignatureValue").text = value
    refused(root, Reason.SIG_VALUE)


@pytest.mark.case("XS-06", "XS-07")
@pytest.mark.parametrize("shown", ["attacker", "idp", None])
def test_xs_06_07_attackers_key_whatever_certificate_is_shown(shown: str | None) -> None:
    refused(document(signature=signed_by("attacker", key_info=shown)), Reason.SIG_VALUE)


@pytest.mark.case("XS-08")
@pytest.mark.parametrize(
    "content",
    [
        "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQ==</ds:Modulus></ds:RSAKeyValue></ds:KeyValue>",
        "<ds:X509Data>{0}{1}</ds:X509Data>",
    ],
)
def test_xs_08_attackers_key_with_a_key_value_or_a_chain(content: str) -> None:
    bodies = [
        f"<ds:X509Certificate>{''.join(signer(name).pem.splitlines()[1:-1])}</ds:X509Certificate>"
        for name in ("attacker", "idp")
    ]
    root = document(signature=signed_by("attacker"))
    find(root, "ds:Signature").append(
        fragment(f"<ds:KeyInfo>{content.format(*bodies)}</ds:KeyInfo>")
    )
    refused(root, Reason.SIG_VALUE)


@pytest.mark.case("XS-09")
@pytest.mark.parametrize(
    "key_info", [None, "<ds:KeyInfo/>", "<ds:KeyInfo><ds:KeyName>another</ds:KeyName></ds:KeyInfo>"]
)
def test_xs_09_key_info_is_never_read(key_info: str | None) -> None:
    root = document(signature=signed_by("idp", key_info="attacker" if key_info is None else None))
    if key_info is not None:
        find(root, "ds:Signature").append(fragment(key_info))
    assert accepted(root).name_id == VICTIM
    assert accepted(document(signature=signed_by("idp"))).name_id == VICTIM


@pytest.mark.case("XS-10")
def test_xs_10_key_info_that_points_elsewhere_calls_nobody() -> None:
    with listening() as canary:
        many = "<ds:X509Certificate>AQ==</ds:X509Certificate>" * 1_000
        root = document()
        find(root, "ds:Signature").append(
            fragment(
                f'<ds:KeyInfo><ds:RetrievalMethod URI="{canary.url}"/>'
                f"<ds:KeyName>{canary.url}</ds:KeyName><ds:X509Data>{many}</ds:X509Data></ds:KeyInfo>"
            )
        )
        assert accepted(root).name_id == VICTIM
        assert canary.hits == 0


@pytest.mark.case("XS-31", "XS-32", "XS-33", "XS-34")
@pytest.mark.parametrize("key", ["idp", "attacker"])
@pytest.mark.parametrize(
    "uri",
    [
        "",
        None,
        "#",
        "#xpointer(/)",
        "#xpointer(id('_assertion-1'))",
        "_assertion-1",
        "#_Assertion-1",
        "#_assertion-1 ",
        "file:///etc/hostname",
    ],
)
def test_xs_31_to_34_reference_that_does_not_name_its_parent(uri: str | None, key: str) -> None:
    def point(info: _Element) -> None:
        reference = find(info, "ds:Reference")
        if uri is None:
            del reference.attrib["URI"]
        else:
            reference.set("URI", uri)

    refused(document(signature=replace(signed_by(key), edit=point)), Reason.SIG_REF)


@pytest.mark.case("XS-35")
def test_xs_35_reference_to_a_server_calls_nobody() -> None:
    with listening() as canary:
        how = replace(signed_by("idp"), reference=f"{canary.url}/x")
        refused(document(signature=how), Reason.SIG_REF)
        assert canary.hits == 0


@pytest.mark.case("XS-36")
def test_xs_36_two_references_signed() -> None:
    refused(edited(lambda info: info.append(deepcopy(info[2]))), Reason.SIG_REFS)


@pytest.mark.case("XS-37")
def test_xs_37_second_reference_added_without_signing() -> None:
    root = document()
    info = find(root, "ds:SignedInfo")
    info.append(deepcopy(info[2]))
    refused(root, Reason.SIG_REFS)


@pytest.mark.case("XS-38")
def test_xs_38_no_reference() -> None:
    refused(edited(lambda info: info.remove(info[2])), Reason.SIG_REFS)


@pytest.mark.case("XS-39")
def test_xs_39_reference_to_a_manifest() -> None:
    def manifest(info: _Element) -> None:
        info[2].set("Type", f"{DS}Manifest")
        info[2].set("URI", "#_manifest")

    root = document(signature=replace(signed_by("idp"), edit=manifest))
    refused(root, Reason.SIG_REF)


@pytest.mark.case("XS-40")
@pytest.mark.parametrize("position", [0, 1])
def test_xs_40_two_signed_infos(position: int) -> None:
    root = document()
    signature = find(root, "ds:Signature")
    forged = deepcopy(find(root, "ds:SignedInfo"))
    find(forged, "ds:DigestValue").text = "AAAA"
    signature.insert(position, forged)
    refused(root, Reason.SIG_CHILDREN)


@pytest.mark.case("XS-41")
@pytest.mark.parametrize("template", ["<!--Zm9yZ2Vk-->{}", "{}<!--x-->"])
def test_xs_41_comment_in_the_digest_value(template: str) -> None:
    root = document()
    value = find(root, "ds:DigestValue").text or ""
    data = changed(octets(root), f">{value}<", f">{template.format(value)}<")
    refused(data, Reason.XML_COMMENT)


@pytest.mark.case("XS-42")
def test_xs_42_element_in_the_digest_value() -> None:
    refused(
        edited(lambda info: find(info, "ds:DigestValue").append(etree.Element("x"))),
        Reason.XML_MIXED,
    )


@pytest.mark.case("XS-42")
def test_xs_42_line_breaks_in_base64() -> None:
    def wrap(info: _Element) -> None:
        value = find(info, "ds:DigestValue")
        value.text = f"\n {(value.text or '')[:20]}\r\n\t{(value.text or '')[20:]}\n"

    root = edited(wrap)
    value = find(root, "ds:SignatureValue")
    value.text = "\n".join((value.text or "")[at : at + 76] for at in range(0, 400, 76))
    assert accepted(root).name_id == VICTIM


@pytest.mark.case("XS-43")
@pytest.mark.parametrize("name", ["ds:DigestValue", "ds:DigestMethod", "ds:Transforms"])
def test_xs_43_double_parts_of_the_reference(name: str) -> None:
    def double(info: _Element) -> None:
        part = find(info, name)
        part.addnext(deepcopy(part))

    refused(edited(double), Reason.SIG_CHILDREN)


@pytest.mark.case("XS-43")
@pytest.mark.parametrize(
    "name", ["ds:SignatureValue", "ds:CanonicalizationMethod", "ds:SignatureMethod"]
)
def test_xs_43_double_parts_of_the_signature(name: str) -> None:
    root = document()
    part = find(root, name)
    part.addnext(deepcopy(part))
    refused(root, Reason.SIG_CHILDREN)


@pytest.mark.parametrize("sign", ["assertion", "response"])
@pytest.mark.parametrize("name", ["ds:Signature", "ds:SignedInfo", "ds:SignatureValue"])
def test_text_between_the_parts_of_a_signature(name: str, sign: Signed) -> None:
    root = document(sign=sign)
    part = find(root, name)
    if name == "ds:Signature":
        part.text = FORGED
    else:
        part.tail = f"\n {FORGED}"
    refused(root, Reason.SIG_CHILDREN)


def test_white_space_between_the_parts_of_a_signature() -> None:
    root = document()
    signature = find(root, "ds:Signature")
    signature.text = signature[0].tail = signature[1].tail = "\r\n\t "
    assert accepted(root).name_id == VICTIM


@pytest.mark.parametrize("attribute", ["ID", "Algorithm", "{urn:x}Id", "Encoding"])
@pytest.mark.parametrize("name", ["ds:Signature", "ds:SignatureValue"])
def test_attribute_that_a_signature_does_not_have(name: str, attribute: str) -> None:
    root = document()
    find(root, name).set(attribute, "_x")
    assert attribute in str(refused(root, Reason.SIG_CHILDREN).received)


@pytest.mark.parametrize("name", ["ds:Signature", "ds:SignatureValue"])
def test_id_that_a_signature_may_have(name: str) -> None:
    root = document()
    find(root, name).set("Id", "_x")
    assert accepted(root).name_id == VICTIM


@pytest.mark.case("XS-43")
@pytest.mark.parametrize("name", ["ds:SignatureValue", "ds:SignedInfo"])
def test_xs_43_missing_parts_of_the_signature(name: str) -> None:
    root = document()
    find(root, "ds:Signature").remove(find(root, name))
    refused(root, Reason.SIG_CHILDREN)


@pytest.mark.case("XS-44")
@pytest.mark.parametrize("value", ["", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "AA==", "x"])
def test_xs_44_digest_of_nothing(value: str) -> None:
    def empty(info: _Element) -> None:
        find(info, "ds:DigestValue").text = value

    refused(edited(empty), Reason.SIG_DIGEST)


TRANSFORMS = {
    "xslt": "http://www.w3.org/TR/1999/REC-xslt-19991116",
    "xpath": "http://www.w3.org/TR/1999/REC-xpath-19991116",
    "xpath2": "http://www.w3.org/2002/06/xmldsig-filter2",
    "base64": f"{DS}base64",
    "decryption": "http://www.w3.org/2002/07/decrypt#XML",
}


@pytest.mark.case("XS-45", "XS-46", "XS-50")
@pytest.mark.parametrize("key", ["idp", "attacker"])
@pytest.mark.parametrize(
    "transforms",
    [
        *[[ENVELOPED, uri] for uri in TRANSFORMS.values()],
        *[[ENVELOPED, EXC_C14N, uri] for uri in TRANSFORMS.values()],
        [],
        [ENVELOPED],
        [EXC_C14N],
        [ENVELOPED, ENVELOPED],
        [ENVELOPED, ENVELOPED, EXC_C14N],
        [EXC_C14N, ENVELOPED],
        [ENVELOPED, *[EXC_C14N] * 999],
        [ENVELOPED, INCLUSIVE],
        [ENVELOPED, f"{EXC_C14N}WithComments"],
        [ENVELOPED, f"{INCLUSIVE}#WithComments"],
    ],
    ids=lambda transforms: "+".join(name.rpartition("/")[2] for name in transforms[:3]),
)
def test_xs_45_46_50_other_transforms(transforms: list[str], key: str) -> None:
    how = replace(signed_by(key), transforms=transforms)
    refused(document(signature=how), Reason.SIG_TRANSFORM)


@pytest.mark.case("XS-45")
def test_xs_45_parameters_of_the_enveloped_transform() -> None:
    def parameter(info: _Element) -> None:
        etree.SubElement(find(info, "ds:Transform"), "x")

    refused(edited(parameter), Reason.SIG_TRANSFORM)


@pytest.mark.case("XS-46")
def test_xs_46_something_else_among_the_transforms() -> None:
    def rename(info: _Element, position: int) -> None:
        find(info, "ds:Transforms")[position].tag = tag("ds:Other")

    refused(edited(lambda info: rename(info, 0)), Reason.SIG_TRANSFORM)
    refused(edited(lambda info: rename(info, 1)), Reason.SIG_TRANSFORM)


@pytest.mark.case("XS-47")
@pytest.mark.parametrize("prefixes", ["xs saml #default", "xs", "none-of-these"])
def test_xs_47_inclusive_prefixes(prefixes: str) -> None:
    how = replace(signed_by("idp"), prefixes=prefixes)

    def declare(root: _Element) -> None:
        find(root, "saml:Attribute").set("{http://www.w3.org/2001/XMLSchema}lang", "x")

    assert accepted(document(signature=how, before=declare)).name_id == VICTIM


@pytest.mark.case("XS-48")
@pytest.mark.parametrize(
    "content",
    [
        f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" PrefixList="{"p " * 10_000}"/>',
        f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" PrefixList="{"p " * 21}"/>',
        f'<ec:Unknown xmlns:ec="{EXC_C14N}" PrefixList="p"/>',
        f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" PrefixList="p"/>' * 2,
    ],
    ids=["10000", "21", "unknown", "two"],
)
def test_xs_48_inclusive_prefixes_of_another_form(content: str) -> None:
    def put(info: _Element) -> None:
        find(info, "ds:Transforms")[1].extend(fragment(f"<x>{content}</x>"))

    refused(edited(put), Reason.SIG_TRANSFORM)


@pytest.mark.case("XS-48")
@pytest.mark.parametrize("name", ["ds:DigestValue", "ds:CanonicalizationMethod"])
def test_xs_48_nothing_else_is_canonicalized_before_the_signature_is_verified(name: str) -> None:
    def fill(info: _Element) -> None:
        prefixes = f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" PrefixList="p">{{}}'
        text = prefixes.format("<x/>" * 3) + "</ec:InclusiveNamespaces>"
        find(info, name).append(fragment(text))

    how = replace(signed_by("attacker"), edit=fill)
    refused(document(signature=how), Reason.SIG_CHILDREN)


@pytest.mark.case("XS-49")
def test_xs_49_inclusive_canonicalization_only_where_a_connection_allows_it() -> None:
    old = replace(signed_by("idp"), c14n=INCLUSIVE, transforms=(ENVELOPED, INCLUSIVE))
    root = document(sign="both", signature=old)
    refused(deepcopy(root), Reason.SIG_C14N)
    tolerant = replace(expectation(), allow_inclusive_c14n=True)
    assert accepted(root, tolerant).warnings == ("c14n.inclusive",)
    assert accepted(document(), tolerant).warnings == ()


@pytest.mark.case("XS-50")
@pytest.mark.parametrize("c14n", [f"{EXC_C14N}WithComments", f"{INCLUSIVE}#WithComments", ""])
@pytest.mark.parametrize("tolerant", [True, False])
def test_xs_50_canonicalization_with_comments(c14n: str, tolerant: bool) -> None:
    def method(info: _Element) -> None:
        find(info, "ds:CanonicalizationMethod").set("Algorithm", c14n)

    refused(edited(method), Reason.SIG_C14N, replace(expectation(), allow_inclusive_c14n=tolerant))


@pytest.mark.case("XS-51", "XS-53", "XS-54", "XS-55")
@pytest.mark.parametrize(
    "method",
    [
        f"{MORE}hmac-sha256",
        f"{DS}hmac-sha1",
        f"{DS}rsa-sha1",
        f"{MORE}rsa-md5",
        f"{DS}dsa-sha1",
        "http://www.w3.org/2009/xmldsig11#dsa-sha256",
        f"{MORE}rsa-ripemd160",
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
        "http://www.w3.org/2007/05/xmldsig-more#rsa-pss",
        f"{MORE}ecdsa-sha1",
        f"{MORE}rsa-sha224",
        RSA_SHA256.upper(),
        "",
    ],
)
def test_xs_51_53_to_55_other_signature_methods(method: str) -> None:
    def put(info: _Element) -> None:
        find(info, "ds:SignatureMethod").set("Algorithm", method)

    refused(edited(put), Reason.SIG_ALG)


@pytest.mark.case("XS-53")
@pytest.mark.parametrize("digest", [f"{DS}sha1", f"{MORE}md5", f"{MORE}sha224", ""])
def test_xs_53_other_digests(digest: str) -> None:
    def put(info: _Element) -> None:
        find(info, "ds:DigestMethod").set("Algorithm", digest)

    refused(edited(put), Reason.SIG_ALG)


@pytest.mark.case("XS-52")
@pytest.mark.parametrize("name", ["ds:SignatureMethod", "ds:DigestMethod"])
def test_xs_52_parameters_of_the_algorithms(name: str) -> None:
    def put(info: _Element) -> None:
        etree.SubElement(find(info, name), tag("ds:HMACOutputLength")).text = "0"

    refused(edited(put), Reason.SIG_ALG)


@pytest.mark.parametrize("bits", ["256", "384", "512"])
def test_sha_2_of_every_size(bits: str) -> None:
    digest = {"384": f"{MORE}sha384"}.get(bits, f"http://www.w3.org/2001/04/xmlenc#sha{bits}")
    how = replace(signed_by("idp"), method=f"{MORE}rsa-sha{bits}", digest=digest)
    assert accepted(document(signature=how)).name_id == VICTIM


@pytest.mark.case("XS-56")
@pytest.mark.parametrize(("curve", "bits"), [("P-256", "256"), ("P-384", "384"), ("P-521", "512")])
def test_xs_56_ecdsa(curve: str, bits: str) -> None:
    how = Signature(key=curve_key(curve), method=f"{MORE}ecdsa-sha{bits}")
    expected = pinned(read_certificate(curve_certificate(curve)))
    root = document(signature=how)
    assert accepted(deepcopy(root), expected).name_id == VICTIM
    refused(root, Reason.SIG_KEY)


@pytest.mark.case("XS-56")
def test_xs_56_ecdsa_values_that_are_none() -> None:
    root = document(signature=Signature(key=curve_key("P-256"), method=f"{MORE}ecdsa-sha256"))
    value = find(root, "ds:SignatureValue")
    raw = b64decode(value.text or "")
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    expected = pinned(read_certificate(curve_certificate("P-256")))
    for wrong in (
        bytes(64),
        der,
        order.to_bytes(32) * 2,
        raw + b"\0",
        raw[:32] + b"\0" + raw[32:],
        raw[:63],
        raw[32:] + raw[:32],
    ):
        value.text = b64encode(wrong).decode()
        refused(deepcopy(root), Reason.SIG_VALUE, expected)


@pytest.mark.case("XS-56")
def test_xs_56_rsa_method_with_a_curve_certificate() -> None:
    refused(document(), Reason.SIG_KEY, pinned(read_certificate(curve_certificate("P-256"))))


@pytest.mark.case("XS-57")
@pytest.mark.parametrize("bits", [1024, 2047])
def test_xs_57_weak_key_that_came_past_the_upload(bits: int) -> None:
    key = rsa_key(bits)
    weak = replace(signer("idp").certificate, public_key=key.public_key())
    refused(document(signature=Signature(key=key)), Reason.SIG_KEY, pinned(weak))


def forged_block(shape: str, size: int, digest: bytes) -> int:
    """An RSA block that a careless check of PKCS #1 v1.5 would take for a signature."""
    prefix = bytes.fromhex("3031300d060960864801650304020105000420")
    no_null = bytes.fromhex("302f300b0609608648016503040201 0420".replace(" ", ""))
    if shape == "good":
        info = prefix + digest
        return int.from_bytes(b"\0\1" + b"\xff" * (size - 3 - len(info)) + b"\0" + info)
    if shape == "no null":
        info = no_null + digest
        return int.from_bytes(b"\0\1" + b"\xff" * (size - 3 - len(info)) + b"\0" + info)
    head = b"\0\1" + b"\xff" * 8 + b"\0" + prefix + digest
    return int.from_bytes(head + b"\0" * (size - len(head)))


@pytest.mark.case("XS-58")
@pytest.mark.parametrize("shape", ["good", "no null", "garbage behind"])
def test_xs_58_forms_of_an_rsa_block(shape: str) -> None:
    key = rsa_key(2048)
    expected = pinned(read_certificate(certificate_of(key)))
    root = document(signature=Signature(key=key))
    value, private = find(root, "ds:SignatureValue"), key.private_numbers()
    good = int.from_bytes(b64decode(value.text or ""))
    modulus = private.public_numbers.n
    digest = pow(good, private.public_numbers.e, modulus).to_bytes(256)[-32:]
    block = pow(forged_block(shape, 256, digest), private.d, modulus)
    value.text = b64encode(block.to_bytes(256)).decode()
    if shape == "good":
        assert accepted(root, expected).name_id == VICTIM
    else:
        refused(root, Reason.SIG_VALUE, expected)


@pytest.mark.case("XS-58")
def test_xs_58_cube_root_without_the_private_key() -> None:
    key = rsa_key(2048, 3)
    expected = pinned(read_certificate(certificate_of(key)))
    root = document(signature=Signature(key=key))
    assert accepted(deepcopy(root), expected).name_id == VICTIM
    value = find(root, "ds:SignatureValue")
    numbers = key.public_key().public_numbers()
    block = pow(int.from_bytes(b64decode(value.text or "")), 3, numbers.n).to_bytes(256)
    target = forged_block("garbage behind", 256, block[-32:])
    low, high = 0, 1 << 700
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if middle**3 < target else (low, middle)
    assert (low**3).to_bytes(256)[:62] == target.to_bytes(256)[:62]
    value.text = b64encode(low.to_bytes(256)).decode()
    refused(root, Reason.SIG_VALUE, expected)


@pytest.mark.case("XS-59")
@pytest.mark.parametrize(
    ("not_before", "not_after", "warning"),
    [
        (NOT_BEFORE, NOW - DAY, "certificate.expired"),
        (NOW + DAY, NOT_AFTER, "certificate.not_yet_valid"),
    ],
)
def test_xs_59_certificate_outside_its_time(not_before: int, not_after: int, warning: str) -> None:
    key = signer("idp").key
    pem = certificate("idp", not_before=not_before, not_after=not_after, key=key)
    expected = pinned(read_certificate(pem))
    assert accepted(document(), expected).warnings == (warning,)
    strict = replace(expected, refuse_expired_certificates=True)
    refused(document(), Reason.SIG_KEY, strict)
    both = replace(strict, keys=(*strict.keys, signer("idp").certificate))
    assert accepted(document(), both).warnings == ()


@pytest.mark.case("XS-60", "XS-61")
def test_xs_60_61_key_rollover() -> None:
    during = expectation(keys=("idp", "idp-new"))
    for name in ("idp", "idp-new"):
        assert accepted(document(signature=signed_by(name)), during).name_id == VICTIM
    after = expectation(keys=("idp-new",))
    assert accepted(document(signature=signed_by("idp-new")), after).name_id == VICTIM
    refused(document(signature=signed_by("idp")), Reason.SIG_VALUE, after)


@pytest.mark.case("XS-60")
def test_xs_60_only_ten_keys_are_tried() -> None:
    other, own = signer("idp-new").certificate, signer("idp").certificate
    assert accepted(document(), pinned(*[other] * 9, own)).name_id == VICTIM
    refused(document(), Reason.SIG_VALUE, pinned(*[other] * 10, own))


@pytest.mark.case("XS-63")
def test_xs_63_response_signature_broken_assertion_signature_right() -> None:
    root = document(sign="both")
    root.set("InResponseTo", "_request-1 ")
    refused(root, Reason.SIG_DIGEST)


@pytest.mark.case("XS-64")
@pytest.mark.parametrize(
    ("of_response", "of_assertion"), [("idp", "attacker"), ("attacker", "idp")]
)
def test_xs_64_one_of_two_signatures_by_the_attacker(of_response: str, of_assertion: str) -> None:
    root = response_element()
    sign_element(find(root, "saml:Assertion"), signed_by(of_assertion))
    sign_element(root, signed_by(of_response))
    refused(root, Reason.SIG_VALUE)


@pytest.mark.case("XS-65")
def test_xs_65_connection_that_demands_signed_assertions() -> None:
    demanding = replace(expectation(), require_signed_assertion=True)
    refused(document(sign="response"), Reason.SIG_POLICY, demanding)
    assert accepted(document(sign="assertion"), demanding).name_id == VICTIM
    assert accepted(document(sign="response")).name_id == VICTIM


@pytest.mark.case("XS-66")
def test_xs_66_connection_that_demands_signed_responses() -> None:
    demanding = replace(expectation(), require_signed_response=True)
    refused(document(sign="assertion"), Reason.SIG_POLICY, demanding)
    assert accepted(document(sign="both"), demanding).name_id == VICTIM
    assert accepted(document(sign="assertion")).name_id == VICTIM


@pytest.mark.case("XS-67")
def test_xs_67_signature_of_another_message_with_the_same_id() -> None:
    root = response_element(subject=FORGED)
    find(root, "saml:Assertion").insert(1, find(document(), "ds:Signature"))
    refused(root, Reason.SIG_DIGEST)


@pytest.mark.case("XS-68")
def test_xs_68_what_canonicalization_does_not_see() -> None:
    data = changed(octets(document()), "<samlp:Status>", "\n  <samlp:Status>")
    start = '<saml:Assertion ID="_assertion-1" Version="2.0" IssueInstant='
    assert start.encode() in data
    data = changed(data, 'ID="_assertion-1" Version="2.0"', "Version='2.0'  ID='_assertion-1'")
    assert accepted(data).name_id == VICTIM
    refused(changed(data, "<saml:Subject>", " <saml:Subject>"), Reason.SIG_DIGEST)


@pytest.mark.case("XS-68")
def test_xs_68_prefix_renamed_inside_the_signed_part() -> None:
    data = octets(document())
    renamed = data.replace(b"saml:NameID", b"s:NameID").replace(
        b"<s:NameID ", b'<s:NameID xmlns:s="urn:oasis:names:tc:SAML:2.0:assertion" '
    )
    assert renamed != data
    refused(renamed, Reason.SIG_DIGEST)
