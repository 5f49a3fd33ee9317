"""Base64url without padding, read so that every value has exactly one spelling (RFC 7515 2)."""

import base64
import binascii


def decode_base64url(text: str) -> bytes:
    """Return the bytes of `text`.

    Raises ValueError for padding, line ends, characters outside the alphabet, and for unused bits
    that are not zero: two spellings of one signature would be two tokens.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64url") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=") != text.encode("ascii", "replace"):
        raise ValueError("not base64url in its one spelling")
    return data
