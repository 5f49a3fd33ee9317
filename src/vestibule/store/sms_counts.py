"""Counts of SMS, each for a while: exact across nodes and restarts, as each of them costs money."""

from typing import Final

from vestibule.store.interface import Transaction

_ADD: Final = """
INSERT INTO sms_counts (project_id, limit_name, subject, ends_at, sent)
VALUES ($1, $2, $3, $4, 1)
ON CONFLICT (project_id, limit_name, subject, ends_at) DO UPDATE SET sent = sms_counts.sent + 1
RETURNING sent
"""


async def add(
    tx: Transaction, *, project_id: str, limit_name: str, subject: str, ends_at: int
) -> int:
    """Add one to a count that ends at `ends_at`, and return it; it is held until the commit."""
    rows = await tx.fetch(_ADD, project_id, limit_name, subject, ends_at)
    return int(rows[0][0])
