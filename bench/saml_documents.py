"""The three documents that are measured: one assertion of an Okta-like Response, signed thrice."""

import base64
from dataclasses import dataclass
from typing import Final

from lxml.etree import _Element

from tests.support.saml_documents import (
    Signature,
    document,
    find,
    fragment,
    octets,
    response_element,
)
from tests.support.saml_encryption import Encryption
from tests.support.saml_keys import signer
from vestibule.saml.xml import SAML

NAMES: Final = (
    "email", "firstName", "lastName", "id", "department", "title", "employeeNumber", "locale",
)  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """A Response as it comes in the form field, and how many of its elements are signed."""

    name: str
    field: str
    size: int


def documents(*, now: int) -> list[Measured]:
    """Return A (assertion signed), B (both signed) and C (encrypted, assertion signed).

    They are issued `now` (microseconds): some peers read the machine's clock. They are about as
    long as those of the issue and of shared/perf.md: 7,401, 9,556 and 10,789 bytes.
    """
    key = signer("idp")
    how = Signature(key=key.key, certificate_pem=key.pem)
    made = {
        "A": document(sign="assertion", signature=how, root=_response(now)),
        "B": document(sign="both", signature=how, root=_response(now)),
        "C": document(
            sign="assertion",
            signature=how,
            root=_response(now),
            encryption=Encryption(certificate_pem=signer("sp").pem),
        ),
    }
    return [
        Measured(name, base64.b64encode(octets(root)).decode(), len(octets(root)))
        for name, root in made.items()
    ]


def _response(now: int) -> _Element:
    root = response_element(attributes={}, now=now)
    assertion = find(root, "saml:Assertion")
    for old in assertion.iterchildren(f"{{{SAML}}}AttributeStatement"):
        assertion.remove(old)
    attributes = "".join(_attribute(name) for name in NAMES)
    assertion.append(fragment(f"<saml:AttributeStatement>{attributes}</saml:AttributeStatement>"))
    return root


def _attribute(name: str) -> str:
    """Return an attribute as Okta writes it, with the two namespaces on every value."""
    return (
        f'<saml:Attribute Name="{name}" '
        'NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic">'
        '<saml:AttributeValue xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">'
        f"{name} of Ada Lovelace, countess and mathematician, who wrote the first program for a "
        "machine that was never built in her lifetime, and who saw that it could do more than "
        "reckon with numbers</saml:AttributeValue></saml:Attribute>"
    )
