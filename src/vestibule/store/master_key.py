"""Where the master key comes from: a setting, or a file that the first start makes."""

import asyncio
import base64
import binascii
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from vestibule.ids import Entropy
from vestibule.store.interface import Store
from vestibule.store.sealing import MasterKeyError, has_data_keys

_KEY_BYTES: Final = 32
# Of 32 random bytes 30 differ; fewer than half do not once in 10^16 keys.
_FEWEST_DIFFERENT: Final = 16


async def load_master_key(store: Store, *, setting: str, file: Path, entropy: Entropy) -> bytes:
    """Return the 32 bytes that `setting` (base64) gives, or else the content of `file`.

    A missing file is made with mode 0600, unless the database already holds data keys: they could
    never be opened with a new one. Raises MasterKeyError.
    """
    if setting:
        return read_master_key(setting, source="the setting master_key")
    may_make = not await has_data_keys(store)
    return await asyncio.to_thread(_from_file, file, may_make=may_make, entropy=entropy)


def read_master_key(text: str, *, source: str) -> bytes:
    """Return the key that `text` (base64) spells. Raises MasterKeyError naming `source`.

    What is plainly not random (zeros, a word again and again) is no key.
    """
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise MasterKeyError(f"{source}: expected 32 bytes in base64")
    if len(set(key)) < _FEWEST_DIFFERENT:
        raise MasterKeyError(f"{source}: expected 32 random bytes in base64, got ones that repeat")
    return key


def _from_file(file: Path, *, may_make: bool, entropy: Entropy) -> bytes:
    if not file.exists():
        if not may_make:
            raise MasterKeyError(
                f"{file} is missing, and this database was sealed with the key it held: "
                "put the file back, or set master_key"
            )
        _make(file, entropy)
    return read_master_key(file.read_text(encoding="ascii", errors="replace"), source=str(file))


def _make(file: Path, entropy: Entropy) -> None:
    """Put a new key at `file`, whole or not at all; an already existing one stays."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(base64.b64encode(entropy.token_bytes(_KEY_BYTES)) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):  # another process was quicker; its key counts
            file.hardlink_to(draft)
    finally:
        Path(draft).unlink()
