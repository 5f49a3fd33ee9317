"""Time-based one-time passwords (RFC 6238) as every authenticator app makes them.

SHA-1, six digits, steps of 30 seconds. pyotp computes the codes and segno draws the picture; what
is accepted is decided here. Secrets are base32 without padding.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import pyotp
import segno

from vestibule.clock import SECOND
from vestibule.ids import same_secret

SECRET_BYTES: Final = 20
"""How many random bytes a new secret is made of (RFC 4226, R6)."""
_STEP: Final = 30 * SECOND
_WINDOW: Final = 1
_FAR: Final = 20
_SHORTEST: Final = 14
_LONGEST: Final = 128
_BASE32: Final = re.compile(r"[A-Z2-7]+")
_LONGEST_TEXT: Final = 512
_ISSUER_CHARS: Final = 32


class Reason(StrEnum):
    """Why a code or a secret was refused."""

    FORM = "totp.form"
    CODE = "totp.code"
    REPLAY = "totp.replay"
    SECRET = "totp.secret"  # noqa: S105 - the name of a reason


class TotpError(Exception):
    """A refused code or secret. `expected` and `received` are for people and hold no secret."""

    def __init__(self, reason: Reason, *, expected: str, received: str) -> None:
        super().__init__(f"{reason}: expected {expected}, received {received}")
        self.reason = reason
        self.expected = expected
        self.received = received


def new_secret(random: bytes) -> str:
    """Return the secret that is made of `random`, SECRET_BYTES of them."""
    return base64.b32encode(random).decode().rstrip("=")


def read_secret(text: str) -> str:
    """Return a secret that comes from elsewhere, as we write it.

    Spaces, hyphens, small letters and padding are put up with. Raises TotpError SECRET when it is
    not base32, or less than 112 bits.
    """
    expected = f"base32 of {_SHORTEST} to {_LONGEST} bytes"
    written = re.sub(r"[\s-]", "", text[:_LONGEST_TEXT]).upper().rstrip("=")
    if len(text) > _LONGEST_TEXT or not text.isascii() or not _BASE32.fullmatch(written):
        raise TotpError(Reason.SECRET, expected=expected, received="not base32")
    try:
        secret = base64.b32decode(written + "=" * (-len(written) % 8))
    except binascii.Error:
        raise TotpError(Reason.SECRET, expected=expected, received="not base32") from None
    if not _SHORTEST <= len(secret) <= _LONGEST:
        raise TotpError(Reason.SECRET, expected=expected, received=f"{len(secret)} bytes")
    return written


def read_code(text: str) -> str:
    """Return the six digits that `text` means: of any script, with spaces anywhere.

    Raises TotpError FORM for anything else.
    """
    digits = "".join(
        str(unicodedata.decimal(sign, sign)) for sign in text[:_LONGEST_TEXT] if not sign.isspace()
    )
    if len(text) > _LONGEST_TEXT or not re.fullmatch(r"[0-9]{6}", digits):
        raise TotpError(Reason.FORM, expected="six digits", received=f"{len(text)} characters")
    return digits


def accept(secret: str, text: str, *, now: int, after: int) -> int:
    """Return the step whose code `text` is: the present one, the one before or the one to come.

    It has to be later than `after`, the last one that was accepted, whatever the code looks like
    (RFC 6238 5.2). `now` is microseconds UTC. Raises TotpError FORM, CODE or REPLAY.
    """
    code, present = read_code(text), _step(now)
    near = range(max(present - _WINDOW, 0), present + _WINDOW + 1)
    fitting = _fitting(secret, code, near)
    if not fitting:
        wanted = f"the code of a step from {near[0]} to {near[-1]}"
        raise TotpError(Reason.CODE, expected=wanted, received="another code")
    if fitting[-1] <= after:
        wanted = f"a step after {after}"
        raise TotpError(Reason.REPLAY, expected=wanted, received=f"step {fitting[-1]}")
    return fitting[-1]


def seconds_off(secret: str, text: str, *, now: int) -> int | None:
    """Return how far from `now` a refused code would be right, within ten minutes; else None.

    For operators alone: many of these that agree tell of a clock that is wrong.
    """
    code, present = read_code(text), _step(now)
    fitting = _fitting(secret, code, range(max(present - _FAR, 0), present + _FAR + 1))
    return (fitting[-1] - present) * (_STEP // SECOND) if fitting else None


def uri(secret: str, *, issuer: str, account: str) -> str:
    """Return the address that an authenticator app reads; `issuer` is cut to what a picture takes.

    Apps end a label's issuer at a colon, so there is none in it.
    """
    named = issuer.replace(":", " ")[:_ISSUER_CHARS]
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=named)


def picture(address: str) -> str:
    """Return the QR code of an address of `uri`, a PNG as a data URL (RFC 2397)."""
    return segno.make(address, error="m", micro=False).png_data_uri(scale=4)


def _step(now: int) -> int:
    return now // _STEP


def _fitting(secret: str, code: str, steps: Iterable[int]) -> list[int]:
    """Return the steps whose code it is; every one is compared, in constant time."""
    codes = pyotp.HOTP(secret)
    return [step for step in steps if same_secret(codes.at(step).encode(), code.encode())]
