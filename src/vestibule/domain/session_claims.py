"""Custom claims of a session: how they are merged and what they may hold (semantics 2.4, 6.3)."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from vestibule import errors
from vestibule.errors import Failure

RESERVED: Final = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
_VENDOR: Final = "https://stytch.com/"
_MAX_BYTES: Final = 4096
_MAX_DEPTH: Final = 20


def merge(old: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `old` with `given` merged in: nested maps are merged, null deletes a key.

    Reserved names are ignored. Raises Failure for vendor names and for more than 4096 bytes.
    """
    if any(name.startswith(_VENDOR) for name in given):
        raise Failure(errors.stytch_claims_in_custom_claims)
    wanted = {name: value for name, value in given.items() if name not in RESERVED}
    merged = _merge(old, wanted, depth=0)
    if len(msgspec.json.encode(merged)) > _MAX_BYTES:
        raise Failure(errors.custom_claims_too_large)
    return merged


def _merge(old: Mapping[str, Any], given: Mapping[str, Any], *, depth: int) -> dict[str, Any]:
    if depth > _MAX_DEPTH:
        raise Failure(errors.custom_claims_too_large, "session_custom_claims: nested too deeply.")
    merged = dict(old)
    for name, value in given.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            before = merged.get(name)
            base = before if isinstance(before, dict) else {}
            merged[name] = _merge(base, value, depth=depth + 1)
        else:
            merged[name] = value
    return merged
