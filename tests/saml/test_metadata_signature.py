"""Signed metadata: by whom, over what, and what is said where nobody knows."""

from typing import Any

import pytest

from tests.support.saml_keys import signer
from tests.support.saml_metadata import entities, entity, key, role, signed
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.metadata import parse_identity_provider
from vestibule.saml.metadata_signature import SignatureState

NOW = 1_795_003_200_000_000  # 2026-11-18T12:00:00Z
KEYS = [key(signer("idp").pem)]
ENTITY = entity(role(keys=KEYS, attributes=' ID="_role"'), attributes=' ID="_entity"')
OTHER = entity(entity_id="https://sp.example.com", attributes=' ID="_other"')
AGGREGATE = entities(OTHER, ENTITY, attributes=' ID="_all"')
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"


def state(document: str, *signers: str) -> SignatureState:
    certificates = tuple(signer(name).certificate for name in signers)
    return parse_identity_provider(document.encode(), now=NOW, signers=certificates).signature


def refusal(document: str, *signers: str) -> Reason:
    with pytest.raises(SamlError) as caught:
        state(document, *signers)
    return caught.value.reason


@pytest.mark.parametrize(
    "document",
    [
        signed(ENTITY),
        signed(AGGREGATE),
        signed(AGGREGATE, at="_entity"),
        signed(signed(AGGREGATE, at="_entity", by="idp")),
        signed(signed(AGGREGATE, at="_entity"), by="somebody"),
        signed(signed(ENTITY, at="_role", by="idp")),
    ],
    ids=["entity", "aggregate", "inner", "around another's", "inside another's", "with its role"],
)
def test_metadata_within_a_known_signature_is_verified(document: str) -> None:
    assert state(document, "federation") == "verified"
    assert state(document, "old", "federation") == "verified"
    assert state(document) == "not_verified"


@pytest.mark.parametrize("document", [ENTITY, AGGREGATE, signed(AGGREGATE, at="_other")])
def test_unsigned_metadata_is_refused_where_its_signer_is_known(document: str) -> None:
    assert state(document) == "none"
    assert refusal(document, "federation") is Reason.SIG_MISSING


def test_signature_of_the_role_alone_leaves_the_name_open() -> None:
    document = signed(ENTITY, at="_role")
    assert refusal(document, "federation") is Reason.SIG_MISSING
    assert state(document) == "none"


def test_signature_of_somebody_else_is_refused_where_the_signer_is_known() -> None:
    assert refusal(signed(ENTITY, by="attacker"), "federation") is Reason.SIG_VALUE


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"method": SHA1}, Reason.SIG_ALG),
        ({"c14n": INCLUSIVE}, Reason.SIG_C14N),
        ({"transforms": (INCLUSIVE,)}, Reason.SIG_TRANSFORM),
    ],
)
def test_method_that_is_not_ours_is_left_alone_until_the_signer_is_known(
    how: dict[str, Any], reason: Reason
) -> None:
    document = signed(ENTITY, **how)
    assert refusal(document, "federation") is reason
    # An unknown method is an unknown signature: nothing can be said about what it covers.
    assert state(document) == "not_verified"


@pytest.mark.parametrize("signers", [(), ("federation",)])
def test_broken_signature_is_refused_whether_its_signer_is_known_or_not(
    signers: tuple[str, ...],
) -> None:
    changed = signed(ENTITY).replace("/sso/redirect", "/evil/redirect")
    assert refusal(changed, *signers) is Reason.SIG_DIGEST


@pytest.mark.parametrize("signers", [(), ("federation",)])
def test_signature_over_something_else_is_refused(signers: tuple[str, ...]) -> None:
    document = signed(AGGREGATE, at="_entity", reference="#_other")
    assert refusal(document, *signers) is Reason.SIG_REF
    whole = signed(ENTITY, reference="")
    assert refusal(whole, *signers) is Reason.SIG_REF
