import pytest
from lxml import etree
from lxml.etree import _Element

from tests.support.determinism import NOW
from tests.support.second_opinions import xmlsec_accepts
from vestibule.dev.identity_provider.keys import SigningIdentity
from vestibule.dev.identity_provider.people import read_login
from vestibule.dev.identity_provider.saml_request import SignInRequest
from vestibule.dev.identity_provider.saml_response import (
    Envelope,
    Signed,
    metadata,
    refusing_response,
    signed_response,
)

SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
ENVELOPE = Envelope("https://idp.example/metadata", "_response-1", "_assertion-1", NOW)
REQUEST = SignInRequest("_request-1", 'https://sp.example/?a="b"&c=<d>', "https://sp.example/acs")
LOGIN = read_login({"person": "zoe", "groups": "a, b"})


def assertion_of(response: _Element) -> _Element:
    assertion = response.find(f"{SAML}Assertion")
    assert assertion is not None
    return assertion


@pytest.mark.parametrize(
    ("signed", "response_signed", "assertion_signed"),
    [("assertion", False, True), ("response", True, False), ("both", True, True)],
)
def test_another_library_agrees_with_the_signatures(
    identity: SigningIdentity, signed: Signed, response_signed: bool, assertion_signed: bool
) -> None:
    data = signed_response(ENVELOPE, REQUEST, LOGIN, signed=signed, identity=identity)
    response = etree.fromstring(data)
    assert xmlsec_accepts(response, identity.certificate_pem) is response_signed
    assert xmlsec_accepts(assertion_of(response), identity.certificate_pem) is assertion_signed


def test_values_stand_in_the_document_as_they_are(identity: SigningIdentity) -> None:
    data = signed_response(ENVELOPE, REQUEST, LOGIN, signed="both", identity=identity)
    assertion = assertion_of(etree.fromstring(data))
    assert assertion.findtext(f".//{SAML}Audience") == REQUEST.audience
    values: dict[str | None, list[str | None]] = {
        attribute.get("Name"): [value.text for value in attribute]
        for attribute in assertion.iter(f"{SAML}Attribute")
    }
    assert values == {
        "email": ["zoe@example.com"],
        "firstName": ["Zoë"],
        "lastName": ["Müller & <Söhne>"],
        "id": ["user-zoe"],
        "groups": ["a", "b"],
    }


def test_times_are_five_minutes_and_eight_hours(identity: SigningIdentity) -> None:
    data = signed_response(ENVELOPE, REQUEST, LOGIN, signed="both", identity=identity)
    assertion = assertion_of(etree.fromstring(data))
    conditions = assertion.find(f"{SAML}Conditions")
    statement = assertion.find(f"{SAML}AuthnStatement")
    assert conditions is not None
    assert statement is not None
    assert conditions.get("NotBefore") == "2026-03-05T12:34:56Z"
    assert conditions.get("NotOnOrAfter") == "2026-03-05T12:39:56Z"
    assert statement.get("SessionNotOnOrAfter") == "2026-03-05T20:34:56Z"


def test_refusal_holds_no_assertion(identity: SigningIdentity) -> None:
    response = etree.fromstring(refusing_response(ENVELOPE, REQUEST, identity=identity))
    assert response.find(f".//{SAML}Assertion") is None
    assert response.get("InResponseTo") == "_request-1"
    assert xmlsec_accepts(response, identity.certificate_pem)


def test_metadata_escapes_its_values(identity: SigningIdentity) -> None:
    root = etree.fromstring(
        metadata(
            entity_id='https://idp.example/?a="b"&c',
            sso_url="https://idp.example/sso",
            certificate_pem=identity.certificate_pem,
        )
    )
    assert root.get("entityID") == 'https://idp.example/?a="b"&c'
