"""Our own RSA private keys, back from the database and ready to use."""

from collections.abc import Iterable
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from vestibule.domain.connections import PRIVATE_KEY_PURPOSE
from vestibule.records import ConnectionKey
from vestibule.store.sealing import Sealer


@lru_cache(maxsize=256)
def load(pem: bytes) -> RSAPrivateKey:
    """Return the key in `pem`, which was checked when it came in and has been sealed since.

    Checking its primes again would cost 40 ms (perf.md section 2). Raises TypeError when it is
    not RSA.
    """
    key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("our private keys are always RSA")
    return key


def unsealed(sealer: Sealer, key: ConnectionKey) -> RSAPrivateKey:
    """Return a connection's key that is ours, to be signed or decrypted with."""
    return load(sealer.unseal(key.private_key, purpose=PRIVATE_KEY_PURPOSE))


def decryption_keys(sealer: Sealer, keys: Iterable[ConnectionKey]) -> tuple[RSAPrivateKey, ...]:
    """Return what decrypts messages to a connection, among all of its keys."""
    return tuple(unsealed(sealer, key) for key in keys if key.purpose == "encryption")
