"""RSA keys with their certificates, made once per test process."""

from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from vestibule.saml.keys import Certificate, new_private_key, read_certificate
from vestibule.saml.keys import self_signed_certificate as make_certificate

# 2000 to 2100: the second opinions look at the machine's clock.
NOT_BEFORE = 946_684_800_000_000
NOT_AFTER = 4_102_444_800_000_000


@dataclass(frozen=True)
class Signer:
    """A key and the certificate that carries its public half."""

    key: RSAPrivateKey
    pem: str

    @property
    def certificate(self) -> Certificate:
        return read_certificate(self.pem)


@cache
def signer(name: str) -> Signer:
    """The signer of this name: the same key wherever one test process asks for it."""
    key = new_private_key()
    return Signer(key, certificate(name, not_before=NOT_BEFORE, not_after=NOT_AFTER, key=key))


def certificate(name: str, *, not_before: int, not_after: int, key: RSAPrivateKey) -> str:
    """A PEM certificate of `key` for these years."""
    return make_certificate(
        key, common_name=name, serial=1, not_before=not_before, not_after=not_after
    )


@cache
def weak_certificate() -> str:
    """A PEM certificate of an RSA key of 1024 bits."""
    key = generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # weak on purpose
    return certificate("weak", not_before=NOT_BEFORE, not_after=NOT_AFTER, key=key)
