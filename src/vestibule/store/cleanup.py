"""Removes what has expired, in small transactions, so that nobody waits for it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from vestibule.clock import DAY
from vestibule.store.interface import Store, Transaction

# A callback or a redemption that comes too late is told so, for as long as its row is there.
_LATE: Final = DAY
_TRACES_KEPT: Final = 30 * DAY

_REMOVALS: Final[tuple[Callable[[Transaction, int, int], Awaitable[int]], ...]] = (
    lambda tx, now, limit: tx.sign_ins.delete(expires_at__le=now - _LATE, limit=limit),
    lambda tx, now, limit: tx.sso_tokens.delete(expires_at__le=now - _LATE, limit=limit),
    lambda tx, now, limit: tx.replays.delete(expires_at__le=now, limit=limit),
    lambda tx, now, limit: tx.trusted_tokens.delete(expires_at__le=now, limit=limit),
    lambda tx, now, limit: tx.sessions.delete(expires_at__le=now, limit=limit),
    lambda tx, now, limit: tx.intermediate_sessions.delete(expires_at__le=now, limit=limit),
    lambda tx, now, limit: tx.email_updates.delete(expires_at__le=now, limit=limit),
    lambda tx, now, limit: tx.totps.delete(activated_at=0, expires_at__le=now - _LATE, limit=limit),
    lambda tx, now, limit: tx.sms_codes.delete(expires_at__le=now, limit=limit),
    lambda tx, now, limit: tx.sms_counts.delete(ends_at__le=now, limit=limit),
    lambda tx, now, limit: tx.impersonation_tokens.delete(expires_at__le=now, limit=limit),
    lambda tx, now, limit: tx.logouts.delete(expires_at__le=now - _LATE, limit=limit),
    lambda tx, now, limit: tx.traces.delete(created_at__le=now - _TRACES_KEPT, limit=limit),
    lambda tx, now, limit: tx.outbox.delete(
        delivered_at__gt=0, delivered_at__le=now - DAY, limit=limit
    ),
)


async def remove_expired(store: Store, *, now: int, batch: int = 200) -> int:
    """Remove expired rows, `batch` in each transaction, and return how many there were.

    Sign-ins, logouts, SSO tokens and authenticators never proven go a day after they expired,
    traces after 30 days, messages a day after they were delivered, the rest at once. Any number of
    nodes may do it. Raises StoreUnavailable.
    """
    total = 0
    for remove in _REMOVALS:
        removed = batch
        while removed == batch:
            async with store.write() as tx:
                removed = await remove(tx, now, batch)
            total += removed
            await asyncio.sleep(0)  # let requests in between
    return total
