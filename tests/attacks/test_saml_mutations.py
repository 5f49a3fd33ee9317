"""Ten thousand changes to good messages: what is accepted says what was signed."""

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from lxml.etree import _Element

from tests.support.saml_documents import (
    FORGED,
    NOW,
    Signed,
    document,
    expectation,
    find,
    octets,
    response_element,
    tag,
)
from tests.support.saml_encryption import Encryption
from tests.support.saml_keys import signer
from tests.support.second_opinions import xmlsec_accepts
from vestibule.saml.assertion import read_attributes, read_name_id, read_subject
from vestibule.saml.errors import Checks, Reason, SamlError
from vestibule.saml.keys import read_certificate, read_private_key
from vestibule.saml.response import (
    VerifiedAssertion,
    peek_in_response_to,
    read_form_field,
    verify_response,
)
from vestibule.saml.xml import detach, parse

ROUNDS = 850
OURS = expectation(decryption_keys=("sp",))


def elements(root: _Element) -> list[_Element]:
    return list(root.iter("*"))


def move(root: _Element, random: Random) -> None:
    element, target = random.choice(elements(root)), random.choice(elements(root))
    if element is not root and target not in elements(element):
        target.insert(random.randint(0, len(target)), element)


def copy(root: _Element, random: Random) -> None:
    element, target = random.choice(elements(root)), random.choice(elements(root))
    copied = deepcopy(element)
    if random.random() < 0.7:
        for each in elements(copied):
            if "ID" in each.attrib:
                each.set("ID", f"_{random.randint(0, 10**6)}")
    target.insert(random.randint(0, len(target)), copied)


def forge(root: _Element, random: Random) -> None:
    evil = response_element(subject=FORGED, response_id="_er", assertion_id="_ea")
    part = random.choice(elements(evil))
    random.choice(elements(root)).insert(0, part)


def rename(root: _Element, random: Random) -> None:
    random.choice(elements(root)).tag = random.choice(elements(root)).tag


def identify(root: _Element, random: Random) -> None:
    holders = [element for element in elements(root) if "ID" in element.attrib]
    values = [element.get("ID", "") for element in holders] + ["_new", ""]
    random.choice(elements(root)).set(random.choice(["ID", "Id", "id"]), random.choice(values))


def wrap(root: _Element, random: Random) -> None:
    element = random.choice(elements(root))
    parent = element.getparent()
    if parent is not None:
        wrapper = etree.Element(random.choice([tag("samlp:Extensions"), tag("ds:Object"), "x"]))
        parent.replace(element, wrapper)
        wrapper.append(element)


def comment(root: _Element, random: Random) -> None:
    element = random.choice(elements(root))
    text = element.text or ""
    at = random.randint(0, len(text))
    node = etree.Comment(FORGED)
    element.insert(0, node)
    element.text, node.tail = text[:at], text[at:]


def instruct(root: _Element, random: Random) -> None:
    random.choice(elements(root)).insert(0, etree.ProcessingInstruction("p", FORGED))


def rewrite(root: _Element, random: Random) -> None:
    random.choice(elements(root)).text = random.choice([FORGED, "", "2099-01-01T00:00:00Z"])


def set_attribute(root: _Element, random: Random) -> None:
    element = random.choice(elements(root))
    names = list(element.attrib) or ["ID"]
    element.set(random.choice(names), random.choice([FORGED, "2099-01-01T00:00:00Z", "#_ea"]))


def remove(root: _Element, random: Random) -> None:
    element = random.choice(elements(root))
    if element is not root:
        detach(element)


def space(root: _Element, random: Random) -> None:
    element = random.choice(elements(root))
    element.tail = None if element is root else f"{element.tail or ''}\n "


MUTATIONS: tuple[Callable[[_Element, Random], None], ...] = (
    move,
    copy,
    forge,
    rename,
    identify,
    wrap,
    comment,
    instruct,
    rewrite,
    set_attribute,
    remove,
    space,
)


def identity(result: VerifiedAssertion) -> tuple[object, ...]:
    return (result.name_id, result.name_id_format, dict(result.attributes), result.assertion_id)


def signed_identities(data: bytes) -> list[tuple[object, ...]]:
    """What the signed octets say, parsed on their own, for each element xmlsec finds signed."""
    found: list[tuple[object, ...]] = []
    for name in ("samlp:Response", "saml:Assertion"):
        owner = find(etree.fromstring(data), name)
        signature = owner.find(tag("ds:Signature"))
        if signature is None:
            continue
        assert xmlsec_accepts(owner, signer("idp").pem)
        detach(signature)
        c14n = etree.tostring(owner, method="c14n", exclusive=True, with_comments=False)
        assertion = find(parse(c14n), "saml:Assertion")
        name_id = read_name_id(read_subject(assertion), audiences=OURS.audiences, required=True)
        assert name_id is not None
        attributes = read_attributes(assertion, Checks())
        found.append((name_id.value, name_id.format, attributes, assertion.get("ID")))
    return found


@pytest.mark.case("XS-72", "XS-73")
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
def test_xs_72_73_accepted_mutations_say_what_was_signed(sign: Signed, seed: int) -> None:
    random = Random(f"{sign} {seed}")  # noqa: S311 - repeatable on purpose
    good = document(sign=sign)
    signed = identity(verify_response(octets(good), OURS, now=NOW))
    accepted = refused = 0
    for _ in range(ROUNDS):
        root = deepcopy(good)
        for _ in range(random.choice([1, 1, 2, 3])):
            random.choice(MUTATIONS)(root, random)
        data = etree.tostring(root)
        try:
            result = verify_response(data, OURS, now=NOW)
        except SamlError:
            refused += 1
            continue
        accepted += 1
        assert identity(result) == signed, data
        seen = signed_identities(data)
        assert seen == [signed] * len(seen) != [], data
    assert accepted > 10
    assert refused > ROUNDS // 2


@pytest.mark.case("XS-72")
@pytest.mark.parametrize("sealed", [True, False])
def test_xs_72_changed_bytes_never_surprise(sealed: bool) -> None:
    random = Random(72)  # noqa: S311 - repeatable on purpose
    good = octets(document(encryption=Encryption() if sealed else None))
    signed = identity(verify_response(good, OURS, now=NOW))
    refusals: set[Reason] = set()
    for _ in range(2_000):
        data = bytearray(good)
        for _ in range(random.choice([1, 2, 8])):
            at = random.randrange(len(data))
            piece = bytes(random.choices(b"<>&\"'=/! -x\x00\xff", k=random.randint(0, 3)))
            data[at : at + random.randint(0, 3)] = piece
        try:
            assert identity(verify_response(bytes(data), OURS, now=NOW)) == signed
        except SamlError as error:
            refusals.add(error.reason)
    assert len(refusals) > 5


READERS: tuple[Callable[[bytes], object], ...] = (
    lambda data: verify_response(data, OURS, now=NOW),
    peek_in_response_to,
    read_certificate,
    lambda data: read_certificate(data.decode("latin-1")),
    lambda data: read_private_key(data.decode("latin-1")),
    lambda data: read_private_key(f"-----BEGIN RSA PRIVATE KEY-----\n{data!r}"),
    lambda data: read_form_field(data.decode("utf-8", errors="surrogateescape")),
)


@given(data=st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode("utf-8")))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_bytes_give_a_value_or_the_one_error(data: bytes) -> None:
    for read in READERS:
        with suppress(SamlError):
            read(data)
