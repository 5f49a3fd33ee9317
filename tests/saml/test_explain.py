"""A message explained: the verifier's own verdict, its steps, and who must act."""

import pytest

from tests.support.saml_documents import (
    ACS,
    AUD,
    NOW,
    REQ,
    VICTIM,
    Signature,
    changed,
    document,
    expectation,
    form_field,
    octets,
    refused,
)
from tests.support.saml_encryption import Encryption
from tests.support.saml_keys import signer
from vestibule.clock import HOUR
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.explain import Claims, explain, message, read_claims
from vestibule.saml.remedies import remedy
from vestibule.saml.response import verify_response

GOOD = octets(document())


def test_an_accepted_message_is_told_with_the_steps_of_the_verifier() -> None:
    explained = explain(GOOD, expectation(), now=NOW)
    verified = verify_response(GOOD, expectation(), now=NOW)
    assert (explained.verdict, explained.steps) == (verified, verified.steps)
    assert all(step.passed for step in explained.steps)


@pytest.mark.parametrize(
    ("data", "reason", "now"),
    [
        (GOOD, Reason.SAML_EXPIRED, NOW + HOUR),
        (changed(GOOD, f">{VICTIM}</saml:N", ">evil@example.com</saml:N"), Reason.SIG_DIGEST, NOW),
        (octets(document(signature=Signature(key=signer("attacker").key))), Reason.SIG_VALUE, NOW),
        (b"<!DOCTYPE r>" + GOOD, Reason.XML_DOCTYPE, NOW),
    ],
)
def test_a_refused_message_is_told_with_its_remedy(data: bytes, reason: Reason, now: int) -> None:
    explained = explain(data, expectation(), now=now)
    assert explained.verdict == remedy(reason)
    assert explained.steps == refused(data, reason, now=now).steps


def test_a_form_field_is_explained_like_its_xml() -> None:
    field = form_field(document()).encode()
    explained = explain(b"\n" + field + b"\n", expectation(), now=NOW)
    assert explained == explain(GOOD, expectation(), now=NOW)
    assert read_claims(field) == read_claims(GOOD)


def test_what_is_neither_xml_nor_base64_is_a_refusal_too() -> None:
    explained = explain(b"SAMLResponse=PHNh%3D\xff", expectation(), now=NOW)
    assert explained.verdict == remedy(Reason.XML_BASE64)
    with pytest.raises(SamlError):
        message(b"SAMLResponse=PHNh%3D\xff")


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"])
def test_a_byte_order_mark_is_xml_and_the_verifier_judges_it(mark: bytes) -> None:
    assert message(mark + b"<r/>") == mark + b"<r/>"


def test_white_space_of_an_editor_around_xml_does_not_count() -> None:
    assert message(b"\n <r/>\n") == b"<r/>"
    assert explain(b"\n" + GOOD + b"\n", expectation(), now=NOW).verdict == (
        verify_response(GOOD, expectation(), now=NOW)
    )


def test_claims_are_what_the_message_says_of_itself() -> None:
    assert read_claims(GOOD) == Claims(
        acs_url=ACS, audience=AUD, request_id=REQ, issued_at=NOW, encrypted=False
    )


def test_claims_of_an_encrypted_message_are_those_outside() -> None:
    data = octets(document(encryption=Encryption()))
    assert read_claims(data) == Claims(
        acs_url=ACS, audience=None, request_id=REQ, issued_at=NOW, encrypted=True
    )


@pytest.mark.parametrize("data", [b"<", b"", b"<r IssueInstant='soon'/>", b"!"])
def test_a_message_that_says_nothing_claims_nothing(data: bytes) -> None:
    assert read_claims(data) == Claims()
