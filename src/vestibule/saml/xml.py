"""The only XML parser: hostile bytes become a tree that is safe to canonicalize and to read."""

import re
from collections.abc import Iterator

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
MAX_NAMESPACES = 200
# Cheap limits on the bytes, so that nothing is parsed that would be refused afterwards anyway.
_MAX_TAGS = 12_000
_MAX_XMLNS = 400
_MAX_EQUALS_SIGNS = 1_000

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DECLARATION = (b"<?xml ", b"<?xml\t", b"<?xml\r", b"<?xml\n")
_ID_ENDINGS = frozenset({"ID", "Id", "id", "iD"})
_ID_NAMES = frozenset({"id", "assertionid"})
# SAML identifiers are NCNames; identity providers send ASCII ones (SAML Core 1.3.4).
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,255}")
_ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([^"']*)["']""")

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


def parse(data: bytes, *, max_namespaces: int = MAX_NAMESPACES) -> _Element:
    """Parse one document and return its root element.

    The tree holds elements, attributes and text only: a DTD or a processing instruction is
    refused; CDATA has become text; comments are gone, with the text around them joined, which is
    what canonicalization without comments signs. All ID-like attributes are distinct. Metadata
    may hold more namespace declarations than a message (`max_namespaces`).

    Raises:
        SamlError: one of the `xml.*` reasons.
    """
    _scan(data)
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        code = error.code  # type: ignore[attr-defined]  # missing in lxml-stubs
        too_deep = code == etree.ErrorTypes.ERR_RESOURCE_LIMIT
        reason = Reason.XML_DEPTH if too_deep else Reason.XML
        raise SamlError(reason, expected="well-formed XML", received=error.msg) from None
    if b"<!--" in data:
        _drop_comments(root)
    _inspect_namespaces(root, max_namespaces)
    _inspect_elements(root)
    return root


def identifiers(root: _Element) -> Iterator[str]:
    """Every ID-like attribute value of a parsed tree: any namespace, any case, AssertionID too."""
    for element in root.iter():
        yield from _identifiers(element)


def local_name(element: _Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: _Element, tag: str) -> list[_Element]:
    """The direct children of one name."""
    return [child for child in element if child.tag == tag]


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


def _scan(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise SamlError(
            Reason.XML_SIZE, expected=f"at most {MAX_BYTES} bytes", received=f"{len(data)} bytes"
        )
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        received = f"byte {data[error.start]:#04x} at {error.start}"
        raise SamlError(Reason.XML_ENCODING, expected="UTF-8", received=received) from None
    start = len(_BYTE_ORDER_MARK) if data.startswith(_BYTE_ORDER_MARK) else 0
    if data.startswith(_DECLARATION, start):
        end = data.find(b"?>", start)
        declared = _ENCODING.search(data, start, max(end, start))
        if declared and declared[1].lower() != b"utf-8":
            received = declared[1].decode("utf-8")
            raise SamlError(Reason.XML_ENCODING, expected="UTF-8", received=received)
        start += len(b"<?xml ")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise SamlError(Reason.XML_DOCTYPE, expected="no document type", received="<!DOCTYPE")
    if data.find(b"<?", start) >= 0:
        raise SamlError(Reason.XML_PI, expected="no processing instruction", received="<?")
    _limit(Reason.XML_NS, "namespace declarations", data.count(b"xmlns"), _MAX_XMLNS)
    _limit(Reason.XML_NODES, "tags", data.count(b"<"), _MAX_TAGS)
    # libxml2 takes a second for 20 000 attributes of one element. No attribute value holds a bare
    # "<", so all of them stand between two.
    if data.count(b"=") > _MAX_EQUALS_SIGNS:
        most = max(piece.count(b"=") for piece in data.split(b"<"))
        _limit(Reason.XML_ATTRS, "equals signs in one tag", most, _MAX_EQUALS_SIGNS)


def _limit(reason: Reason, what: str, count: int, most: int) -> None:
    if count > most:
        raise SamlError(reason, expected=f"at most {most} {what}", received=str(count))


def _drop_comments(root: _Element) -> None:
    for signature in root.iter(f"{{{DS}}}Signature"):
        if next(signature.iter(etree.Comment), None) is not None:
            raise SamlError(
                Reason.XML_COMMENT, expected="no comment in a Signature", received="a comment"
            )
    etree.strip_tags(root, etree.Comment)


def _inspect_namespaces(root: _Element, most: int) -> None:
    # Events, never `nsmap`: that one climbs to the root for each element (17 s for 160 KiB).
    count = 0
    for _, (_, uri) in etree.iterwalk(root, events=("start-ns",)):
        count += 1
        if not _ABSOLUTE_URI.fullmatch(uri):
            raise SamlError(Reason.XML_NS, expected="an absolute namespace URI", received=uri)
    _limit(Reason.XML_NS, "namespace declarations", count, most)


def _inspect_elements(root: _Element) -> None:
    seen: set[str] = set()
    count = 0
    level = [root]
    for _ in range(MAX_DEPTH):
        count += len(level)
        _limit(Reason.XML_NODES, "elements", count, MAX_NODES)
        for element in level:
            for value in _identifiers(element):
                if value in seen:
                    raise SamlError(Reason.XML_ID, expected="distinct IDs", received=value)
                seen.add(value)
        level = [child for element in level for child in element]
        if not level:
            return
    raise SamlError(Reason.XML_DEPTH, expected=f"depth at most {MAX_DEPTH}", received="deeper")


def _identifiers(element: _Element) -> list[str]:
    # lxml-stubs say str | bytes; in Python 3 it is str.
    attributes: list[tuple[str, str]] = element.items()  # type: ignore[assignment]
    if not attributes:
        return []
    _limit(Reason.XML_ATTRS, "attributes on an element", len(attributes), MAX_ATTRIBUTES)
    return [_identifier(value) for name, value in attributes if _is_id_name(name)]


def _is_id_name(name: str) -> bool:
    return name[-2:] in _ID_ENDINGS and name.rpartition("}")[2].lower() in _ID_NAMES


def _identifier(value: str) -> str:
    if not value:
        raise SamlError(Reason.SAML_ID, expected="an ID", received="")
    if not _IDENTIFIER.fullmatch(value):
        raise SamlError(Reason.XML_ID, expected="an ID of letters, digits, . - _", received=value)
    return value
