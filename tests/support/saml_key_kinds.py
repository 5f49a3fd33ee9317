"""Certificates of keys that are not the usual RSA key of 2048 bits, made once per test process."""

from base64 import b64encode
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

RSA_512: Final = """-----BEGIN CERTIFICATE-----
MIIBdzCCASGgAwIBAgIUEVpcpbsYcu9ndKbbYjsP7PpSHiUwDQYJKoZIhvcNAQEL
BQAwDzENMAsGA1UEAwwEd2VhazAgFw0yNjExMjIxMjM0MDdaGA8yMTI2MTAyOTEy
MzQwN1owDzENMAsGA1UEAwwEd2VhazBcMA0GCSqGSIb3DQEBAQUAA0sAMEgCQQDv
Y+cMPFcjXkNZ7TxB8YF72cl0Rm28a5v7a20gLRrOQv/NCaVQKySQ8en+dXQq5GWQ
4A+UYSvUOsem1VcJY7FFAgMBAAGjUzBRMB0GA1UdDgQWBBRaB6R+KBpKROe1JsVD
kxADUpSd3TAfBgNVHSMEGDAWgBRaB6R+KBpKROe1JsVDkxADUpSd3TAPBgNVHRMB
Af8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA0EAvihWtvfnXdCrk34mLEe/v8SEWCMu
1/q7BgmtBukfzlnwRJnQu+TKx98skAy9H5H5KG2O0CnHqX2fcWEKFxjflw==
-----END CERTIFICATE-----
"""
"""A certificate of a key that no library makes any more."""


def with_serial(der: bytes, serial: bytes) -> str:
    """Return the certificate `der`, whose serial number is 1, as PEM with this one instead."""
    assert der.count(b"\x02\x01\x01\x30") == 1
    inner = der[8:].replace(b"\x02\x01\x01\x30", bytes([2, len(serial)]) + serial + b"\x30")
    more = len(serial) - 1
    outer_length = int.from_bytes(der[2:4], "big") + more
    inner_length = int.from_bytes(der[6:8], "big") + more
    made = der[:2] + outer_length.to_bytes(2, "big") + der[4:6] + inner_length.to_bytes(2, "big")
    body = b64encode(made + inner).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


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
