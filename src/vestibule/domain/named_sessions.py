"""The sessions that a SAML logout names by NameID and session index: found, and ended.

They hold a factor of the connection with that NameID, in its own organization or in one that uses
it through an external connection. The member is found by the registration (connection, NameID).
Where the connection maps `idp_user_id`, registrations carry that instead, and the living sessions
of the organization are looked through. What the logouts of both protocols reach is here as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from vestibule.domain import tenancy
from vestibule.domain.sign_in import logged_out
from vestibule.domain.sign_in.callback import Target
from vestibule.records import Connection, Identity, IntermediateSession, Session
from vestibule.store.interface import Transaction

AnySession = Session | IntermediateSession


@dataclass(frozen=True)
class Named:
    """Whom a logout means; no `session_indexes` means every session of that NameID."""

    name_id: str
    session_indexes: tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """What ended: how many sessions, and which of the named indexes belonged to one.

    `known` is False when nobody is known by the NameID.
    """

    known: bool
    count: int
    session_indexes: frozenset[str]
    sessions: tuple[AnySession, ...]


async def end(tx: Transaction, found: Target, named: Named, *, now: int) -> Ended:
    """End what a logout names, unredeemed tokens too, and remember it against late assertions."""
    places = await places_of(tx, found.connection)
    # Tokens first: one that is being redeemed has become a session by the time this returns.
    await use_up(tx, places, lambda identity: _means(named, identity), now=now)
    await logged_out.remember(tx, found, named.name_id, named.session_indexes, now=now)
    mapping = (found.connection.saml and found.connection.saml.attribute_mapping) or {}
    external_id = None if "idp_user_id" in mapping else named.name_id
    ended = await end_living(
        tx,
        places,
        lambda each: bool(_indexes(each, places, named)),
        external_id=external_id,
        now=now,
    )
    indexes = {index for each in ended or () for index in _indexes(each, places, named)}
    return Ended(ended is not None, len(ended or ()), frozenset(indexes), tuple(ended or ()))


async def places_of(tx: Transaction, connection: Connection) -> list[Connection]:
    """Return a connection and the external ones that refer to it."""
    external = await tx.connections.all(
        project_id=connection.project_id, external_connection_id=connection.connection_id
    )
    return [connection, *external]


async def end_living(
    tx: Transaction,
    places: Sequence[Connection],
    means: Callable[[AnySession], bool],
    *,
    external_id: str | None,
    now: int,
) -> list[AnySession] | None:
    """End the living sessions that are meant, and return them; None when nobody is known.

    An exchange that is under way holds the session it comes from until it has made another: that
    one is there at the second look.
    """
    ended: list[AnySession] = []
    while (found := await _living(tx, places, external_id=external_id, now=now)) is not None:
        meant = [each for each in found if means(each)]
        if not meant:
            return ended
        for each in meant:
            await _delete(tx, each)
        ended += meant
    return ended or None


async def _living(
    tx: Transaction, places: Sequence[Connection], *, external_id: str | None, now: int
) -> list[AnySession] | None:
    """Return the living sessions of the members registered at `places` as `external_id`.

    Without one, all of these organizations. None when nobody is registered so.
    """
    of = {**_within(places), "expires_at__gt": now}
    if external_id is not None:
        known = await tx.registrations.all(**_at(places), external_id=external_id)
        if not known:
            return None
        of["member_id"] = tuple(each.member_id for each in known)
    return [*await tx.sessions.all(**of), *await tx.intermediate_sessions.all(**of)]


def _indexes(session: AnySession, places: Sequence[Connection], named: Named) -> set[str]:
    """The session indexes by which the logout names this session; empty: it does not."""
    ids = {place.connection_id for place in places}
    mine = {
        each.session_index
        for each in session.factors
        if each.details.get("provider_id") in ids and each.name_id == named.name_id
    }
    return mine & set(named.session_indexes) if named.session_indexes else mine


def _means(named: Named, identity: Identity) -> bool:
    wanted = not named.session_indexes or identity.session_index in named.session_indexes
    return wanted and identity.name_id == named.name_id


async def use_up(
    tx: Transaction,
    places: Sequence[Connection],
    means: Callable[[Identity], bool],
    *,
    now: int,
) -> None:
    """Use up the sso_tokens of the identities that are meant, if nobody has redeemed them yet."""
    for token in await tx.sso_tokens.all(**_at(places), consumed_at=0, expires_at__gt=now):
        if means(token.identity):
            await tx.sso_tokens.change(
                {"consumed_at": now, "provider_tokens": None},
                project_id=token.project_id,
                token_id=token.token_id,
                consumed_at=0,
            )


async def _delete(tx: Transaction, session: AnySession) -> None:
    """End a session of either kind."""
    of = tenancy.of_organization(session)
    if isinstance(session, Session):
        await tx.sessions.delete(**of, session_id=session.session_id)
    else:
        await tx.intermediate_sessions.delete(**of, token_id=session.token_id)


def _within(places: Sequence[Connection]) -> dict[str, Any]:
    return {
        "project_id": places[0].project_id,
        "organization_id": tuple(place.organization_id for place in places),
    }


def _at(places: Sequence[Connection]) -> dict[str, Any]:
    ids = tuple(place.connection_id for place in places)
    return {**_within(places), "connection_id": ids}
