"""What the verifier returns as a whole, and that nobody else can make it."""

import pytest
from msgspec.structs import asdict, replace

from tests.support.saml_documents import (
    ACS,
    ATTRIBUTES,
    AUD,
    EMAIL,
    ISS,
    NOW,
    REQ,
    VICTIM,
    accepted,
    build_response,
    document,
    expectation,
    form_field,
    octets,
    refused,
    response_element,
)
from tests.support.saml_keys import signer
from vestibule.clock import MINUTE
from vestibule.saml.errors import Reason
from vestibule.saml.response import VerifiedAssertion, read_form_field, verify_response


def test_verified_assertion_holds_the_signed_values() -> None:
    result = accepted(document())
    assert asdict(result) == {
        "assertion_id": "_assertion-1",
        "response_id": "_response-1",
        "issuer": ISS,
        "issued_at": NOW,
        "name_id": VICTIM,
        "name_id_format": EMAIL,
        "session_index": "_session-1",
        "session_not_on_or_after": None,
        "authn_context": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        "authenticated_at": NOW,
        "attributes": {name: tuple(values) for name, values in ATTRIBUTES.items()},
        "in_response_to": REQ,
        "replay_until": NOW + 11 * MINUTE,
        "warnings": (),
        "steps": result.steps,
        "proof": None,
    }


def test_steps_name_every_check_in_order() -> None:
    assert [step.name for step in accepted(document(sign="both")).steps] == [
        "xml",
        "sig.value",
        "sig.value",
        "saml.status",
        "saml.issuer",
        "saml.dest",
        "saml.issuer",
        "saml.notyet",
        "saml.recipient",
        "saml.irt",
        "saml.expired",
        "saml.irt",
        "saml.notyet",
        "saml.expired",
        "saml.aud",
    ]


def test_error_carries_the_checks_before_it() -> None:
    error = refused(document(root=response_element(audience="urn:other")), Reason.SAML_AUDIENCE)
    assert [step.name for step in error.steps][:3] == ["xml", "sig.value", "saml.status"]
    assert [step.passed for step in error.steps] == [True] * (len(error.steps) - 1) + [False]


def test_only_the_verifier_makes_a_verified_assertion() -> None:
    result = accepted(document())
    with pytest.raises(TypeError, match="only verify_response"):
        VerifiedAssertion(**asdict(result))
    with pytest.raises(TypeError, match="only verify_response"):
        VerifiedAssertion(**asdict(result) | {"proof": object()})
    with pytest.raises(TypeError, match="only verify_response"):
        replace(result, name_id="admin@example.com")
    with pytest.raises(AttributeError):
        result.name_id = "admin@example.com"  # type: ignore[misc]  # what the test is about
    with pytest.raises(TypeError):
        result.attributes["email"] = ()  # type: ignore[index]  # what the test is about


def test_verifying_does_not_change_the_bytes_and_repeats() -> None:
    data = octets(document(sign="both"))
    assert accepted(data) == accepted(bytes(data))


def test_build_response_for_flows() -> None:
    field = build_response(
        signer("idp").key,
        signer("idp").pem,
        issuer=ISS,
        acs=ACS,
        audience=AUD,
        in_response_to=REQ,
        now=NOW,
        subject=VICTIM,
        attributes=ATTRIBUTES,
        sign="both",
        encrypt_for=signer("sp").pem,
    )
    expected = expectation(decryption_keys=("sp",))
    assert verify_response(read_form_field(field), expected, now=NOW).name_id == VICTIM
    assert read_form_field(form_field(document())) == octets(document())
