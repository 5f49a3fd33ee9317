"""The signature of an identity provider's metadata: verified where its signer is known."""

from collections.abc import Sequence
from typing import Final, Literal

from lxml.etree import _Element

from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.keys import Certificate
from vestibule.saml.signature import check_digest, find_signatures, verify_enveloped
from vestibule.saml.xml import MD

SignatureState = Literal["verified", "not_verified", "none"]

# What SAML Metadata 2.3 and 2.4 let be signed: an aggregate, an entity, a role.
_SIGNABLE: Final = tuple(
    f"{{{MD}}}{name}"
    for name in (
        "EntitiesDescriptor",
        "EntityDescriptor",
        "RoleDescriptor",
        "IDPSSODescriptor",
        "SPSSODescriptor",
        "AuthnAuthorityDescriptor",
        "AttributeAuthorityDescriptor",
        "PDPDescriptor",
        "AffiliationDescriptor",
    )
)
# What is not to be said of a document whose signer is not known: only that we do not do that.
_NOT_OURS: Final = frozenset({Reason.SIG_ALG, Reason.SIG_C14N, Reason.SIG_TRANSFORM})


def check_metadata_signature(
    root: _Element, around: Sequence[_Element], *, signers: Sequence[Certificate]
) -> SignatureState:
    """Check the signatures of a document over one entity in it; say whether one was verified.

    `around` are the aggregates from the root down to the entity, which is last. With `signers` one
    of these has to carry a signature by one of them, so that the entity is within what was signed
    and nothing beside it is read. Without, a signature proves nothing but that the content is as
    it was: a digest that does not fit is refused, a method that is not ours is left alone.

    Raises:
        SamlError: one of the `sig.*` reasons, `sig.missing` where a signer is wanted.
    """
    found = find_signatures(root, owners=_SIGNABLE)
    signed = [element for element in around if element in found]
    if signers:
        _verify(signed, found, signers)
        return "verified"
    for element in signed:
        try:
            check_digest(element, found[element])
        except SamlError as error:
            if error.reason not in _NOT_OURS:
                raise
    return "not_verified" if signed else "none"


def _verify(
    signed: Sequence[_Element], found: dict[_Element, _Element], signers: Sequence[Certificate]
) -> None:
    """Pass when one of the signatures is by a signer; the outer one's digest covers the inner."""
    refused = SamlError(
        Reason.SIG_MISSING, expected="metadata that its known certificate signed", received="none"
    )
    for element in signed:
        try:
            verify_enveloped(element, found[element], keys=signers)
        except SamlError as error:
            refused = error
        else:
            return
    raise refused
