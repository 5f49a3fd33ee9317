"""Forged metadata around, beside and inside what a known certificate signed is never read."""

from collections.abc import Callable

import pytest
from lxml import etree
from lxml.etree import _Element

from tests.support.saml_keys import signer
from tests.support.saml_metadata import ENTITY_ID, entities, entity, key, role, service, signed
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.metadata import parse_identity_provider
from vestibule.saml.xml import DS, MD

NOW = 1_795_003_200_000_000  # 2026-11-18T12:00:00Z
EVIL = "https://evil.example/sso"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
GOOD = signed(entity(role(keys=[key(signer("idp").pem)]), attributes=' ID="_good"'))
FORGED_ROLE = role(keys=[key(signer("attacker").pem)], services=[service(REDIRECT, EVIL)])
FORGED = entity(FORGED_ROLE, attributes=' ID="_forged"')
SIGNATURE = f"{{{DS}}}Signature"


def read(document: str, *, entity_id: str | None = None) -> str:
    """Return the address that is taken from a document that must come from the federation."""
    signers = (signer("federation").certificate,)
    found = parse_identity_provider(
        document.encode(), now=NOW, entity_id=entity_id, signers=signers
    )
    assert found.signature == "verified"
    return found.sso_url


def wrapped(change: Callable[[_Element, _Element], _Element]) -> str:
    """Let `change` make a document of the signed entity and a forged one."""
    good, forged = etree.fromstring(GOOD), etree.fromstring(FORGED)
    return etree.tostring(change(good, forged)).decode()


def inside_extensions(good: _Element, forged: _Element) -> _Element:
    forged.insert(0, etree.Element(f"{{{MD}}}Extensions"))
    forged[0].append(good)
    return forged


def inside_its_role(good: _Element, forged: _Element) -> _Element:
    forged[0].append(good)
    return forged


def with_the_signature_moved(good: _Element, forged: _Element) -> _Element:
    signature = good.find(SIGNATURE)
    assert signature is not None
    forged.insert(0, signature)
    return forged


def with_the_original_in_the_signature(good: _Element, forged: _Element) -> _Element:
    signature = good.find(SIGNATURE)
    assert signature is not None
    forged.insert(0, signature)
    etree.SubElement(signature, f"{{{DS}}}Object").append(good)
    return forged


def beside_the_original(good: _Element, forged: _Element) -> _Element:
    around = etree.Element(f"{{{MD}}}EntitiesDescriptor")
    around.extend([forged, good])
    return around


def with_a_second_role(good: _Element, forged: _Element) -> _Element:
    good.append(forged[0])
    return good


def with_a_role_before(good: _Element, forged: _Element) -> _Element:
    good.insert(1, forged[0])
    return good


def with_its_id(good: _Element, forged: _Element) -> _Element:
    around = beside_the_original(good, forged)
    forged.set("ID", "_good")
    return around


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        (inside_extensions, {Reason.SIG_MISSING}),
        (inside_its_role, {Reason.SIG_MISSING}),
        (with_the_signature_moved, {Reason.SIG_REF}),
        (with_the_original_in_the_signature, {Reason.SIG_CHILDREN}),
        (beside_the_original, {Reason.METADATA}),
        (with_a_second_role, {Reason.SIG_DIGEST}),
        (with_a_role_before, {Reason.SIG_DIGEST}),
        (with_its_id, {Reason.XML_ID}),
    ],
)
def test_forged_entity_is_never_read(
    change: Callable[[_Element, _Element], _Element], reasons: set[Reason]
) -> None:
    assert read(GOOD) != EVIL
    with pytest.raises(SamlError) as caught:
        read(wrapped(change))
    assert caught.value.reason in reasons


def test_entity_that_is_asked_for_has_to_be_the_signed_one() -> None:
    """An aggregate with a signed entity and a forged one of another name."""
    other = "https://other.example.com"
    forged = entity(FORGED_ROLE, entity_id=other)
    document = entities(GOOD, forged)
    assert read(document, entity_id=ENTITY_ID) != EVIL
    with pytest.raises(SamlError) as caught:
        read(document, entity_id=other)
    assert caught.value.reason is Reason.SIG_MISSING


def test_comment_in_what_was_signed_changes_nothing() -> None:
    with_comment = GOOD.replace("</md:NameIDFormat>", "<!-- x --></md:NameIDFormat>")
    assert with_comment != GOOD
    assert read(with_comment) == read(GOOD)


def test_signature_with_an_embedded_certificate_of_the_attacker_is_refused() -> None:
    document = signed(
        entity(FORGED_ROLE, attributes=' ID="_forged"'),
        by="attacker",
        certificate_pem=signer("attacker").pem,
    )
    with pytest.raises(SamlError) as caught:
        read(document)
    assert caught.value.reason is Reason.SIG_VALUE
