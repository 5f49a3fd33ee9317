"""Hostile logout messages: nobody but the identity provider ends a session (SP-61 to SP-64)."""

import zlib
from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from time import process_time
from urllib.parse import quote

import pytest
from lxml import etree
from lxml.etree import _Element

from tests.support.hostile_xml import hostile_documents
from tests.support.saml_keys import signer
from tests.support.saml_logout import (
    EXPECTATION,
    NOW,
    REQUEST,
    VICTIM,
    edited,
    posted,
    query,
    redirected,
    request,
    response,
)
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.logout import (
    VerifiedLogoutRequest,
    verify_logout_request,
    verify_logout_response,
)
from vestibule.saml.redirect import RedirectMessage, read_redirect
from vestibule.saml.signing import sign_enveloped, sign_query
from vestibule.saml.xml import DS, SAML, SAMLP

ADMIN = "admin@example.com"
SIGNATURE = f"{{{DS}}}Signature"


def read(message: bytes | RedirectMessage) -> VerifiedLogoutRequest:
    return verify_logout_request(message, EXPECTATION, now=NOW)


def refusal(message: bytes | RedirectMessage) -> SamlError:
    """Why a message is refused, where a good one is accepted."""
    assert read(posted(request())).name_id == VICTIM
    with pytest.raises(SamlError) as refused:
        read(message)
    return refused.value


def signed() -> _Element:
    """A good LogoutRequest with its signature, as a tree."""
    return etree.fromstring(posted(request()))


def forged() -> _Element:
    """An unsigned LogoutRequest for somebody else, with an ID of its own."""
    return edited(named(request(), ADMIN), lambda root: root.set("ID", "_forged"))


def named(root: _Element, name: str) -> _Element:
    next(root.iter(f"{{{SAML}}}NameID")).text = name
    return root


# Documents -------------------------------------------------------------------------------------

GOOD = etree.tostring(request()).decode()
DOCUMENTS = hostile_documents(GOOD)


def deflated(data: bytes) -> RedirectMessage:
    compressor = zlib.compressobj(wbits=-15)
    octets = compressor.compress(data) + compressor.flush()
    unsigned = f"SAMLRequest={quote(b64encode(octets), safe='')}"
    return read_redirect(sign_query(unsigned, key=signer("idp").key).encode())


@pytest.mark.case("XP-48")
@pytest.mark.parametrize("name", DOCUMENTS)
def test_xp_48_a_hostile_logout_request_is_refused_before_its_signature(name: str) -> None:
    data, reason = DOCUMENTS[name]
    started = process_time()
    assert refusal(data).reason is reason
    assert process_time() - started < 0.2


@pytest.mark.case("XP-48")
@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name != "XP-23 size"])
def test_xp_48_a_hostile_document_is_refused_in_a_signed_query_too(name: str) -> None:
    data, reason = DOCUMENTS[name]
    assert refusal(deflated(data)).reason is reason


@pytest.mark.case("XP-33")
@pytest.mark.parametrize(
    "root", [f'<samlp:Response xmlns:samlp="{SAMLP}"/>', "<LogoutRequest/>", "<x/>"]
)
def test_xp_33_another_document_is_refused(root: str) -> None:
    assert refusal(root.encode()).reason is Reason.SAML_ROOT


@pytest.mark.case("XP-16")
@pytest.mark.parametrize("deliver", [posted, redirected])
def test_xp_16_a_comment_cuts_no_name(
    deliver: Callable[[_Element], bytes | RedirectMessage],
) -> None:
    root = named(request(), "")
    name_id = next(root.iter(f"{{{SAML}}}NameID"))
    comment = etree.Comment("x")
    comment.tail = ".evil.test"
    name_id.text = VICTIM
    name_id.append(comment)
    assert read(deliver(root)).name_id == f"{VICTIM}.evil.test"


@pytest.mark.case("XP-16")
def test_xp_16_a_comment_put_into_a_signed_name_cuts_nothing() -> None:
    name = f"{VICTIM}.evil.test"
    data = posted(named(request(), name))
    changed = data.replace(VICTIM.encode(), VICTIM.encode() + b"<!-- x -->")
    assert changed != data
    assert read(changed).name_id == name


@pytest.mark.case("XP-21")
def test_xp_21_an_element_within_a_name_is_refused() -> None:
    root = request()
    etree.SubElement(next(root.iter(f"{{{SAML}}}NameID")), "x").tail = ".evil.test"
    assert refusal(posted(root)).reason is Reason.XML_MIXED


# Signature wrapping ----------------------------------------------------------------------------


@pytest.mark.case("SP-61")
def test_sp_61_a_name_changed_after_signing_is_refused() -> None:
    assert refusal(etree.tostring(named(signed(), ADMIN))).reason is Reason.SIG_DIGEST


@pytest.mark.case("SP-61")
def test_sp_61_a_session_index_taken_away_is_refused() -> None:
    root = signed()
    root.remove(next(root.iter(f"{{{SAMLP}}}SessionIndex")))
    assert refusal(etree.tostring(root)).reason is Reason.SIG_DIGEST


@pytest.mark.case("SP-63")
def test_sp_63_a_signed_original_inside_a_forged_request_is_refused() -> None:
    outer = forged()
    extensions = etree.SubElement(outer, f"{{{SAMLP}}}Extensions")
    extensions.append(signed())
    assert refusal(etree.tostring(outer)).reason is Reason.SAML_COUNT


@pytest.mark.case("SP-63")
def test_sp_63_a_forged_request_that_carries_the_signature_is_refused() -> None:
    original = signed()
    signature = original.find(SIGNATURE)
    assert signature is not None
    outer = forged()
    outer.insert(1, deepcopy(signature))
    assert refusal(etree.tostring(outer)).reason is Reason.SIG_REF


@pytest.mark.case("SP-63")
def test_sp_63_an_original_within_the_signature_of_a_forged_request_is_refused() -> None:
    original = signed()
    signature = original.find(SIGNATURE)
    assert signature is not None
    original.remove(signature)
    etree.SubElement(signature, f"{{{DS}}}Object").append(original)
    outer = forged()
    outer.insert(1, signature)
    assert refusal(etree.tostring(outer)).reason is Reason.SAML_COUNT


@pytest.mark.case("SP-63")
def test_sp_63_an_original_renamed_within_the_signature_is_refused() -> None:
    root = signed()
    signature = root.find(SIGNATURE)
    assert signature is not None
    etree.SubElement(signature, f"{{{DS}}}Object").append(etree.Element("x"))
    assert refusal(etree.tostring(root)).reason is Reason.SIG_CHILDREN


@pytest.mark.case("SP-63")
@pytest.mark.parametrize("place", [f"{{{SAMLP}}}Extensions", f"{{{SAML}}}NameID"])
def test_sp_63_a_signature_deeper_than_the_root_is_refused(place: str) -> None:
    root = signed()
    signature = root.find(SIGNATURE)
    assert signature is not None
    root.remove(signature)
    etree.SubElement(root, place).append(signature)
    assert refusal(etree.tostring(root)).reason is Reason.SIG_PLACE


@pytest.mark.case("SP-63")
def test_sp_63_two_signatures_are_refused() -> None:
    root = signed()
    sign_enveloped(root, key=signer("idp").key, certificate_pem=None, position=2)
    assert refusal(etree.tostring(root)).reason is Reason.SIG_COUNT


@pytest.mark.case("SP-63")
def test_sp_63_a_second_name_is_refused_though_signed() -> None:
    root = request()
    etree.SubElement(root, f"{{{SAML}}}NameID").text = ADMIN
    assert refusal(posted(root)).reason is Reason.SAML_SUBJECT


@pytest.mark.case("SP-63")
def test_sp_63_a_response_hidden_in_a_signed_request_is_refused() -> None:
    root = request()
    etree.SubElement(root, f"{{{SAMLP}}}Extensions").append(response())
    assert refusal(posted(root)).reason is Reason.SAML_COUNT


# HTTP-Redirect ---------------------------------------------------------------------------------


@pytest.mark.case("XS-76")
def test_xs_76_a_signature_in_the_message_does_not_stand_in_for_the_query_s() -> None:
    unsigned = query(signed()).partition(b"&SigAlg=")[0]
    assert refusal(read_redirect(unsigned)).reason is Reason.SIG_MISSING


@pytest.mark.case("XS-76")
def test_xs_76_a_signature_in_the_message_beside_the_query_s_is_refused() -> None:
    error = refusal(redirected(signed()))
    assert (error.reason, error.expected) == (Reason.SIG_PLACE, "a signature in the query")


@pytest.mark.case("XS-75b")
def test_xs_75b_another_message_under_a_good_signature_is_refused() -> None:
    message, _, rest = query(forged(), key="attacker").partition(b"&")
    _, _, good = query(request()).partition(b"&")
    assert rest != good
    assert refusal(read_redirect(message + b"&" + good)).reason is Reason.SIG_VALUE


@pytest.mark.case("SP-64")
def test_sp_64_a_request_of_ours_sent_back_is_no_answer() -> None:
    with pytest.raises(SamlError) as refused:
        verify_logout_response(redirected(request()), EXPECTATION, request_id=REQUEST, now=NOW)
    assert refused.value.reason is Reason.SAML_ROOT


@pytest.mark.case("SP-64")
def test_sp_64_a_relay_state_is_text_and_never_a_place() -> None:
    hostile = "https://evil.test/\r\nSet-Cookie: a=b"
    assert read_redirect(query(response(), relay_state=hostile)).relay_state == hostile
