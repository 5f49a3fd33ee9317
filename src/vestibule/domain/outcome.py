"""How a login ends: in a session, new or known, or in an intermediate one while more is needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vestibule.domain import (
    audit,
    intermediate_sessions,
    members,
    requirements,
    session_claims,
    sessions,
)
from vestibule.domain.context import Context
from vestibule.domain.factors import with_factor
from vestibule.domain.intermediate_sessions import Waiting
from vestibule.domain.members import MemberView
from vestibule.domain.mfa import sms_sending
from vestibule.domain.organizations import OrganizationView
from vestibule.domain.sessions import SessionView
from vestibule.records import Factor, Member, Organization, Project, Session
from vestibule.store.interface import Transaction


@dataclass(frozen=True)
class Party:
    """Who logs in where."""

    project: Project
    organization: Organization
    member: Member


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the session should be like; None is the default length in minutes.

    `locale` is the language of a code that is sent to the member's phone on the way to it.
    """

    duration_minutes: int | None
    custom_claims: Mapping[str, Any]
    locale: str = "en"

    def check(self) -> None:
        """Pass when such a session can be. Raises Failure of a duration or of claims."""
        sessions.lifetime(self.duration_minutes)
        session_claims.merge({}, self.custom_claims)


@dataclass(frozen=True)
class Unfinished:
    """Another factor is needed: a primary one (of the organization's methods), else a second one.

    Until then the intermediate session waits with those that are proven. `initiated` is the second
    one that was begun, `sms_otp` where a code was sent, or ''.
    """

    member: MemberView
    organization: OrganizationView
    waiting: Waiting
    needs_primary: bool
    initiated: Literal["", "sms_otp"] = ""


async def conclude(
    tx: Transaction,
    context: Context,
    party: Party,
    factors: tuple[Factor, ...],
    *,
    waiting: Waiting | None,
    wanted: Wanted,
) -> SessionView | Unfinished:
    """Mint a session of `factors`, or keep them where they are not enough (semantics 4.2).

    `waiting` is what the login continues: it is used up by the session, or comes back with its
    token. What is `wanted` of a session means nothing to an intermediate one. The caller has locked
    the member: to one who is to prove the phone next, a code is sent.
    """
    project, organization, member = party.project, party.organization, party.member
    needs_primary = not requirements.has_primary(organization, member, factors)
    if needs_primary or requirements.needs_second(organization, member, factors):
        if waiting is None:
            kept = await intermediate_sessions.start(tx, context, member, factors=factors)
        else:
            kept = await intermediate_sessions.keep(tx, waiting, factors)
        seen = await shown(tx, party)
        sent = not needs_primary and await sms_sending.send_unasked(
            tx, context, project, organization, member, wanted.locale
        )
        await audit.record(tx, context, "session.await_factor", member, member.member_id)
        return Unfinished(*seen, kept, needs_primary, "sms_otp" if sent else "")
    return await begin(tx, context, party, factors, waiting=waiting, wanted=wanted)


async def begin(
    tx: Transaction,
    context: Context,
    party: Party,
    factors: tuple[Factor, ...],
    *,
    waiting: Waiting | None,
    wanted: Wanted,
) -> SessionView:
    """Mint a session of `factors`, which are enough; it uses up what was `waiting`."""
    project, organization, member = party.project, party.organization, party.member
    if waiting is not None:
        await intermediate_sessions.consume(tx, waiting)
    session, text = await sessions.start(
        tx,
        context,
        project,
        member,
        factors=factors,
        duration=sessions.lifetime(wanted.duration_minutes),
        custom_claims=session_claims.merge({}, wanted.custom_claims),
    )
    view = await sessions.view(tx, context, project, session, organization, member, token=text)
    await audit.record(tx, context, "session.create", session, session.session_id)
    return view


async def extend(
    tx: Transaction,
    context: Context,
    party: Party,
    session: Session,
    factor: Factor,
    *,
    wanted: Wanted,
) -> SessionView:
    """Add `factor` to a session, locked by the caller, and make it last as long as is wanted.

    Without a duration it is at least not shortened.
    """
    now = context.clock.now()
    end = now + sessions.lifetime(wanted.duration_minutes)
    changed = await sessions.change(
        tx,
        session,
        factors=with_factor(session.factors, factor),
        custom_claims=wanted.custom_claims,
        expires_at=end if wanted.duration_minutes is not None else max(end, session.expires_at),
        now=now,
    )
    view = await sessions.view(
        tx, context, party.project, changed, party.organization, party.member
    )
    await audit.record(tx, context, "session.add_factor", session, session.session_id)
    return view


async def shown(tx: Transaction, party: Party) -> tuple[MemberView, OrganizationView]:
    """Return member and organization with all that an answer shows of them."""
    return await members.shown(tx, party.project, party.organization, party.member)
