"""What ties a sign-in to the browser it was begun in (security.md 3.3, SP-53, SP-54, OI-01).

A cookie with 256 random bits is set at start and has to come back with the answer; the sign-in
keeps its hash. IdP-initiated sign-ins have none by nature.
"""

from enum import Enum
from typing import Final

from vestibule.ids import Entropy, hash_secret, new_secret, same_secret
from vestibule.records import SignIn

_LENGTH: Final = 43


class Binding(Enum):
    """What the browser brought back."""

    SAME = "same"
    MISSING = "missing"
    OTHER = "other"


def cookie_value(current: str, *, entropy: Entropy) -> str:
    """Return the browser's cookie: the one it has, when it can be ours, or a new one.

    Keeping it lets several sign-ins run in one browser at once.
    """
    known = len(current) == _LENGTH and current.isascii()
    return current if known else new_secret(entropy=entropy)


def cookie_hash(value: str) -> bytes:
    """Return what the sign-in keeps of the cookie."""
    return hash_secret(value.encode())


def compare(sign_in: SignIn, cookie: str) -> Binding:
    """Return whether `cookie` is the one that `sign_in` was begun with."""
    if not cookie:
        return Binding.MISSING
    same = same_secret(sign_in.browser_hash, cookie_hash(cookie))
    return Binding.SAME if same else Binding.OTHER
