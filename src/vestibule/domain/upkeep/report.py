"""What a person who looks after a connection is shown of its metadata and its certificates."""

from dataclasses import dataclass
from typing import Final

from vestibule.clock import DAY
from vestibule.domain import connection_lifecycle
from vestibule.domain.connection_lifecycle import ConnectionView
from vestibule.domain.context import Context
from vestibule.domain.upkeep import feeds
from vestibule.domain.upkeep.certificate_warnings import DAYS
from vestibule.domain.upkeep.metadata_refresh import held
from vestibule.domain.upkeep.offers import Offer, offer_of
from vestibule.domain.upkeep.taking import current_of
from vestibule.records import Connection, ConnectionKey, MetadataFeed

_AHEAD: Final = max(DAYS) * DAY


@dataclass(frozen=True)
class Offered:
    """An offer that waits; `held` are the reasons to look twice, `refused` if that was done."""

    offer: Offer
    held: tuple[str, ...]
    refused: bool


@dataclass(frozen=True)
class Report:
    """The feed of a connection, what it offers, and the keys that soon expire or have."""

    feed: MetadataFeed | None
    offered: Offered | None
    expiring: tuple[ConnectionKey, ...]
    now: int


async def report_of(context: Context, connection: Connection) -> Report:
    """Return the report of a connection as of now."""
    now = context.clock.now()
    async with context.store.read() as tx:
        view = await connection_lifecycle.view(tx, connection)
        feed = await feeds.find(tx, connection)
    expiring = [key for key in view.keys if 0 < key.expires_at <= now + _AHEAD]
    return Report(
        feed,
        _offered(feed, view),
        tuple(sorted(expiring, key=lambda key: key.expires_at)),
        now,
    )


def _offered(feed: MetadataFeed | None, view: ConnectionView) -> Offered | None:
    if feed is None:
        return None
    current = current_of(view, feed)
    offer = offer_of(feed, current)
    if offer is None:
        return None
    reasons = held(feed, current) if view.connection.saml is not None else ()
    return Offered(offer, tuple(reason.value for reason in reasons), offer.digest == feed.refused)
