"""Reading JSON from strangers: one meaning per document, bounded, and storable as it is.

Python's own parser takes the last of two members with one name, accepts NaN, byte-order marks and
UTF-16, and recurses as deep as it is told. Two readers of one document must never disagree
(RFC 8725 2.4), and a NUL or a lone surrogate must not reach the database.
"""

import json
import math
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from vestibule.oidc.errors import OidcError, Reason

MAX_BYTES: Final = 262_144
MAX_DEPTH: Final = 16
_LARGEST_INTEGER: Final = 2**63


def parse_object(data: bytes, *, reason: Reason, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Return the JSON object in `data`.

    Raises OidcError(reason) for anything else: over `max_bytes`, not UTF-8, a byte-order mark, a
    member given twice, NaN or Infinity, an integer beyond 64 bits, nesting over 16, NUL or a lone
    surrogate in any string.
    """
    if len(data) > max_bytes:
        raise OidcError(
            reason, expected=f"at most {max_bytes} bytes", received=f"{len(data)} bytes"
        )
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_members, parse_constant=_refuse_constant
        )
        if not isinstance(value, dict):
            raise OidcError(reason, expected="a JSON object", received=f"a {type(value).__name__}")
        _check_values(value)
    except UnicodeDecodeError as error:
        raise OidcError(reason, expected="UTF-8", received=f"byte {error.start} is not") from None
    except RecursionError:
        raise _too_deep(reason) from None
    except _Unacceptable as error:
        raise OidcError(reason, expected=error.expected, received=error.received) from None
    except ValueError as error:
        raise OidcError(reason, expected="JSON", received=str(error)) from None
    return value


class _Unacceptable(Exception):
    def __init__(self, *, expected: str, received: str) -> None:
        super().__init__(expected)
        self.expected = expected
        self.received = received


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Unacceptable(expected="each member once", received=f"{twice} more than once")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise _Unacceptable(expected="a JSON number", received=name)


def _too_deep(reason: Reason) -> OidcError:
    return OidcError(reason, expected=f"nesting of at most {MAX_DEPTH}", received="deeper")


def _check_values(document: dict[str, Any]) -> None:
    waiting: list[tuple[Any, int]] = [(document, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise _Unacceptable(expected=f"nesting of at most {MAX_DEPTH}", received="deeper")
        if isinstance(value, dict | list):
            waiting.extend((child, depth + 1) for child in _children(value))
        else:
            _check_scalar(value)


def _children(value: dict[str, Any] | list[Any]) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, child in value.items():
            _check_scalar(name)
            yield child
    else:
        yield from value


def _check_scalar(value: object) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise _Unacceptable(expected="text without NUL", received="a NUL")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise _Unacceptable(expected="Unicode text", received="a lone surrogate")
    elif isinstance(value, float) and not math.isfinite(value):
        raise _Unacceptable(expected="a finite number", received=repr(value))
    elif isinstance(value, int) and not -_LARGEST_INTEGER <= value < _LARGEST_INTEGER:
        raise _Unacceptable(expected="an integer of at most 64 bits", received="a longer one")
