import json
from base64 import urlsafe_b64decode

from tests.support.determinism import NOW
from vestibule.clock import HOUR
from vestibule.dev.identity_provider.keys import SigningIdentity
from vestibule.dev.identity_provider.oidc_tokens import (
    Grant,
    TokenSigner,
    challenge_of,
    claims_of,
)
from vestibule.dev.identity_provider.people import Login, read_login

ISSUER = "https://idp.example/oidc"


def grant(login: Login, *, nonce: str = "nonce-1") -> Grant:
    return Grant(
        client_id="client-1",
        redirect_url="https://sp.example/back",
        nonce=nonce,
        code_challenge="",
        scope="openid",
        login=login,
        authenticated_at=NOW,
    )


def payload(token: str) -> dict[str, object]:
    part = token.split(".")[1]
    read: dict[str, object] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return read


def test_challenge_is_the_one_of_the_rfc() -> None:
    # RFC 7636, appendix B
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_empty_values_are_not_claimed() -> None:
    login = read_login({"person": "other", "email": "ann@example.com"})
    assert claims_of(login) == {
        "sub": "ann@example.com",
        "email": "ann@example.com",
        "email_verified": True,
    }


def test_true_and_false_become_booleans() -> None:
    login = read_login({"person": "alice", "attributes": "a=true\nb=false\nc=True\nd=x\nd=true"})
    claims = claims_of(login)
    assert {name: claims[name] for name in "abcd"} == {
        "a": True,
        "b": False,
        "c": "True",
        "d": ["x", True],
    }


def test_extra_attribute_replaces_a_claim_but_never_the_protocol(
    identity: SigningIdentity,
) -> None:
    protocol = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash")
    attributes = "\n".join(f"{name}=forged" for name in (*protocol, "name"))
    login = read_login({"person": "alice", "attributes": attributes})
    signer = TokenSigner(issuer=ISSUER, identity=identity)
    claims = payload(signer.id_token(grant(login), access_token="token", now=NOW))
    assert claims["name"] == "forged"
    assert all(claims[name] != "forged" for name in protocol)
    assert claims["iss"] == ISSUER
    assert claims["exp"] == (NOW + HOUR) // 1_000_000


def test_nonce_is_left_out_when_none_was_sent(identity: SigningIdentity) -> None:
    signer = TokenSigner(issuer=ISSUER, identity=identity)
    login = read_login({"person": "alice"})
    token = signer.id_token(grant(login, nonce=""), access_token="token", now=NOW)
    assert "nonce" not in payload(token)


def test_published_key_is_the_public_half(identity: SigningIdentity) -> None:
    (key,) = TokenSigner(issuer=ISSUER, identity=identity).jwks()["keys"]
    assert set(key) == {"kty", "n", "e", "alg", "kid", "use"}
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
