"""AuthnRequest and its two bindings."""

import zlib
from base64 import b64decode
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import etree
from lxml.etree import _Element

from tests.support.saml_keys import signer
from tests.support.second_opinions import signxml_reads, xmlsec_accepts, xmlsec_accepts_query
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.request import authn_request, post_fields, redirect_url
from vestibule.saml.signing import RSA_SHA256
from vestibule.saml.xml import SAML, SAMLP, parse

EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
SSO = "https://idp.example.com/sso"
ACS = "https://sso.example.com/v1/b2b/sso/callback/saml-connection-test-1"
HOSTILE = """"><x y='1'/>&amp;<!-- ]]> \U0001f511 é"""


def message(
    *,
    destination: str = SSO,
    acs_url: str = ACS,
    issuer: str = ACS,
    nameid_format: str = EMAIL,
    force_authn: bool = False,
    authn_contexts: tuple[str, ...] = (),
) -> bytes:
    return authn_request(
        request_id="_0123456789abcdef0123456789abcdef",
        issued_at=1_795_000_000_123_456,
        destination=destination,
        acs_url=acs_url,
        issuer=issuer,
        nameid_format=nameid_format,
        force_authn=force_authn,
        authn_contexts=authn_contexts,
    )


def redirected(destination: str, relay_state: str | None = "state") -> str:
    key = signer("sp").key
    return redirect_url(message(), destination=destination, relay_state=relay_state, key=key)


def outline(element: _Element) -> tuple[str, dict[str, str], str | None, list[object]]:
    attributes = {str(name): str(value) for name, value in element.attrib.items()}
    return str(element.tag), attributes, element.text, [outline(child) for child in element]


@pytest.mark.case("SP-57")
def test_authn_request_says_who_asks_whom_for_what() -> None:
    assert outline(parse(message())) == (
        f"{{{SAMLP}}}AuthnRequest",
        {
            "ID": "_0123456789abcdef0123456789abcdef",
            "Version": "2.0",
            "IssueInstant": "2026-11-18T11:06:40Z",
            "Destination": SSO,
            "ProtocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
            "AssertionConsumerServiceURL": ACS,
        },
        None,
        [
            (f"{{{SAML}}}Issuer", {}, ACS, []),
            (f"{{{SAMLP}}}NameIDPolicy", {"Format": EMAIL, "AllowCreate": "true"}, None, []),
        ],
    )


def test_authn_request_can_ask_for_a_fresh_login_and_for_contexts() -> None:
    contexts = ("urn:example:mfa", "urn:example:hardware")
    root = parse(message(force_authn=True, authn_contexts=contexts))
    assert root.get("ForceAuthn") == "true"
    assert outline(root[2]) == (
        f"{{{SAMLP}}}RequestedAuthnContext",
        {"Comparison": "exact"},
        None,
        [(f"{{{SAML}}}AuthnContextClassRef", {}, context, []) for context in contexts],
    )


@pytest.mark.case("SP-57")
def test_authn_request_escapes_every_value_it_is_given() -> None:
    root = parse(
        message(acs_url=HOSTILE, issuer=HOSTILE, nameid_format=HOSTILE, authn_contexts=(HOSTILE,))
    )
    assert root.get("AssertionConsumerServiceURL") == HOSTILE
    assert [(child.text, child.get("Format")) for child in root] == [
        (HOSTILE, None),
        (None, HOSTILE),
        (None, None),
    ]
    assert [child.text for child in root[2]] == [HOSTILE]


@pytest.mark.case("SP-57")
@pytest.mark.parametrize("field", ["issuer", "nameid_format", "acs_url"])
def test_authn_request_refuses_a_control_character(field: str) -> None:
    with pytest.raises(SamlError) as refused:
        message(**{field: "a\x01b"})  # type: ignore[arg-type]  # the three are strings
    assert refused.value.reason is Reason.XML
    assert refused.value.received == "a control character"


@pytest.mark.case("SP-59")
def test_redirect_url_carries_the_message_signed() -> None:
    url = redirected(SSO, relay_state="a b&c=d/é")
    fields = parse_qs(urlsplit(url).query, strict_parsing=True)
    assert url.startswith(f"{SSO}?SAMLRequest=")
    assert list(fields) == ["SAMLRequest", "RelayState", "SigAlg", "Signature"]
    deflated = b64decode(fields["SAMLRequest"][0], validate=True)
    assert zlib.decompress(deflated, wbits=-15) == message()
    assert fields["RelayState"] == ["a b&c=d/é"]
    assert fields["SigAlg"] == [RSA_SHA256]
    signed, _, _ = urlsplit(url).query.partition("&Signature=")
    signature = b64decode(fields["Signature"][0], validate=True)
    assert xmlsec_accepts_query(signed, signer("sp").pem, signature)


def test_redirect_url_without_relay_state_has_none() -> None:
    fields = parse_qs(urlsplit(redirected(SSO, relay_state=None)).query, strict_parsing=True)
    assert list(fields) == ["SAMLRequest", "SigAlg", "Signature"]


def test_redirect_url_can_carry_a_response() -> None:
    url = redirect_url(
        b"<x/>", destination=SSO, relay_state=None, key=signer("sp").key, parameter="SAMLResponse"
    )
    assert url.startswith(f"{SSO}?SAMLResponse=")


@pytest.mark.case("SP-58")
@pytest.mark.parametrize(
    ("destination", "start"),
    [
        ("https://idp.example.com/sso?tenant=1&b=%2B", "?tenant=1&b=%2B&SAMLRequest="),
        ("https://idp.example.com/sso?", "?SAMLRequest="),
        ("https://idp.example.com/sso?tenant=1&", "?tenant=1&SAMLRequest="),
    ],
)
def test_redirect_url_keeps_the_query_of_the_destination(destination: str, start: str) -> None:
    url = redirected(destination)
    assert url.startswith(SSO + start)
    signed, _, rest = url.partition("SAMLRequest=")[2].partition("&Signature=")
    signature = b64decode(parse_qs(f"Signature={rest}")["Signature"][0], validate=True)
    assert xmlsec_accepts_query(f"SAMLRequest={signed}", signer("sp").pem, signature)


@pytest.mark.case("SP-58")
def test_a_destination_with_a_fragment_is_refused_by_message_and_binding() -> None:
    wrong = "https://idp.example.com/sso#top"
    with pytest.raises(SamlError) as by_message:
        message(destination=wrong)
    with pytest.raises(SamlError) as by_binding:
        redirected(wrong)
    reasons = [(error.value.reason, error.value.received) for error in (by_message, by_binding)]
    assert reasons == [(Reason.SAML_DESTINATION, wrong)] * 2


@pytest.mark.case("SP-59")
def test_no_message_leaves_without_a_key() -> None:
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'key'"):
        redirect_url(message(), destination=SSO, relay_state=None)  # type: ignore[call-arg]  # the point
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'key'"):
        post_fields(message(), relay_state=None, certificate_pem=None)  # type: ignore[call-arg]  # the point


def test_post_fields_carry_the_message_signed() -> None:
    sp = signer("sp")
    fields = post_fields(message(), relay_state="a b", key=sp.key, certificate_pem=sp.pem)
    assert list(fields) == ["SAMLRequest", "RelayState"]
    assert fields["RelayState"] == "a b"
    root = etree.fromstring(b64decode(fields["SAMLRequest"], validate=True))
    assert [etree.QName(child).localname for child in root] == [
        "Issuer",
        "Signature",
        "NameIDPolicy",
    ]
    assert xmlsec_accepts(root, sp.pem)
    assert signxml_reads(root, sp.pem) == etree.tostring(
        etree.fromstring(message()), method="c14n", exclusive=True
    )


def test_post_fields_can_carry_a_response_without_relay_state() -> None:
    fields = post_fields(
        message(),
        relay_state=None,
        key=signer("sp").key,
        certificate_pem=None,
        parameter="SAMLResponse",
    )
    assert list(fields) == ["SAMLResponse"]
