"""SAML as an identity provider speaks it: an AuthnRequest read, a signed Response written."""

import base64
import binascii
import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from vestibule.clock import HOUR, MINUTE, rfc3339
from vestibule.dev.identity_provider.keys import SigningIdentity
from vestibule.dev.identity_provider.people import Login
from vestibule.dev.pages import Refused, render
from vestibule.saml.errors import SamlError
from vestibule.saml.keys import read_certificate
from vestibule.saml.signing import sign_enveloped
from vestibule.saml.xml import SAML, SAMLP, parse

Signed = Literal["assertion", "response", "both"]

_PROTOCOL: Final = f"{{{SAMLP}}}"
_ASSERTION: Final = f"{{{SAML}}}"
_UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
_MAX_REQUEST: Final = 64 * 1024
_ROOT: Final = "."
# What is signed, in this order: the Response's signature covers that of the Assertion.
_PATHS: Final[Mapping[Signed, Sequence[str]]] = {
    "assertion": (f"{_ASSERTION}Assertion",),
    "response": (_ROOT,),
    "both": (f"{_ASSERTION}Assertion", _ROOT),
}


@dataclass(frozen=True)
class SignInRequest:
    """What a service provider asks for; without `request_id` nobody asked (IdP-initiated)."""

    request_id: str
    audience: str
    acs_url: str
    authn_context: str = _UNSPECIFIED


def decode_request(value: str, *, deflated: bool) -> bytes:
    """Return the XML in a SAMLRequest of the Redirect (`deflated`) or POST binding.

    SAML Bindings 3.4.4.1 and 3.5.4. Raises Refused; inflates at most 64 KiB.
    """
    try:
        data = base64.b64decode(value, validate=True)
        if not deflated:
            return data
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        xml = inflater.decompress(data, _MAX_REQUEST)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise Refused("Unreadable SAMLRequest", f"It cannot be decoded: {error}.") from error
    if not inflater.eof:
        raise Refused("Unreadable SAMLRequest", "It is cut short or too large.")
    return xml


def read_authn_request(data: bytes, *, destination: str) -> SignInRequest:
    """Return what the AuthnRequest in `data` asks for (SAML Core 3.4.1).

    `destination` is the URL at which it came in. Its signature is not looked at: this identity
    provider answers anybody, but only at addresses of its own server. Raises Refused.
    """
    try:
        request = parse(data)
    except SamlError as error:
        raise Refused("Unreadable SAMLRequest", f"It breaks the rule {error.reason}.") from error
    if request.tag != f"{_PROTOCOL}AuthnRequest":
        raise Refused("Not a sign-in request", "The message is not an AuthnRequest.")
    sent_to = request.get("Destination", destination)
    if sent_to != destination:
        raise Refused("Wrong destination", f"The request is for {sent_to}; this is {destination}.")
    context = request.findtext(
        f"{_PROTOCOL}RequestedAuthnContext/{_ASSERTION}AuthnContextClassRef", ""
    )
    found = SignInRequest(
        request_id=request.get("ID", ""),
        audience=request.findtext(f"{_ASSERTION}Issuer", "").strip(),
        acs_url=request.get("AssertionConsumerServiceURL", ""),
        authn_context=context.strip() or _UNSPECIFIED,
    )
    if not (found.request_id and found.audience and found.acs_url):
        raise Refused(
            "Incomplete request", "It needs an ID, an Issuer and an AssertionConsumerServiceURL."
        )
    return found


@dataclass(frozen=True)
class Envelope:
    """What every Response of one identity provider at one moment says about itself."""

    entity_id: str
    response_id: str
    assertion_id: str
    now: int


def signed_response(
    envelope: Envelope,
    request: SignInRequest,
    login: Login,
    *,
    signed: Signed,
    identity: SigningIdentity,
) -> bytes:
    """Return a Response that signs `login` in (SAML Profiles 4.1.4.2)."""
    values = {
        "login": login,
        "attributes": _attributes(login),
        "not_on_or_after": rfc3339(envelope.now + 5 * MINUTE),
        "session_ends": rfc3339(envelope.now + 8 * HOUR),
    }
    return _response(envelope, request, values, paths=_PATHS[signed], identity=identity)


def refusing_response(
    envelope: Envelope, request: SignInRequest, *, identity: SigningIdentity
) -> bytes:
    """Return a signed Response that says nobody was signed in (SAML Core 3.2.2.2)."""
    return _response(envelope, request, {"login": None}, paths=(_ROOT,), identity=identity)


def metadata(*, entity_id: str, sso_url: str, certificate_pem: str) -> bytes:
    """Return the metadata of this identity provider (SAML Metadata 2.4.3)."""
    certificate = base64.b64encode(read_certificate(certificate_pem).der).decode()
    return _one_line(
        render("saml_metadata.xml", entity_id=entity_id, sso_url=sso_url, certificate=certificate)
    )


def _response(
    envelope: Envelope,
    request: SignInRequest,
    values: Mapping[str, object],
    *,
    paths: Sequence[str],
    identity: SigningIdentity,
) -> bytes:
    issued_at = rfc3339(envelope.now)
    text = render(
        "saml_response.xml", envelope=envelope, request=request, issued_at=issued_at, **values
    )
    root = parse(_one_line(text))
    for path in paths:
        for element in root.iterfind(path):
            sign_enveloped(element, key=identity.key, certificate_pem=identity.certificate_pem)
    written = io.BytesIO()
    root.getroottree().write(written)
    return written.getvalue()


def _one_line(xml: str) -> bytes:
    """Return `xml` without the line breaks and the indentation of its template."""
    return "".join(row.strip() for row in xml.split("\n")).encode()


def _attributes(login: Login) -> Mapping[str, tuple[str, ...]]:
    """Return the attributes by name; one without a value is not sent."""
    person = login.person
    sent = {
        "email": (person.email,),
        "firstName": (person.first_name,),
        "lastName": (person.last_name,),
        "id": (person.user_id,),
        "groups": login.groups,
    }
    return {name: values for name, values in (sent | dict(login.extra)).items() if any(values)}
