"""Encrypts an assertion as identity providers do, or wrongly in one thing."""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from lxml import etree
from lxml.etree import _Element

from tests.support.saml_keys import signer
from vestibule.saml.xml import DS, SAML, XENC, XENC11

GCM: Final = f"{XENC11}aes256-gcm"
AES_CBC: Final = f"{XENC}aes256-cbc"
MGF1P: Final = f"{XENC}rsa-oaep-mgf1p"
OAEP_11: Final = f"{XENC11}rsa-oaep"
RSA_1_5: Final = f"{XENC}rsa-1_5"

Place = Literal["inside", "beside", "retrieval"]
"""Where the EncryptedKey stands: in the KeyInfo of the data, beside it, or referred to there."""

_BITS: Final = {"128": 16, "192": 24, "256": 32}
_DIGESTS: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - the default of XML encryption
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True, kw_only=True)
class Encryption:
    """How a test encrypts: AES-256-GCM and RSA-OAEP for `signer("sp")` unless it says otherwise."""

    certificate_pem: str | None = None
    cipher: str = GCM
    transport: str = MGF1P
    digest: str | None = None
    mask: str | None = None
    place: Place = "inside"
    plaintext: Callable[[bytes], bytes] = lambda octets: octets
    """Changes the octets before they are encrypted."""


# Where identity providers declare them: no prefix of XML encryption is in scope outside.
_DECLARED: Final = f'xmlns:xenc="{XENC}" xmlns:ds="{DS}" xmlns:xenc11="{XENC11}"'


def encrypt_assertion(root: _Element, how: Encryption) -> _Element:
    """Replace the Assertion of a Response by an EncryptedAssertion, which is returned."""
    return encrypt_element(next(root.iterchildren(f"{{{SAML}}}Assertion")), how)


def encrypt_name_id(root: _Element, how: Encryption) -> _Element:
    """Replace the first NameID of a document by an EncryptedID, which is returned."""
    return encrypt_element(next(root.iter(f"{{{SAML}}}NameID")), how, wrapper="EncryptedID")


def encrypt_element(
    element: _Element, how: Encryption, *, wrapper: str = "EncryptedAssertion"
) -> _Element:
    """Replace an element by the SAML element of this name that holds it encrypted."""
    octets = how.plaintext(etree.tostring(element, with_tail=False))
    key = hashlib.sha256(b"session key").digest()[: _BITS[how.cipher.rpartition("aes")[2][:3]]]
    wrapped = _encrypted_key(_public_key(how), key, how)
    inside = {
        "inside": wrapped,
        "beside": "",
        "retrieval": '<ds:RetrievalMethod URI="#_key-1"/>',
    }[how.place]
    info = f"<ds:KeyInfo>{inside}</ds:KeyInfo>" if inside else ""
    text = (
        f'<saml:{wrapper} xmlns:saml="{SAML}">'
        f'<xenc:EncryptedData {_DECLARED} Type="{XENC}Element">'
        f'<xenc:EncryptionMethod Algorithm="{how.cipher}"/>{info}'
        f"{_cipher_data(_encrypt(octets, key, how.cipher))}</xenc:EncryptedData>"
        f"{wrapped if how.place != 'inside' else ''}</saml:{wrapper}>"
    )
    encrypted = etree.fromstring(text)
    parent = element.getparent()
    if parent is None:
        raise TypeError("a root cannot be replaced")
    parent.replace(element, encrypted)
    return encrypted


def _public_key(how: Encryption) -> RSAPublicKey:
    pem = how.certificate_pem or signer("sp").pem
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    if not isinstance(key, RSAPublicKey):
        raise TypeError("RSA is what the key transport is made for")
    return key


def _encrypted_key(public_key: RSAPublicKey, key: bytes, how: Encryption) -> str:
    digest = how.digest or f"{DS}sha1"
    mask = how.mask or f"{XENC11}mgf1sha1"
    parameters = f'<ds:DigestMethod Algorithm="{digest}"/>' if how.digest else ""
    parameters += f'<xenc11:MGF Algorithm="{mask}"/>' if how.mask else ""
    padding = (
        PKCS1v15()
        if how.transport == RSA_1_5
        else OAEP(
            mgf=MGF1(_DIGESTS.get(mask.rpartition("mgf1")[2], hashes.SHA256())),
            algorithm=_DIGESTS.get(digest.rpartition("#")[2], hashes.SHA256()),
            label=None,
        )
    )
    return (
        f'<xenc:EncryptedKey {"" if how.place == "inside" else _DECLARED} Id="_key-1">'
        f'<xenc:EncryptionMethod Algorithm="{how.transport}">{parameters}</xenc:EncryptionMethod>'
        f"{_cipher_data(public_key.encrypt(key, padding))}</xenc:EncryptedKey>"
    )


def _encrypt(octets: bytes, key: bytes, cipher: str) -> bytes:
    if cipher.endswith("-gcm"):
        nonce = hashlib.sha256(octets).digest()[:12]
        return nonce + AESGCM(key).encrypt(nonce, octets, None)
    vector = hashlib.sha256(octets).digest()[:16]
    padding = 16 - len(octets) % 16
    encryptor = Cipher(AES(key), CBC(vector)).encryptor()
    padded = octets + bytes(padding - 1) + bytes([padding])
    return vector + encryptor.update(padded) + encryptor.finalize()


def _cipher_data(octets: bytes) -> str:
    value = b64encode(octets).decode()
    return f"<xenc:CipherData><xenc:CipherValue>{value}</xenc:CipherValue></xenc:CipherData>"
