"""The test identity provider's own signing key and the certificate that carries it."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from vestibule.clock import DAY
from vestibule.dev.private_files import write_private
from vestibule.ids import Entropy
from vestibule.saml.keys import (
    new_private_key,
    private_key_pem,
    read_private_key,
    self_signed_certificate,
)

_LIFE: Final = 3650 * DAY


@dataclass(frozen=True)
class SigningIdentity:
    """A private key, and the certificate (PEM) under which others know it."""

    key: RSAPrivateKey = field(repr=False)
    certificate_pem: str


def new_signing_identity(*, now: int, entropy: Entropy) -> SigningIdentity:
    """Make a key of 2048 bits and its certificate. Slow (up to half a second): use a thread."""
    key = new_private_key()
    certificate = self_signed_certificate(
        key,
        common_name="Vestibule test identity provider",
        serial=int.from_bytes(entropy.token_bytes(16), "big") >> 1,
        not_before=now - DAY,
        not_after=now + _LIFE,
    )
    return SigningIdentity(key, certificate)


async def kept_signing_identity(directory: Path, *, now: int, entropy: Entropy) -> SigningIdentity:
    """Return the identity kept in `directory`, made there first where there is none.

    Kept, so that connections set up against it outlive a restart of `vestibule dev`.
    """
    return await asyncio.to_thread(_kept, directory, now=now, entropy=entropy)


def _kept(directory: Path, *, now: int, entropy: Entropy) -> SigningIdentity:
    key_file = directory / "test-identity-provider.key"
    certificate_file = directory / "test-identity-provider.crt"
    if key_file.exists() and certificate_file.exists():
        return SigningIdentity(read_private_key(key_file.read_text()), certificate_file.read_text())
    made = new_signing_identity(now=now, entropy=entropy)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(key_file, private_key_pem(made.key).encode())
    write_private(certificate_file, made.certificate_pem.encode())
    return made
