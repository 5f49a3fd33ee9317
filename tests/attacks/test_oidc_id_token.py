"""ID tokens that somebody has tampered with: security cases OI-16 to OI-33 and OI-56."""

import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support import oidc_documents as good
from tests.support.oidc_documents import NOW, encode
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.id_token import Key, parse_jwks, verify_id_token


def refused(text: str, published: tuple[Key, ...] | None = None, **changes: Any) -> Reason:
    with pytest.raises(OidcError) as failure:
        good.verify(text, published, **changes)
    return failure.value.reason


def unsigned(algorithm: str, signature: str = "") -> str:
    header = encode(json.dumps({"alg": algorithm, "kid": "rsa-1"}).encode())
    return f"{header}.{encode(json.dumps(good.claims()).encode())}.{signature}"


@pytest.mark.case("OI-16")
@pytest.mark.parametrize("algorithm", ["none", "nOnE", "None", "NONE", ""])
def test_an_unsigned_token_is_refused(algorithm: str) -> None:
    assert refused(unsigned(algorithm)) is Reason.ALGORITHM


@pytest.mark.case("OI-16")
def test_an_empty_signature_is_refused() -> None:
    assert refused(unsigned("RS256")) is Reason.SIGNATURE


@pytest.mark.case("OI-16")
@pytest.mark.parametrize("algorithm", [None, ["RS256"], 256, {}, "RS256 ", "rs256", "RSA-OAEP"])
def test_an_algorithm_that_is_no_known_name_is_refused(algorithm: object) -> None:
    header = {"alg": good.ABSENT if algorithm is None else algorithm}
    assert refused(good.token(header=header)) is Reason.ALGORITHM


@pytest.mark.case("OI-17")
def test_hmac_keyed_with_anything_public_is_refused() -> None:
    public = good.rsa_signer().key.public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    modulus = good.rsa_signer().jwk()["n"].encode()
    for secret in (pem, pem.strip(), modulus, b"", b"client-secret"):
        assert refused(good.hmac_token(secret)) is Reason.ALGORITHM


@pytest.mark.case("OI-17")
@pytest.mark.case("OI-18")
def test_hmac_is_refused_even_with_a_symmetric_key_in_the_set() -> None:
    secret = b"k" * 32
    published = parse_jwks(good.jwks({"kty": "oct", "kid": "rsa-1", "k": encode(secret)}))

    assert published == ()
    assert refused(good.hmac_token(secret), published) is Reason.ALGORITHM


@pytest.mark.case("OI-18")
def test_hmac_cannot_be_registered() -> None:
    assert refused(good.hmac_token(b"secret"), algorithms=("RS256",)) is Reason.ALGORITHM
    assert "HS256" not in list(good.expectation().algorithms)


@pytest.mark.case("OI-19")
def test_a_key_in_the_header_is_not_used() -> None:
    attacker = good.rsa_signer("attacker")
    text = good.token(signer=attacker, header={"jwk": attacker.jwk(), "kid": "rsa-1"})
    assert refused(text) is Reason.SIGNATURE


@pytest.mark.case("OI-20")
@pytest.mark.parametrize("name", ["jku", "x5u"])
def test_a_key_address_in_the_header_is_not_used(name: str) -> None:
    attacker = good.rsa_signer("attacker")
    header = {name: "https://evil.example/keys", "kid": "rsa-1"}
    assert refused(good.token(signer=attacker, header=header)) is Reason.SIGNATURE


@pytest.mark.case("OI-21")
@pytest.mark.parametrize("size", [2_000, 6_000, 10_000])
def test_a_certificate_chain_in_the_header_does_not_disturb(size: int) -> None:
    text = good.token(header={"x5c": ["A" * (size // 2), "B" * (size // 2)]})
    assert good.verify(text).subject == good.SUBJECT


@pytest.mark.case("OI-22")
@pytest.mark.parametrize("kid", ["other", "../../etc/passwd", "' OR 1=1", "", "x" * 10_000, "é"])
def test_an_unknown_kid_is_refused(kid: str) -> None:
    assert refused(good.token(header={"kid": kid})) is Reason.KEY


@pytest.mark.case("OI-22")
@pytest.mark.parametrize("kid", [1, ["rsa-1"], {"rsa-1": 1}, None, True])
def test_a_kid_that_is_not_text_is_refused(kid: object) -> None:
    assert refused(good.token(header={"kid": kid})) is Reason.ID_TOKEN


@pytest.mark.case("OI-22")
def test_a_missing_kid_is_accepted_when_only_one_key_fits() -> None:
    text = good.token(header={"kid": good.ABSENT})

    assert good.verify(text).subject == good.SUBJECT
    both_kinds = good.keys(good.rsa_signer(), good.ec_signer())
    assert good.verify(text, both_kinds).subject == good.SUBJECT


@pytest.mark.case("OI-22")
def test_a_missing_kid_is_refused_when_two_keys_fit() -> None:
    text = good.token(header={"kid": good.ABSENT})
    assert refused(text, good.keys(good.rsa_signer(), good.rsa_signer("rsa-2"))) is Reason.KEY


@pytest.mark.case("OI-23")
def test_the_kid_of_an_ec_key_with_an_rsa_algorithm_is_refused() -> None:
    published = good.keys(good.rsa_signer(), good.ec_signer())
    assert refused(good.token(header={"kid": "ec-1"}), published) is Reason.KEY


@pytest.mark.case("OI-23")
def test_two_keys_under_one_kid_are_both_tried() -> None:
    first, second = good.rsa_signer("rsa-1"), good.rsa_signer("rsa-2")
    published = parse_jwks(good.jwks(first.jwk(kid="same"), second.jwk(kid="same")))
    for signer in (first, second):
        text = good.token(signer=signer, header={"kid": "same"})
        assert good.verify(text, published).subject == good.SUBJECT


@pytest.mark.case("OI-23")
def test_an_rsa_and_an_ec_key_under_one_kid_are_told_apart() -> None:
    rsa, ec_key = good.rsa_signer(), good.ec_signer()
    published = parse_jwks(good.jwks(ec_key.jwk(kid="same"), rsa.jwk(kid="same")))
    for signer, algorithm in ((rsa, "RS256"), (ec_key, "ES256")):
        text = good.token(signer=signer, algorithm=algorithm, header={"kid": "same"})
        assert good.verify(text, published).subject == good.SUBJECT


@pytest.mark.case("OI-23")
def test_only_a_few_keys_under_one_kid_are_tried() -> None:
    text = good.token()
    other = good.rsa_signer("rsa-2").jwk(kid="rsa-1")
    assert refused(text, parse_jwks(good.jwks(*[other] * 49, good.rsa_signer().jwk()))) is (
        Reason.SIGNATURE
    )


@pytest.mark.case("OI-28")
def test_an_ec_signature_of_zeros_is_refused() -> None:
    assert refused(_ec_token(bytes(64)), good.keys(good.ec_signer())) is Reason.SIGNATURE


@pytest.mark.case("OI-28")
def test_an_ec_signature_with_r_or_s_equal_to_the_order_is_refused() -> None:
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    published = good.keys(good.ec_signer())
    for r, s in ((order, 1), (1, order), (order, order), (0, 1), (1, 0)):
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        assert refused(_ec_token(signature), published) is Reason.SIGNATURE


@pytest.mark.case("OI-28")
def test_an_ec_signature_in_der_is_refused() -> None:
    key = good.ec_signer().key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signed = _ec_token(b"").rpartition(".")[0]
    der = key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    text = f"{signed}.{encode(der)}"
    assert refused(text, good.keys(good.ec_signer())) is Reason.SIGNATURE


def _ec_token(signature: bytes) -> str:
    header = encode(json.dumps({"alg": "ES256", "kid": "ec-1"}).encode())
    return f"{header}.{encode(json.dumps(good.claims()).encode())}.{encode(signature)}"


@pytest.mark.case("OI-28")
@pytest.mark.parametrize("algorithm", ["PS256", "PS384", "PS512"])
def test_an_algorithm_that_was_not_registered_is_refused(algorithm: str) -> None:
    assert refused(good.token(algorithm=algorithm)) is Reason.ALGORITHM


@pytest.mark.case("OI-28")
@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
def test_edwards_signatures_are_refused(algorithm: str) -> None:
    assert refused(unsigned(algorithm, encode(bytes(64)))) is Reason.ALGORITHM


@pytest.mark.case("OI-28")
def test_a_curve_of_another_size_than_the_algorithm_is_refused() -> None:
    signer = good.ec_signer("ec-384", 384)
    text = good.token(signer=signer, algorithm="ES256")
    assert refused(text, good.keys(signer)) is Reason.KEY


@pytest.mark.case("OI-29")
@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["urn:unknown"], "urn:unknown": 1},
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"b64": False},
        {"b64": True},
        {"zip": "DEF"},
    ],
)
def test_extensions_that_change_the_reading_are_refused(header: good.Json) -> None:
    assert refused(good.token(header=header)) is Reason.ID_TOKEN


@pytest.mark.parametrize("kind", ["at+jwt", "application/at+jwt", "logout+jwt", "", 1, None])
def test_a_token_of_another_type_is_refused(kind: object) -> None:
    assert refused(good.token(header={"typ": kind})) is Reason.ID_TOKEN


@pytest.mark.parametrize("kind", ["JWT", "jwt", "application/jwt", good.ABSENT])
def test_the_usual_types_are_accepted(kind: object) -> None:
    assert good.verify(good.token(header={"typ": kind})).subject == good.SUBJECT


@pytest.mark.case("OI-30")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text + ".",
        lambda text: text + ".AAAA",
        lambda text: text + "=",
        lambda text: text + "\n",
        lambda text: text + " ",
        lambda text: " " + text,
        lambda text: "\ufeff" + text,
        lambda text: text.replace(".", "..", 1),
        lambda text: text.rpartition(".")[0],
        lambda _: "",
        lambda _: "..",
        lambda _: "é.é.é",
    ],
)
def test_a_token_in_another_shape_is_refused(spoil: object) -> None:
    assert callable(spoil)
    assert refused(spoil(good.token())) is Reason.ID_TOKEN


@pytest.mark.case("OI-30")
def test_unused_bits_of_the_last_character_must_be_zero() -> None:
    text = good.token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 256 bytes end in a character that carries two bits of data and four that mean nothing.
    spoilt = text[:-1] + alphabet[alphabet.index(text[-1]) ^ 1]
    assert refused(spoilt) is Reason.ID_TOKEN


@pytest.mark.case("OI-30")
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_payload_in_another_encoding_is_refused(encoding: str) -> None:
    payload = json.dumps(good.claims()).encode(encoding)
    assert refused(good.token(payload)) is Reason.ID_TOKEN


@pytest.mark.case("OI-30")
@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b'"sub"', b"{", b"{} {}", b"\xff"])
def test_a_payload_that_is_no_object_is_refused(payload: bytes) -> None:
    assert refused(good.token(payload)) is Reason.ID_TOKEN


@pytest.mark.case("OI-31")
def test_a_claim_given_twice_is_refused() -> None:
    payload = json.dumps(good.claims()).replace('"sub"', '"sub": "admin", "sub"', 1).encode()
    assert refused(good.token(payload)) is Reason.ID_TOKEN


@pytest.mark.case("OI-31")
def test_a_header_given_twice_is_refused() -> None:
    header = b'{"alg":"none","alg":"RS256","kid":"rsa-1"}'
    payload = json.dumps(good.claims()).encode()
    assert refused(good.raw_token(header, payload, signer=good.rsa_signer())) is Reason.ID_TOKEN


@pytest.mark.case("OI-32")
@pytest.mark.parametrize("depth", [17, 900, 2_000, 30_000])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_a_deeply_nested_payload_is_refused(depth: int, brackets: str) -> None:
    opening = "[" if brackets == "[]" else '{"a":'
    nested = opening * depth + "1" + brackets[1] * depth
    payload = json.dumps(good.claims())[:-1] + f', "x": {nested}}}'
    assert refused(good.token(payload.encode()[:200_000])) is Reason.ID_TOKEN


@pytest.mark.case("OI-32")
def test_a_deeply_nested_header_is_refused() -> None:
    header = b'{"alg":"RS256","kid":"rsa-1","x":' + b"[" * 5_000 + b"]" * 5_000 + b"}"
    payload = json.dumps(good.claims()).encode()
    assert refused(good.raw_token(header, payload, signer=good.rsa_signer())) is Reason.ID_TOKEN


@pytest.mark.case("OI-33")
@pytest.mark.parametrize("algorithm", ["RSA-OAEP", "RSA1_5", "dir", "PBES2-HS256+A128KW"])
def test_an_encrypted_token_is_refused_without_work(algorithm: str) -> None:
    header = {"alg": algorithm, "enc": "A128GCM", "p2c": 10**9, "p2s": "AAAA", "zip": "DEF"}
    text = ".".join([encode(json.dumps(header).encode()), "AAAA", "AAAA", "AAAA", "AAAA"])
    started = time.monotonic()

    assert refused(text) is Reason.ID_TOKEN
    assert time.monotonic() - started < 1


@pytest.mark.case("OI-33")
def test_an_encryption_header_in_three_segments_is_refused() -> None:
    assert refused(good.token(header={"enc": "A128GCM"})) is Reason.ID_TOKEN


@pytest.mark.case("OI-30")
def test_an_oversized_token_is_refused() -> None:
    assert refused(good.token(good.claims(x="x" * 70_000))) is Reason.ID_TOKEN
    assert refused(good.token(header={"x": "x" * 20_000})) is Reason.ID_TOKEN
    assert refused("x" * 10_000_000) is Reason.ID_TOKEN


def test_a_changed_payload_is_refused() -> None:
    header, _, signature = good.token().split(".")
    payload = encode(json.dumps(good.claims(sub="admin")).encode())
    assert refused(f"{header}.{payload}.{signature}") is Reason.SIGNATURE


def test_a_token_of_another_provider_is_refused() -> None:
    other = good.rsa_signer("other")
    assert refused(good.token(signer=other, header={"kid": "rsa-1"})) is Reason.SIGNATURE


def test_nothing_is_accepted_without_keys() -> None:
    with pytest.raises(OidcError) as failure:
        verify_id_token(good.token(), (), good.expectation(), access_token=None, now=NOW)
    assert failure.value.reason is Reason.KEY
