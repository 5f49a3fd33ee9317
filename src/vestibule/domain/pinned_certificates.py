"""The identity providers' certificates, read once per process."""

from collections.abc import Iterable
from functools import lru_cache

from vestibule.records import ConnectionKey
from vestibule.saml.keys import Certificate, read_certificate


def pinned(keys: Iterable[ConnectionKey]) -> tuple[Certificate, ...]:
    """Return the certificates that verify messages of a connection, among all of its keys."""
    return tuple(_read(key.certificate) for key in keys if key.purpose == "verification")


@lru_cache(maxsize=1024)
def _read(pem: str) -> Certificate:
    """Read a certificate that was checked when it came in; the text is its own key."""
    return read_certificate(pem)
