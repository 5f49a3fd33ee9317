"""Changes of metadata that wait for a person (SP-68)."""

import pytest

from tests.support.saml_keys import NOT_AFTER, NOT_BEFORE, certificate, signer
from tests.support.saml_metadata import ENTITY_ID, POST, REDIRECT_SSO, entity, key, role, service
from vestibule.saml.metadata import parse_identity_provider
from vestibule.saml.refresh import HeldChange, Known, held_changes

OLD, NEW, OTHER = signer("idp"), signer("idp2"), signer("attacker")


def held(
    document: str, *, sso_url: str = REDIRECT_SSO, pinned: tuple[str, ...] = ("idp",)
) -> tuple[HeldChange, ...]:
    metadata = parse_identity_provider(document.encode(), now=0)
    new = Known(
        entity_id=metadata.entity_id,
        sso_url=metadata.sso_url,
        certificates=metadata.certificates,
    )
    certificates = [signer(name).certificate for name in pinned]
    old = Known(entity_id=ENTITY_ID, sso_url=sso_url, certificates=certificates)
    return held_changes(new, old=old)


def with_keys(*pems: str) -> str:
    return entity(role(keys=[key(pem) for pem in pems]))


@pytest.mark.case("SP-68")
@pytest.mark.parametrize("pems", [[OLD.pem], [OLD.pem, NEW.pem], [NEW.pem, OLD.pem]])
def test_a_rotation_that_keeps_a_key_is_taken_over(pems: list[str]) -> None:
    assert held(with_keys(*pems)) == ()


@pytest.mark.case("SP-68")
def test_an_old_key_that_goes_is_taken_over() -> None:
    assert held(with_keys(NEW.pem), pinned=("idp", "idp2")) == ()


@pytest.mark.case("SP-68")
def test_a_certificate_made_anew_for_the_same_key_is_taken_over() -> None:
    renewed = certificate("renewed", not_before=NOT_BEFORE, not_after=NOT_AFTER, key=OLD.key)
    assert held(with_keys(renewed)) == ()


@pytest.mark.case("SP-68")
def test_keys_replaced_all_at_once_are_held() -> None:
    document = with_keys(NEW.pem, OTHER.pem)
    assert held(document) == (HeldChange.ALL_SIGNING_KEYS,)


@pytest.mark.case("SP-68")
def test_the_first_keys_of_a_connection_are_taken_over() -> None:
    assert held(with_keys(NEW.pem), pinned=()) == ()


@pytest.mark.case("OP-14")
def test_metadata_that_lost_its_keys_is_held() -> None:
    assert held(with_keys()) == (HeldChange.NO_SIGNING_KEY,)


@pytest.mark.case("SP-68")
def test_another_entity_is_held() -> None:
    document = entity(role(keys=[key(OLD.pem)]), entity_id="https://other.example.com")
    assert held(document) == (HeldChange.ENTITY_ID,)


@pytest.mark.case("SP-68")
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://idp.example.com/another/path?a=b", ()),
        ("https://evil.test/sso", (HeldChange.SSO_HOST,)),
        ("https://idp.example.com.evil.test/sso", (HeldChange.SSO_HOST,)),
        ("https://idp.example.com:8443/sso", (HeldChange.SSO_HOST,)),
        ("http://idp.example.com/sso", (HeldChange.SSO_HOST,)),
    ],
)
def test_a_login_page_elsewhere_is_held(url: str, expected: tuple[HeldChange, ...]) -> None:
    document = entity(role(keys=[key(OLD.pem)], services=[service(POST, url)]))
    assert held(document) == expected


@pytest.mark.case("SP-68")
def test_every_change_that_is_held_is_named() -> None:
    document = entity(
        role(keys=[key(OTHER.pem)], services=[service(POST, "https://evil.test/")]),
        entity_id="https://evil.test",
    )
    assert held(document) == (
        HeldChange.ENTITY_ID,
        HeldChange.ALL_SIGNING_KEYS,
        HeldChange.SSO_HOST,
    )
