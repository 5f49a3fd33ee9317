"""Reading JSON so that it has one meaning."""

import pytest

from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.strict_json import MAX_BYTES, MAX_DEPTH, parse_object


def refused(data: bytes) -> str | None:
    with pytest.raises(OidcError) as failure:
        parse_object(data, reason=Reason.USERINFO)
    assert failure.value.reason is Reason.USERINFO
    return failure.value.received


def test_an_object_is_read() -> None:
    data = '{"a": [1, 2.5, true, null, "é😀"], "b": {"c": "\\ud83d\\ude00"}}'.encode()
    assert parse_object(data, reason=Reason.JWKS) == {
        "a": [1, 2.5, True, None, "é😀"],
        "b": {"c": "😀"},
    }


@pytest.mark.parametrize(
    ("data", "received"),
    [
        (b'{"a":1,"a":2}', "a more than once"),
        (b'{"x":{"a":1,"a":1}}', "a more than once"),
        (b'{"a":1,"\\u0061":2}', "a more than once"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":-Infinity}', "-Infinity"),
        (b'{"a":1e999}', "inf"),
        (b'{"a":9223372036854775808}', "a longer one"),
        (b'{"a":"\\u0000"}', "a NUL"),
        (b'{"\\u0000":1}', "a NUL"),
        (b'{"a":"\\ud800"}', "a lone surrogate"),
        (b'{"a":["\\udfff"]}', "a lone surrogate"),
        (b"[]", "a list"),
        (b"null", "a NoneType"),
        (b'{"a":"\xff"}', "byte 6 is not"),
        (b'{"a":"\xed\xa0\x80"}', "byte 6 is not"),
        (b"x" * (MAX_BYTES + 1), "262145 bytes"),
    ],
)
def test_everything_ambiguous_is_refused(data: bytes, received: str) -> None:
    assert refused(data) == received


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"{}x", b"{'a':1}", b'{"a":01}', b'{"a":1,}', b'{"a":"\n"}', b"\xef\xbb\xbf{}"],
)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    refused(data)


def test_an_integer_of_many_digits_is_refused_at_once() -> None:
    refused(b'{"a":' + b"9" * 100_000 + b"}")


@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_nesting_is_limited(brackets: str) -> None:
    opening = b"[" if brackets == "[]" else b'{"a":'

    def nested(depth: int) -> bytes:
        inside = opening * depth + b"1" + brackets[1].encode() * depth
        return b'{"a":' + inside + b"}"

    assert parse_object(nested(MAX_DEPTH - 2), reason=Reason.JWKS)
    for depth in (MAX_DEPTH, 900, 2_000, 40_000):
        assert refused(nested(depth)) == "deeper"
