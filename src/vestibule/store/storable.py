"""Which values a column can hold: asked before a statement runs, so both engines answer alike."""

from collections.abc import Iterable
from typing import Final

from vestibule.store.interface import Unstorable

_INTEGERS: Final = range(-(2**63), 2**63)


def require_storable(values: Iterable[object]) -> None:
    """Raise Unstorable when one of `values` cannot be kept. The value itself is not told."""
    for value in values:
        if isinstance(value, str):
            _require_text(value)
        elif isinstance(value, int) and value not in _INTEGERS:
            raise Unstorable("a number of more than 64 bits")


def _require_text(value: str) -> None:
    if "\0" in value:
        raise Unstorable("text with a NUL character")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Unstorable("text with half a surrogate pair") from None
