"""Certificates and RSA private keys: reading what people paste, and making our own."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)

from vestibule.saml.errors import Reason, SamlError

PublicKey = RSAPublicKey | EllipticCurvePublicKey

MIN_RSA_BITS = 2048
# Above this a signature check becomes slow enough to be an attack.
MAX_RSA_BITS = 8192
_MAX_TEXT = 64 * 1024
_CURVES = (SECP256R1, SECP384R1, SECP521R1)
_LENGTH = rb"(?:[\x00-\x7f]|\x81.|\x82..)"
# RFC 5280 4.1.2.2. The next versions of the library will not load such a certificate: one that we
# had let in would end all sign-ins then.
_SERIAL_NOT_POSITIVE = re.compile(
    rb"\x30%b\x30%b(?:\xa0\x03\x02\x01.)?\x02(?:.[\x80-\xff]|\x01\x00)" % (_LENGTH, _LENGTH),
    re.DOTALL,
)
_BEGIN_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
_END_CERTIFICATE = "-----END CERTIFICATE-----"
_BEGIN_PKCS1 = "-----BEGIN RSA PRIVATE KEY-----"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate whose key is strong enough, read once and kept.

    `pem` is normalised (64 columns, LF), `issuer` an RFC 4514 name, the times are microseconds UTC,
    `kind` says which of the two classes `public_key` is of: asking it takes longer.
    """

    pem: str
    der: bytes
    issuer: str
    not_before: int
    not_after: int
    public_key: PublicKey
    kind: type[PublicKey] = field(init=False)

    def __post_init__(self) -> None:
        is_rsa = isinstance(self.public_key, RSAPublicKey)
        object.__setattr__(self, "kind", RSAPublicKey if is_rsa else EllipticCurvePublicKey)


def read_certificate(text: str | bytes) -> Certificate:
    """Read one certificate: PEM with any line ends, bare base64, or DER.

    Raises:
        SamlError: `certificate` when it is not one certificate, or one whose serial number is not
            positive; `key.weak` when its key is RSA below 2048 bits or of another kind than RSA,
            P-256, P-384 and P-521.
    """
    der = _certificate_der(text)
    if _SERIAL_NOT_POSITIVE.match(der):
        raise _not_a_certificate("a serial number that is not positive")
    try:
        certificate = x509.load_der_x509_certificate(der)
        public_key = certificate.public_key()
        issuer = certificate.issuer.rfc4514_string()
        not_before, not_after = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except (ValueError, UnsupportedAlgorithm):
        raise _not_a_certificate("other data") from None
    if not isinstance(public_key, RSAPublicKey | EllipticCurvePublicKey):
        raise _weak(type(public_key).__name__)
    check_strength(public_key)
    return Certificate(
        pem=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        der=der,
        issuer=issuer,
        not_before=_microseconds(not_before),
        not_after=_microseconds(not_after),
        public_key=public_key,
    )


def check_strength(key: PublicKey | RSAPrivateKey, *, reason: Reason = Reason.KEY_WEAK) -> None:
    """Refuse a key that is too weak, or so large that using it is slow.

    Raises:
        SamlError: with `reason`.
    """
    if isinstance(key, EllipticCurvePublicKey):
        if not isinstance(key.curve, _CURVES):
            raise _weak(f"EC {key.curve.name}", reason)
    elif not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise _weak(f"RSA {key.key_size}", reason)


def read_private_key(pem: str) -> RSAPrivateKey:
    """Read a PKCS#1 PEM key ("BEGIN RSA PRIVATE KEY"), the one form the API takes.

    Slow (tens of milliseconds: the key is checked), so keep what it returns.

    Raises:
        SamlError: `key.format` for any other form, an encrypted key included, `key.invalid` when
            the content is no RSA key, `key.weak` by its size.
    """
    pem = pem.strip()
    if not pem.startswith(_BEGIN_PKCS1) or "ENCRYPTED" in pem or len(pem) > _MAX_TEXT:
        raise SamlError(
            Reason.KEY_FORMAT, expected=_BEGIN_PKCS1, received="another form of private key"
        )
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise SamlError(Reason.KEY_INVALID, expected="an RSA private key", received="other data")
    check_strength(key)
    return key


def private_key_pem(key: RSAPrivateKey) -> str:
    """Write a key as unencrypted PKCS#1 PEM: a secret, to be sealed before it is stored."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def new_private_key() -> RSAPrivateKey:
    """Make an RSA key of 2048 bits. Slow: call it in a thread."""
    return generate_private_key(public_exponent=65537, key_size=MIN_RSA_BITS)


def self_signed_certificate(
    key: RSAPrivateKey, *, common_name: str, serial: int, not_before: int, not_after: int
) -> str:
    """Make the PEM certificate that carries the public half of `key`.

    Identity providers use it as a container of the key only, so it holds nothing but a name
    (at most 64 characters), a positive `serial` and the validity (microseconds UTC, whole seconds
    are kept).
    """
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(_EPOCH + not_before * _MICROSECOND)
        .not_valid_after(_EPOCH + not_after * _MICROSECOND)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _certificate_der(text: str | bytes) -> bytes:
    if len(text) > _MAX_TEXT:
        raise _not_a_certificate(f"{len(text)} bytes")
    if isinstance(text, bytes):
        if text.startswith(b"\x30"):  # an ASN.1 SEQUENCE; as text it would be the digit 0
            return text
        text = text.decode("utf-8", errors="replace")
    body = text.strip()
    if body.startswith(_BEGIN_CERTIFICATE) and body.endswith(_END_CERTIFICATE):
        body = body.removeprefix(_BEGIN_CERTIFICATE).removesuffix(_END_CERTIFICATE)
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (ValueError, binascii.Error):
        raise _not_a_certificate("other text") from None


def _not_a_certificate(received: str) -> SamlError:
    return SamlError(
        Reason.CERTIFICATE, expected="one X.509 certificate as PEM or DER", received=received
    )


def _weak(received: str, reason: Reason = Reason.KEY_WEAK) -> SamlError:
    return SamlError(
        reason, expected="RSA of 2048 to 8192 bits, or P-256, P-384, P-521", received=received
    )


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
