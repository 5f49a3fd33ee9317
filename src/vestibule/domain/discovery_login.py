"""From a proven address to a session: in an organization that is there, or in a new one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from vestibule import errors
from vestibule.domain import (
    audit,
    discovery,
    intermediate_sessions,
    members,
    organizations,
    outcome,
    requirements,
    transfer,
)
from vestibule.domain.context import Context
from vestibule.domain.email import key_of
from vestibule.domain.email_domains import name_of
from vestibule.domain.factors import method_of, proven_address
from vestibule.domain.intermediate_sessions import Waiting
from vestibule.domain.outcome import Party, Unfinished, Wanted
from vestibule.domain.policy import ADMIN_ROLE
from vestibule.domain.sessions import SessionView
from vestibule.domain.sign_in.provisioning import Overtaken
from vestibule.errors import Failure
from vestibule.log import logger
from vestibule.records import Member, Organization, Project
from vestibule.store import eligibility
from vestibule.store.interface import Conflict, ParentMissing, Transaction

_TRIES: Final = 3


@dataclass(frozen=True)
class Proven:
    """What the application sends: an intermediate session, and what it wants of the session."""

    intermediate_session_token: str
    wanted: Wanted


async def exchange(
    context: Context, project: Project, organization_id: str, proven: Proven
) -> SessionView | Unfinished:
    """Log the proven address in to an organization: as its member, or as one that is made now.

    The intermediate session ends with the beginning of the session; where another factor is needed
    it goes on, from now on as that member's. Raises Failure: those of `discovery.portable`,
    organization_not_found, those of `_join` for who is no member yet, and those of
    `requirements.require_standing`.
    """
    proven.wanted.check()
    for _ in range(_TRIES):
        try:
            async with context.store.write() as tx:
                waiting = await discovery.portable(
                    tx, context, project, proven.intermediate_session_token, lock=True
                )
                target = await organizations.load(tx, project, organization_id)
                return await _enter(tx, context, project, target, waiting, proven.wanted)
        except (Conflict, ParentMissing, Overtaken) as error:
            logger().info("discovery exchange overtaken", detail=str(error))
    raise Failure(errors.server_unavailable, retry_after=1)


async def create(
    context: Context, project: Project, changes: Mapping[str, Any], proven: Proven
) -> SessionView | Unfinished:
    """Make an organization of the fields that were sent, and the proven address its first admin.

    Without a name or slug it gets one made of the address. Raises Failure: those of
    `discovery.portable`, `organizations.create` and `members.add`.
    """
    proven.wanted.check()
    try:
        async with context.store.write() as tx:
            waiting = await discovery.portable(
                tx, context, project, proven.intermediate_session_token, lock=True
            )
            address = _address(waiting)
            name = name_of(key_of(address))
            fields = {"organization_name": name, **changes}
            target = await organizations.add(tx, context, project, fields, slug_of=name)
            creator = await _add(tx, context, project, target, address)
            said = await members.assign_roles(tx, context, creator, [ADMIN_ROLE])
            await audit.record(
                tx, context, "member.create", creator, creator.member_id, reason=said
            )
            return await _enter(tx, context, project, target, waiting, proven.wanted)
    except Conflict as conflict:
        raise organizations.taken(conflict) from None


async def _enter(  # noqa: PLR0917 - who enters where, with what
    tx: Transaction,
    context: Context,
    project: Project,
    target: Organization,
    waiting: Waiting,
    wanted: Wanted,
) -> SessionView | Unfinished:
    now = context.clock.now()
    offers = await transfer.offers(tx, project, waiting.record, target)
    member = transfer.who(offers)
    requirements.require_standing(target, member, now=now)
    known = member
    if member is None:
        member = await _join(tx, context, project, target, waiting)
        offers = await transfer.offers(tx, project, waiting.record, target)
    own = [offer for offer in offers if offer.member_id == member.member_id]
    factors = [await transfer.carried(tx, context, offer, member) for offer in own]
    allowed = [
        offer for offer in own if requirements.allows(target, member, method_of(offer.factor))
    ]
    member = await transfer.settle(tx, context, member, allowed)
    factors += transfer.proofs_of_phone(waiting.record.factors, target, member)
    # A method that is not allowed here stays proven for where it is.
    moved = await intermediate_sessions.move(tx, waiting, member, tuple(factors))
    await audit.record_login(tx, context, known, member, also=transfer.changed_ties(own))
    party = Party(project, target, member)
    return await outcome.conclude(
        tx, context, party, moved.record.factors, waiting=moved, wanted=wanted
    )


async def _join(
    tx: Transaction, context: Context, project: Project, target: Organization, waiting: Waiting
) -> Member:
    """Make a member of the proven address where the organization lets its domain in.

    Raises Failure email_jit_provisioning_not_allowed, action_not_allowed_email_domain_is_claimed,
    invalid_email_for_jit_provisioning or operation_restricted_by_organization_auth_methods, and
    Overtaken.
    """
    if target.email_jit_provisioning != "RESTRICTED":
        raise Failure(errors.email_jit_provisioning_not_allowed)
    address = _address(waiting)
    key = key_of(address)
    await members.require_unclaimed(tx, target, key)
    eligible = await eligibility.organizations(tx, project.project_id, key)
    if target.organization_id not in {each.organization_id for each in eligible}:
        if await members.by_email(tx, target, key):
            # Nobody had the address a moment ago.
            raise Overtaken
        raise Failure(errors.invalid_email_for_jit_provisioning)
    if not requirements.has_primary(target, None, waiting.record.factors):
        raise Failure(errors.operation_restricted_by_organization_auth_methods)
    try:
        return await _add(tx, context, project, target, address)
    except Failure as failure:
        if failure.error is errors.duplicate_member_email:
            raise Overtaken from None
        raise


async def _add(
    tx: Transaction, context: Context, project: Project, target: Organization, address: str
) -> Member:
    return await members.add(
        tx, context, project, target, email_address=address, status="active", email_verified=True
    )


def _address(waiting: Waiting) -> str:
    return next(filter(None, map(proven_address, waiting.record.factors)))
