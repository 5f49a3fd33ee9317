"""Certificates of keys that are not the usual RSA key of 2048 bits, made once per test process."""

from datetime import UTC, datetime
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

CURVES: Final[dict[str, ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "P-192": ec.SECP192R1(),
    "K-256": ec.SECP256K1(),
}


@cache
def curve_key(name: str) -> ec.EllipticCurvePrivateKey:
    """The one key of this curve."""
    return ec.generate_private_key(CURVES[name])


@cache
def rsa_key(bits: int, exponent: int = 65537) -> rsa.RSAPrivateKey:
    """The one RSA key of this size."""
    return rsa.generate_private_key(public_exponent=exponent, key_size=bits)


@cache
def curve_certificate(name: str) -> str:
    """A PEM certificate of `curve_key`."""
    return certificate_of(curve_key(name))


@cache
def edwards_certificate() -> str:
    """A PEM certificate of an Ed25519 key, a kind that SAML has no algorithm for."""
    return certificate_of(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def certificate_of(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey,
) -> str:
    """A PEM certificate for the years 2000 to 2100."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "other kind")])
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .sign(key, algorithm)
    )
    return certificate.public_bytes(Encoding.PEM).decode()
