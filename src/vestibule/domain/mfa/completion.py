"""A second factor is proven: the intermediate session becomes a session, or a session gains it.

Every second factor ends here (semantics 4.2); what is its own is only how a code is judged.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import (
    audit,
    intermediate_sessions,
    members,
    organizations,
    outcome,
    requirements,
    sessions,
)
from vestibule.domain.context import Context
from vestibule.domain.factors import impersonates, with_factor
from vestibule.domain.intermediate_sessions import Waiting
from vestibule.domain.mfa import attempts
from vestibule.domain.outcome import Party, Wanted
from vestibule.domain.sessions import SessionView
from vestibule.errors import Failure
from vestibule.records import Factor, Member, Organization, Project, Session
from vestibule.store.interface import Transaction

Method = Literal["sms_otp", "totp"]
_ENROLLMENT: Final = {"enroll": True, "unenroll": False}


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """The three ways to name what a member has proven so far; '' stands for absent."""

    intermediate_session_token: str = ""
    session_token: str = ""
    session_jwt: str = ""

    def count(self) -> int:
        """Return how many are given."""
        return sum(
            map(bool, (self.intermediate_session_token, self.session_token, self.session_jwt))
        )


@dataclass(frozen=True, kw_only=True)
class Completion:
    """What an application sends with any second factor; '' stands for absent."""

    organization_id: str
    member_id: str
    tokens: Tokens
    wanted: Wanted
    set_mfa_enrollment: str = ""
    set_default_mfa: bool = False

    def check(self) -> None:
        """Pass when the request is one that can be answered. Raises Failure."""
        if not self.tokens.count():
            raise Failure(
                errors.no_session_arguments,
                "Give intermediate_session_token, session_token or session_jwt.",
            )
        require_one_at_most(self.tokens)
        self.wanted.check()
        if self.set_mfa_enrollment and self.set_mfa_enrollment not in _ENROLLMENT:
            raise Failure(errors.invalid_set_mfa_enrollment)


@dataclass(frozen=True)
class Proven:
    """A second factor that is proven, and the member as the proof leaves it, not yet written."""

    factor: Factor
    member: Member


class Wrong(Exception):
    """A guess that was judged and is wrong: it counts, and what `prove` has written stays."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure


Prove = Callable[[Transaction, Party], Awaitable[Proven]]
Held = Waiting | Session


async def complete(
    context: Context, project: Project, request: Completion, *, method: Method, prove: Prove
) -> SessionView:
    """Judge a code by `prove`, and return the session that holds what it proves.

    `prove` runs inside the transaction, with the member locked and active; it returns a factor
    whose order is SECONDARY, or raises Wrong for a guess and Failure for what was none. `method` is
    what organizations call it. Raises Failure: the arguments, whose session it is, that it has a
    primary factor, the member's lock and status, the organization's methods, and the guess's.
    """
    request.check()
    async with context.store.write() as tx:
        party = await party_of(tx, project, request.organization_id, request.member_id)
        organization, member = party.organization, party.member
        held = await held_by(tx, context, party, request.tokens)
        require_second(party, method, now=context.clock.now())
        try:
            proven = await prove(tx, party)
        except Wrong as wrong:
            await attempts.count(tx, context, party)
            refusal = wrong.failure
        else:
            settled = await _settle(tx, context, party, proven.member, request, method)
            after = Party(project, organization, settled)
            ended = await _end(tx, context, after, held, proven.factor, request.wanted)
            await audit.record_login(tx, context, member, settled)
            return ended
    raise refusal


async def party_of(tx: Transaction, project: Project, locator: str, member_locator: str) -> Party:
    """Return a member, locked, where it is. Raises organization_not_found, member_not_found."""
    organization = await organizations.load(tx, project, locator)
    member = await members.load(tx, organization, member_locator, lock=True)
    return Party(project, organization, member)


def require_one_at_most(tokens: Tokens) -> None:
    """Pass when none or one is given. Raises Failure too_many_session_arguments."""
    if tokens.count() > 1:
        raise Failure(
            errors.too_many_session_arguments,
            "Give only one of intermediate_session_token, session_token and session_jwt.",
        )


async def held_by(tx: Transaction, context: Context, party: Party, tokens: Tokens) -> Held:
    """Return the session or intermediate session of this member that `tokens` names, locked.

    Raises Failure: it is unknown or over, another member's (member_session_member_id_mismatch),
    another organization's, one that impersonates, or an intermediate one without a primary factor
    that counts.
    """
    organization, member = party.organization, party.member
    held: Held
    if tokens.intermediate_session_token:
        text = tokens.intermediate_session_token
        held = await intermediate_sessions.named(tx, context, organization, text)
    else:
        held = await sessions.find(
            tx,
            party.project,
            session_token=tokens.session_token,
            session_jwt_text=tokens.session_jwt,
            now=context.clock.now(),
            lock=True,
        )
    if _owner(held) != (organization.organization_id, member.member_id):
        raise Failure(errors.member_session_member_id_mismatch)
    if isinstance(held, Session) and impersonates(held.factors):
        raise Failure(errors.session_not_mutable)
    if isinstance(held, Waiting) and not requirements.has_primary(
        organization, member, held.record.factors
    ):
        raise Failure(errors.action_available_only_once_primary_authentication_is_met)
    return held


def require_second(party: Party, method: Method, *, now: int) -> None:
    """Pass when the member may use this second factor now.

    Raises Failure organization_suspended, user_lock_limit_reached,
    action_available_only_for_active_members or operation_restricted_by_organization_mfa_methods.
    """
    organization, member = party.organization, party.member
    requirements.require_standing(organization, member, now=now)
    if member.status != "active":
        raise Failure(errors.action_available_only_for_active_members)
    if not requirements.allows_second(organization, member, method):
        raise Failure(errors.operation_restricted_by_organization_mfa_methods)


def _owner(held: Held) -> tuple[str, str]:
    of = held.record if isinstance(held, Waiting) else held
    return of.organization_id, of.member_id


async def _settle(  # noqa: PLR0917 - what there was, what is proven, what is asked for
    tx: Transaction,
    context: Context,
    party: Party,
    proven: Member,
    request: Completion,
    method: Method,
) -> Member:
    """Write what a proven second factor changes of the member, and return the member."""
    default = proven.default_mfa_method
    settled = replace(
        proven,
        mfa_enrolled=_enrolled(party.organization, proven, request.set_mfa_enrollment),
        default_mfa_method=method if request.set_default_mfa or not default else default,
    )
    if settled != party.member:
        settled = replace(settled, updated_at=context.clock.now())
    settled = replace(settled, failed_attempts=0)
    if settled != party.member:
        await tx.members.update(settled)
    return settled


def _enrolled(organization: Organization, member: Member, asked: str) -> bool:
    """Return whether the member is enrolled from now on.

    Where everybody needs a second factor, using one enrols, whatever was asked.
    """
    if organization.mfa_policy == "REQUIRED_FOR_ALL":
        return True
    return _ENROLLMENT.get(asked, member.mfa_enrolled)


async def _end(  # noqa: PLR0917 - who, with what, and what it becomes
    tx: Transaction,
    context: Context,
    party: Party,
    held: Held,
    factor: Factor,
    wanted: Wanted,
) -> SessionView:
    if isinstance(held, Session):
        return await outcome.extend(tx, context, party, held, factor, wanted=wanted)
    factors = with_factor(held.record.factors, factor)
    return await outcome.begin(tx, context, party, factors, waiting=held, wanted=wanted)
