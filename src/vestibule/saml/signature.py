"""Checks the one form of XML signature SAML allows, and nothing an attacker could choose.

A fixed profile of XML-DSig instead of an engine for all of it (SAML Core 5.4): enveloped, exactly
one Reference to the ID of the element that holds the Signature, exclusive canonicalization, RSA or
ECDSA with SHA-2, and a key that is pinned beforehand. KeyInfo is never read.
"""

import hashlib
import hmac
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from lxml import etree
from lxml.etree import _Element

from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.keys import Certificate, PublicKey, check_strength
from vestibule.saml.xml import (
    DS,
    EXC_C14N,
    children,
    decode_base64,
    detach,
    local_name,
    members,
    text,
)

SIGNATURE: Final = f"{{{DS}}}Signature"
INCLUSIVE_C14N: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
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
_DIGESTS: Final[dict[str, Callable[[bytes], Any]]] = {
    "http://www.w3.org/2001/04/xmlenc#sha256": hashlib.sha256,
    f"{_MORE}sha384": hashlib.sha384,
    "http://www.w3.org/2001/04/xmlenc#sha512": hashlib.sha512,
}
_ENVELOPED: Final = f"{DS}enveloped-signature"
_PADDING: Final = PKCS1v15()
_MAX_PREFIXES: Final = 20
# Its nine elements and an InclusiveNamespaces in each of the two canonicalizations.
_MAX_SIGNED_INFO: Final = 11


def _ds(name: str) -> str:
    return f"{{{DS}}}{name}"


_SHAPES: Final = (
    [_ds("SignedInfo"), _ds("SignatureValue")],
    [_ds("SignedInfo"), _ds("SignatureValue"), _ds("KeyInfo")],
)
_REFERENCE: Final = _ds("Reference")
_CANONICALIZATION: Final = _ds("CanonicalizationMethod")
_SIGNED_INFO: Final = [_CANONICALIZATION, _ds("SignatureMethod"), _REFERENCE]
_REFERENCE_SHAPE: Final = [_ds("Transforms"), _ds("DigestMethod"), _ds("DigestValue")]
_TRANSFORM: Final = _ds("Transform")
_PREFIXES: Final = f"{{{EXC_C14N}}}InclusiveNamespaces"


@dataclass(frozen=True, slots=True, kw_only=True)
class Canonicalization:
    """How an element becomes octets: exclusive with these inclusive prefixes, or inclusive 1.0."""

    exclusive: bool
    prefixes: tuple[str, ...] = ()


_EXCLUSIVE: Final = Canonicalization(exclusive=True)


class _SignedInfo(NamedTuple):
    """What a SignedInfo of the allowed form says."""

    own: Canonicalization
    algorithm: str
    content: Canonicalization
    digest: Callable[[bytes], Any]
    digest_value: _Element


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
        _expect_shape(signature, _SHAPES)
        _expect_nothing_beside(signature)
    return found


def uses_inclusive_c14n(signature: _Element) -> bool:
    """Whether a Signature asks for inclusive canonicalization, which a connection may allow."""
    methods = signature[0].iter(_CANONICALIZATION, _TRANSFORM)
    return any(method.get("Algorithm") == INCLUSIVE_C14N for method in methods)


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
    info = _read_signed_info(signed_info, owner, allow_inclusive_c14n=allow_inclusive_c14n)
    certificate = verify_octets(
        canonicalize(signed_info, info.own),
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
    _check_digest(owner, signature, _read_signed_info(signature[0], owner))


def _check_digest(owner: _Element, signature: _Element, info: _SignedInfo) -> None:
    expected = _decode(text(info.digest_value), Reason.SIG_DIGEST)
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
    fitting = [certificate for certificate in keys if isinstance(certificate.public_key, kind)]
    if not fitting:
        held = ", ".join(type(certificate.public_key).__name__ for certificate in keys)
        raise _refused(Reason.SIG_KEY, f"a key for {algorithm}", held)
    for certificate in fitting[:MAX_KEYS]:
        check_strength(certificate.public_key, reason=Reason.SIG_KEY)
        if _fits(certificate, signature, octets, hash_algorithm):
            return certificate
    raise _refused(
        Reason.SIG_VALUE, "a signature by a pinned certificate", "one by another key, or changed"
    )


def canonicalize(element: _Element, how: Canonicalization) -> bytes:
    """Canonicalize an element without comments.

    Raises:
        SamlError: `sig.empty` when there are no octets: libxml2 gives none where it fails, and a
            signature over nothing must never count (CVE-2025-66568).
    """
    if "#default" in how.prefixes:
        _intern("#default")
    try:
        octets = etree.tostring(
            element,
            method="c14n",
            exclusive=how.exclusive,
            with_comments=False,
            inclusive_ns_prefixes=list(how.prefixes) or None,
        )
    except etree.C14NError:
        octets = b""
    if not octets:
        raise _refused(Reason.SIG_EMPTY, "octets to sign", "none")
    return octets


def _intern(prefix: str) -> None:
    # lxml passes on only the prefixes that its dictionary holds already; #default is no XML name,
    # so the parser never put it there. A tag filter does.
    parser = etree.XMLPullParser(events=("end",), tag=prefix)
    parser.feed(b"<a/>")
    parser.close()


def _expect_shape(element: _Element, shapes: Sequence[list[str]]) -> None:
    if [child.tag for child in members(element)] not in shapes:
        raise _refused(
            Reason.SIG_CHILDREN,
            f"{local_name(element)} of {' '.join(name.rpartition('}')[2] for name in shapes[0])}",
            " ".join(local_name(child) for child in element),
        )


def _expect_nothing_beside(signature: _Element) -> None:
    # Nobody signed what stands here, so there may be nothing that another reader could take up.
    parts = members(signature)
    beside = "".join([each for each in (signature.text, *[part.tail for part in parts]) if each])
    if beside and not beside.isspace():
        raise _refused(Reason.SIG_CHILDREN, "no text between the parts of a Signature", beside)
    for element in (signature, parts[1]):
        names = element.keys()
        if names and names != ["Id"]:
            received = f"{' '.join(map(str, names))} of {local_name(element)}"
            raise _refused(Reason.SIG_CHILDREN, "no attribute but Id", received)


def _read_signed_info(
    signed_info: _Element, owner: _Element, *, allow_inclusive_c14n: bool = False
) -> _SignedInfo:
    if [child.tag for child in members(signed_info)] != _SIGNED_INFO:
        references = len(children(signed_info, _REFERENCE))
        if references != 1:
            raise _refused(Reason.SIG_REFS, "one Reference", str(references))
        _expect_shape(signed_info, (_SIGNED_INFO,))
    own = _canonicalization(signed_info[0], allow_inclusive_c14n=allow_inclusive_c14n)
    algorithm = signed_info[1].get("Algorithm", "")
    if len(signed_info[1]):
        raise _refused(Reason.SIG_ALG, "a SignatureMethod without parameters", algorithm)
    reference = signed_info[2]
    uri, wanted = reference.get("URI"), "#" + owner.get("ID", "")
    if uri != wanted or wanted == "#":
        raise _refused(Reason.SIG_REF, f"a Reference to {wanted}", str(uri))
    _expect_shape(reference, (_REFERENCE_SHAPE,))
    content = _transforms(reference[0], allow_inclusive_c14n=allow_inclusive_c14n)
    digest = _digest_method(reference[1])
    # The last check before work: nothing that was not looked at above is canonicalized.
    count = len(list(signed_info.iter()))
    if count > _MAX_SIGNED_INFO:
        most = f"a SignedInfo of at most {_MAX_SIGNED_INFO} elements"
        raise _refused(Reason.SIG_CHILDREN, most, str(count))
    return _SignedInfo(own, algorithm, content, digest, reference[2])


def _transforms(transforms: _Element, *, allow_inclusive_c14n: bool) -> Canonicalization:
    names = [(child.tag, child.get("Algorithm")) for child in members(transforms)]
    if len(names) != 2 or names[0] != (_TRANSFORM, _ENVELOPED) or names[1][0] != _TRANSFORM:
        received = ", ".join(str(algorithm) for _, algorithm in names[:4])
        expected = "enveloped-signature, then exclusive canonicalization"
        raise _refused(Reason.SIG_TRANSFORM, expected, received)
    if len(transforms[0]):
        raise _refused(Reason.SIG_TRANSFORM, "a transform without parameters", "parameters")
    return _canonicalization(
        transforms[1], allow_inclusive_c14n=allow_inclusive_c14n, reason=Reason.SIG_TRANSFORM
    )


def _canonicalization(
    method: _Element, *, allow_inclusive_c14n: bool, reason: Reason = Reason.SIG_C14N
) -> Canonicalization:
    algorithm = method.get("Algorithm", "")
    if algorithm == INCLUSIVE_C14N and allow_inclusive_c14n and not len(method):
        return Canonicalization(exclusive=False)
    if algorithm != EXC_C14N:
        raise _refused(reason, "exclusive canonicalization without comments", algorithm)
    if not len(method):
        return _EXCLUSIVE
    prefixes = method[0].get("PrefixList", "").split()
    if [child.tag for child in method] != [_PREFIXES] or len(prefixes) > _MAX_PREFIXES:
        expected = f"one InclusiveNamespaces of at most {_MAX_PREFIXES} prefixes"
        raise _refused(Reason.SIG_TRANSFORM, expected, f"{len(method)} of {len(prefixes)}")
    return Canonicalization(exclusive=True, prefixes=tuple(prefixes))


def _digest_method(method: _Element) -> Callable[[bytes], Any]:
    algorithm = method.get("Algorithm", "")
    if algorithm not in _DIGESTS or len(method):
        raise _refused(Reason.SIG_ALG, "the digest SHA-256, SHA-384 or SHA-512", algorithm)
    return _DIGESTS[algorithm]


def _fits(
    certificate: Certificate, signature: bytes, octets: bytes, hash_algorithm: HashAlgorithm
) -> bool:
    key = certificate.public_key
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(signature, octets, _PADDING, hash_algorithm)
        else:
            # XML-DSig writes r and s side by side, each as long as the curve's order (RFC 4050).
            size = (key.curve.key_size + 7) // 8
            if len(signature) != 2 * size:
                return False
            r, s = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
            key.verify(encode_dss_signature(r, s), octets, ECDSA(hash_algorithm))
    except InvalidSignature:
        return False
    return True


def _decode(value: str, reason: Reason) -> bytes:
    try:
        return decode_base64(value)
    except ValueError:
        raise _refused(reason, "base64", value) from None


def _refused(reason: Reason, expected: str, received: str) -> SamlError:
    return SamlError(reason, expected=expected, received=received)
