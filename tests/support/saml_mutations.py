"""Random changes to a good document, and who the signed octets say it is about."""

from collections.abc import Callable
from copy import deepcopy
from random import Random

from lxml import etree
from lxml.etree import _Element

from tests.support.saml_documents import (
    AUD,
    FORGED,
    find,
    response_element,
    tag,
)
from vestibule.saml.assertion import read_attributes, read_name_id, read_subject
from vestibule.saml.errors import Checks
from vestibule.saml.response import VerifiedAssertion
from vestibule.saml.xml import children_by_tag, detach, parse

Identity = tuple[object, ...]


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


PIECES = (b"<", b">", b"&", b'"', b"'", b"=", b"/", b"!", b" ", b"-", b"x", b"\x00", b"\xff", b"")


def mutate(root: _Element, random: Random, *, times: int) -> None:
    """Change the tree in place, `times` times."""
    for _ in range(times):
        random.choice(MUTATIONS)(root, random)


def mutate_bytes(data: bytes, random: Random, *, times: int) -> bytes:
    """Return the document with a few bytes replaced, put in or taken out, `times` times."""
    changed = bytearray(data)
    for _ in range(times):
        at = random.randint(0, len(changed))
        pieces = [random.choice(PIECES) for _ in range(random.randint(0, 3))]
        changed[at : at + random.randint(0, 3)] = b"".join(pieces)
    return bytes(changed)


def identity(result: VerifiedAssertion) -> Identity:
    return (result.name_id, result.name_id_format, dict(result.attributes), result.assertion_id)


def identity_in(signed: bytes) -> Identity:
    """Who the octets of a signed Response or Assertion are about, parsed on their own."""
    assertion = find(parse(signed), "saml:Assertion")
    parts = children_by_tag(assertion)
    name_id = read_name_id(read_subject(parts), audiences=(AUD,), required=True)
    assert name_id is not None
    attributes = read_attributes(parts, Checks())
    return (name_id.value, name_id.format, attributes, assertion.get("ID"))


def signed_elements(data: bytes) -> list[_Element]:
    """The Response and the Assertion of a document, each only when it holds a Signature."""
    root = etree.fromstring(data)
    owners = [next(root.iter(tag(name))) for name in ("samlp:Response", "saml:Assertion")]
    return [owner for owner in owners if owner.find(tag("ds:Signature")) is not None]


def octets_without_signature(owner: _Element) -> bytes:
    """What lxml says the enveloped Signature of `owner` is over; `owner` is changed."""
    signature = owner.find(tag("ds:Signature"))
    assert signature is not None
    detach(signature)
    return etree.tostring(owner, method="c14n", exclusive=True, with_comments=False)
