"""Trusted tokens: what their claims have to say; tests/domain/test_attestation.py uses them."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.support import oidc_documents as good
from tests.support.oidc_documents import ABSENT, CLIENT_ID, ISSUER, NOW, SECOND, Signer
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.expectation import TrustedExpectation
from vestibule.oidc.jwks import Key, read_public_key
from vestibule.oidc.trusted_token import VerifiedTrustedToken, verify_trusted_token

MAPPING = {
    "email": "mail",
    "token_id": "jti",
    "organization_id": "org",
    "external_member_id": "uid",
    "role_ids": "roles",
}


def token(*, signer: Signer | None = None, header: Any = None, **changes: Any) -> str:
    claims = good.changed(good.claims(), {"nonce": ABSENT, "email": ABSENT, "mail": "a@b.test"})
    claims = good.changed(claims, {"jti": "one", **changes})
    return good.token(claims, signer=signer, header=header)


def verify(
    text: str,
    keys: tuple[Key, ...] | None = None,
    *,
    mapping: dict[str, str] | None = None,
    pinned: bool = False,
) -> VerifiedTrustedToken:
    expectation = TrustedExpectation(
        issuer=ISSUER, client_id=CLIENT_ID, mapping=mapping or MAPPING, pinned=pinned
    )
    return verify_trusted_token(text, keys or good.keys(), expectation, now=NOW)


def refused(text: str, *keys: Key, pinned: bool = False) -> Reason:
    with pytest.raises(OidcError) as failure:
        verify(text, keys or None, pinned=pinned)
    return failure.value.reason


def pem(signer: Signer) -> str:
    public = signer.key.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_claims_are_read_by_the_names_of_the_mapping() -> None:
    found = verify(token(org="acme", uid="u-1", roles=["a", "b"]))
    assert (found.email_address, found.token_id) == ("a@b.test", "one")
    assert (found.organization_id, found.external_member_id) == ("acme", "u-1")
    assert found.role_ids == ("a", "b")
    assert found.replay_until == NOW + (295 + 60) * SECOND


def test_what_is_not_said_or_not_mapped_is_empty() -> None:
    unmapped = {"email": "mail", "token_id": "jti"}
    for found in (verify(token()), verify(token(org="x", uid="y", roles=["z"]), mapping=unmapped)):
        assert (found.organization_id, found.external_member_id, found.role_ids) == ("", "", ())


def test_a_verified_token_is_made_here_only() -> None:
    with pytest.raises(TypeError, match="verify_trusted_token only"):
        VerifiedTrustedToken(
            email_address="",
            token_id="",
            organization_id="",
            external_member_id="",
            role_ids=(),
            replay_until=0,
            steps=(),
        )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mail": ABSENT}, Reason.EMAIL),
        ({"mail": 7}, Reason.EMAIL),
        ({"email_verified": False}, Reason.EMAIL),
        ({"jti": ABSENT}, Reason.TRUSTED),
        ({"jti": ""}, Reason.TRUSTED),
        ({"jti": "a\u0007b"}, Reason.TRUSTED),
        ({"org": 7}, Reason.TRUSTED),
        ({"uid": "x" * 256}, Reason.TRUSTED),
        ({"roles": "admin"}, Reason.TRUSTED),
        ({"roles": ["x"] * 101}, Reason.TRUSTED),
        ({"iss": "https://evil.example.com"}, Reason.ISSUER),
        ({"aud": "another"}, Reason.AUDIENCE),
        ({"exp": 1}, Reason.EXPIRED),
        ({"iat": ABSENT}, Reason.ISSUED_AT),
        ({"nbf": NOW // SECOND + 61}, Reason.NOT_BEFORE),
    ],
)
def test_other_claims_are_refused(changes: dict[str, Any], reason: Reason) -> None:
    assert refused(token(**changes)) is reason


@pytest.mark.parametrize(
    "changes",
    [
        {"azp": "the client that received it"},
        {"aud": [CLIENT_ID, f"{ISSUER}/userinfo"], "azp": "the client that received it"},
        {"aud": [CLIENT_ID, "another"]},
    ],
)
def test_access_token_that_another_client_received_is_good(changes: dict[str, Any]) -> None:
    # As Auth0 makes them: the audience is the application's API, azp is whoever logged in.
    for header in ({"typ": "JWT"}, {"typ": "at+jwt"}, {"typ": "application/at+jwt"}):
        assert verify(token(header=header, **changes)).token_id == "one"


@pytest.mark.parametrize("typ", ["logout+jwt", "dpop+jwt"])
def test_token_of_another_kind_is_refused(typ: str) -> None:
    assert refused(token(header={"typ": typ})) is Reason.ID_TOKEN


@pytest.mark.parametrize("kid", [ABSENT, "any", "rsa-1"])
def test_pinned_keys_verify_whatever_kid_a_token_names(kid: object) -> None:
    keys = tuple(read_public_key(pem(good.rsa_signer(name))) for name in ("old", "new"))
    text = token(signer=good.rsa_signer("new"), header={"kid": kid})
    assert verify(text, keys, pinned=True).token_id == "one"
    assert refused(token(header={"kid": kid}), *keys, pinned=True) is Reason.SIGNATURE
    # Keys that were fetched are found by their kid.
    assert refused(text, *keys) is Reason.KEY


def test_public_keys_of_both_kinds_are_read() -> None:
    kinds = {
        read_public_key(pem(signer)).kind
        for signer in (good.rsa_signer(), good.ec_signer(), good.ec_signer("ec-3", 384))
    }
    assert kinds == {"RSA", "P-256", "P-384"}


def test_what_is_no_public_key_is_refused() -> None:
    private = good.rsa_signer().key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    weak = pem(good.rsa_signer("weak", 1024))
    for text in ("", "x", "-----BEGIN PUBLIC KEY-----\n", private.decode(), weak, "\u00e9"):
        with pytest.raises(OidcError) as failure:
            read_public_key(text)
        assert failure.value.reason is Reason.JWKS
