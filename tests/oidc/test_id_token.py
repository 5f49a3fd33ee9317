"""What a good ID token may look like, and what comes out of it."""

import pytest

from tests.support import oidc_documents as good
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.id_token import VerifiedIdToken, parse_jwks
from vestibule.oidc.signed import needs_refetch


def test_verify_returns_subject_claims_and_steps() -> None:
    verified = good.verify(good.token())

    assert verified.subject == good.SUBJECT
    assert verified.claims["email"] == "user@example.com"
    assert [step.name for step in verified.steps] == [
        "token",
        "algorithm",
        "key",
        "signature",
        "iss",
        "aud",
        "azp",
        "exp",
        "iat",
        "life",
        "nonce",
        "sub",
    ]
    assert all(step.passed for step in verified.steps)


def test_steps_hold_no_secret() -> None:
    text = good.token()
    shown = repr(good.verify(text).steps)

    assert good.CLIENT_ID in shown
    assert good.NONCE not in shown
    assert text not in shown


def test_failure_carries_the_passed_steps_then_the_failed_one() -> None:
    with pytest.raises(OidcError) as failure:
        good.verify(good.token(good.claims(aud="another")))

    last = failure.value.steps[-1]
    assert (last.name, last.expected, last.received, last.passed) == (
        "oidc.aud",
        "client-1",
        "another",
        False,
    )
    assert [step.name for step in failure.value.steps[:-1]] == [
        "token",
        "algorithm",
        "key",
        "signature",
        "iss",
    ]


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_rsa_signatures_are_accepted(algorithm: str) -> None:
    assert good.verify(good.token(algorithm=algorithm)).subject == good.SUBJECT


@pytest.mark.parametrize(("algorithm", "bits"), [("ES256", 256), ("ES384", 384), ("ES512", 521)])
def test_ec_signatures_are_accepted(algorithm: str, bits: int) -> None:
    signer = good.ec_signer(f"ec-{bits}", bits)
    text = good.token(signer=signer, algorithm=algorithm)

    assert good.verify(text, good.keys(signer)).subject == good.SUBJECT


def test_an_algorithm_that_was_registered_is_accepted() -> None:
    text = good.token(algorithm="PS256")

    assert good.verify(text, algorithms=("PS256",)).subject == good.SUBJECT


def test_a_verified_token_cannot_be_made_elsewhere() -> None:
    with pytest.raises(TypeError, match="verify_id_token only"):
        VerifiedIdToken("user-1", {}, ())


def test_claims_cannot_be_changed() -> None:
    claims = good.verify(good.token()).claims
    with pytest.raises(TypeError):
        claims["sub"] = "admin"  # type: ignore[index]  # the point of the test


@pytest.mark.case("OI-26")
def test_a_key_that_is_not_known_yet_asks_for_a_refetch() -> None:
    new = good.rsa_signer("rsa-2")
    text = good.token(signer=new)

    assert needs_refetch(text, good.keys())
    assert not needs_refetch(text, good.keys(good.rsa_signer(), new))
    assert good.verify(text, good.keys(good.rsa_signer(), new)).subject == good.SUBJECT


@pytest.mark.case("OI-26")
@pytest.mark.parametrize("kid", ["rsa-1", good.ABSENT])
def test_a_rotation_that_the_kid_does_not_show_asks_for_a_refetch(kid: object) -> None:
    text = good.token(signer=good.rsa_signer("rsa-2"), header={"kid": kid})
    assert needs_refetch(text, good.keys())


def test_no_keys_at_all_asks_for_a_refetch() -> None:
    assert needs_refetch(good.token(), ())


@pytest.mark.parametrize("text", ["", "a.b.c", "....", good.hmac_token(b"x"), "é.é.é"])
def test_an_unreadable_token_asks_for_no_refetch(text: str) -> None:
    assert not needs_refetch(text, ())


def test_an_empty_key_set_is_read_and_verifies_nothing() -> None:
    with pytest.raises(OidcError) as failure:
        good.verify(good.token(), parse_jwks(b'{"keys":[]}'))
    assert failure.value.reason is Reason.KEY


def test_a_refreshed_token_needs_no_nonce_but_the_same_subject() -> None:
    text = good.token(good.claims(nonce=good.ABSENT))

    assert good.verify(text, nonce=None, subject=good.SUBJECT).subject == good.SUBJECT
    with pytest.raises(OidcError) as failure:
        good.verify(text, nonce=None, subject="user-2")
    assert failure.value.reason is Reason.SUBJECT
