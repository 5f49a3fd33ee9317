"""Metadata read again in the background, never inside a login (security.md SP-67, SP-68, OP-13).

A good document is compared with what the connection took over from the one before; what is new is
offered to a person. Taken without asking are certificates, if the connection says so and nothing
about the document is suspicious, and an OpenID provider's new jwks_url on the host of the old one.
A document that cannot be had or used changes nothing: what was taken last stays.
"""

import asyncio
from typing import Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from vestibule.clock import rfc3339
from vestibule.domain import audit, connection_lifecycle, oidc_metadata, saml_metadata, tenancy
from vestibule.domain.context import Context
from vestibule.domain.upkeep import feeds, schedule
from vestibule.domain.upkeep.announcements import announce
from vestibule.domain.upkeep.offers import Offer, offer_of
from vestibule.domain.upkeep.readings import Reading, Validators
from vestibule.domain.upkeep.taking import Owner, current_of, excess, take
from vestibule.errors import Failure
from vestibule.fetch import acting_for
from vestibule.ids import fraction
from vestibule.records import Connection, MetadataFeed, Published
from vestibule.saml.keys import read_certificate
from vestibule.saml.refresh import HeldChange, Known, held_changes
from vestibule.store.interface import Transaction

# How many documents one node reads at the same time (SR-15).
_AT_ONCE: Final = 8
# A single failure is nothing to wake anybody for; this many are about two hours.
_ALARM: Final = 4


async def refresh_due(context: Context) -> None:
    """Read all metadata that is due. Raises the first error once everything has had its turn."""
    now = context.clock.now()
    errors: list[BaseException] = []
    while batch := await feeds.claim_due(context.store, now=now, limit=_AT_ONCE):
        work = (read_again(context, feed) for feed in batch)
        outcomes = await asyncio.gather(*work, return_exceptions=True)
        errors += [each for each in outcomes if isinstance(each, BaseException)]
    if errors:
        raise errors[0]


async def read_again(context: Context, feed: MetadataFeed) -> None:
    """Read the metadata of a feed that is the caller's alone, and write down what came of it."""
    async with context.store.read() as tx:
        connection = await tx.connections.find(
            project_id=feed.project_id,
            organization_id=feed.organization_id,
            connection_id=feed.connection_id,
        )
    if connection is None:
        return
    failure, reading = None, None
    try:
        with acting_for(feed.organization_id):
            reading = await _read(context, connection, feed)
    except Failure as caught:
        failure = caught
    async with context.store.write() as tx:
        owner = await _owner(tx, feed)
        # It may have been set up anew, or refused, while the document was read.
        if owner is None or await feeds.find(tx, connection, lock=True) != feed:
            return
        if failure is not None:
            after = await _failed(tx, context, owner, feed, failure)
        else:
            after = await _arrived(tx, context, owner, feed, reading)
        await tx.metadata_feeds.update(after)
        if after.taken != feed.taken:
            await audit.record(
                tx,
                context,
                "connection.follow_metadata",
                connection,
                connection.connection_id,
                changed=_names(after.taken, feed.taken),
            )


async def _read(context: Context, connection: Connection, feed: MetadataFeed) -> Reading | None:
    known = Validators(etag=feed.etag, last_modified=feed.last_modified)
    if 0 < feed.valid_until <= context.clock.now():
        # That it has not changed would not make it valid again.
        known = Validators()
    if connection.oidc is not None:
        issuer = connection.oidc.issuer
        return await oidc_metadata.read_newer(context, feed.url, known, issuer=issuer)
    signer = connection.saml.policy.metadata_certificate if connection.saml is not None else ""
    return await saml_metadata.read_newer(context, feed.url, known, signer=signer)


async def _owner(tx: Transaction, feed: MetadataFeed) -> Owner | None:
    within = tenancy.of_organization(feed)
    project = await tx.projects.find(project_id=feed.project_id)
    organization = await tx.organizations.find(lock=True, **within)
    connection = await tx.connections.find(**within, connection_id=feed.connection_id)
    if project is None or organization is None or connection is None:
        return None
    return Owner(project, organization, await connection_lifecycle.view(tx, connection))


async def _failed(
    tx: Transaction, context: Context, owner: Owner, feed: MetadataFeed, failure: Failure
) -> MetadataFeed:
    failures, said = feed.failures + 1, failure.message
    if failures == _ALARM:
        await announce(
            tx,
            context,
            owner.project,
            owner.view.connection,
            "connection.metadata_failing",
            url=feed.url,
            error=said,
            failures=failures,
            last_fetched_at=rfc3339(feed.fetched_at),
        )
    chance = fraction(entropy=context.entropy)
    due_at = schedule.after_failure(context.clock.now(), failures=failures, chance=chance)
    return replace(feed, failures=failures, error=said, due_at=due_at)


async def _arrived(
    tx: Transaction, context: Context, owner: Owner, feed: MetadataFeed, reading: Reading | None
) -> MetadataFeed:
    """Return the feed after a good answer; None is the answer that nothing has changed."""
    now = context.clock.now()
    after = replace(feed, fetched_at=now, failures=0, error="")
    if reading is None:
        return replace(after, due_at=feeds.next_reading(context, Reading(published=feed.seen)))
    after = replace(
        after,
        seen=reading.published,
        etag=reading.validators.etag,
        last_modified=reading.validators.last_modified,
        valid_until=reading.valid_until or 0,
        due_at=feeds.next_reading(context, reading),
    )
    offer = offer_of(after, current_of(owner.view, after))
    if offer is not None:
        after, owner = await _taken(tx, context, owner, after, offer)
        offer = offer_of(after, current_of(owner.view, after))
    if offer is None or offer.digest in {after.announced, after.refused}:
        return after
    await announce(
        tx,
        context,
        owner.project,
        owner.view.connection,
        "connection.metadata_offered",
        url=feed.url,
        digest=offer.digest,
        fields=[change.field for change in offer.changes],
        added=len(offer.added),
        removed=len(offer.removed),
    )
    return replace(after, announced=offer.digest)


async def _taken(
    tx: Transaction, context: Context, owner: Owner, feed: MetadataFeed, offer: Offer
) -> tuple[MetadataFeed, Owner]:
    """Take over what needs nobody's yes, and return the feed and the connection after it."""
    found, removed = _without_asking(owner, feed, offer)
    if not (found.fields or found.certificates or removed):
        return feed, owner
    view = await take(tx, context, owner, found, removed=removed)
    await announce(
        tx,
        context,
        owner.project,
        view.connection,
        "connection.metadata_applied",
        url=feed.url,
        fields=list(found.fields),
        added=len(found.certificates),
        removed=len(removed),
    )
    taken = Published(
        fields={**feed.taken.fields, **found.fields}, certificates=feed.seen.certificates
    )
    return replace(feed, taken=taken), Owner(owner.project, owner.organization, view)


def _without_asking(
    owner: Owner, feed: MetadataFeed, offer: Offer
) -> tuple[Published, tuple[str, ...]]:
    """Return what may be taken over at once, and the certificates to remove."""
    connection = owner.view.connection
    if connection.oidc is not None:
        followed = {
            change.field: change.offered
            for change in offer.changes
            # An address that a person entered is theirs to change.
            if change.field == "jwks_url" and change.current == feed.taken.fields[change.field]
            if _same_host(change.current, change.offered)
        }
        return Published(fields=followed), ()
    trusting = connection.saml is not None and connection.saml.policy.trust_metadata_certificates
    fits = excess(owner.view, added=offer.added, removed=offer.removed) <= 0
    if not trusting or not fits or held(feed, current_of(owner.view, feed)):
        return Published(), ()
    return Published(certificates=offer.added), offer.removed


def _names(after: Published, before: Published) -> set[str]:
    """Return the names of what has been taken over."""
    names = {name for name, value in after.fields.items() if value != before.fields.get(name)}
    return names | ({"x509_certificate"} if after.certificates != before.certificates else set())


def _same_host(old: str, new: str) -> bool:
    return urlsplit(old)[:2] == urlsplit(new)[:2]


def held(feed: MetadataFeed, current: Published) -> tuple[HeldChange, ...]:
    """Return why SAML metadata has to wait for a person, whatever the connection's settings."""
    return held_changes(_known(feed.seen), old=_known(current))


def _known(published: Published) -> Known:
    return Known(
        entity_id=published.fields["idp_entity_id"],
        sso_url=published.fields["idp_sso_url"],
        certificates=[read_certificate(pem) for pem in published.certificates],
    )
