"""A provider's published keys, and which of them are fit to verify a signature (RFC 7517, 7518)."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from vestibule.oidc.base64url import decode_base64url
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.strict_json import parse_object

_MOST_KEYS: Final = 50
_RSA_BITS: Final = range(2048, 8193)
_RSA_EXPONENTS: Final = range(65_537, 2**32, 2)
_CURVE_BYTES: Final = {"P-256": 32, "P-384": 48, "P-521": 66}


class Algorithm(StrEnum):
    """What a connection may be registered for: neither HMAC, whose key we would share, nor none."""

    RS256 = "RS256"
    RS384 = "RS384"
    RS512 = "RS512"
    PS256 = "PS256"
    PS384 = "PS384"
    PS512 = "PS512"
    ES256 = "ES256"
    ES384 = "ES384"
    ES512 = "ES512"


# The curve each algorithm takes; all others take RSA.
_CURVES: Final = {
    Algorithm.ES256: "P-256",
    Algorithm.ES384: "P-384",
    Algorithm.ES512: "P-521",
}


@dataclass(frozen=True)
class Key:
    """One public key. `kind` is RSA or its curve; `issuer` is an extension of Microsoft's."""

    kind: str
    kid: str | None
    alg: str | None
    issuer: str | None
    material: RSAKey | ECKey = field(repr=False, compare=False)

    def fits(self, algorithm: Algorithm) -> bool:
        """Tell whether this key may verify `algorithm`: its kind, and its own `alg` where given."""
        return self.kind == _CURVES.get(algorithm, "RSA") and self.alg in {None, algorithm.value}


def parse_jwks(data: bytes) -> tuple[Key, ...]:
    """Return the usable keys of a JWK Set, in its order.

    Symmetric, private, weak (RSA under 2048 bits), unknown, malformed and off-curve keys, and keys
    for other uses, are passed over as RFC 7517 5 asks; a set without a usable key is empty, not
    an error. Raises OidcError(oidc.jwks) when it is no JWK Set, or has more than 50 keys.
    """
    entries = parse_object(data, reason=Reason.JWKS).get("keys")
    if not isinstance(entries, list):
        raise OidcError(Reason.JWKS, expected="a list named keys", received="none")
    if len(entries) > _MOST_KEYS:
        raise OidcError(
            Reason.JWKS, expected=f"at most {_MOST_KEYS} keys", received=f"{len(entries)} keys"
        )
    keys = (_read_key(entry) for entry in entries if isinstance(entry, dict))
    return tuple(key for key in keys if key is not None)


def read_public_key(pem: str) -> Key:
    """Return a public key that was given by hand; it has no kid.

    Raises OidcError(oidc.jwks) for anything but one RSA or EC public key in PEM (no certificate,
    no private key) that is fit to verify.
    """
    try:
        public = load_pem_public_key(pem.encode())
        if isinstance(public, RSAPublicKey) and public.key_size not in _RSA_BITS:
            raise ValueError("an RSA key that is too weak, or too large to compute with")
        kind = ECKey if isinstance(public, EllipticCurvePublicKey) else RSAKey
        key = _read_key(dict(kind.import_key(pem).as_dict(private=False)))
    except (ValueError, TypeError, UnsupportedAlgorithm, JoseError):
        key = None
    if key is None:
        raise OidcError(
            Reason.JWKS,
            expected="an RSA (2048 to 8192 bits) or EC public key in PEM",
            received="another text",
        )
    return replace(key, kid=None)


def _read_key(entry: dict[str, Any]) -> Key | None:
    if not _for_verifying(entry):
        return None
    try:
        kind, material = _material(entry)
        kid, alg, issuer = (_label(entry, name) for name in ("kid", "alg", "issuer"))
    except (ValueError, JoseError):
        return None
    return Key(kind, kid, alg, issuer, material)


def _label(entry: dict[str, Any], name: str) -> str | None:
    value = entry.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError("a label that is not text")
    return value


def _for_verifying(entry: dict[str, Any]) -> bool:
    operations = entry.get("key_ops")
    if operations is not None and (not isinstance(operations, list) or "verify" not in operations):
        return False
    # A published private key is anybody's key.
    return entry.get("use") in (None, "sig") and not entry.keys() & {"d", "k", "p", "q", "oth"}


def _material(entry: dict[str, Any]) -> tuple[str, RSAKey | ECKey]:
    match entry.get("kty"):
        case "RSA":
            return "RSA", _rsa(entry)
        case "EC":
            curve = _curve(entry)
            point = {name: _coordinate(entry, name, curve) for name in ("x", "y")}
            return curve, ECKey.import_key({"kty": "EC", "crv": curve, **point})
    raise ValueError("not a kind of key that is known here")


def _rsa(entry: dict[str, Any]) -> RSAKey:
    modulus, exponent = (_bytes(entry, name) for name in ("n", "e"))
    bits = int.from_bytes(modulus, "big").bit_length()
    if bits not in _RSA_BITS or int.from_bytes(exponent, "big") not in _RSA_EXPONENTS:
        raise ValueError("an RSA key that is too weak, or too large to compute with")
    return RSAKey.import_key({"kty": "RSA", "n": entry["n"], "e": entry["e"]})


def _curve(entry: dict[str, Any]) -> str:
    curve = entry.get("crv")
    if not isinstance(curve, str) or curve not in _CURVE_BYTES:
        raise ValueError("not a curve that is known here")
    return curve


def _coordinate(entry: dict[str, Any], name: str, curve: str) -> str:
    if len(_bytes(entry, name)) != _CURVE_BYTES[curve]:
        raise ValueError("a coordinate of another length than the curve's")
    text: str = entry[name]
    return text


def _bytes(entry: dict[str, Any], name: str) -> bytes:
    value = entry.get(name)
    if not isinstance(value, str) or len(value) > 2048:
        raise ValueError("not base64url")
    return decode_base64url(value)
