from typing import Final

import pytest

from tests.support.determinism import NOW
from tests.support.saml_keys import signer
from vestibule.dev.browser import Browser, Form, Step
from vestibule.dev.identity_provider.keys import SigningIdentity
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.keys import read_certificate
from vestibule.saml.metadata import parse_identity_provider
from vestibule.saml.request import authn_request, post_fields, redirect_url
from vestibule.saml.response import (
    Expectation,
    VerifiedAssertion,
    read_form_field,
    verify_response,
)

AUDIENCE: Final = "https://sp.example/audience"
REQUEST_ID: Final = "_request-1"
ZOE: Final = {
    "person": "other",
    "email": "zoe@example.com",
    "user_id": "zoe-1",
    "first_name": "Zoë",
    "last_name": """<O'Neill> & "Söhne" ]]> 日本 😀""",
    "groups": "sales & <b>, engineering ,, Größe",
    "attributes": "department=R&D=1\r\n team = a \nteam=b<!-- -->c\n",
}


def acs(base_url: str) -> str:
    return f"{base_url}/v1/b2b/sso/callback/saml-connection-test-1"


def request_for(base_url: str, *, acs_url: str | None = None) -> bytes:
    return authn_request(
        request_id=REQUEST_ID,
        issued_at=NOW,
        destination=f"{base_url}/dev/idp/saml/sso",
        acs_url=acs(base_url) if acs_url is None else acs_url,
        issuer=AUDIENCE,
        nameid_format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    )


async def redirected(
    browser: Browser, base_url: str, *, message: bytes | None = None, relay_state: str = "state-1"
) -> Step:
    """Arrive at the identity provider by the Redirect binding."""
    url = redirect_url(
        request_for(base_url) if message is None else message,
        destination=f"{base_url}/dev/idp/saml/sso",
        relay_state=relay_state,
        key=signer("sp").key,
    )
    return await browser.visit(url)


def expectation(
    base_url: str, identity: SigningIdentity, *, request_id: str | None = REQUEST_ID
) -> Expectation:
    return Expectation(
        idp_entity_id=f"{base_url}/dev/idp/saml/metadata",
        keys=(read_certificate(identity.certificate_pem),),
        acs_urls=(acs(base_url),),
        audiences=(AUDIENCE,),
        request_id=request_id,
    )


def verified(page: Step, expected: Expectation) -> VerifiedAssertion:
    message = read_form_field(page.forms[0].fields["SAMLResponse"])
    return verify_response(message, expected, now=NOW)


@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
async def test_login_is_signed_for_the_asker(
    provider: str, browser: Browser, identity: SigningIdentity, signed: str
) -> None:
    page = await redirected(browser, provider)
    answer = await browser.submit(page.forms[0], {"person": "alice", "signed": signed})
    assert answer.forms[0].action == acs(provider)
    assert answer.forms[0].fields["RelayState"] == "state-1"
    assertion = verified(answer, expectation(provider, identity))
    assert assertion.name_id == "alice@example.com"
    assert assertion.in_response_to == REQUEST_ID
    assert dict(assertion.attributes) == {
        "email": ("alice@example.com",),
        "firstName": ("Alice",),
        "lastName": ("Adams",),
        "id": ("user-alice",),
    }


async def test_signature_is_where_it_was_asked_for(
    provider: str, browser: Browser, identity: SigningIdentity
) -> None:
    page = await redirected(browser, provider)
    counts = {}
    for signed in ("assertion", "response", "both"):
        answer = await browser.submit(page.forms[0], {"signed": signed})
        message = read_form_field(answer.forms[0].fields["SAMLResponse"])
        before_assertion = message.index(b"<saml:Assertion")
        counts[signed] = (
            message[:before_assertion].count(b"<ds:Signature "),
            message[before_assertion:].count(b"<ds:Signature "),
        )
    assert counts == {"assertion": (0, 1), "response": (1, 0), "both": (1, 1)}


async def test_request_by_post_is_answered(
    provider: str, browser: Browser, identity: SigningIdentity
) -> None:
    fields = post_fields(
        request_for(provider), relay_state=None, key=signer("sp").key, certificate_pem=None
    )
    page = await browser.submit(Form("POST", f"{provider}/dev/idp/saml/sso", fields))
    answer = await browser.submit(page.forms[0], {"person": "bob"})
    assert "RelayState" not in answer.forms[0].fields
    assert verified(answer, expectation(provider, identity)).name_id == "bob@example.com"


async def test_typed_person_arrives_to_the_letter(
    provider: str, browser: Browser, identity: SigningIdentity
) -> None:
    page = await redirected(browser, provider)
    answer = await browser.submit(page.forms[0], ZOE)
    assertion = verified(answer, expectation(provider, identity))
    assert dict(assertion.attributes) == {
        "email": ("zoe@example.com",),
        "firstName": ("Zoë",),
        "lastName": (ZOE["last_name"],),
        "id": ("zoe-1",),
        "groups": ("sales & <b>", "engineering", "Größe"),
        "department": ("R&D=1",),
        "team": ("a", "b<!-- -->c"),
    }


async def test_requested_context_is_the_one_that_is_sent(
    provider: str, browser: Browser, identity: SigningIdentity
) -> None:
    context = "urn:oasis:names:tc:SAML:2.0:ac:classes:X509"
    message = request_for(provider).replace(
        b"</samlp:AuthnRequest>",
        b"<samlp:RequestedAuthnContext><saml:AuthnContextClassRef>"
        + context.encode()
        + b"</saml:AuthnContextClassRef></samlp:RequestedAuthnContext></samlp:AuthnRequest>",
    )
    page = await redirected(browser, provider, message=message)
    answer = await browser.submit(page.forms[0])
    assert verified(answer, expectation(provider, identity)).authn_context == context


async def test_login_may_start_at_the_identity_provider(
    provider: str, browser: Browser, identity: SigningIdentity
) -> None:
    page = await browser.visit(
        f"{provider}/dev/idp/saml/initiate?acs={acs(provider)}&audience={AUDIENCE}"
    )
    answer = await browser.submit(page.forms[0])
    assertion = verified(answer, expectation(provider, identity, request_id=None))
    assert assertion.in_response_to is None
    assert b"InResponseTo" not in read_form_field(answer.forms[0].fields["SAMLResponse"])


async def test_refusal_is_a_signed_failure(
    provider: str, browser: Browser, identity: SigningIdentity
) -> None:
    page = await redirected(browser, provider)
    answer = await browser.submit(page.forms[0], {"decision": "deny"})
    with pytest.raises(SamlError) as caught:
        verified(answer, expectation(provider, identity))
    assert caught.value.reason is Reason.SAML_STATUS
    assert "AuthnFailed" in (caught.value.received or "")


async def test_metadata_sets_a_connection_up(
    provider: str, browser: Browser, identity: SigningIdentity
) -> None:
    found = await browser.visit(f"{provider}/dev/idp/saml/metadata")
    metadata = parse_identity_provider(found.text.encode(), now=NOW)
    assert metadata.entity_id == f"{provider}/dev/idp/saml/metadata"
    assert metadata.redirect_sso_url == f"{provider}/dev/idp/saml/sso"
    assert metadata.post_sso_url == f"{provider}/dev/idp/saml/sso"
    assert [key.der for key in metadata.certificates] == [
        read_certificate(identity.certificate_pem).der
    ]


FOREIGN: Final = "https://attacker.example/acs"


async def test_foreign_acs_in_a_request_is_refused(provider: str, browser: Browser) -> None:
    page = await redirected(browser, provider, message=request_for(provider, acs_url=FOREIGN))
    assert page.status == 403
    assert page.forms == ()
    assert f"does not answer to {FOREIGN}" in page.text


async def test_foreign_acs_in_the_login_form_is_not_signed_for(
    provider: str, browser: Browser
) -> None:
    page = await redirected(browser, provider)
    answer = await browser.submit(page.forms[0], {"acs": FOREIGN})
    assert answer.status == 403
    assert "SAMLResponse" not in answer.text
    assert f"does not answer to {FOREIGN}" in answer.text


async def test_foreign_acs_in_an_initiated_login_is_refused(
    provider: str, browser: Browser
) -> None:
    page = await browser.visit(f"{provider}/dev/idp/saml/initiate?acs={FOREIGN}&audience=x")
    assert page.status == 403
    assert f"does not answer to {FOREIGN}" in page.text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "No sign-in request"),
        ("?SAMLRequest=%21", "Unreadable SAMLRequest"),
        ("?SAMLRequest=AAAA&SAMLRequest=AAAA", "A field stands there twice."),
        ("?SAMLRequest=%ff", "not readable as UTF-8"),
    ],
)
async def test_unreadable_request_is_refused(
    provider: str, browser: Browser, query: str, words: str
) -> None:
    page = await browser.visit(f"{provider}/dev/idp/saml/sso{query}")
    assert page.status == 400
    assert words in page.text


async def test_initiated_login_needs_an_audience(provider: str, browser: Browser) -> None:
    page = await browser.visit(f"{provider}/dev/idp/saml/initiate?acs={acs(provider)}")
    assert page.status == 400
    assert "No audience" in page.text


async def test_unknown_way_to_sign_is_refused(provider: str, browser: Browser) -> None:
    page = await redirected(browser, provider)
    answer = await browser.submit(page.forms[0], {"signed": "nothing"})
    assert answer.status == 400
    assert "Choose assertion, response or both." in answer.text
