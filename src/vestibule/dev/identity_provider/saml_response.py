"""Writing and signing what an identity provider answers: Responses, and its metadata.

The documents are templates, filled with escaping and read back by the one XML parser before they
are signed, so no value can become markup.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from vestibule.clock import HOUR, MINUTE, rfc3339
from vestibule.dev.identity_provider.keys import SigningIdentity
from vestibule.dev.identity_provider.people import Login
from vestibule.dev.identity_provider.saml_request import SignInRequest
from vestibule.dev.pages import render
from vestibule.saml.keys import read_certificate
from vestibule.saml.signing import sign_enveloped
from vestibule.saml.xml import SAML, parse

Signed = Literal["assertion", "response", "both"]

_ASSERTION: Final = f"{{{SAML}}}Assertion"
_ROOT: Final = "."
# What is signed, in this order: the Response's signature covers that of the Assertion.
_PATHS: Final[Mapping[Signed, Sequence[str]]] = {
    "assertion": (_ASSERTION,),
    "response": (_ROOT,),
    "both": (_ASSERTION, _ROOT),
}


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
