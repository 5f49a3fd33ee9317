"""Authentication factors of a session: added, and proven again."""

from collections.abc import Sequence

from msgspec.structs import replace

from vestibule.records import Factor


def with_factor(factors: Sequence[Factor], proven: Factor) -> tuple[Factor, ...]:
    """Return `factors` with one that has just been proven, last.

    A factor of the same connection is the same one, proven again: it keeps when it was made.
    """
    connection_id = proven.details.get("provider_id")
    same = [
        factor
        for factor in factors
        if connection_id and factor.details.get("provider_id") == connection_id
    ]
    others = [factor for factor in factors if factor not in same]
    created_at = min((factor.created_at for factor in same), default=proven.created_at)
    return (*others, replace(proven, created_at=created_at))
