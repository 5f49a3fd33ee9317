"""Turns an element into the octets that are signed: canonical XML, without comments."""

from dataclasses import dataclass
from typing import Final

from lxml import etree
from lxml.etree import _Element

from vestibule.saml.errors import Reason, SamlError


@dataclass(frozen=True, slots=True, kw_only=True)
class Canonicalization:
    """How an element becomes octets: exclusive with these inclusive prefixes, or inclusive 1.0."""

    exclusive: bool
    prefixes: tuple[str, ...] = ()


EXCLUSIVE: Final = Canonicalization(exclusive=True)


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
        raise SamlError(Reason.SIG_EMPTY, expected="octets to sign", received="none")
    return octets


def _intern(prefix: str) -> None:
    # lxml passes on only the prefixes that its dictionary holds already; #default is no XML name,
    # so the parser never put it there. A tag filter does.
    parser = etree.XMLPullParser(events=("end",), tag=prefix)
    parser.feed(b"<a/>")
    parser.close()
