"""The sessions that a SAML logout names by NameID and session index: found, and ended.

They hold a factor of the connection with that NameID, in its own organization or in one that uses
it through an external connection. The member is found by the registration (connection, NameID).
Where the connection maps `idp_user_id`, registrations carry that instead, and the living sessions
of the organization are looked through. What the logouts of both protocols reach is here as well.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from vestibule.domain.sign_in import logged_out
from vestibule.domain.sign_in.callback import Target
from vestibule.records import Connection, Factor, Identity, IntermediateSession, Session
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


async def end(tx: Transaction, found: Target, named: Named, *, now: int) -> Ended:
    """End what a logout names, unredeemed tokens too, and remember it against late assertions."""
    reached = await places(tx, found.connection)
    # Tokens first: one that is being redeemed has become a session by the time this returns.
    for place in reached:
        await use_up(tx, place, lambda identity: _means(named, identity), now=now)
    await logged_out.remember(tx, found, named.name_id, named.session_indexes, now=now)
    known, indexes, count = False, set[str](), 0
    for place in reached:
        living = await _living(tx, found, place, named.name_id, now=now)
        known = known or living is not None
        for session in living or ():
            mine = _indexes(session, place, named)
            if mine:
                await delete(tx, session)
                indexes |= mine
                count += 1
    return Ended(known, count, frozenset(indexes))


async def places(tx: Transaction, connection: Connection) -> list[Connection]:
    """Return a connection and the external ones that refer to it."""
    external = await tx.connections.all(
        project_id=connection.project_id, external_connection_id=connection.connection_id
    )
    return [connection, *external]


async def _living(
    tx: Transaction, found: Target, place: Connection, name_id: str, *, now: int
) -> list[AnySession] | None:
    """The living sessions that may hold a factor of `name_id`; None when nobody is known by it."""
    of = {**_within(place), "expires_at__gt": now}
    mapping = (found.connection.saml and found.connection.saml.attribute_mapping) or {}
    if "idp_user_id" not in mapping:
        registration = await tx.registrations.find(**_at(place), external_id=name_id)
        if registration is None:
            return None
        of["member_id"] = registration.member_id
    return [*await tx.sessions.all(**of), *await tx.intermediate_sessions.all(**of)]


def _indexes(session: AnySession, place: Connection, named: Named) -> set[str]:
    """The session indexes by which the logout names this session; empty: it does not."""
    mine = {each.session_index for each in _factors(session.factors, place, named.name_id)}
    return mine & set(named.session_indexes) if named.session_indexes else mine


def _factors(factors: Iterable[Factor], place: Connection, name_id: str) -> Sequence[Factor]:
    return [
        each
        for each in factors
        if each.details.get("provider_id") == place.connection_id and each.name_id == name_id
    ]


def _means(named: Named, identity: Identity) -> bool:
    wanted = not named.session_indexes or identity.session_index in named.session_indexes
    return wanted and identity.name_id == named.name_id


async def use_up(
    tx: Transaction, place: Connection, means: Callable[[Identity], bool], *, now: int
) -> None:
    """Use up the sso_tokens of the identities that are meant, if nobody has redeemed them yet."""
    for token in await tx.sso_tokens.all(**_at(place), consumed_at=0, expires_at__gt=now):
        if means(token.identity):
            await tx.sso_tokens.change(
                {"consumed_at": now, "provider_tokens": None},
                project_id=token.project_id,
                token_id=token.token_id,
                consumed_at=0,
            )


async def delete(tx: Transaction, session: AnySession) -> None:
    """End a session of either kind."""
    of: dict[str, Any] = {
        "project_id": session.project_id,
        "organization_id": session.organization_id,
    }
    if isinstance(session, Session):
        await tx.sessions.delete(**of, session_id=session.session_id)
    else:
        await tx.intermediate_sessions.delete(**of, token_id=session.token_id)


def _within(place: Connection) -> dict[str, Any]:
    return {"project_id": place.project_id, "organization_id": place.organization_id}


def _at(place: Connection) -> dict[str, Any]:
    return {**_within(place), "connection_id": place.connection_id}
