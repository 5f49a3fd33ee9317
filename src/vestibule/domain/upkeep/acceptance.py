"""A person decides over what metadata offers, asks for it now, or has it read no more."""

from typing import Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.clock import SECOND
from vestibule.domain import audit, connection_lifecycle, connections, organizations
from vestibule.domain.context import Context
from vestibule.domain.upkeep import feeds
from vestibule.domain.upkeep.metadata_refresh import read_again
from vestibule.domain.upkeep.offers import Offer, accepted, offer_of
from vestibule.domain.upkeep.taking import Owner, current_of, take
from vestibule.errors import Failure
from vestibule.ids import same_secret
from vestibule.records import Connection, MetadataFeed, Project
from vestibule.store.interface import Transaction

# Another reading sooner than this is the same one: nobody uses us to flood a metadata server.
_FLOOR: Final = 30 * SECOND


async def accept(
    context: Context, project: Project, locator: str, connection_id: str, *, digest: str
) -> Connection:
    """Take over the offer that `digest` names, exactly it, and return the connection.

    Raises Failure when it is not the offer (any more), and as if the same had been entered.
    """
    async with context.store.write() as tx:
        owner, feed = await _locked(tx, project, locator, connection_id)
        offer = _named(owner, feed, digest)
        found = accepted(offer, feed, current_of(owner.view, feed))
        view = await take(tx, context, owner, found, removed=offer.removed)
        await tx.metadata_feeds.update(replace(feed, taken=feed.seen, refused=""))
        await audit.record(
            tx,
            context,
            "connection.accept_metadata",
            view.connection,
            connection_id,
            changed={
                *found.fields,
                *(["x509_certificate"] if offer.added or offer.removed else []),
            },
        )
    return view.connection


async def refuse(
    context: Context, project: Project, locator: str, connection_id: str, *, digest: str
) -> Connection:
    """Turn down the offer that `digest` names; nobody is told of it again. Raises Failure."""
    async with context.store.write() as tx:
        owner, feed = await _locked(tx, project, locator, connection_id)
        offer = _named(owner, feed, digest)
        await tx.metadata_feeds.update(replace(feed, refused=offer.digest))
        connection = owner.view.connection
        await audit.record(tx, context, "connection.refuse_metadata", connection, connection_id)
    return owner.view.connection


async def refresh(
    context: Context, project: Project, locator: str, connection_id: str
) -> Connection:
    """Read the metadata now, unless that was less than 30 seconds ago; return the connection.

    Raises Failure when the connection has no metadata to read. That it could not be read is no
    error here: the report says so.
    """
    async with context.store.read() as tx:
        organization = await organizations.load(tx, project, locator)
        connection = await connections.load(tx, organization, connection_id)
        feed = await _feed(tx, connection)
    now = context.clock.now()
    if feed.tried_at <= now - _FLOOR:
        claimed = await feeds.claim(context.store, feed, now=now)
        if claimed is not None:
            await read_again(context, claimed)
    return connection


async def stop(context: Context, project: Project, locator: str, connection_id: str) -> Connection:
    """Read the metadata no more; the connection stays as it is. Raises Failure."""
    async with context.store.write() as tx:
        owner, _ = await _locked(tx, project, locator, connection_id)
        connection = owner.view.connection
        await feeds.stop(tx, connection)
        await audit.record(tx, context, "connection.stop_metadata", connection, connection_id)
    return owner.view.connection


async def _locked(
    tx: Transaction, project: Project, locator: str, connection_id: str
) -> tuple[Owner, MetadataFeed]:
    organization = await organizations.load(tx, project, locator, lock=True)
    connection = await connections.load(tx, organization, connection_id)
    view = await connection_lifecycle.view(tx, connection)
    return Owner(project, organization, view), await _feed(tx, connection)


async def _feed(tx: Transaction, connection: Connection) -> MetadataFeed:
    feed = await feeds.find(tx, connection)
    if feed is None:
        raise Failure(errors.bad_request, "This connection was not set up from metadata at a URL.")
    return feed


def _named(owner: Owner, feed: MetadataFeed, digest: str) -> Offer:
    offer = offer_of(feed, current_of(owner.view, feed))
    if offer is None:
        raise Failure(errors.bad_request, "digest: the metadata offers nothing any more.")
    if not same_secret(offer.digest.encode(), digest.encode()):
        raise Failure(
            errors.bad_request, "digest: this is not what the metadata offers now; look again."
        )
    return offer
