"""Offers: what metadata now says that a connection does not have, for a person to accept.

Only what has changed at its publisher since the connection took it over is offered. What a person
has entered otherwise meanwhile, or removed, stays theirs.
"""

import hashlib
from typing import Any

import msgspec

from vestibule.records import MetadataFeed, Published


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One field: its value in the connection, and the one that metadata has."""

    field: str
    current: str
    offered: str


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Changes that wait, certificates as PEM. `digest` names exactly these."""

    changes: tuple[Change, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def digest(self) -> str:
        """The SHA-256, in hex, of what is offered."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


def offer_of(feed: MetadataFeed, current: Published) -> Offer | None:
    """Return what `feed` offers to a connection that has `current`; None for nothing.

    A certificate that has gone is to be removed only if another one stays or comes.
    """
    taken, seen = feed.taken, feed.seen
    changes = tuple(
        Change(field=name, current=str(current.fields[name]), offered=str(value))
        for name, value in seen.fields.items()
        if value not in {taken.fields.get(name), current.fields[name]}
    )
    old = {*taken.certificates, *current.certificates}
    added = tuple(pem for pem in seen.certificates if pem not in old)
    gone = {*taken.certificates} - {*seen.certificates}
    removed = tuple(pem for pem in current.certificates if pem in gone)
    if len(removed) == len(current.certificates) and not added:
        removed = ()
    if not (changes or added or removed):
        return None
    return Offer(changes=changes, added=added, removed=removed)


def accepted(offer: Offer, feed: MetadataFeed, current: Published) -> Published:
    """Return what the connection takes over when `offer` is accepted.

    Also the fields that are as metadata has them: another identity provider may mean that they
    have to be entered again.
    """
    changed = {change.field for change in offer.changes}
    fields: dict[str, Any] = {
        name: value
        for name, value in feed.seen.fields.items()
        if name in changed or value == current.fields[name]
    }
    return Published(fields=fields, certificates=offer.added)
