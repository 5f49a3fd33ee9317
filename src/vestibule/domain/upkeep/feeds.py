"""Feeds: which metadata is read again, when, and by which node (one row for a connection)."""

from typing import Final

from vestibule.clock import MINUTE
from vestibule.domain import tenancy
from vestibule.domain.context import Context
from vestibule.domain.upkeep import schedule
from vestibule.domain.upkeep.readings import Reading
from vestibule.ids import fraction
from vestibule.records import Connection, MetadataFeed
from vestibule.store.interface import Store, Transaction

# Longer than a reading can take; a node that dies over one leaves it to the others after this.
_LEASE: Final = 5 * MINUTE
# An unknown key at a login may ask for a reading before its time this often (OP-15).
_HASTE: Final = 10 * MINUTE


async def start(
    tx: Transaction,
    context: Context,
    connection: Connection,
    url: str,
    reading: Reading,
) -> None:
    """Read the metadata at `url` again from now on; it takes the place of an earlier feed."""
    now = context.clock.now()
    await stop(tx, connection)
    await tx.metadata_feeds.insert(
        MetadataFeed(
            **tenancy.of_connection(connection),
            url=url,
            etag=reading.validators.etag,
            last_modified=reading.validators.last_modified,
            valid_until=reading.valid_until or 0,
            taken=reading.published,
            seen=reading.published,
            fetched_at=now,
            tried_at=now,
            due_at=next_reading(context, reading),
        )
    )


async def stop(tx: Transaction, connection: Connection) -> None:
    """Read the metadata of `connection` no more."""
    await tx.metadata_feeds.delete(**tenancy.of_connection(connection))


async def find(
    tx: Transaction, connection: Connection, *, lock: bool = False
) -> MetadataFeed | None:
    """Return the feed of a connection, None when it has none."""
    return await tx.metadata_feeds.find(lock=lock, **tenancy.of_connection(connection))


def next_reading(context: Context, reading: Reading) -> int:
    """Return when metadata that was read just now is to be read again."""
    return schedule.after_success(
        context.clock.now(),
        cache_duration=reading.cache_duration,
        valid_until=reading.valid_until,
        chance=fraction(entropy=context.entropy),
    )


async def claim_due(store: Store, *, now: int, limit: int) -> list[MetadataFeed]:
    """Return feeds that are due, longest first; for five minutes they are the caller's alone."""
    async with store.write() as tx:
        due = await tx.metadata_feeds.all(due_at__le=now, order="due_at", limit=limit)
        claimed = [await _claim(tx, feed, now=now) for feed in due]
    return [feed for feed in claimed if feed is not None]


async def claim(store: Store, feed: MetadataFeed, *, now: int) -> MetadataFeed | None:
    """Return one feed as the caller's alone, whether due or not; None when somebody was faster."""
    async with store.write() as tx:
        return await _claim(tx, feed, now=now)


async def _claim(tx: Transaction, feed: MetadataFeed, *, now: int) -> MetadataFeed | None:
    claimed = await tx.metadata_feeds.change(
        {"due_at": now + _LEASE, "tried_at": now},
        project_id=feed.project_id,
        organization_id=feed.organization_id,
        connection_id=feed.connection_id,
        due_at=feed.due_at,
        tried_at=feed.tried_at,
    )
    return claimed[0] if claimed else None


async def hasten(tx: Transaction, connection: Connection, *, now: int) -> None:
    """Let the metadata be read soon, unless it was ten minutes ago or is being read."""
    await tx.metadata_feeds.change(
        {"due_at": now},
        **tenancy.of_connection(connection),
        due_at__gt=now,
        tried_at__le=now - _HASTE,
    )
