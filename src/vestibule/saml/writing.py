"""How the elements of our own documents are made: by the library, never out of strings."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lxml import etree
from lxml.etree import _Element

from vestibule.saml.errors import Reason, SamlError

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


def start(tag: str, attributes: Mapping[str, str], *, prefixes: Mapping[str, str]) -> _Element:
    """Return the root of a new document. `tag` is a Clark name, `prefixes` go from prefix to URI.

    Raises:
        SamlError: `xml` when a value holds a character that XML cannot.
    """
    root = etree.Element(tag, nsmap=dict(prefixes))
    _fill(root, attributes, None)
    return root


def append(
    parent: _Element, tag: str, attributes: Mapping[str, str] = _NONE, *, text: str | None = None
) -> _Element:
    """Add a child element to `parent` and return it.

    Raises:
        SamlError: `xml` when a value holds a character that XML cannot.
    """
    child = etree.SubElement(parent, tag)
    _fill(child, attributes, text)
    return child


def _fill(element: _Element, attributes: Mapping[str, str], text: str | None) -> None:
    try:
        for name, value in attributes.items():
            element.set(name, value)
        element.text = text
    except ValueError:
        raise SamlError(
            Reason.XML, expected="characters that XML can hold", received="a control character"
        ) from None
