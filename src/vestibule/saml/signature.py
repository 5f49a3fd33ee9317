"""Checks the one form of XML signature SAML allows, and nothing an attacker could choose.

A fixed profile of XML-DSig instead of an engine for all of it (SAML Core 5.4): enveloped, exactly
one Reference to the ID of the element that holds the Signature, exclusive canonicalization, RSA or
ECDSA with SHA-2, and a key that is pinned beforehand. KeyInfo is never read.
"""

import hmac
from collections.abc import Callable, Collection, Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from lxml.etree import _Element

from vestibule.saml.canonicalization import canonicalize
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.keys import Certificate, PublicKey, check_strength
from vestibule.saml.signed_info import SignedInfo, expect_shape, read_signed_info
from vestibule.saml.xml import DS, decode_base64, detach, local_name, members, text

SIGNATURE: Final = f"{{{DS}}}Signature"
MAX_KEYS: Final = 10

_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_METHODS: Final[dict[str, tuple[type[PublicKey], HashAlgorithm]]] = {
    f"{_MORE}rsa-sha256": (RSAPublicKey, SHA256()),
    f"{_MORE}rsa-sha384": (RSAPublicKey, SHA384()),
    f"{_MORE}rsa-sha512": (RSAPublicKey, SHA512()),
    f"{_MORE}ecdsa-sha256": (EllipticCurvePublicKey, SHA256()),
    f"{_MORE}ecdsa-sha384": (EllipticCurvePublicKey, SHA384()),
    f"{_MORE}ecdsa-sha512": (EllipticCurvePublicKey, SHA512()),
}
_PADDING: Final = PKCS1v15()
_PARTS: Final = [f"{{{DS}}}SignedInfo", f"{{{DS}}}SignatureValue"]
_SHAPES: Final = (_PARTS, [*_PARTS, f"{{{DS}}}KeyInfo"])


def find_signatures(root: _Element, *, owners: Collection[str]) -> dict[_Element, _Element]:
    """Find every Signature of a document, each under the element it must sign.

    `owners` are the tags that may hold one. Returns the Signature by its parent; both keep their
    place in the tree.

    Raises:
        SamlError: `sig.place` for a Signature anywhere else, `sig.count` for a second one in an
            owner, `sig.children` when one holds anything but SignedInfo, SignatureValue and at
            most one KeyInfo, or an attribute that XML-DSig does not know.
    """
    found: dict[_Element, _Element] = {}
    for signature in root.iter(SIGNATURE):
        owner = signature.getparent()
        if owner is None or owner.tag not in owners:
            place = "the root" if owner is None else local_name(owner)
            raise SamlError(
                Reason.SIG_PLACE,
                expected="a Signature in the element it signs",
                received=f"a Signature in {place}",
            )
        if owner in found:
            raise SamlError(
                Reason.SIG_COUNT, expected="one Signature in an element", received="two"
            )
        found[owner] = signature
    for signature in found.values():
        expect_shape(signature, _SHAPES)
        _expect_nothing_beside(signature)
    return found


def verify_enveloped(
    owner: _Element,
    signature: _Element,
    *,
    keys: Sequence[Certificate],
    allow_inclusive_c14n: bool = False,
) -> Certificate:
    """Verify the Signature that `find_signatures` found in `owner` with one of the pinned keys.

    On return the Signature is out of the tree, so what `owner` holds is exactly what was signed:
    its canonical octets were digested, and they spell every name, attribute and text that is left
    (comments were dropped by the parser, DTDs and processing instructions refused). Reading values
    in place equals reading the signed octets. Where a Response and its Assertion are both signed,
    verify the Response first: its digest covers the Assertion's Signature.

    Returns the certificate whose key fitted.

    Raises:
        SamlError: one of the `sig.*` reasons, or `xml.mixed`.
    """
    signed_info, signature_value = signature[0], signature[1]
    info = read_signed_info(signed_info, owner, allow_inclusive_c14n=allow_inclusive_c14n)
    certificate = verify_octets(
        info.octets,
        _decode(text(signature_value), Reason.SIG_VALUE),
        algorithm=info.algorithm,
        keys=keys,
    )
    _check_digest(owner, signature, info)
    return certificate


def check_digest(owner: _Element, signature: _Element) -> None:
    """Compare the content of `owner` with the digest in its Signature, whoever made that.

    It says that nothing was changed by accident, and nothing else. The Signature is taken out.

    Raises:
        SamlError: one of the `sig.*` reasons, or `xml.mixed`.
    """
    _check_digest(owner, signature, read_signed_info(signature[0], owner))


def _check_digest(owner: _Element, signature: _Element, info: SignedInfo) -> None:
    expected = _decode(info.digest_value, Reason.SIG_DIGEST)
    detach(signature)
    received = info.digest(canonicalize(owner, info.content)).digest()
    if not hmac.compare_digest(expected, received):
        raise _refused(
            Reason.SIG_DIGEST, f"{local_name(owner)} as it was signed", "changed content"
        )


def verify_octets(
    octets: bytes, signature: bytes, *, algorithm: str, keys: Sequence[Certificate]
) -> Certificate:
    """Verify a signature over octets; `algorithm` is the URI of the signature method.

    Returns the certificate whose key fitted.

    Raises:
        SamlError: `sig.nokey` without keys, `sig.alg` for a method that is not allowed, `sig.key`
            when no key is of its kind or one is weak, `sig.value` when none fits.
    """
    if not keys:
        raise _refused(Reason.SIG_NOKEY, "a pinned certificate", "none")
    if algorithm not in _METHODS:
        raise _refused(Reason.SIG_ALG, "RSA or ECDSA with SHA-256, SHA-384 or SHA-512", algorithm)
    kind, hash_algorithm = _METHODS[algorithm]
    fitting = [certificate for certificate in keys if certificate.kind is kind]
    if not fitting:
        held = ", ".join(type(certificate.public_key).__name__ for certificate in keys)
        raise _refused(Reason.SIG_KEY, f"a key for {algorithm}", held)
    verify: Callable[..., None] = _verify_rsa if kind is RSAPublicKey else _verify_ecdsa
    for certificate in fitting[:MAX_KEYS]:
        check_strength(certificate.public_key, reason=Reason.SIG_KEY)
        try:
            verify(certificate.public_key, signature, octets, hash_algorithm)
        except InvalidSignature:
            continue
        return certificate
    raise _refused(
        Reason.SIG_VALUE, "a signature by a pinned certificate", "one by another key, or changed"
    )


def _expect_nothing_beside(signature: _Element) -> None:
    # Nobody signed what stands here, so there may be nothing that another reader could take up.
    for text_beside in [signature.text, *[part.tail for part in members(signature)]]:
        if text_beside and not text_beside.isspace():
            expected = "no text between the parts of a Signature"
            raise _refused(Reason.SIG_CHILDREN, expected, text_beside)
    for element in (signature, signature[1]):
        names = element.keys()
        if names and names != ["Id"]:
            received = f"{' '.join(map(str, names))} of {local_name(element)}"
            raise _refused(Reason.SIG_CHILDREN, "no attribute but Id", received)


def _verify_rsa(
    key: RSAPublicKey, signature: bytes, octets: bytes, hash_algorithm: HashAlgorithm
) -> None:
    key.verify(signature, octets, _PADDING, hash_algorithm)


def _verify_ecdsa(
    key: EllipticCurvePublicKey, signature: bytes, octets: bytes, hash_algorithm: HashAlgorithm
) -> None:
    # XML-DSig writes r and s side by side, each as long as the curve's order (RFC 4050).
    size = (key.curve.key_size + 7) // 8
    if len(signature) != 2 * size:
        raise InvalidSignature
    r, s = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
    key.verify(encode_dss_signature(r, s), octets, ECDSA(hash_algorithm))


def _decode(value: str, reason: Reason) -> bytes:
    try:
        return decode_base64(value)
    except ValueError:
        raise _refused(reason, "base64", value) from None


def _refused(reason: Reason, expected: str, received: str) -> SamlError:
    return SamlError(reason, expected=expected, received=received)
