"""Canonicalization: what is signed of an element, and nothing where it fails."""

import pytest
from lxml import etree

from vestibule.saml.canonicalization import EXCLUSIVE, Canonicalization, canonicalize
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.xml import parse


def test_default_prefix_changes_the_octets() -> None:
    root = parse(b'<p:a xmlns:p="urn:p" xmlns="urn:d"><p:b/></p:a>')
    prefixed = Canonicalization(exclusive=True, prefixes=("#default",))
    assert canonicalize(root[0], EXCLUSIVE) == b'<p:b xmlns:p="urn:p"></p:b>'
    assert canonicalize(root[0], prefixed) == b'<p:b xmlns="urn:d" xmlns:p="urn:p"></p:b>'


def test_comments_are_no_part_of_the_octets() -> None:
    commented = etree.fromstring(b"<a>1<!-- x -->2</a>")
    assert canonicalize(commented, EXCLUSIVE) == b"<a>12</a>"


@pytest.mark.case("XP-13")
def test_xp_13_canonicalization_that_fails_gives_no_octets_to_accept() -> None:
    broken = etree.fromstring(b'<a xmlns:ns="1"><b/></a>')
    with pytest.raises(SamlError) as caught:
        canonicalize(broken, EXCLUSIVE)
    assert caught.value.reason is Reason.SIG_EMPTY
