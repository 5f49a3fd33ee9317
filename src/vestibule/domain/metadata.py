"""Metadata of organizations and members: how an update is merged in, and the limits."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from vestibule import errors
from vestibule.errors import Failure

_MAX_KEYS: Final = 20
_MAX_BYTES: Final = 4096


def merge(old: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """Return `old` with the top-level keys of `update`; null deletes a key (semantics 1.1).

    Nested objects are replaced whole. Raises Failure metadata_too_many_keys (more than 20) or
    metadata_too_large (more than 4096 bytes of JSON).
    """
    merged = {key: value for key, value in {**old, **update}.items() if value is not None}
    if len(merged) > _MAX_KEYS:
        raise Failure(errors.metadata_too_many_keys)
    if len(msgspec.json.encode(merged)) > _MAX_BYTES:
        raise Failure(errors.metadata_too_large)
    return merged


def merge_within_limits(old: Mapping[str, Any], update: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `old` with as many keys of `update`, in their order, as the limits let in.

    For what an identity provider sends: too much of it must not refuse a login (semantics 2.5).
    """
    merged = old
    for key, value in update.items():
        try:
            merged = merge(merged, {key: value})
        except Failure:
            continue
    return merged
