"""Which published keys are fit to verify anything: security cases OI-24 and OI-25."""

import json
import time

import pytest

from tests.support import oidc_documents as good
from tests.support.oidc_documents import ABSENT, encode, integer
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.jwks import Algorithm, parse_jwks


def kinds(*entries: good.Json) -> list[str]:
    return [key.kind for key in parse_jwks(good.jwks(*entries))]


def refused(data: bytes) -> Reason:
    with pytest.raises(OidcError) as failure:
        parse_jwks(data)
    return failure.value.reason


def test_good_keys_are_read_in_order() -> None:
    entries = [good.ec_signer(f"ec-{bits}", bits).jwk() for bits in (256, 384, 521)]
    assert kinds(good.rsa_signer().jwk(), *entries) == ["RSA", "P-256", "P-384", "P-521"]


def test_labels_are_kept() -> None:
    [key] = parse_jwks(good.jwks(good.rsa_signer().jwk(alg="RS256", issuer="https://i.example")))
    assert (key.kid, key.alg, key.issuer) == ("rsa-1", "RS256", "https://i.example")


@pytest.mark.parametrize("member", ["kid", "use"])
def test_optional_members_may_be_missing(member: str) -> None:
    assert kinds(good.rsa_signer().jwk(**{member: ABSENT})) == ["RSA"]


def test_unknown_members_are_ignored() -> None:
    assert kinds(good.rsa_signer().jwk(x5c=["AAAA"], x5t="abc", vendor={"a": 1})) == ["RSA"]


@pytest.mark.case("OI-24")
@pytest.mark.parametrize("bits", [1024, 2046])
def test_a_weak_rsa_key_is_passed_over(bits: int) -> None:
    weak = integer((1 << (bits - 1)) | 1)
    assert kinds(good.rsa_signer().jwk(n=weak), good.ec_signer().jwk()) == ["P-256"]


@pytest.mark.case("OI-24")
def test_a_token_of_a_weak_key_is_refused_although_its_signature_is_right() -> None:
    weak = good.rsa_signer("weak", 1024)
    with pytest.raises(OidcError) as failure:
        good.verify(good.token(signer=weak), good.keys(weak))
    assert failure.value.reason is Reason.KEY


@pytest.mark.case("OI-24")
@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 65_536, 2**32 + 1, 2**64 + 1])
def test_an_odd_exponent_is_passed_over(exponent: int) -> None:
    assert kinds(good.rsa_signer().jwk(e=encode(exponent.to_bytes(9, "big")))) == []


@pytest.mark.case("OI-24")
@pytest.mark.parametrize("bits", [8_193, 16_384, 65_537])
def test_a_huge_modulus_is_passed_over(bits: int) -> None:
    assert kinds(good.rsa_signer().jwk(n=integer((1 << (bits - 1)) | 1))) == []


@pytest.mark.case("OI-24")
def test_a_symmetric_key_is_passed_over() -> None:
    assert kinds({"kty": "oct", "k": encode(b"k" * 32), "kid": "rsa-1"}) == []


@pytest.mark.case("OI-24")
@pytest.mark.parametrize("member", ["d", "p", "q", "oth", "k"])
def test_a_published_private_key_is_passed_over(member: str) -> None:
    assert kinds(good.rsa_signer().jwk(**{member: "AQAB"})) == []


@pytest.mark.case("OI-24")
def test_a_point_off_its_curve_is_passed_over() -> None:
    x = encode((5).to_bytes(32, "big"))
    assert kinds(good.ec_signer().jwk(x=x, y=x)) == []


@pytest.mark.case("OI-24")
@pytest.mark.parametrize("changes", [{"use": "enc"}, {"key_ops": ["encrypt"]}, {"key_ops": "x"}])
def test_a_key_for_another_use_is_passed_over(changes: good.Json) -> None:
    assert kinds(good.rsa_signer().jwk(**changes)) == []


@pytest.mark.case("OI-24")
def test_a_key_for_another_algorithm_does_not_verify() -> None:
    published = parse_jwks(good.jwks(good.rsa_signer().jwk(alg="RS512")))
    with pytest.raises(OidcError) as failure:
        good.verify(good.token(), published)
    assert failure.value.reason is Reason.KEY
    assert published[0].fits(Algorithm.RS512)


@pytest.mark.case("OI-24")
@pytest.mark.parametrize(
    "changes",
    [
        {"kty": "OKP", "crv": "Ed25519", "x": encode(bytes(32))},
        {"kty": "rsa"},
        {"kty": ABSENT},
        {"kty": ["RSA"]},
        {"n": ABSENT},
        {"n": 5},
        {"n": ""},
        {"n": "====", "e": "AQAB"},
        {"e": ABSENT},
        {"e": "AQAB="},
        {"e": "é"},
        {"kid": 1},
        {"alg": ["RS256"]},
    ],
)
def test_a_malformed_rsa_key_is_passed_over(changes: good.Json) -> None:
    entries = good.rsa_signer().jwk(**changes), good.ec_signer().jwk()
    assert kinds(*entries) == ["P-256"]


@pytest.mark.case("OI-24")
@pytest.mark.parametrize(
    "changes",
    [
        {"crv": "secp256k1"},
        {"crv": "P-521"},
        {"crv": ABSENT},
        {"crv": ["P-256"]},
        {"x": ABSENT},
        {"y": "AQAB"},
        {"y": encode(bytes(33))},
        {"x": encode(b"\xff" * 32)},
    ],
)
def test_a_malformed_ec_key_is_passed_over(changes: good.Json) -> None:
    assert kinds(good.ec_signer().jwk(**changes), good.rsa_signer().jwk()) == ["RSA"]


def test_entries_that_are_no_keys_are_passed_over() -> None:
    data = json.dumps({"keys": [None, 1, "key", [], good.rsa_signer().jwk()]}).encode()
    assert [key.kid for key in parse_jwks(data)] == ["rsa-1"]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":null}', b"<html>"])
def test_what_is_no_key_set_is_refused(data: bytes) -> None:
    assert refused(data) is Reason.JWKS


@pytest.mark.case("OI-25")
def test_a_set_of_too_many_keys_is_refused() -> None:
    small = {"kty": "oct", "k": "AAAA"}
    assert refused(good.jwks(*[small] * 51)) is Reason.JWKS
    assert parse_jwks(good.jwks(*[small] * 50)) == ()


@pytest.mark.case("OI-25")
def test_a_large_set_is_refused_quickly() -> None:
    data = good.jwks(*[good.rsa_signer().jwk()] * 20_000)
    started = time.monotonic()

    assert refused(data) is Reason.JWKS
    assert time.monotonic() - started < 0.5
