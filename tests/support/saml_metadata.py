"""Metadata of an identity provider: build a good document, then break one thing."""

from collections.abc import Sequence
from typing import Any

from lxml import etree

from tests.support.saml_documents import Signature, sign_element
from tests.support.saml_keys import signer

SAML2 = "urn:oasis:names:tc:SAML:2.0:protocol"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
SOAP = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"

ENTITY_ID = "https://idp.example.com/metadata"
REDIRECT_SSO = "https://idp.example.com/sso/redirect"
POST_SSO = "https://idp.example.com/sso/post"

NAMESPACES = (
    'xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
)


def certificate_body(pem: str) -> str:
    return "".join(pem.splitlines()[1:-1])


def key(pem: str, use: str | None = "signing") -> str:
    """A KeyDescriptor with one certificate."""
    attribute = "" if use is None else f' use="{use}"'
    return (
        f"<md:KeyDescriptor{attribute}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>"
        f"{certificate_body(pem)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )


def service(binding: str, url: str, *, name: str = "SingleSignOnService", more: str = "") -> str:
    """An endpoint; `more` is further attributes."""
    return f'<md:{name} Binding="{binding}" Location="{url}"{more}/>'


SERVICES = (service(REDIRECT, REDIRECT_SSO), service(POST, POST_SSO))


def role(
    *,
    keys: Sequence[str] = (),
    services: Sequence[str] = SERVICES,
    formats: Sequence[str] = (EMAIL,),
    logout: Sequence[str] = (),
    attributes: str = "",
    protocols: str = SAML2,
    name: str = "IDPSSODescriptor",
) -> str:
    """An IDPSSODescriptor; `attributes` are further attributes of it."""
    ids = [f"<md:NameIDFormat>{format_}</md:NameIDFormat>" for format_ in formats]
    parts = "".join([*keys, *logout, *ids, *services])
    return f'<md:{name} protocolSupportEnumeration="{protocols}"{attributes}>{parts}</md:{name}>'


def entity(*roles: str, entity_id: str = ENTITY_ID, attributes: str = "") -> str:
    """An EntityDescriptor with these roles."""
    parts = "".join(roles)
    return (
        f'<md:EntityDescriptor {NAMESPACES} entityID="{entity_id}"{attributes}>'
        f"{parts}</md:EntityDescriptor>"
    )


def entities(*members: str, attributes: str = "") -> str:
    """An EntitiesDescriptor around these."""
    parts = "".join(members)
    return f"<md:EntitiesDescriptor {NAMESPACES}{attributes}>{parts}</md:EntitiesDescriptor>"


def signed(document: str, *, by: str = "federation", at: str | None = None, **how: Any) -> str:
    """Sign the element with the ID `at` (the root by default) with the key of `signer(by)`.

    `how` is what the signature does otherwise than usual.
    """
    root = etree.fromstring(document.encode())
    owner = root if at is None else next(e for e in root.iter() if e.get("ID") == at)
    element = sign_element(owner, Signature(key=signer(by).key, **how))
    owner.remove(element)
    owner.insert(0, element)
    return etree.tostring(root).decode()
