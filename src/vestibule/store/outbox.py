"""The outbox: what has to leave the system, claimed by one node at a time until it has left.

A message is delivered at least once: a node that dies after sending and before `delivered` leaves
it to be claimed again when its lease is over.
"""

from typing import Final

from vestibule.clock import MINUTE
from vestibule.records import OutboxMessage
from vestibule.store.interface import OUTBOX, Store

_LEASE: Final = 2 * MINUTE
# The condition stands twice: another node may have claimed the same rows since they were chosen,
# and only the outer one is asked again when PostgreSQL has waited for it.
_CLAIM: Final = f"""
UPDATE outbox SET deliver_at = $2, attempts = attempts + 1
WHERE delivered_at = 0 AND deliver_at <= $1 AND kind = $4 AND (project_id, message_id) IN (
    SELECT project_id, message_id FROM outbox
    WHERE delivered_at = 0 AND deliver_at <= $1 AND kind = $4
    ORDER BY deliver_at, message_id LIMIT $3
)
RETURNING {OUTBOX.column_list}
"""  # noqa: S608 - names of ours, no values


async def claim(store: Store, *, kind: str, now: int, limit: int = 20) -> list[OutboxMessage]:
    """Return messages of a kind that are due, oldest first.

    For two minutes they are the caller's alone. `attempts` counts this one too.

    Raises StoreUnavailable.
    """
    async with store.write() as tx:
        rows = await tx.fetch(_CLAIM, now, now + _LEASE, limit, kind)
    return sorted(map(OUTBOX.read, rows), key=lambda message: message.message_id)


async def delivered(store: Store, message: OutboxMessage, *, now: int) -> None:
    """Note that `message` has left. Raises StoreUnavailable."""
    async with store.write() as tx:
        await tx.outbox.change(
            {"delivered_at": now}, project_id=message.project_id, message_id=message.message_id
        )


async def postpone(store: Store, message: OutboxMessage, *, until: int) -> None:
    """Let `message` be claimed again at `until`, unless another node has claimed it meanwhile."""
    async with store.write() as tx:
        await tx.outbox.change(
            {"deliver_at": until},
            project_id=message.project_id,
            message_id=message.message_id,
            attempts=message.attempts,
        )
