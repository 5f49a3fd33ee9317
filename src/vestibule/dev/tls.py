"""A certificate authority of this machine's own, and the server certificate it vouches for."""

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from vestibule.clock import DAY, to_datetime
from vestibule.dev.private_files import write_private

_HOSTS: Final = ("localhost", "127.0.0.1", "::1")
_AUTHORITY_LIFE: Final = 3650 * DAY
# Apple and Chromium refuse longer ones.
_SERVER_LIFE: Final = 397 * DAY
# Made anew when less is left.
_RESERVE: Final = 30 * DAY


@dataclass(frozen=True)
class TlsFiles:
    """PEM files: what clients trust, and what the server shows and proves."""

    ca_file: Path
    certificate_file: Path
    key_file: Path


@dataclass(frozen=True)
class _Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def local_authority(directory: Path, *, now: int, hosts: Sequence[str] = _HOSTS) -> TlsFiles:
    """Return the files of a server certificate for `hosts`, made where missing or near their end.

    The authority stays the same for years, so that trusting it once is enough, and may vouch for
    `hosts` only (RFC 5280 4.2.1.10): a copy of its key is of no use elsewhere. Keys are P-256,
    files of mode 0600 in a directory of mode 0700. `now` is in microseconds UTC.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = [_name(host) for host in hosts]
    authority = _kept(directory, "ca", now=now)
    if authority is None or not _permits(authority.certificate, names):
        authority = _new_authority(names, now=now)
        _keep(directory, "ca", authority)
    server = _kept(directory, "server", now=now)
    if server is None or not _vouched(server.certificate, authority.certificate, names):
        server = _new_server(names, authority, now=now)
        _keep(directory, "server", server)
    return TlsFiles(directory / "ca.pem", directory / "server.pem", directory / "server.key")


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _subtree(name: x509.GeneralName) -> x509.GeneralName:
    if isinstance(name, x509.IPAddress):
        return x509.IPAddress(ipaddress.ip_network(str(name.value)))
    return name


def _permits(certificate: x509.Certificate, names: Sequence[x509.GeneralName]) -> bool:
    constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    return constraints.permitted_subtrees == [_subtree(name) for name in names]


def _vouched(
    certificate: x509.Certificate,
    authority: x509.Certificate,
    names: Sequence[x509.GeneralName],
) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError):
        return False
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return list(found) == list(names)


def _new_authority(names: Sequence[x509.GeneralName], *, now: int) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    # The name tells authorities of several machines apart where a person looks at a list of them.
    fingerprint = hashlib.sha256(_spki(key)).hexdigest()[:8]
    subject = _subject(f"Vestibule development authority {fingerprint}")
    subtrees = [_subtree(name) for name in names]
    usage = _usage(digital_signature=False, signs_certificates=True)
    certificate = (
        _builder(subject, key, now=now, life=_AUTHORITY_LIFE)
        .issuer_name(subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.NameConstraints(subtrees, None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    return _Pair(certificate, key)


def _new_server(names: Sequence[x509.GeneralName], authority: _Pair, *, now: int) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    usage = _usage(digital_signature=True, signs_certificates=False)
    certificate = (
        _builder(_subject("Vestibule development server"), key, now=now, life=_SERVER_LIFE)
        .issuer_name(issuer.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )
    return _Pair(certificate, key)


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, now: int, life: int
) -> x509.CertificateBuilder:
    # A fresh key makes a number nobody has used; 19 bytes stay below the 20 of RFC 5280 4.1.2.2.
    serial = int.from_bytes(hashlib.sha256(_spki(key)).digest()[:19], "big")
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(serial)
        # A day early: a machine whose clock is a little behind trusts it too.
        .not_valid_before(_seconds(now - DAY))
        .not_valid_after(_seconds(now - DAY + life))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, digital_signature: bool, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _seconds(instant: int) -> datetime:
    return to_datetime(instant).replace(microsecond=0)


def _spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.DER, form)


def _kept(directory: Path, stem: str, *, now: int) -> _Pair | None:
    """Return what `_keep` wrote, unless it is missing, damaged or near its end."""
    try:
        certificate = x509.load_pem_x509_certificate((directory / f"{stem}.pem").read_bytes())
        key = serialization.load_pem_private_key(
            (directory / f"{stem}.key").read_bytes(), password=None
        )
    except (OSError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    fits = key.public_key() == certificate.public_key()
    lasts = certificate.not_valid_after_utc > to_datetime(now + _RESERVE)
    begun = certificate.not_valid_before_utc <= to_datetime(now)
    return _Pair(certificate, key) if fits and lasts and begun else None


def _keep(directory: Path, stem: str, pair: _Pair) -> None:
    key = pair.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(directory / f"{stem}.key", key)
    write_private(
        directory / f"{stem}.pem", pair.certificate.public_bytes(serialization.Encoding.PEM)
    )
