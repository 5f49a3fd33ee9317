"""A SignedInfo as it is usually written, written otherwise, and with anything changed."""

import hashlib
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from tests.support.saml_documents import (
    RSA_SHA256,
    Signature,
    response_element,
    sign_element,
)
from tests.support.saml_keys import signer
from vestibule.saml.canonicalization import EXCLUSIVE, Canonicalization, canonicalize
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.signed_info import SignedInfo, read_signed_info, uses_inclusive_c14n
from vestibule.saml.xml import DS, EXC_C14N, parse

DIGEST = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
PREFIXES = f'<e:InclusiveNamespaces xmlns:e="{EXC_C14N}" PrefixList="{{}}"/>'
TEXT = f"""<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{EXC_C14N}"/>\
<ds:SignatureMethod Algorithm="{RSA_SHA256}"/><ds:Reference URI="#_a"><ds:Transforms>\
<ds:Transform Algorithm="{DS}enveloped-signature"/>\
<ds:Transform Algorithm="{EXC_C14N}"></ds:Transform></ds:Transforms>\
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>\
<ds:DigestValue>{DIGEST}</ds:DigestValue></ds:Reference></ds:SignedInfo>"""
LISTED = TEXT.replace("></ds:Transform>", f">{PREFIXES.format('xs saml')}</ds:Transform>")
OWN = TEXT.replace(
    f'Method Algorithm="{EXC_C14N}"/>',
    f'Method Algorithm="{EXC_C14N}">{PREFIXES.format("p")}</ds:CanonicalizationMethod>',
)


def read(text: str, identifier: str = "_a") -> SignedInfo:
    """Read a SignedInfo that stands in an owner of this ID."""
    owner = parse(f'<owner ID="{identifier}" xmlns:p="urn:p">{text}</owner>'.encode())
    return read_signed_info(owner[0], owner)


@pytest.mark.parametrize(
    ("text", "prefixes"),
    [
        (TEXT, ()),
        (TEXT.replace("ds:", "dsig:").replace(":ds=", ":dsig="), ()),
        (TEXT.replace("ds:", "").replace(":ds=", "="), ()),
        (TEXT.replace("ds:", "a-b.c:").replace(":ds=", ":a-b.c="), ()),
        (TEXT.replace("><", ">\n  <"), ()),
        (TEXT.replace("><", ">text<"), ()),
        (TEXT.replace("<ds:Reference ", '<ds:Reference Id="r" Type="urn:t" '), ()),
        (LISTED, ("xs", "saml")),
        (LISTED.replace("e:", "").replace(":e=", "="), ("xs", "saml")),
        (TEXT.replace("></ds:Transform>", f">{PREFIXES.format('')}</ds:Transform>"), ()),
    ],
)
def test_what_a_signed_info_says_however_it_is_written(
    text: str, prefixes: tuple[str, ...]
) -> None:
    found = read(text)
    assert (found.algorithm, found.digest_value, found.digest) == (
        RSA_SHA256,
        DIGEST,
        hashlib.sha256,
    )
    assert found.content == Canonicalization(exclusive=True, prefixes=prefixes)
    assert found.octets == canonicalize(parse(text.encode()), EXCLUSIVE)


def test_prefixes_of_its_own_canonicalization_are_in_the_octets() -> None:
    found = read(OWN)
    assert found.content == EXCLUSIVE
    assert b' xmlns:p="urn:p">' in found.octets


@pytest.mark.parametrize("text", [TEXT, LISTED, TEXT.replace("><", "> <")])
@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('URI="#_a"', 'URI="#_b"', Reason.SIG_REF),
        ('URI="#_a"', 'URI=""', Reason.SIG_REF),
        ('URI="#_a"', 'URI="_a"', Reason.SIG_REF),
        ('URI="#_a"', 'URI="#_a&amp;"', Reason.SIG_REF),
        ('URI="#_a"', "", Reason.SIG_REF),
        ("enveloped-signature", "base64", Reason.SIG_TRANSFORM),
        ("xmlenc#sha256", "xmlenc#sha1", Reason.SIG_ALG),
        ("<ds:DigestMethod", '<ds:DigestMethod xmlns:ds="urn:other"', Reason.SIG_CHILDREN),
        ("<ds:Reference", '<ds:Reference xmlns:ds="urn:other"', Reason.SIG_REFS),
        (f'xmlns:ds="{DS}"', f'xmlns:ds="{DS}x"', Reason.SIG_REFS),
        (f'Method Algorithm="{EXC_C14N}"', f'Method Algorithm="{EXC_C14N}x"', Reason.SIG_C14N),
    ],
)
def test_what_is_not_of_the_one_form(text: str, old: str, new: str, reason: Reason) -> None:
    changed = text.replace(old, new, 1)
    if 'xmlns:ds="urn:other"' in new:
        name = new.split(maxsplit=1)[0].removeprefix("<")
        changed = re.sub(rf"({name}[^>]*?)/>", rf"\1></{name}>", changed)
    with pytest.raises(SamlError) as caught:
        read(changed)
    assert caught.value.reason is reason


PIECES = (
    "",
    "<ds:Transform/>",
    "</ds:Transform>",
    "<ds:Reference>",
    f'<ds:DigestValue xmlns:ds="{DS}">',
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#sha384">',
    '<ds:SignatureMethod xmlns:ds="urn:other" Algorithm="a">',
    PREFIXES.format("#default p"),
    "&amp;",
    "&lt;",
    "text",
    "\t",
    "<x/>",
)
Outcome = Reason | tuple[object, ...]


def outcome(text: str) -> Outcome:
    try:
        return astuple(read(text))[1:]
    except SamlError as error:
        return error.reason


@given(
    edits=st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 2), st.sampled_from(PIECES)), max_size=3
    ),
    text=st.sampled_from([TEXT, LISTED, OWN]),
)
def test_whoever_reads_it_finds_the_same(edits: list[tuple[int, int, str]], text: str) -> None:
    """Text behind the first tag has no say, but it makes the reader look closely."""
    tags = re.split(r"(?=<)", text)[1:]
    for at, taken, piece in edits:
        tags[at : at + taken] = [piece]
    changed = "".join(tags)
    slowly = re.sub(r"^(<ds:SignedInfo[^>]*>)", r"\1text", changed)
    assert slowly != changed or not changed.startswith("<ds:SignedInfo")
    assert outcome(changed) == outcome(slowly)


def test_uses_inclusive_c14n_sees_both_places() -> None:
    inclusive = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    how = Signature(key=signer("idp").key)
    for changed, expected in (
        (how, False),
        (replace(how, c14n=inclusive), True),
        (replace(how, transforms=(*how.transforms[:1], inclusive)), True),
    ):
        assert uses_inclusive_c14n(sign_element(response_element(), changed)[0]) is expected
