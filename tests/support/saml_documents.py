"""Builds a good SAML Response that is really signed, so that a test can break one thing in it.

`document` returns the tree, `build_response` what a browser would post. The cast is fixed: one
identity provider, one connection, one request, one moment.
"""

import hashlib
import html
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree
from lxml.etree import _Element

from tests.support.saml_encryption import Encryption, encrypt_assertion
from tests.support.saml_keys import signer
from vestibule.clock import MINUTE, rfc3339
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.response import Expectation, VerifiedAssertion, verify_response
from vestibule.saml.xml import DS, EXC_C14N, SAML, SAMLP

ISS: Final = "https://idp.example.com/metadata"
ACS: Final = "https://sso.example.com/v1/b2b/sso/callback/saml-connection-test-1"
AUD: Final = ACS
REQ: Final = "_request-1"
NOW: Final = 1_795_003_200_000_000  # 2026-11-18T12:00:00Z
VICTIM: Final = "user@example.com"
FORGED: Final = "admin@example.com"
EMAIL: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
ATTRIBUTES: Final = {
    "email": [VICTIM],
    "firstName": ["Ada"],
    "lastName": ["Lovelace"],
    "groups": ["engineering", "mathematics"],
}

MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
RSA_SHA256: Final = f"{MORE}rsa-sha256"
DIGEST_SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
ENVELOPED: Final = f"{DS}enveloped-signature"
INCLUSIVE: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"

Signed = Literal["assertion", "response", "both", "none"]
Edit = Callable[[_Element], None]

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - to see it refused
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True, kw_only=True)
class Signature:
    """How a test signs: as identity providers do unless a test changes one thing."""

    key: RSAPrivateKey | EllipticCurvePrivateKey | None = None
    certificate_pem: str | None = None
    method: str = RSA_SHA256
    digest: str = DIGEST_SHA256
    reference: str | None = None
    transforms: Sequence[str] = (ENVELOPED, EXC_C14N)
    c14n: str = EXC_C14N
    prefixes: str = ""
    edit: Edit = lambda _: None
    """Changes SignedInfo before it is signed."""


def tag(name: str) -> str:
    """Turn `saml:Subject` into the name lxml uses."""
    prefix, _, local = name.partition(":")
    return f"{{{ {'saml': SAML, 'samlp': SAMLP, 'ds': DS}[prefix] }}}{local}"


def find(root: _Element, name: str) -> _Element:
    """The first element of this name, `saml:Subject`, in document order."""
    return next(root.iter(tag(name)))


def fragment(text: str) -> _Element:
    """Parse a piece of XML in which saml, samlp and ds are declared."""
    wrapper = f'<x xmlns:saml="{SAML}" xmlns:samlp="{SAMLP}" xmlns:ds="{DS}">{text}</x>'
    return etree.fromstring(wrapper)[0]


def response_element(
    *,
    issuer: str = ISS,
    acs: str = ACS,
    audience: str = AUD,
    in_response_to: str | None = REQ,
    now: int = NOW,
    subject: str = VICTIM,
    attributes: Mapping[str, Sequence[str]] | None = None,
    response_id: str = "_response-1",
    assertion_id: str = "_assertion-1",
) -> _Element:
    """An unsigned Response that is right in everything else."""
    answered = f' InResponseTo="{html.escape(in_response_to)}"' if in_response_to else ""
    to, instant, end = html.escape(acs), rfc3339(now), rfc3339(now + 5 * MINUTE)
    stated = attributes if attributes is not None else ATTRIBUTES
    text = f"""<samlp:Response xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="{response_id}"\
 Version="2.0" IssueInstant="{instant}" Destination="{to}"{answered}>\
<saml:Issuer>{html.escape(issuer)}</saml:Issuer>\
<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>\
<saml:Assertion ID="{assertion_id}" Version="2.0" IssueInstant="{instant}">\
<saml:Issuer>{html.escape(issuer)}</saml:Issuer>\
<saml:Subject><saml:NameID Format="{EMAIL}">{html.escape(subject)}</saml:NameID>\
<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">\
<saml:SubjectConfirmationData NotOnOrAfter="{end}" Recipient="{to}"{answered}/>\
</saml:SubjectConfirmation></saml:Subject>\
<saml:Conditions NotBefore="{rfc3339(now - MINUTE)}" NotOnOrAfter="{end}">\
<saml:AudienceRestriction><saml:Audience>{html.escape(audience)}</saml:Audience>\
</saml:AudienceRestriction></saml:Conditions>\
<saml:AuthnStatement AuthnInstant="{instant}" SessionIndex="_session-1"><saml:AuthnContext>\
<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport\
</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>\
{_attribute_statement(stated)}</saml:Assertion></samlp:Response>"""
    return etree.fromstring(text)


def sign_element(owner: _Element, signature: Signature) -> _Element:
    """Sign `owner` in place, behind its Issuer, and return the ds:Signature."""
    content = _canonical(owner, signature.transforms[-1:], signature.prefixes)
    digest = hashlib.new(signature.digest.rpartition("#")[2], content).digest()
    uri = signature.reference if signature.reference is not None else f"#{owner.get('ID')}"
    transforms = "".join(
        f'<ds:Transform Algorithm="{name}">{_prefix_list(name, signature.prefixes)}</ds:Transform>'
        for name in signature.transforms
    )
    element = fragment(
        f'<ds:Signature><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{signature.c14n}"/>'
        f'<ds:SignatureMethod Algorithm="{signature.method}"/><ds:Reference URI="{uri}">'
        f"<ds:Transforms>{transforms}</ds:Transforms>"
        f'<ds:DigestMethod Algorithm="{signature.digest}"/>'
        f"<ds:DigestValue>{b64encode(digest).decode()}</ds:DigestValue></ds:Reference>"
        "</ds:SignedInfo><ds:SignatureValue/></ds:Signature>"
    )
    owner.insert(1, element)
    info, value = element[0], element[1]
    signature.edit(info)
    octets = _canonical(info, [signature.c14n], "")
    value.text = b64encode(_sign(octets, signature)).decode()
    if signature.certificate_pem is not None:
        body = "".join(signature.certificate_pem.strip().splitlines()[1:-1])
        element.append(
            fragment(
                "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>"
                f"{body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
            )
        )
    return element


def document(
    *,
    sign: Signed = "assertion",
    before: Edit | None = None,
    signature: Signature | None = None,
    encryption: Encryption | None = None,
    root: _Element | None = None,
) -> _Element:
    """A good Response of the cast. `before` changes it before it is signed.

    `signature` says how, by default with the key of `signer("idp")`; `encryption` replaces the
    Assertion, once signed, by an EncryptedAssertion.
    """
    tree = root if root is not None else response_element()
    if before is not None:
        before(tree)
    how = signature or Signature()
    if how.key is None:
        how = replace(how, key=signer("idp").key)
    if sign in ("assertion", "both"):
        sign_element(find(tree, "saml:Assertion"), how)
    if encryption is not None:
        encrypt_assertion(tree, encryption)
    if sign in ("response", "both"):
        sign_element(tree, how)
    return tree


def build_response(
    idp_key: RSAPrivateKey,
    certificate_pem: str,
    *,
    issuer: str,
    acs: str,
    audience: str,
    in_response_to: str | None,
    now: int,
    subject: str,
    attributes: Mapping[str, Sequence[str]],
    sign: Signed = "assertion",
    encrypt_for: str | None = None,
    response_id: str = "_response-1",
    assertion_id: str = "_assertion-1",
) -> str:
    """The SAMLResponse form field an identity provider would send.

    `now` in microseconds; `encrypt_for` is the PEM certificate of the service provider's
    encryption key.
    """
    root = response_element(
        issuer=issuer,
        acs=acs,
        audience=audience,
        in_response_to=in_response_to,
        now=now,
        subject=subject,
        attributes=attributes,
        response_id=response_id,
        assertion_id=assertion_id,
    )
    encryption = Encryption(certificate_pem=encrypt_for) if encrypt_for is not None else None
    signature = Signature(key=idp_key, certificate_pem=certificate_pem)
    return form_field(document(sign=sign, signature=signature, encryption=encryption, root=root))


def octets(root: _Element) -> bytes:
    """The document as it travels."""
    return etree.tostring(root)


def form_field(root: _Element) -> str:
    """The document as a browser posts it."""
    return b64encode(octets(root)).decode()


def expectation(
    *,
    keys: Sequence[str] = ("idp",),
    request_id: str | None = REQ,
    decryption_keys: Sequence[str] = (),
) -> Expectation:
    """What the connection of the cast expects; keys are names for `signer`."""
    return Expectation(
        idp_entity_id=ISS,
        keys=tuple(signer(name).certificate for name in keys),
        acs_urls=(ACS,),
        audiences=(AUD,),
        request_id=request_id,
        decryption_keys=tuple(signer(name).key for name in decryption_keys),
    )


def accepted(
    message: _Element | bytes, expected: Expectation | None = None, *, now: int = NOW
) -> VerifiedAssertion:
    """What the verifier returns for a message it must accept."""
    data = message if isinstance(message, bytes) else octets(message)
    return verify_response(data, expected or expectation(), now=now)


def refused(
    message: _Element | bytes,
    reason: Reason,
    expected: Expectation | None = None,
    *,
    now: int = NOW,
) -> SamlError:
    """The error of a message the verifier must refuse, and for no other reason than this one."""
    with pytest.raises(SamlError) as caught:
        accepted(message, expected, now=now)
    error = caught.value
    assert error.reason is reason, str(error)
    assert [step.name for step in error.steps if not step.passed] == [reason.value]
    assert error.steps[-1].passed is False
    return error


def _attribute_statement(attributes: Mapping[str, Sequence[str]]) -> str:
    if not attributes:
        return ""
    stated = "".join(
        f'<saml:Attribute Name="{html.escape(name)}">'
        + "".join(
            f"<saml:AttributeValue>{html.escape(value)}</saml:AttributeValue>" for value in values
        )
        + "</saml:Attribute>"
        for name, values in attributes.items()
    )
    return f"<saml:AttributeStatement>{stated}</saml:AttributeStatement>"


def _prefix_list(transform: str, prefixes: str) -> str:
    if transform != EXC_C14N or not prefixes:
        return ""
    return f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" PrefixList="{prefixes}"/>'


def _canonical(element: _Element, algorithm: Sequence[str], prefixes: str) -> bytes:
    return etree.tostring(
        element,
        method="c14n",
        exclusive=list(algorithm) != [INCLUSIVE],
        with_comments=False,
        inclusive_ns_prefixes=prefixes.split() or None,
    )


def _sign(data: bytes, signature: Signature) -> bytes:
    chosen = _HASHES.get(signature.method.rpartition("-")[2], hashes.SHA256())
    if isinstance(signature.key, EllipticCurvePrivateKey):
        size = (signature.key.curve.key_size + 7) // 8
        r, s = decode_dss_signature(signature.key.sign(data, ECDSA(chosen)))
        return r.to_bytes(size) + s.to_bytes(size)
    if signature.key is None:
        raise ValueError("a signature needs a key")
    return signature.key.sign(data, PKCS1v15(), chosen)


def changed(data: bytes, old: str, new: str, *, times: int = 1) -> bytes:
    """Replace `old` by `new`, which must stand there exactly `times` times."""
    assert data.count(old.encode()) == times, f"{old} stands there {data.count(old.encode())} times"
    return data.replace(old.encode(), new.encode())
