"""The only reader of randomness: public ids, opaque tokens, and the bytes behind both.

Public ids are `<type>-<test|live>-<UUIDv7>` (RFC 9562). Opaque tokens are the base64url of a
time-ordered 16-byte id followed by a 32-byte secret: the row is found by the id, and the SHA-256 of
the secret is compared in constant time, so the database never holds a usable token.
"""

import base64
import hashlib
import hmac
import os
import re
import uuid
from dataclasses import dataclass
from typing import Final, Literal, Protocol

Environment = Literal["test", "live"]

_ID_BYTES: Final = 16
_SECRET_BYTES: Final = 32
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{64}")  # 48 bytes in base64url need no padding


class Entropy(Protocol):
    """Something that gives unpredictable bytes."""

    def token_bytes(self, size: int) -> bytes:
        """Return `size` unpredictable bytes."""
        ...


class SystemEntropy:
    """The operating system's generator."""

    def token_bytes(self, size: int) -> bytes:
        """Return `size` unpredictable bytes."""
        return os.urandom(size)


@dataclass(frozen=True)
class OpaqueToken:
    """A bearer secret: `text` goes out once; `token_id` and `secret_hash` are what is stored."""

    text: str
    token_id: str
    secret_hash: bytes


def new_code(*, entropy: Entropy) -> str:
    """Return a code of six digits, for people to type."""
    return f"{int.from_bytes(entropy.token_bytes(8), 'big') % 1_000_000:06}"


def uuid7(*, now: int, entropy: Entropy) -> uuid.UUID:
    """Return a UUIDv7 for `now` (microseconds): 48 bits of milliseconds, 74 random bits."""
    milliseconds, micros = divmod(now, 1000)
    random = int.from_bytes(entropy.token_bytes(8), "big")
    # rand_a holds the microseconds within the millisecond (RFC 9562 6.2, method 3), so ids of one
    # process keep the order in which they were made.
    value = milliseconds << 80 | 0x7 << 76 | (micros << 2) << 64 | 0b10 << 62 | random >> 2
    return uuid.UUID(int=value)


def new_id(prefix: str, environment: Environment, *, now: int, entropy: Entropy) -> str:
    """Return a new public id such as `organization-test-0198…`."""
    return f"{prefix}-{environment}-{uuid7(now=now, entropy=entropy)}"


def mint_token(*, now: int, entropy: Entropy) -> OpaqueToken:
    """Return a new opaque token of 64 URL-safe characters."""
    token_id = uuid7(now=now, entropy=entropy)
    secret = entropy.token_bytes(_SECRET_BYTES)
    text = base64.urlsafe_b64encode(token_id.bytes + secret).decode()
    return OpaqueToken(text, str(token_id), hash_secret(secret))


def read_token(text: str) -> OpaqueToken | None:
    """Return the stored form of `text`, or None when it cannot be one of our tokens."""
    if not _TOKEN.fullmatch(text):
        return None
    raw = base64.urlsafe_b64decode(text)
    return OpaqueToken(text, str(uuid.UUID(bytes=raw[:_ID_BYTES])), hash_secret(raw[_ID_BYTES:]))


def new_secret(*, entropy: Entropy) -> str:
    """Return 256 random bits as 43 URL-safe characters."""
    return base64.urlsafe_b64encode(entropy.token_bytes(_SECRET_BYTES)).rstrip(b"=").decode()


def fraction(*, entropy: Entropy) -> float:
    """Return a number from 0 up to 1, for waiting times that should not coincide."""
    return int.from_bytes(entropy.token_bytes(6), "big") / (1 << 48)


def hash_secret(secret: bytes) -> bytes:
    """Return what is stored of a high-entropy secret (perf.md section 5: no slow hash needed)."""
    return hashlib.sha256(secret).digest()


def same_secret(left: bytes, right: bytes) -> bool:
    """Compare two secret values in constant time."""
    return hmac.compare_digest(left, right)
