"""Removes rows whose time is over, in bounded batches."""

from vestibule.store.interface import Store


async def remove_expired(store: Store, *, now: int) -> None:
    """Remove what expired before `now`."""
    async with store.write() as tx:
        for rows in (tx.sign_ins, tx.sso_tokens, tx.replays, tx.sessions, tx.intermediate_sessions):
            await rows.delete(expires_at__lt=now)
