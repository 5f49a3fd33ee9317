"""Reading the AuthnRequest of a service provider, by either binding."""

import base64
import binascii
import zlib
from dataclasses import dataclass
from typing import Final

from vestibule.dev.pages import Refused
from vestibule.saml.errors import SamlError
from vestibule.saml.xml import SAML, SAMLP, parse

_UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
_MAX_REQUEST: Final = 64 * 1024


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
    if request.tag != f"{{{SAMLP}}}AuthnRequest":
        raise Refused("Not a sign-in request", "The message is not an AuthnRequest.")
    sent_to = request.get("Destination", destination)
    if sent_to != destination:
        raise Refused("Wrong destination", f"The request is for {sent_to}; this is {destination}.")
    context = request.findtext(
        f"{{{SAMLP}}}RequestedAuthnContext/{{{SAML}}}AuthnContextClassRef", ""
    )
    found = SignInRequest(
        request_id=request.get("ID", ""),
        audience=request.findtext(f"{{{SAML}}}Issuer", "").strip(),
        acs_url=request.get("AssertionConsumerServiceURL", ""),
        authn_context=context.strip() or _UNSPECIFIED,
    )
    if not (found.request_id and found.audience and found.acs_url):
        raise Refused(
            "Incomplete request", "It needs an ID, an Issuer and an AssertionConsumerServiceURL."
        )
    return found
