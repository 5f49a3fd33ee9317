"""Values that go out as a text and come back: unreadable, unchangeable, and for one purpose."""

import base64
import binascii
from typing import Final

import msgspec

from vestibule.domain.context import Context
from vestibule.store.sealing import SealError

_MAX_CHARS: Final = 1024


def write(context: Context, values: tuple[str, ...], *, purpose: str) -> str:
    """Return a text of letters, digits, '-', '_' and '=' that only `read` can read."""
    sealed = context.sealer.seal(msgspec.json.encode(values), purpose=purpose)
    return base64.urlsafe_b64encode(sealed).decode()


def read(context: Context, text: str, *, purpose: str) -> tuple[str, ...] | None:
    """Return what `write` was given for the same `purpose`, or None for any other text."""
    if len(text) > _MAX_CHARS or not text.isascii():
        return None
    try:
        sealed = base64.b64decode(text, altchars=b"-_", validate=True)
        # Unused bits of the last character would make other texts the same one.
        if base64.urlsafe_b64encode(sealed).decode() != text:
            return None
        plain = context.sealer.unseal(sealed, purpose=purpose)
    except (binascii.Error, SealError):
        return None
    return msgspec.json.decode(plain, type=tuple[str, ...])
