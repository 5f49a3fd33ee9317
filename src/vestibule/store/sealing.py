"""Seals what must be read back (client secrets, private keys): AES-256-GCM under a data key.

Data keys live in the database, wrapped by the master key, which does not. A sealed value is
`version (1 byte) | data key id (16) | nonce (12) | ciphertext and tag`; its associated data is the
version, the data key's id and the purpose, so that it opens in its own place only. Nonces are
random: fine for 2**32 values per data key (NIST SP 800-38D, 8.3).
"""

import uuid
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vestibule.clock import Clock
from vestibule.ids import Entropy
from vestibule.records import DataKey
from vestibule.store.interface import Store

_VERSION: Final = b"\x01"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_ID_END: Final = 1 + 16
_NONCE_END: Final = _ID_END + _NONCE_BYTES
# Nodes that start together on an empty database must agree on one first key.
_FIRST_KEY_ID: Final = str(uuid.UUID(int=0))


class SealError(Exception):
    """A sealed value cannot be opened; `reason` is `format`, `unknown_key` or `refused`.

    `refused`: it was changed, or sealed for another purpose; the cipher cannot tell which.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"a sealed value cannot be opened: {reason}")
        self.reason = reason


class MasterKeyError(Exception):
    """The master key is missing, malformed, or not the one that wrapped the data keys."""


class Sealer:
    """Seals under one data key and opens what any of them sealed."""

    def __init__(self, keys: Sequence[tuple[uuid.UUID, bytes]], entropy: Entropy) -> None:
        """Take data keys by id, the one to seal with last."""
        self._ciphers = {key_id.bytes: AESGCM(key) for key_id, key in keys}
        self._key_id = keys[-1][0].bytes
        self._entropy = entropy

    def seal(self, plaintext: bytes, *, purpose: str) -> bytes:
        """Return `plaintext` sealed for `purpose`, e.g. `connection_keys.private_key:<key id>`."""
        nonce = self._entropy.token_bytes(_NONCE_BYTES)
        head = _VERSION + self._key_id
        sealed = self._ciphers[self._key_id].encrypt(nonce, plaintext, head + purpose.encode())
        return head + nonce + sealed

    def unseal(self, sealed: bytes, *, purpose: str) -> bytes:
        """Return what was sealed for the same `purpose`. Raises SealError."""
        head, nonce, rest = sealed[:_ID_END], sealed[_ID_END:_NONCE_END], sealed[_NONCE_END:]
        if head[:1] != _VERSION or len(nonce) != _NONCE_BYTES:
            raise SealError("format")
        cipher = self._ciphers.get(head[1:])
        if cipher is None:
            raise SealError("unknown_key")
        try:
            return cipher.decrypt(nonce, rest, head + purpose.encode())
        except InvalidTag:
            raise SealError("refused") from None


async def open_sealer(store: Store, master_key: bytes, *, clock: Clock, entropy: Entropy) -> Sealer:
    """Return the sealer of this database, making the first data key when there is none.

    Raises MasterKeyError when `master_key` (32 bytes) is not the one that wrapped the data keys.
    """
    if not await has_data_keys(store):
        first = wrap_data_key(
            entropy.token_bytes(_KEY_BYTES),
            _FIRST_KEY_ID,
            master_key,
            created_at=clock.now(),
            entropy=entropy,
        )
        async with store.write() as tx:
            await tx.data_keys.insert_if_absent(first)
    async with store.read() as tx:
        wrapped = await tx.data_keys.all(order="created_at")
    keys = [(uuid.UUID(each.data_key_id), _unwrap(each, master_key)) for each in wrapped]
    return Sealer(keys, entropy)


async def has_data_keys(store: Store) -> bool:
    """Tell whether the database holds data keys, so that a new master key would not do."""
    async with store.read() as tx:
        return await tx.data_keys.count() > 0


async def rewrap(store: Store, *, old: bytes, new: bytes, entropy: Entropy) -> int:
    """Wrap all data keys with the master key `new` and return how many there are.

    Running processes go on: they hold the data keys themselves. Raises MasterKeyError, and changes
    nothing, when `old` is not the present master key.
    """
    async with store.write() as tx:
        wrapped = await tx.data_keys.all(lock=True)
        for each in wrapped:
            key = _unwrap(each, old)
            again = wrap_data_key(
                key, each.data_key_id, new, created_at=each.created_at, entropy=entropy
            )
            await tx.data_keys.update(again)
    return len(wrapped)


def wrap_data_key(
    key: bytes, data_key_id: str, master_key: bytes, *, created_at: int, entropy: Entropy
) -> DataKey:
    """Return the record of a data key: nonce, then the key under `master_key`, bound to its id."""
    nonce = entropy.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(master_key).encrypt(nonce, key, _VERSION + data_key_id.encode())
    return DataKey(data_key_id=data_key_id, wrapped=nonce + sealed, created_at=created_at)


def _unwrap(data_key: DataKey, master_key: bytes) -> bytes:
    nonce, sealed = data_key.wrapped[:_NONCE_BYTES], data_key.wrapped[_NONCE_BYTES:]
    try:
        return AESGCM(master_key).decrypt(nonce, sealed, _VERSION + data_key.data_key_id.encode())
    except InvalidTag:
        raise MasterKeyError(
            f"the master key is not the one that wrapped data key {data_key.data_key_id}; "
            "start with the master key that belongs to this database"
        ) from None
