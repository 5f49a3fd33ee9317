"""Signature wrapping: genuine signatures beside forged content (security cases XS)."""

from copy import deepcopy

import pytest
from lxml import etree
from lxml.etree import _Element

from tests.support.saml_documents import (
    FORGED,
    VICTIM,
    Signature,
    accepted,
    changed,
    document,
    find,
    octets,
    refused,
    response_element,
    sign_element,
    tag,
)
from tests.support.saml_keys import signer
from vestibule.saml.errors import Reason
from vestibule.saml.xml import SAMLP, detach


def evil_response() -> _Element:
    return response_element(
        subject=FORGED, response_id="_evil-response", assertion_id="_evil-assertion"
    )


def evil_assertion() -> _Element:
    return find(evil_response(), "saml:Assertion")


def signed_error() -> _Element:
    """A Response by the identity provider itself that says nobody signed in."""

    def fail(root: _Element) -> None:
        code = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"
        find(root, "samlp:StatusCode").set("Value", code)
        root.remove(find(root, "saml:Assertion"))

    return document(sign="response", before=fail)


@pytest.mark.case("XS-11")
def test_xs_11_xsw1_original_response_inside_the_signature() -> None:
    original, forged = document(sign="response"), evil_response()
    signature = find(original, "ds:Signature")
    forged.insert(1, signature)
    signature.append(original)
    refused(forged, Reason.SIG_CHILDREN)


@pytest.mark.case("XS-12")
def test_xs_12_xsw2_original_response_beside_its_signature() -> None:
    original, forged = document(sign="response"), evil_response()
    forged.insert(1, find(original, "ds:Signature"))
    forged.insert(2, original)
    refused(forged, Reason.SAML_COUNT)


@pytest.mark.case("XS-13")
def test_xs_13_xsw3_forged_assertion_before_the_signed_one() -> None:
    root = document()
    root.insert(root.index(find(root, "saml:Assertion")), evil_assertion())
    refused(root, Reason.SAML_COUNT)


@pytest.mark.case("XS-14")
def test_xs_14_xsw4_forged_assertion_around_the_signed_one() -> None:
    root = document()
    evil = evil_assertion()
    root.append(evil)
    evil.append(root[root.index(evil) - 1])
    refused(root, Reason.SAML_COUNT)


@pytest.mark.case("XS-15")
def test_xs_15_xsw5_forged_assertion_with_the_signature() -> None:
    root, evil = document(), evil_assertion()
    signed = find(root, "saml:Assertion")
    evil.insert(1, find(root, "ds:Signature"))
    root.replace(signed, evil)
    refused(deepcopy(root), Reason.SIG_REF)
    root.append(signed)
    refused(root, Reason.SAML_COUNT)


@pytest.mark.case("XS-16")
def test_xs_16_xsw6_original_inside_the_signature_of_the_forged_one() -> None:
    root, evil = document(), evil_assertion()
    signed, signature = find(root, "saml:Assertion"), find(root, "ds:Signature")
    evil.insert(1, signature)
    root.replace(signed, evil)
    signature.append(signed)
    refused(root, Reason.SIG_CHILDREN)


@pytest.mark.case("XS-17")
def test_xs_17_xsw7_forged_assertion_in_extensions() -> None:
    root = document()
    extensions = etree.Element(f"{{{SAMLP}}}Extensions")
    extensions.append(evil_assertion())
    root.insert(1, extensions)
    refused(root, Reason.SAML_COUNT)


@pytest.mark.case("XS-18")
def test_xs_18_xsw8_original_in_an_object_of_the_signature() -> None:
    root, evil = document(), evil_assertion()
    signed, signature = find(root, "saml:Assertion"), find(root, "ds:Signature")
    evil.insert(1, signature)
    root.replace(signed, evil)
    etree.SubElement(signature, tag("ds:Object")).append(signed)
    refused(root, Reason.SIG_CHILDREN)


@pytest.mark.case("XS-19")
def test_xs_19_xsw9_signed_assertion_in_extensions_forged_in_its_place() -> None:
    root = document()
    signed = find(root, "saml:Assertion")
    root.replace(signed, evil_assertion())
    extensions = etree.Element(f"{{{SAMLP}}}Extensions")
    extensions.append(signed)
    root.insert(1, extensions)
    refused(root, Reason.SAML_COUNT)


@pytest.mark.case("XS-19")
def test_xs_19_signed_assertion_in_extensions_and_none_in_its_place() -> None:
    root = document()
    extensions = etree.Element(f"{{{SAMLP}}}Extensions")
    extensions.append(find(root, "saml:Assertion"))
    root.insert(1, extensions)
    refused(root, Reason.SAML_COUNT)


@pytest.mark.case("XS-20")
@pytest.mark.parametrize(
    ("parent", "wrapper"),
    [
        ("samlp:Status", "samlp:StatusDetail"),
        ("saml:Assertion", "saml:Advice"),
        ("saml:AttributeValue", None),
        ("saml:AuthnContext", "saml:AuthnContextDecl"),
        ("saml:SubjectConfirmationData", None),
        ("ds:Signature", "ds:KeyInfo"),
        ("samlp:Response", "foreign"),
    ],
)
def test_xs_20_forged_assertion_anywhere_else(parent: str, wrapper: str | None) -> None:
    root = document()
    place = find(root, parent)
    if wrapper is not None:
        place = etree.SubElement(place, tag(wrapper) if ":" in wrapper else "{urn:foreign}wrapper")
    place.append(evil_assertion())
    refused(root, Reason.SAML_COUNT)


@pytest.mark.case("XS-21")
@pytest.mark.parametrize("forged_first", [True, False])
def test_xs_21_two_assertions_both_signed_by_the_identity_provider(forged_first: bool) -> None:
    root, second = document(), evil_assertion()
    sign_element(second, Signature(key=signer("idp").key))
    root.insert(root.index(find(root, "saml:Assertion")) + (not forged_first), second)
    refused(root, Reason.SAML_COUNT)


@pytest.mark.case("XS-22")
def test_xs_22_an_assertion_and_an_encrypted_assertion() -> None:
    root = document()
    etree.SubElement(root, tag("saml:EncryptedAssertion"))
    refused(root, Reason.SAML_COUNT)


@pytest.mark.case("XS-23")
def test_xs_23_forged_assertion_appended_to_a_signed_error() -> None:
    root = signed_error()
    refused(deepcopy(root), Reason.SAML_STATUS)
    root.append(evil_assertion())
    refused(root, Reason.SIG_DIGEST)


@pytest.mark.case("XS-24")
def test_xs_24_forged_assertion_in_an_object_of_a_genuine_signature() -> None:
    root = signed_error()
    etree.SubElement(find(root, "ds:Signature"), tag("ds:Object")).append(evil_assertion())
    refused(root, Reason.SIG_CHILDREN)


@pytest.mark.case("XS-25")
def test_xs_25_second_signature_with_the_same_value_and_an_object() -> None:
    root = document(sign="response")
    second = deepcopy(find(root, "ds:Signature"))
    etree.SubElement(second, tag("ds:Object")).append(etree.Element("x"))
    root.insert(2, second)
    refused(root, Reason.SIG_COUNT)


@pytest.mark.case("XS-26")
def test_xs_26_status_of_a_signed_error_flipped_to_success() -> None:
    def fail(root: _Element) -> None:
        code = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"
        find(root, "samlp:StatusCode").set("Value", code)

    data = octets(document(sign="response", before=fail))
    refused(data, Reason.SAML_STATUS)
    refused(changed(data, "status:AuthnFailed", "status:Success"), Reason.SIG_DIGEST)


@pytest.mark.case("XS-27")
def test_xs_27_signed_assertion_in_a_response_that_says_error() -> None:
    data = changed(octets(document()), "status:Success", "status:Responder")
    refused(data, Reason.SAML_STATUS)


@pytest.mark.case("XS-28")
@pytest.mark.parametrize("element", ["saml:Subject", "samlp:Status", "saml:AttributeStatement"])
def test_xs_28_signature_over_a_part_only(element: str) -> None:
    root = response_element()
    part = find(root, element)
    part.set("ID", "_part")
    sign_element(part, Signature(key=signer("idp").key))
    refused(root, Reason.SIG_PLACE)


@pytest.mark.case("XS-29")
@pytest.mark.parametrize(
    ("element", "reference"),
    [("saml:Assertion", "#_response-1"), ("samlp:Response", "#_assertion-1")],
)
def test_xs_29_signature_in_one_element_reference_to_another(element: str, reference: str) -> None:
    root = response_element()
    sign_element(find(root, element), Signature(key=signer("idp").key, reference=reference))
    refused(root, Reason.SIG_REF)


@pytest.mark.case("XS-30")
@pytest.mark.parametrize("owner", ["samlp:Response", "saml:Assertion"])
def test_xs_30_signature_as_a_grandchild(owner: str) -> None:
    root = document(sign="response" if owner == "samlp:Response" else "assertion")
    signature = find(root, "ds:Signature")
    wrapper = etree.Element("{urn:foreign}wrapper")
    find(root, owner).replace(signature, wrapper)
    wrapper.append(signature)
    refused(root, Reason.SIG_PLACE)


@pytest.mark.case("XS-30")
def test_xs_30_signature_of_a_response_inside_the_response() -> None:
    root = document()
    inner = response_element(response_id="_inner", assertion_id="_inner-assertion")
    inner.remove(find(inner, "saml:Assertion"))
    sign_element(inner, Signature(key=signer("idp").key))
    etree.SubElement(root, tag("samlp:Extensions")).append(inner)
    refused(root, Reason.SIG_PLACE)


@pytest.mark.case("XS-30")
def test_xs_30_signature_as_the_root() -> None:
    refused(find(document(), "ds:Signature"), Reason.SAML_ROOT)


@pytest.mark.case("XS-69")
@pytest.mark.parametrize("namespace", ["", "urn:oasis:names:tc:SAML:1.0:assertion"])
def test_xs_69_assertion_of_another_namespace_is_not_read(namespace: str) -> None:
    root = document()
    decoy = etree.Element(f"{{{namespace}}}Assertion")
    etree.SubElement(decoy, f"{{{namespace}}}NameID").text = FORGED
    root.insert(1, decoy)
    assert accepted(root).name_id == VICTIM


@pytest.mark.case("XS-70")
def test_xs_70_markup_as_text_is_text() -> None:
    markup = octets(find(document(), "ds:Signature")).decode()
    root = response_element(attributes={"note": [markup]})
    assert accepted(document(root=root)).attributes == {"note": (markup,)}


@pytest.mark.case("XS-71")
def test_xs_71_assertion_in_advice_everything_signed() -> None:
    def advise(root: _Element) -> None:
        advice = etree.SubElement(find(root, "saml:Assertion"), tag("saml:Advice"))
        advice.append(evil_assertion())

    refused(document(sign="both", before=advise), Reason.SAML_COUNT)


def test_text_behind_a_signature_stays_signed() -> None:
    data = octets(document())
    refused(data.replace(b"</ds:Signature>", b"</ds:Signature>x"), Reason.SIG_DIGEST)
    root = response_element()
    assertion = find(root, "saml:Assertion")
    signature = sign_element(assertion, Signature(key=signer("idp").key))
    detach(signature)
    assertion[0].tail = "\n"
    again = sign_element(assertion, Signature(key=signer("idp").key))
    assert (assertion[0].tail, again.tail) == ("\n", None)
    assertion[0].tail, again.tail = None, "\n"
    assert accepted(root).name_id == VICTIM
