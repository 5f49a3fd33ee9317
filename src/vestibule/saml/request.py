"""AuthnRequest, and the two bindings by which any message of ours leaves through the browser."""

import zlib
from base64 import b64encode
from collections.abc import Sequence
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from lxml import etree

from vestibule.clock import rfc3339
from vestibule.saml.endpoints import POST, endpoint_url
from vestibule.saml.signing import sign_enveloped, sign_query
from vestibule.saml.writing import append, start
from vestibule.saml.xml import SAML, SAMLP, parse


def authn_request(
    *,
    request_id: str,
    issued_at: int,
    destination: str,
    acs_url: str,
    issuer: str,
    nameid_format: str,
    force_authn: bool = False,
    authn_contexts: Sequence[str] = (),
) -> bytes:
    """Return an unsigned AuthnRequest (SAML Core 3.4.1, Profiles 4.1.4.1); a binding signs it.

    `request_id` is an NCName with at least 128 random bits. `issued_at` is in microseconds UTC.
    `acs_url` is where the Response has to be POSTed. `authn_contexts` are the context class
    references of which the identity provider must meet exactly one; none asks for nothing.

    Raises:
        SamlError: `saml.dest` when `destination` is no URL a message may be sent to, `xml` when a
            value holds a control character.
    """
    attributes = {
        "ID": request_id,
        "Version": "2.0",
        "IssueInstant": rfc3339(issued_at),
        "Destination": endpoint_url(destination),
        "ProtocolBinding": POST,
        "AssertionConsumerServiceURL": acs_url,
    }
    if force_authn:
        attributes["ForceAuthn"] = "true"
    root = start(f"{{{SAMLP}}}AuthnRequest", attributes, prefixes={"samlp": SAMLP, "saml": SAML})
    append(root, f"{{{SAML}}}Issuer", text=issuer)
    policy = {"Format": nameid_format, "AllowCreate": "true"}
    append(root, f"{{{SAMLP}}}NameIDPolicy", policy)
    if authn_contexts:
        requested = append(root, f"{{{SAMLP}}}RequestedAuthnContext", {"Comparison": "exact"})
        for context in authn_contexts:
            append(requested, f"{{{SAML}}}AuthnContextClassRef", text=context)
    return etree.tostring(root)


def redirect_url(
    message: bytes,
    *,
    destination: str,
    relay_state: str | None,
    key: RSAPrivateKey,
    parameter: str = "SAMLRequest",
) -> str:
    """Return the URL that carries `message` by HTTP-Redirect, signed (SAML Bindings 3.4.4.1).

    `parameter` is `SAMLRequest` or `SAMLResponse`. A query that `destination` already has stays in
    front and outside the signature.

    Raises:
        SamlError: `saml.dest` when `destination` is no URL a message may be sent to.
    """
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = compressor.compress(message) + compressor.flush()
    query = f"{parameter}={quote(b64encode(deflated), safe='')}"
    if relay_state is not None:
        query += f"&RelayState={quote(relay_state, safe='')}"
    url = endpoint_url(destination)
    joint = "" if url.endswith(("?", "&")) else "&" if "?" in url else "?"
    return f"{url}{joint}{sign_query(query, key=key)}"


def post_fields(
    message: bytes,
    *,
    relay_state: str | None,
    key: RSAPrivateKey,
    certificate_pem: str | None,
    parameter: str = "SAMLRequest",
) -> dict[str, str]:
    """Return the form fields that carry `message` by HTTP-POST, signed (SAML Bindings 3.5.4)."""
    root = parse(message)
    sign_enveloped(root, key=key, certificate_pem=certificate_pem)
    fields = {parameter: b64encode(etree.tostring(root)).decode()}
    if relay_state is not None:
        fields["RelayState"] = relay_state
    return fields
