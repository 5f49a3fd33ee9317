"""Base64url with one spelling per value."""

import pytest

from vestibule.oidc.base64url import decode_base64url


@pytest.mark.parametrize(
    ("text", "data"), [("", b""), ("AA", b"\0"), ("_-8", b"\xff\xef"), ("AQAB", b"\1\0\1")]
)
def test_good_text_is_decoded(text: str, data: bytes) -> None:
    assert decode_base64url(text) == data


@pytest.mark.parametrize(
    "text", ["A", "AB", "AA==", "AA\n", " AA", "A A", "+-8", "/-8", "é", "AA.", "AAAAA", "\0"]
)
def test_another_spelling_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64url|ASCII"):
        decode_base64url(text)
