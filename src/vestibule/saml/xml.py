"""The only XML parser: hostile bytes become a tree that is safe to canonicalize and to read."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Final

import msgspec
import pybase64
from lxml import etree
from lxml.etree import _Element

from vestibule.saml.errors import Reason, SamlError

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
MD = "urn:oasis:names:tc:SAML:2.0:metadata"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

MAX_BYTES = 256 * 1024
MAX_DEPTH = 40
MAX_NODES = 5_000
MAX_ATTRIBUTES = 64
# Those that hold in one place: some identity providers declare two at each of a person's groups.
MAX_NAMESPACES = 200
MAX_IDS = 200
# Cheap limits on the bytes, so that nothing is parsed that would be refused afterwards anyway.
SMALL = 12_000
_MAX_TAGS = 12_000
_MAX_XMLNS = 2_200
_MAX_ALL_ATTRIBUTES = 6_000
_WHITE_SPACE = b" \t\r\n"

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DECLARATION = (b"<?xml ", b"<?xml\t", b"<?xml\r", b"<?xml\n")
_ID_NAMES = frozenset({"id", "assertionid"})
# What most elements have and no others, so that nobody need look at every name.
_NO_IDS = frozenset(
    {
        *("Algorithm", "AuthnInstant", "Destination", "Format", "FriendlyName", "InResponseTo"),
        *("IssueInstant", "Method", "Name", "NameFormat", "NotBefore", "NotOnOrAfter", "Recipient"),
        *("SessionIndex", "SessionNotOnOrAfter", "SPNameQualifier", "Type", "URI", "Value"),
        *("Version", f"{{{XSI}}}type"),
    }
)
# SAML identifiers are NCNames; identity providers send ASCII ones (SAML Core 1.3.4).
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,255}")
_ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
# Every declaration begins with "xmlns". The group is empty for anything but the usual form of one,
# as far as it shows an absolute URI; libxml2 refuses what is no URI at all.
_XMLNS = re.compile(
    rb"""xmlns(?:(?::[A-Za-z0-9_.-]+)?="[A-Za-z][A-Za-z0-9+.-]*(:)[!#-%'-;=?-~])?"""
)
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([^"']*)["']""")

# What is neither an element nor text; most documents have none of it.
_SPECIAL = re.compile(rb"<[!?]")

_TOO_DEEP = etree.XPath("/*" * (MAX_DEPTH + 1))

# One parser for the process: lxml guards it with a lock, and making one costs as much as a parse.
_PARSER = etree.XMLParser(
    encoding="utf-8",
    resolve_entities=False,
    load_dtd=False,
    dtd_validation=False,
    attribute_defaults=False,
    no_network=True,
    huge_tree=False,
    recover=False,
    ns_clean=False,
    remove_blank_text=False,
    remove_comments=False,
    remove_pis=False,
    strip_cdata=True,
    collect_ids=False,
)


class Document(msgspec.Struct, frozen=True):
    """A parsed document: its root, all its elements in order, and their IDs.

    lxml makes a Python object for an element whenever it is asked for one and none is left. Whoever
    reads much of a document keeps `elements` for as long.
    """

    root: _Element
    elements: list[_Element]
    identifiers: list[str]


def parse(data: bytes, *, max_namespaces: int = MAX_NAMESPACES) -> _Element:
    """Parse one document as `parse_document` does and return its root element."""
    return parse_document(data, max_namespaces=max_namespaces).root


def parse_document(
    data: bytes, *, max_namespaces: int = MAX_NAMESPACES, taken: Sequence[str] = ()
) -> Document:
    """Parse one document.

    The tree holds elements, attributes and text only: a DTD or a processing instruction is
    refused; CDATA has become text; comments are gone, with the text around them joined, which is
    what canonicalization without comments signs. All ID-like attributes are distinct, and none is
    `taken` already by the document that this one is a part of. In one place of metadata
    more namespace declarations may hold (`max_namespaces`) than in one of a message.

    Raises:
        SamlError: one of the `xml.*` reasons.
    """
    special = _scan(data)
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        code = error.code  # type: ignore[attr-defined]  # missing in lxml-stubs
        too_deep = code == etree.ErrorTypes.ERR_RESOURCE_LIMIT
        reason = Reason.XML_DEPTH if too_deep else Reason.XML
        raise SamlError(reason, expected="well-formed XML", received=error.msg) from None
    if special:
        _drop_comments(root)
    declarations = _XMLNS.findall(data)
    if len(declarations) > max_namespaces or not all(declarations):
        _inspect_namespaces(root, max_namespaces)
    elements = _inspect_elements(root)
    found = identifiers(elements)
    every = [*taken, *found] if taken else found
    if len(set(every)) < len(every):
        twice = next(value for value, count in Counter(every).items() if count > 1)
        raise SamlError(Reason.XML_ID, expected="distinct IDs", received=twice)
    return Document(root, elements, found)


def identifiers(elements: Sequence[_Element]) -> list[str]:
    """Every ID-like attribute value of elements: any namespace, any case, AssertionID too.

    Raises:
        SamlError: `xml.id` or `saml.id` for a value that is no identifier and for too many of
            them, `xml.attrs` for an element with more than 64 attributes.
    """
    found: list[str] = []
    for element in elements:
        # lxml-stubs say str | bytes; in Python 3 it is str.
        names: list[str] = element.keys()  # type: ignore[assignment]  # as said
        if not names or _NO_IDS.issuperset(names):
            continue
        if len(names) > MAX_ATTRIBUTES:
            raise _above(Reason.XML_ATTRS, "attributes on an element", len(names), MAX_ATTRIBUTES)
        for name in names:
            if name not in _NO_IDS and name.rpartition("}")[2].lower() in _ID_NAMES:
                found.append(element.get(name, ""))
                if len(found) > MAX_IDS:
                    raise _above(Reason.XML_ID, "IDs", len(found), MAX_IDS)
    for value in found:
        if not _IDENTIFIER.fullmatch(value):
            raise _no_identifier(value)
    return found


def local_name(element: _Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


Children = dict[str, list[_Element]]
"""The children of an element by their names."""

members: Final[Callable[[_Element], list[_Element]]] = itemgetter(slice(None))
"""The direct children of an element. lxml takes several times as long to iterate over it."""


def children(element: _Element, tag: str) -> list[_Element]:
    """The direct children of one name."""
    return [child for child in members(element) if child.tag == tag]


def children_by_tag(element: _Element) -> Children:
    """All direct children, those of one name together: for who reads several of them."""
    found: Children = {}
    for child in members(element):
        tag = child.tag
        if tag in found:
            found[tag].append(child)
        else:
            found[tag] = [child]
    return found


def text(element: _Element) -> str:
    """The whole text of an element that has only text.

    Raises:
        SamlError: `xml.mixed` when it has child elements: cutting at them would change a value.
    """
    if len(element):
        raise SamlError(
            Reason.XML_MIXED,
            expected=f"only text in {local_name(element)}",
            received=f"the element {local_name(element[0])} in it",
        )
    return element.text or ""


def decode_base64(value: str) -> bytes:
    """Decode what XML Schema calls base64Binary: white space is allowed anywhere.

    Raises:
        ValueError: for anything else than base64.
    """
    try:
        return pybase64.b64decode(value, validate=True)
    except ValueError:
        compact = value.encode("ascii").translate(None, _WHITE_SPACE)
        return pybase64.b64decode(compact, validate=True)


def detach(element: _Element) -> None:
    """Take an element out of its parent and keep the text that follows it in place."""
    parent = element.getparent()
    if parent is None:
        msg = "the root of a tree cannot be detached"
        raise ValueError(msg)
    tail = element.tail
    if tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + tail
        else:
            before.tail = (before.tail or "") + tail
    parent.remove(element)


def _scan(data: bytes) -> bool:
    """Refuse what need not be parsed; return whether there may be comments."""
    if len(data) > MAX_BYTES:
        raise SamlError(
            Reason.XML_SIZE, expected=f"at most {MAX_BYTES} bytes", received=f"{len(data)} bytes"
        )
    try:
        if not data.isascii():
            data.decode("utf-8")
    except UnicodeDecodeError as error:
        received = f"byte {data[error.start]:#04x} at {error.start}"
        raise SamlError(Reason.XML_ENCODING, expected="UTF-8", received=received) from None
    start = len(_BYTE_ORDER_MARK) if data.startswith(_BYTE_ORDER_MARK) else 0
    content = start
    if data.startswith(_DECLARATION, start):
        end = data.find(b"?>", start)
        declared = _ENCODING.search(data, start, max(end, start))
        if declared and declared[1].lower() != b"utf-8":
            received = declared[1].decode("utf-8")
            raise SamlError(Reason.XML_ENCODING, expected="UTF-8", received=received)
        start += len(b"<?xml ")
        content = max(end + len(b"?>"), start)
    # One byte is found much faster than two, and most documents have neither of these.
    marked = b"!" in data or data.find(b"?", content) >= 0
    special = marked and _SPECIAL.search(data, start) is not None
    if special:
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise SamlError(Reason.XML_DOCTYPE, expected="no document type", received="<!DOCTYPE")
        if data.find(b"<?", start) >= 0:
            raise SamlError(Reason.XML_PI, expected="no processing instruction", received="<?")
    if len(data) > SMALL:
        _count(data)
    return special


def _count(data: bytes) -> None:
    """Refuse a document that would take long to parse and to walk."""
    if (declared := data.count(b"xmlns")) > _MAX_XMLNS:
        raise _above(Reason.XML_NS, "namespace declarations", declared, _MAX_XMLNS)
    if (tags := data.count(b"<")) > _MAX_TAGS:
        raise _above(Reason.XML_NODES, "tags", tags, _MAX_TAGS)
    # Text holds equals signs too; those of attributes stand before a quotation mark.
    if data.count(b"=") > _MAX_ALL_ATTRIBUTES:
        dense = data.translate(None, _WHITE_SPACE)
        attributes = dense.count(b'="') + dense.count(b"='")
        if attributes > _MAX_ALL_ATTRIBUTES:
            raise _above(Reason.XML_ATTRS, "attributes", attributes, _MAX_ALL_ATTRIBUTES)


def _above(reason: Reason, what: str, count: int, most: int) -> SamlError:
    return SamlError(reason, expected=f"at most {most} {what}", received=str(count))


def _drop_comments(root: _Element) -> None:
    for signature in root.iter(f"{{{DS}}}Signature"):
        if next(signature.iter(etree.Comment), None) is not None:
            raise SamlError(
                Reason.XML_COMMENT, expected="no comment in a Signature", received="a comment"
            )
    etree.strip_tags(root, etree.Comment)


def _inspect_namespaces(root: _Element, most: int) -> None:
    # Events, never `nsmap`: that one climbs to the root for each element (17 s for 160 KiB).
    in_scope = 0
    absolute: set[str] = set()
    for event, item in etree.iterwalk(root, events=("start-ns", "end-ns")):
        if event == "end-ns":
            in_scope -= 1
            continue
        uri = item[1]
        if uri not in absolute:
            if not _ABSOLUTE_URI.fullmatch(uri):
                raise SamlError(Reason.XML_NS, expected="an absolute namespace URI", received=uri)
            absolute.add(uri)
        in_scope += 1
        if in_scope > most:
            raise _above(Reason.XML_NS, "namespace declarations in scope", in_scope, most)


def _inspect_elements(root: _Element) -> list[_Element]:
    elements = list(root.iter())
    if len(elements) > MAX_NODES:
        raise _above(Reason.XML_NODES, "elements", len(elements), MAX_NODES)
    # What is too deep has that many elements with children above it.
    sizes = list(map(len, elements))
    if len(sizes) - sizes.count(0) >= MAX_DEPTH and _TOO_DEEP(root):
        raise SamlError(Reason.XML_DEPTH, expected=f"depth at most {MAX_DEPTH}", received="deeper")
    return elements


def _no_identifier(value: str) -> SamlError:
    if not value:
        return SamlError(Reason.SAML_ID, expected="an ID", received="")
    expected = "an ID of letters, digits, . - _"
    return SamlError(Reason.XML_ID, expected=expected, received=value)
