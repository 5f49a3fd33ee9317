"""Reads a SignedInfo: what was signed, and how, in the one form that SAML allows (Core 5.4).

Exactly one Reference to the ID of the element that holds the Signature, with the enveloped
signature taken out and exclusive canonicalization. Whatever else an attacker could choose (another
reference, a transform, a method) is refused before the signature or a digest is computed.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from lxml.etree import _Element

from vestibule.saml.canonicalization import EXCLUSIVE, Canonicalization, canonicalize
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.xml import DS, EXC_C14N, children, local_name, members, text

INCLUSIVE_C14N: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"

_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_DIGESTS: Final[dict[str, Callable[[bytes], Any]]] = {
    "http://www.w3.org/2001/04/xmlenc#sha256": hashlib.sha256,
    f"{_MORE}sha384": hashlib.sha384,
    "http://www.w3.org/2001/04/xmlenc#sha512": hashlib.sha512,
}
_ENVELOPED: Final = f"{DS}enveloped-signature"
_MAX_PREFIXES: Final = 20
# Its nine elements and an InclusiveNamespaces in each of the two canonicalizations.
_MAX_ELEMENTS: Final = 11


def _ds(name: str) -> str:
    return f"{{{DS}}}{name}"


_REFERENCE: Final = _ds("Reference")
_CANONICALIZATION: Final = _ds("CanonicalizationMethod")
_SHAPE: Final = [_CANONICALIZATION, _ds("SignatureMethod"), _REFERENCE]
_REFERENCE_SHAPE: Final = [_ds("Transforms"), _ds("DigestMethod"), _ds("DigestValue")]
_TRANSFORM: Final = _ds("Transform")
_PREFIXES: Final = f"{{{EXC_C14N}}}InclusiveNamespaces"


class SignedInfo(msgspec.Struct, frozen=True):
    """What a SignedInfo of the allowed form says, and its octets, which the signature is over."""

    octets: bytes
    algorithm: str
    content: Canonicalization
    digest: Callable[[bytes], Any]
    digest_value: str


def read_signed_info(
    signed_info: _Element, owner: _Element, *, allow_inclusive_c14n: bool = False
) -> SignedInfo:
    """Read what was signed of `owner`, the element whose Signature holds `signed_info`.

    `algorithm` and `digest_value` are as they were written: who compares them looks at them.

    Raises:
        SamlError: `sig.c14n`, `sig.alg`, `sig.refs`, `sig.ref`, `sig.transform` or `sig.children`
            for what is not of the allowed form, `sig.empty`, or `xml.mixed`.
    """
    # A larger one is refused below, and is never canonicalized.
    if len(list(signed_info.iter())) <= _MAX_ELEMENTS:
        octets = canonicalize(signed_info, EXCLUSIVE)
        if (usual := _read_usual(octets, owner)) is not None:
            return usual
    return _read(signed_info, owner, allow_inclusive_c14n=allow_inclusive_c14n)


def uses_inclusive_c14n(signed_info: _Element) -> bool:
    """Whether a SignedInfo asks for inclusive canonicalization, which a connection may allow."""
    methods = signed_info.iter(_CANONICALIZATION, _TRANSFORM)
    return any(method.get("Algorithm") == INCLUSIVE_C14N for method in methods)


def expect_shape(element: _Element, shapes: Sequence[list[str]]) -> None:
    """Pass when the names of an element's children, in order, are one of these lists.

    Raises:
        SamlError: `sig.children`.
    """
    if [child.tag for child in members(element)] not in shapes:
        raise _refused(
            Reason.SIG_CHILDREN,
            f"{local_name(element)} of {' '.join(name.rpartition('}')[2] for name in shapes[0])}",
            " ".join(local_name(child) for child in element),
        )


_P: Final = "(?(prefix)(?P=prefix):)"


def _element(name: str, *, algorithm: str, content: str = "") -> str:
    return rf'<{_P}{name} Algorithm="{algorithm}">{content}</{_P}{name}>\s*'


# The octets of what nearly every identity provider writes. A pattern for the whole of them tells
# the values for a fraction of what the elements cost to look at one by one.
_USUAL: Final = re.compile(
    "".join(
        (
            rf'<(?:(?P<prefix>\w+):)?SignedInfo xmlns(?(prefix):(?P=prefix))="{re.escape(DS)}">\s*',
            _element("CanonicalizationMethod", algorithm=re.escape(EXC_C14N)),
            _element("SignatureMethod", algorithm=r'([^"]*)'),
            rf'<{_P}Reference URI="#([^"]+)">\s*<{_P}Transforms>\s*',
            _element("Transform", algorithm=re.escape(_ENVELOPED)),
            _element(
                "Transform",
                algorithm=re.escape(EXC_C14N),
                content=r"(?:\s*<(?P<e>\w+):InclusiveNamespaces"
                rf' xmlns:(?P=e)="{re.escape(EXC_C14N)}" PrefixList="([^"&]*)">'
                r"</(?P=e):InclusiveNamespaces>\s*)?",
            ),
            rf"</{_P}Transforms>\s*",
            _element("DigestMethod", algorithm=r'([^"]*)'),
            rf"<{_P}DigestValue>([^<&]*)</{_P}DigestValue>\s*</{_P}Reference>\s*",
            rf"</{_P}SignedInfo>",
        )
    ).encode()
)


def _read_usual(octets: bytes, owner: _Element) -> SignedInfo | None:
    """Read the octets of a SignedInfo that is written as usual; None for any other."""
    found = _USUAL.fullmatch(octets)
    if found is None:
        return None
    _, algorithm, reference, _, listed, method, value = found.groups()
    content = EXCLUSIVE
    if listed:
        content = Canonicalization(exclusive=True, prefixes=tuple(listed.decode().split()))
    digest = _DIGESTS.get(method.decode())
    if (
        digest is None
        or reference.decode() != owner.get("ID")
        or len(content.prefixes) > _MAX_PREFIXES
    ):
        return None
    return SignedInfo(octets, algorithm.decode(), content, digest, value.decode())


def _read(signed_info: _Element, owner: _Element, *, allow_inclusive_c14n: bool) -> SignedInfo:
    if [child.tag for child in members(signed_info)] != _SHAPE:
        references = len(children(signed_info, _REFERENCE))
        if references != 1:
            raise _refused(Reason.SIG_REFS, "one Reference", str(references))
        expect_shape(signed_info, (_SHAPE,))
    own = _canonicalization(signed_info[0], allow_inclusive_c14n=allow_inclusive_c14n)
    algorithm = signed_info[1].get("Algorithm", "")
    if len(signed_info[1]):
        raise _refused(Reason.SIG_ALG, "a SignatureMethod without parameters", algorithm)
    reference = signed_info[2]
    uri, wanted = reference.get("URI"), "#" + owner.get("ID", "")
    if uri != wanted or wanted == "#":
        raise _refused(Reason.SIG_REF, f"a Reference to {wanted}", str(uri))
    expect_shape(reference, (_REFERENCE_SHAPE,))
    content = _transforms(reference[0], allow_inclusive_c14n=allow_inclusive_c14n)
    digest = _digest_method(reference[1])
    # With no more elements than these there is none that was not looked at above.
    count = len(list(signed_info.iter()))
    if count > _MAX_ELEMENTS:
        most = f"a SignedInfo of at most {_MAX_ELEMENTS} elements"
        raise _refused(Reason.SIG_CHILDREN, most, str(count))
    return SignedInfo(
        canonicalize(signed_info, own), algorithm, content, digest, text(reference[2])
    )


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
        return EXCLUSIVE
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


def _refused(reason: Reason, expected: str, received: str) -> SamlError:
    return SamlError(reason, expected=expected, received=received)
