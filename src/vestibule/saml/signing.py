"""The signatures this side makes: enveloped in XML and over a Redirect query, RSA-SHA256 only."""

import hashlib
import re
from base64 import b64encode
from typing import Final
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree
from lxml.etree import _Element

from vestibule.saml.writing import append
from vestibule.saml.xml import DS, EXC_C14N

RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
DIGEST_SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
ENVELOPED: Final = f"{DS}enveloped-signature"

_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,255}")


def sign_enveloped(
    element: _Element, *, key: RSAPrivateKey, certificate_pem: str | None, position: int = 1
) -> None:
    """Sign `element` in place, by its `ID`, as SAML Core 5.4 asks.

    The `ds:Signature` becomes child number `position`: 1 is the place behind `Issuer`. It holds one
    Reference to the element's own ID and the two transforms SAML allows. The certificate, when
    given, goes into `KeyInfo` for readers that want to see which key was meant.

    Raises:
        ValueError: when the element has no ID that is an NCName: nothing could refer to it.
    """
    element_id = element.get("ID", "")
    if not _ID.fullmatch(element_id):
        raise ValueError("the element to sign needs an ID that is an NCName")
    digest = hashlib.sha256(_canonical(element)).digest()
    signature = etree.Element(f"{{{DS}}}Signature", nsmap={"ds": DS})
    element.insert(position, signature)
    signed_info = _append_signed_info(signature, element_id, digest)
    value = key.sign(_canonical(signed_info), PKCS1v15(), SHA256())
    append(signature, f"{{{DS}}}SignatureValue", text=b64encode(value).decode())
    if certificate_pem is not None:
        append_key_info(signature, certificate_pem)


def sign_query(query: str, *, key: RSAPrivateKey) -> str:
    """Return `query` with `SigAlg` and `Signature` added (SAML Bindings 3.4.4.1).

    `query` is `SAMLRequest=...` or `SAMLResponse=...` with `RelayState` behind it where there is
    one, already percent-encoded. Exactly the octets returned are signed, so nobody may encode
    them anew.
    """
    signed = f"{query}&SigAlg={quote(RSA_SHA256, safe='')}"
    value = key.sign(signed.encode("ascii"), PKCS1v15(), SHA256())
    return f"{signed}&Signature={quote(b64encode(value), safe='')}"


def append_key_info(parent: _Element, certificate_pem: str) -> None:
    """Add a `ds:KeyInfo` that holds one certificate to a Signature or a KeyDescriptor."""
    data = append(append(parent, f"{{{DS}}}KeyInfo"), f"{{{DS}}}X509Data")
    lines = certificate_pem.strip().splitlines()
    append(data, f"{{{DS}}}X509Certificate", text="".join(line.strip() for line in lines[1:-1]))


def _append_signed_info(signature: _Element, element_id: str, digest: bytes) -> _Element:
    signed_info = append(signature, f"{{{DS}}}SignedInfo")
    append(signed_info, f"{{{DS}}}CanonicalizationMethod", {"Algorithm": EXC_C14N})
    append(signed_info, f"{{{DS}}}SignatureMethod", {"Algorithm": RSA_SHA256})
    reference = append(signed_info, f"{{{DS}}}Reference", {"URI": f"#{element_id}"})
    transforms = append(reference, f"{{{DS}}}Transforms")
    append(transforms, f"{{{DS}}}Transform", {"Algorithm": ENVELOPED})
    append(transforms, f"{{{DS}}}Transform", {"Algorithm": EXC_C14N})
    append(reference, f"{{{DS}}}DigestMethod", {"Algorithm": DIGEST_SHA256})
    append(reference, f"{{{DS}}}DigestValue", text=b64encode(digest).decode())
    return signed_info


def _canonical(element: _Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
