"""Opens a Response: finds its one assertion, verifies every signature, decrypts where needed."""

from collections.abc import Mapping
from typing import Final

import msgspec
from lxml.etree import _Element

from vestibule.saml.encryption import decrypt, decryption_failed, parse_in_context
from vestibule.saml.errors import Checks, Reason, SamlError
from vestibule.saml.expectation import Expectation
from vestibule.saml.keys import Certificate
from vestibule.saml.signature import find_signatures, verify_enveloped
from vestibule.saml.signed_info import uses_inclusive_c14n
from vestibule.saml.status import SUCCESS, check_status, status_codes
from vestibule.saml.xml import SAML, SAMLP, Children, Document, children_by_tag, local_name

RESPONSE: Final = f"{{{SAMLP}}}Response"
ASSERTION: Final = f"{{{SAML}}}Assertion"
ENCRYPTED_ASSERTION: Final = f"{{{SAML}}}EncryptedAssertion"
_OLDER_SAML: Final = "{urn:oasis:names:tc:SAML:1."


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A Response whose every Signature was verified and taken out of the tree.

    All of `assertion` was signed; all of `response` too when `response_signed`. `message` are the
    children of the Response as it came. `certificates` are those whose keys fitted. `decrypted` are
    the elements of an assertion that was encrypted, the assertion first, kept as `Document` says.
    """

    response: _Element
    message: Children
    assertion: _Element
    response_signed: bool
    certificates: tuple[Certificate, ...]
    decrypted: list[_Element]


def open_response(document: Document, expectation: Expectation, checks: Checks) -> Opened:
    """Verify the signatures of a parsed Response and find its assertion, decrypted.

    Raises:
        SamlError: `saml.root`, `saml.version`, `saml.id`, `saml.count`, `saml.status` when it
            carries an error instead of an assertion, `sig.*`, `enc.*`, or `xml.*` in a plaintext.
    """
    root = document.root
    _require_identity(root, RESPONSE)
    signatures = find_signatures(root, owners=(RESPONSE, ASSERTION))
    message = children_by_tag(root)
    found = _only_assertion(root, message, checks)
    if not signatures.keys() <= {root, found}:
        raise SamlError(
            Reason.SIG_PLACE, expected="a Signature of this message", received="one of another"
        )
    if not expectation.keys:
        raise SamlError(Reason.SIG_NOKEY, expected="a pinned certificate", received="none")
    response_key = _verify(root, signatures, expectation, checks)
    decrypted: list[_Element] = []
    if found.tag == ENCRYPTED_ASSERTION:
        decrypted, assertion_key = _decrypt(
            found,
            document.identifiers,
            expectation,
            checks,
            response_signed=response_key is not None,
        )
    elif expectation.require_encryption:
        raise SamlError(Reason.ENC_REQUIRED, expected="EncryptedAssertion", received="Assertion")
    else:
        assertion_key = _open_assertion(
            found, signatures, expectation, checks, response_signed=response_key is not None
        )
    _check_policy(expectation, response_key, assertion_key)
    return Opened(
        response=root,
        message=message,
        assertion=decrypted[0] if decrypted else found,
        response_signed=response_key is not None,
        certificates=tuple(filter(None, (response_key, assertion_key))),
        decrypted=decrypted,
    )


def _require_identity(element: _Element, tag: str) -> None:
    if element.tag != tag:
        older = str(element.tag).startswith(_OLDER_SAML)
        raise SamlError(
            Reason.SAML_VERSION if older else Reason.SAML_ROOT,
            expected=tag.rpartition("}")[2],
            received=str(element.tag),
        )
    version = element.get("Version")
    if version != "2.0":
        raise SamlError(
            Reason.SAML_VERSION,
            expected=f"{local_name(element)} of version 2.0",
            received=f"{version}",
        )
    if element.get("ID") is None:
        raise SamlError(
            Reason.SAML_ID, expected=f"{local_name(element)} with an ID", received="none"
        )


def _only_assertion(root: _Element, message: Children, checks: Checks) -> _Element:
    found = list(root.iter(ASSERTION, ENCRYPTED_ASSERTION))
    if not found and status_codes(message)[:1] != [SUCCESS]:
        check_status(message, checks)
    if len(found) != 1 or found[0].getparent() is not root:
        raise SamlError(
            Reason.SAML_COUNT,
            expected="one Assertion or EncryptedAssertion, in the Response",
            received=f"{len(found)} in the document",
        )
    if found[0].tag == ASSERTION:
        _require_identity(found[0], ASSERTION)
    return found[0]


def _verify(
    owner: _Element,
    signatures: Mapping[_Element, _Element],
    expectation: Expectation,
    checks: Checks,
) -> Certificate | None:
    signature = signatures.get(owner)
    if signature is None:
        return None
    if expectation.allow_inclusive_c14n and uses_inclusive_c14n(signature[0]):
        checks.warn("c14n.inclusive")
    certificate = verify_enveloped(
        owner,
        signature,
        keys=expectation.keys,
        allow_inclusive_c14n=expectation.allow_inclusive_c14n,
    )
    checks.note(
        Reason.SIG_VALUE,
        expected=f"{local_name(owner)} signed by a pinned certificate",
        received=f"the certificate of {certificate.issuer}",
    )
    return certificate


def _open_assertion(
    assertion: _Element,
    signatures: Mapping[_Element, _Element],
    expectation: Expectation,
    checks: Checks,
    *,
    response_signed: bool,
) -> Certificate | None:
    certificate = _verify(assertion, signatures, expectation, checks)
    if certificate is None and not response_signed:
        raise SamlError(
            Reason.SIG_MISSING, expected="a signed Response or Assertion", received="neither"
        )
    return certificate


def _decrypt(
    encrypted: _Element,
    taken: list[str],
    expectation: Expectation,
    checks: Checks,
    *,
    response_signed: bool,
) -> tuple[list[_Element], Certificate | None]:
    plaintext = decrypt(encrypted, expectation.decryption_keys, allow_cbc=expectation.allow_cbc)
    try:
        elements = parse_in_context(plaintext, encrypted, taken=taken)
        assertion = elements[0]
        _require_alone(assertion)
        signatures = find_signatures(assertion, owners=(ASSERTION,))
        certificate = _open_assertion(
            assertion, signatures, expectation, checks, response_signed=response_signed
        )
    except SamlError:
        if plaintext.authenticated or response_signed:
            raise
        # Somebody may have changed the ciphertext: which rule failed would tell about the content.
        raise decryption_failed() from None
    if not plaintext.authenticated:
        checks.warn("enc.cbc")
    checks.note(Reason.ENC, expected="a ciphertext for our key", received="decrypted")
    return elements, certificate


def _require_alone(assertion: _Element) -> None:
    if assertion.tag != ASSERTION:
        raise SamlError(
            Reason.XML, expected="one Assertion encrypted", received=local_name(assertion)
        )
    _require_identity(assertion, ASSERTION)
    if len(list(assertion.iter(ASSERTION, ENCRYPTED_ASSERTION))) != 1:
        raise SamlError(
            Reason.SAML_COUNT, expected="one Assertion", received="another inside the encrypted one"
        )


def _check_policy(
    expectation: Expectation, response_key: Certificate | None, assertion_key: Certificate | None
) -> None:
    if expectation.require_signed_response and response_key is None:
        raise SamlError(
            Reason.SIG_POLICY, expected="a signed Response", received="a signed Assertion only"
        )
    if expectation.require_signed_assertion and assertion_key is None:
        raise SamlError(
            Reason.SIG_POLICY, expected="a signed Assertion", received="a signed Response only"
        )
