"""Good ID tokens, key sets and configurations, signed for real, and ways to break one thing.

Signatures are made with cryptography alone, so that a mistake in joserfc cannot hide itself.
"""

import base64
import functools
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from vestibule.oidc.id_token import Expectation, Key, VerifiedIdToken, parse_jwks, verify_id_token

SECOND: Final = 1_000_000
NOW: Final = 1_800_000_000 * SECOND
ISSUER: Final = "https://idp.example.com"
CLIENT_ID: Final = "client-1"
SUBJECT: Final = "user-1"
NONCE: Final = "n" * 43
ACCESS_TOKEN: Final = "access-token-1"
CODE: Final = "code-1"
ABSENT: Final = object()

Json = dict[str, Any]


@dataclass(frozen=True)
class Signer:
    """A provider's signing key under a name."""

    kid: str
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    def jwk(self, **changes: object) -> Json:
        numbers = self.key.public_key().public_numbers()
        shape: Json = {"kid": self.kid, "use": "sig"}
        if isinstance(numbers, rsa.RSAPublicNumbers):
            shape |= {"kty": "RSA", "n": integer(numbers.n), "e": integer(numbers.e)}
        else:
            curve = {256: "P-256", 384: "P-384", 521: "P-521"}[numbers.curve.key_size]
            size = (numbers.curve.key_size + 7) // 8
            x, y = (encode(value.to_bytes(size, "big")) for value in (numbers.x, numbers.y))
            shape |= {"kty": "EC", "crv": curve, "x": x, "y": y}
        return changed(shape, changes)

    def sign(self, data: bytes, algorithm: str) -> bytes:
        digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[
            algorithm[2:]
        ]
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(data, _padding(algorithm, digest), digest)
        r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(digest)))
        size = (self.key.curve.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _padding(algorithm: str, digest: hashes.HashAlgorithm) -> padding.AsymmetricPadding:
    if algorithm.startswith("PS"):
        return padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
    return padding.PKCS1v15()


@functools.cache
def rsa_signer(kid: str = "rsa-1", bits: int = 2048) -> Signer:
    return Signer(kid, rsa.generate_private_key(public_exponent=65_537, key_size=bits))


@functools.cache
def ec_signer(kid: str = "ec-1", bits: int = 256) -> Signer:
    curves: dict[int, ec.EllipticCurve] = {
        256: ec.SECP256R1(),
        384: ec.SECP384R1(),
        521: ec.SECP521R1(),
    }
    return Signer(kid, ec.generate_private_key(curves[bits]))


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def integer(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def changed(document: Json, changes: dict[str, Any]) -> Json:
    """Return `document` with `changes`; a value of ABSENT takes the member away."""
    merged = document | changes
    return {name: value for name, value in merged.items() if value is not ABSENT}


def claims(**changes: object) -> Json:
    issued = NOW // SECOND - 5
    good = {
        "iss": ISSUER,
        "sub": SUBJECT,
        "aud": CLIENT_ID,
        "exp": issued + 300,
        "iat": issued,
        "nonce": NONCE,
        "email": "user@example.com",
        "email_verified": True,
    }
    return changed(good, changes)


def logout_claims(**changes: object) -> Json:
    """Return the good claims of a logout token about SUBJECT."""
    issued = NOW // SECOND - 5
    good = {
        "iss": ISSUER,
        "sub": SUBJECT,
        "aud": CLIENT_ID,
        "iat": issued,
        "exp": issued + 120,
        "jti": "logout-1",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }
    return changed(good, changes)


def raw_token(header: bytes, payload: bytes, *, signer: Signer, algorithm: str = "RS256") -> str:
    signed = f"{encode(header)}.{encode(payload)}"
    return f"{signed}.{encode(signer.sign(signed.encode(), algorithm))}"


def token(
    payload: Json | bytes | None = None,
    *,
    signer: Signer | None = None,
    algorithm: str = "RS256",
    header: Json | None = None,
) -> str:
    """Sign `payload` (the good claims by default); `header` changes the good header."""
    signer = signer or rsa_signer()
    shape = changed({"alg": algorithm, "kid": signer.kid, "typ": "JWT"}, header or {})
    body = payload if isinstance(payload, bytes) else json.dumps(payload or claims()).encode()
    return raw_token(json.dumps(shape).encode(), body, signer=signer, algorithm=algorithm)


def hmac_token(secret: bytes, *, header: Json | None = None) -> str:
    shape = {"alg": "HS256", "kid": "rsa-1", "typ": "JWT"} | (header or {})
    signed = f"{encode(json.dumps(shape).encode())}.{encode(json.dumps(claims()).encode())}"
    return f"{signed}.{encode(hmac.digest(secret, signed.encode(), 'sha256'))}"


def half_hash(value: str, algorithm: str = "RS256") -> str:
    digest = hashlib.new(f"sha{algorithm[2:]}", value.encode()).digest()
    return encode(digest[: len(digest) // 2])


def jwks(*entries: Json) -> bytes:
    return json.dumps({"keys": list(entries)}).encode()


def keys(*signers: Signer) -> tuple[Key, ...]:
    return parse_jwks(jwks(*(signer.jwk() for signer in signers or (rsa_signer(),))))


def expectation(**changes: Any) -> Expectation:
    return Expectation(**{"issuer": ISSUER, "client_id": CLIENT_ID, "nonce": NONCE} | changes)


def verify(
    text: str,
    published: tuple[Key, ...] | None = None,
    *,
    now: int = NOW,
    access_token: str | None = ACCESS_TOKEN,
    code: str | None = None,
    **changes: Any,
) -> VerifiedIdToken:
    return verify_id_token(
        text,
        keys() if published is None else published,
        expectation(**changes),
        access_token=access_token,
        code=code,
        now=now,
    )


def discovery(**changes: object) -> bytes:
    good = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "userinfo_endpoint": f"{ISSUER}/userinfo",
        "jwks_uri": f"{ISSUER}/jwks",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }
    return json.dumps(changed(good, changes)).encode()
