"""Counts of SMS, each for a while: exact across nodes and restarts, as each of them costs money."""

from typing import Final

from vestibule.records import SmsCount
from vestibule.store.interface import Transaction

_ADD: Final = """
INSERT INTO sms_counts (project_id, limit_name, subject, ends_at, sent)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (project_id, limit_name, subject, ends_at) DO UPDATE SET sent = sms_counts.sent + $5
RETURNING sent
"""


async def add(tx: Transaction, more: SmsCount) -> int:
    """Add what `more` has sent to its count, and return that; it is held until the commit."""
    rows = await tx.fetch(
        _ADD, more.project_id, more.limit_name, more.subject, more.ends_at, more.sent
    )
    return int(rows[0][0])
