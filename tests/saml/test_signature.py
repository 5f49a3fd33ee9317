"""Signature verification against signatures that other libraries made, and its edges."""

from base64 import b64encode
from copy import deepcopy

import pytest
import xmlsec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree
from lxml.etree import _Element
from signxml import methods
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner

from tests.support.saml_documents import (
    RSA_SHA256,
    VICTIM,
    Signature,
    accepted,
    document,
    expectation,
    find,
    fragment,
    response_element,
    sign_element,
    tag,
)
from tests.support.saml_keys import signer
from tests.support.second_opinions import xmlsec_accepts
from vestibule.saml.canonicalization import EXCLUSIVE, canonicalize
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.keys import private_key_pem
from vestibule.saml.signature import (
    find_signatures,
    verify_enveloped,
    verify_octets,
)
from vestibule.saml.xml import EXC_C14N


def sign_with_xmlsec(owner: _Element, prefixes: str) -> None:
    """Have xmlsec sign `owner`, with a list of inclusive prefixes."""
    sign_element(owner, Signature(key=signer("idp").key))
    signature = find(owner, "ds:Signature")
    prefix_list = f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" PrefixList="{prefixes}"/>'
    find(signature, "ds:Transforms")[1].append(fragment(prefix_list))
    find(signature, "ds:DigestValue").text = find(signature, "ds:SignatureValue").text = None
    xmlsec.tree.add_ids(owner.getroottree().getroot(), ["ID"])
    context = xmlsec.SignatureContext()
    pem = private_key_pem(signer("idp").key)
    context.key = xmlsec.Key.from_memory(pem.encode(), xmlsec.constants.KeyDataFormatPem)
    context.sign(signature)


@pytest.mark.case("XS-47")
@pytest.mark.parametrize("prefixes", ["#default xs", "#default", "xs", "unknown"])
def test_xs_47_prefix_lists_as_xmlsec_signs_them(prefixes: str) -> None:
    text = etree.tostring(response_element()).decode()
    declared = text.replace(
        "<samlp:Response ", '<samlp:Response xmlns="urn:d" xmlns:xs="urn:xs" ', 1
    )
    root = etree.fromstring(declared)
    sign_with_xmlsec(find(root, "saml:Assertion"), prefixes)
    assert accepted(root).name_id == VICTIM


def test_signxml_signs_what_we_verify() -> None:
    root = response_element()
    assertion = find(root, "saml:Assertion")
    assertion.insert(1, fragment('<ds:Signature Id="placeholder"/>'))
    signed = XMLSigner(
        method=methods.enveloped,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    ).sign(
        assertion,
        key=private_key_pem(signer("idp").key),
        cert=signer("idp").pem,
        reference_uri="#_assertion-1",
        id_attribute="ID",
    )
    fresh = response_element()
    fresh.replace(find(fresh, "saml:Assertion"), signed)
    assert accepted(fresh).name_id == VICTIM


@pytest.mark.case("XS-01")
def test_xmlsec_agrees_with_the_documents_of_these_tests() -> None:
    root = document(sign="both")
    for owner in (root, find(root, "saml:Assertion")):
        assert xmlsec_accepts(owner, signer("idp").pem)


@pytest.mark.case("XP-13")
def test_xp_13_signature_over_nothing() -> None:
    owner = etree.fromstring(b'<a xmlns:ns="1" ID="_a"><b/></a>')
    empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    root = response_element()
    signature = deepcopy(sign_element(root, Signature(key=signer("idp").key)))
    find(signature, "ds:Reference").set("URI", "#_a")
    find(signature, "ds:DigestValue").text = empty
    octets = canonicalize(signature[0], EXCLUSIVE)
    value = signer("idp").key.sign(octets, PKCS1v15(), SHA256())
    signature[1].text = b64encode(value).decode()
    owner.append(signature)
    with pytest.raises(SamlError) as caught:
        verify_enveloped(owner, signature, keys=expectation().keys)
    assert caught.value.reason is Reason.SIG_EMPTY


def test_verify_returns_the_certificate_and_takes_the_signature_out() -> None:
    root = document(sign="response")
    signatures = find_signatures(root, owners=(tag("samlp:Response"),))
    assert list(signatures) == [root]
    both = expectation(keys=("idp-new", "idp")).keys
    assert verify_enveloped(root, signatures[root], keys=both) == both[1]
    assert find_signatures(root, owners=()) == {}


def test_find_signatures_of_a_root_that_is_one() -> None:
    alone = deepcopy(find(document(), "ds:Signature"))
    with pytest.raises(SamlError) as caught:
        find_signatures(alone, owners=(tag("saml:Assertion"),))
    assert (caught.value.reason, caught.value.received) == (
        Reason.SIG_PLACE,
        "a Signature in the root",
    )


def test_verify_octets() -> None:
    key, certificate = signer("idp").key, signer("idp").certificate
    signature = key.sign(b"octets", PKCS1v15(), SHA256())
    fitted = verify_octets(b"octets", signature, algorithm=RSA_SHA256, keys=(certificate,))
    assert fitted == certificate
    for octets, value, algorithm, keys, reason in (
        (b"other", signature, RSA_SHA256, (certificate,), Reason.SIG_VALUE),
        (b"octets", b"", RSA_SHA256, (certificate,), Reason.SIG_VALUE),
        (b"octets", signature, RSA_SHA256.replace("256", "512"), (certificate,), Reason.SIG_VALUE),
        (b"octets", signature, RSA_SHA256, (), Reason.SIG_NOKEY),
        (b"octets", signature, "", (certificate,), Reason.SIG_ALG),
        (b"octets", signature, RSA_SHA256.replace("rsa", "ecdsa"), (certificate,), Reason.SIG_KEY),
    ):
        with pytest.raises(SamlError) as caught:
            verify_octets(octets, value, algorithm=algorithm, keys=keys)
        assert caught.value.reason is reason
