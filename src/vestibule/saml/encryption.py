"""Decrypts what SAML encrypts: RSA-OAEP and AES-GCM, with CBC only where a policy allows it."""

import html
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, HashAlgorithm
from lxml.etree import _Element

from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.xml import (
    DS,
    XENC,
    XENC11,
    Children,
    children_by_tag,
    decode_base64,
    members,
    parse_document,
    text,
)

# Each try costs an RSA operation, so an attacker may not ask for many.
MAX_ENCRYPTED_KEYS: Final = 4
MAX_PRIVATE_KEYS: Final = 3

ENCRYPTED_DATA: Final = f"{{{XENC}}}EncryptedData"
ENCRYPTED_KEY: Final = f"{{{XENC}}}EncryptedKey"
_METHOD: Final = f"{{{XENC}}}EncryptionMethod"
_KEY_SIZE: Final = f"{{{XENC}}}KeySize"
_CIPHER_DATA: Final = f"{{{XENC}}}CipherData"
_CIPHER_VALUE: Final = f"{{{XENC}}}CipherValue"
_KEY_INFO: Final = f"{{{DS}}}KeyInfo"
_RETRIEVAL: Final = f"{{{DS}}}RetrievalMethod"
_DIGEST_METHOD: Final = f"{{{DS}}}DigestMethod"
_MGF: Final = f"{{{XENC11}}}MGF"

# URI of the cipher: bytes of its key.
_GCM: Final = {f"{XENC11}aes128-gcm": 16, f"{XENC11}aes192-gcm": 24, f"{XENC11}aes256-gcm": 32}
_CBC: Final = {f"{XENC}aes128-cbc": 16, f"{XENC}aes192-cbc": 24, f"{XENC}aes256-cbc": 32}
_OAEP_MGF1P: Final = f"{XENC}rsa-oaep-mgf1p"
_OAEP: Final = f"{XENC11}rsa-oaep"
_DEFAULT_DIGEST: Final = f"{DS}sha1"
_DEFAULT_MASK: Final = f"{XENC11}mgf1sha1"
_OAEP_DIGESTS: Final[dict[str, HashAlgorithm]] = {
    _DEFAULT_DIGEST: SHA1(),  # noqa: S303 - OAEP needs no collision resistance; it is XML-Enc's default
    f"{XENC}sha256": SHA256(),
    "http://www.w3.org/2001/04/xmldsig-more#sha384": SHA384(),
    f"{XENC}sha512": SHA512(),
}
_MASKS: Final[dict[str, HashAlgorithm]] = {
    _DEFAULT_MASK: SHA1(),  # noqa: S303 - as above
    f"{XENC11}mgf1sha256": SHA256(),
    f"{XENC11}mgf1sha384": SHA384(),
    f"{XENC11}mgf1sha512": SHA512(),
}
_NONCE: Final = 12
_TAG: Final = 16
_BLOCK: Final = 16
_NO_UTF_8: Final = b"\xff"
_WRAPPER: Final = "in-context"
_FIRST_TAG: Final = re.compile(rb'<[\w:.-]+(?:\s+[\w:.-]+="[^"<]*")*\s*/?>')
# In such a tag no value holds a quotation mark, and behind one that ends a value comes no letter.
_DECLARED: Final = re.compile(rb'\s(xmlns(?::[\w.-]+)?)="[A-Za-z]')


class Plaintext(msgspec.Struct, frozen=True, kw_only=True):
    """Decrypted octets, and whether the cipher would have noticed a change to them."""

    octets: bytes
    authenticated: bool


class _WrappedKey(msgspec.Struct, frozen=True, kw_only=True):
    padding: OAEP
    octets: bytes


def decrypt(
    encrypted: _Element, keys: Sequence[RSAPrivateKey], *, allow_cbc: bool = False
) -> Plaintext:
    """Decrypt the one EncryptedData of an EncryptedAssertion or EncryptedID (XML Encryption 1.1).

    The key may be wrapped inside the EncryptedData or beside it, for any of our keys (the first
    three). Whatever goes wrong with key or data gives the same error after the same work.

    Raises:
        SamlError: `enc.nokey` when we have no key, `saml.count` unless there is one EncryptedData,
            `enc.alg` for a cipher, key transport or parameter that is not allowed, else `enc`.
    """
    if not keys:
        raise SamlError(Reason.ENC_NOKEY, expected="a key to decrypt with", received="none")
    around = children_by_tag(encrypted)
    found = around.get(ENCRYPTED_DATA, [])
    if len(found) != 1:
        raise SamlError(Reason.SAML_COUNT, expected="one EncryptedData", received=f"{len(found)}")
    data = children_by_tag(found[0])
    algorithm, size = _data_cipher(data, allow_cbc=allow_cbc)
    ciphertext = _cipher_value(data)
    opener = _open_gcm if algorithm in _GCM else _open_cbc
    wrapped_keys = [_wrapped_key(element) for element in _encrypted_keys(around, data)]
    for unwrapped in _unwrap(wrapped_keys, keys[:MAX_PRIVATE_KEYS]):
        usable = unwrapped is not None and len(unwrapped) == size
        key = unwrapped if unwrapped is not None and usable else bytes(size)
        octets = opener(key, ciphertext)
        if usable and octets is not None:
            return Plaintext(octets=octets, authenticated=algorithm in _GCM)
    raise decryption_failed()


def parse_in_context(
    plaintext: Plaintext, encrypted: _Element, *, taken: Sequence[str] = ()
) -> list[_Element]:
    """Parse decrypted octets where they belong; return the one element they hold, and all in it.

    Prefixes may be declared outside the encrypted part only, so the octets are parsed inside a
    wrapper with the declarations in scope there, but for those the element makes itself. All rules
    of the parser hold for them too, and no ID in them may be one of those `taken` outside. The
    elements are in document order, kept as `Document` says.

    Raises:
        SamlError: one of the `xml.*` reasons; `xml` unless they are exactly one element.
    """
    own = _own_declarations(plaintext)
    declarations = "".join(
        f' {name}="{html.escape(uri)}"'
        for prefix, uri in encrypted.nsmap.items()
        if (name := f"xmlns:{prefix}" if prefix else "xmlns") not in own
    )
    head = f"<{_WRAPPER}{declarations}>".encode()
    whole = b"".join([head, plaintext.octets, f"</{_WRAPPER}>".encode()])
    elements = parse_document(whole, taken=taken).elements
    wrapper = elements.pop(0)
    if len(wrapper) != 1 or f"{wrapper.text or ''}{elements[0].tail or ''}".strip():
        raise SamlError(Reason.XML, expected="one element encrypted", received="other content")
    return elements


def decryption_failed() -> SamlError:
    """The one error for everything an attacker could tell apart to learn about a plaintext."""
    return SamlError(Reason.ENC, expected="a ciphertext for our key", received="one that is not")


def _own_declarations(plaintext: Plaintext) -> set[str]:
    """The declarations that the element in a plaintext makes itself, written as usual.

    Canonicalization looks at each declaration in scope again, so one that does not hold inside is
    better left out. Nothing is looked at where a change to the ciphertext would not show: the time
    it takes would tell about the content.
    """
    first_tag = _FIRST_TAG.match(plaintext.octets) if plaintext.authenticated else None
    if first_tag is None:
        return set()
    return {name.decode() for name in _DECLARED.findall(first_tag[0])}


def _data_cipher(data: Children, *, allow_cbc: bool) -> tuple[str, int]:
    method = _method(data)
    algorithm = method.get("Algorithm", "")
    allowed = {**_GCM, **_CBC} if allow_cbc else _GCM
    size = allowed.get(algorithm)
    if size is None:
        raise _not_allowed("AES-GCM", algorithm)
    for parameter in members(method):
        if parameter.tag != _KEY_SIZE or text(parameter) != str(size * 8):
            raise _not_allowed(f"a key of {size * 8} bits", str(parameter.tag))
    return algorithm, size


def _encrypted_keys(around: Children, data: Children) -> list[_Element]:
    beside = around.get(ENCRYPTED_KEY, [])
    inside: list[_Element] = []
    for element in data.get(_KEY_INFO, ()):
        info = children_by_tag(element)
        inside += info.get(ENCRYPTED_KEY, ())
        for retrieval in info.get(_RETRIEVAL, ()):
            # A key elsewhere is never fetched: the reference may only name one that is here.
            if retrieval.get("URI") not in [f"#{key.get('Id')}" for key in beside]:
                raise decryption_failed()
    if len(inside) + len(beside) > MAX_ENCRYPTED_KEYS:
        raise decryption_failed()
    return inside + beside


def _wrapped_key(element: _Element) -> _WrappedKey:
    parts = children_by_tag(element)
    return _WrappedKey(padding=_key_transport(_method(parts)), octets=_cipher_value(parts))


def _key_transport(method: _Element) -> OAEP:
    algorithm = method.get("Algorithm", "")
    if algorithm not in (_OAEP, _OAEP_MGF1P):
        raise _not_allowed("RSA-OAEP", algorithm)
    digest, mask = _DEFAULT_DIGEST, _DEFAULT_MASK
    for parameter in members(method):
        if parameter.tag == _DIGEST_METHOD:
            digest = parameter.get("Algorithm", "")
        elif parameter.tag == _MGF and algorithm == _OAEP:
            mask = parameter.get("Algorithm", "")
        else:
            raise _not_allowed("DigestMethod and MGF only", str(parameter.tag))
    if digest not in _OAEP_DIGESTS or mask not in _MASKS:
        raise _not_allowed("RSA-OAEP with SHA-1 or SHA-2", f"{digest} {mask}")
    return _padding(mask, digest)


@cache
def _padding(mask: str, digest: str) -> OAEP:
    return OAEP(mgf=MGF1(_MASKS[mask]), algorithm=_OAEP_DIGESTS[digest], label=None)


def _unwrap(
    wrapped_keys: Sequence[_WrappedKey], keys: Sequence[RSAPrivateKey]
) -> Iterator[bytes | None]:
    for wrapped in wrapped_keys:
        for key in keys:
            try:
                yield key.decrypt(wrapped.octets, wrapped.padding)
            except ValueError:
                # No word about it: the data is tried all the same (Manger's attack).
                yield None


def _open_gcm(key: bytes, ciphertext: bytes) -> bytes | None:
    if len(ciphertext) <= _NONCE + _TAG:
        return None
    try:
        return AESGCM(key).decrypt(ciphertext[:_NONCE], ciphertext[_NONCE:], None)
    except InvalidTag:
        return None


def _open_cbc(key: bytes, ciphertext: bytes) -> bytes | None:
    if len(ciphertext) < 2 * _BLOCK or len(ciphertext) % _BLOCK:
        return None
    decryptor = Cipher(AES(key), CBC(ciphertext[:_BLOCK])).decryptor()
    padded = decryptor.update(ciphertext[_BLOCK:]) + decryptor.finalize()
    padding = padded[-1]
    # A wrong padding becomes wrong content, which is no UTF-8: so both are refused at the same
    # step, and neither the answer nor the time it takes tells them apart (Vaudenay's attack).
    return padded[:-padding] if 1 <= padding <= _BLOCK else padded[:-1] + _NO_UTF_8


def _method(parts: Children) -> _Element:
    found = parts.get(_METHOD, [])
    if len(found) != 1:
        raise decryption_failed()
    return found[0]


def _cipher_value(parts: Children) -> bytes:
    values = [value for data in parts.get(_CIPHER_DATA, ()) for value in members(data)]
    if len(values) != 1 or values[0].tag != _CIPHER_VALUE:
        raise decryption_failed()
    try:
        return decode_base64(text(values[0]))
    except ValueError:
        raise decryption_failed() from None


def _not_allowed(expected: str, received: str) -> SamlError:
    return SamlError(Reason.ENC_ALG, expected=expected, received=received)
