"""Discovery: the organizations that somebody can enter with what is proven (semantics 1.6, 3.5)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from vestibule import errors
from vestibule.domain import (
    intermediate_sessions,
    members,
    organizations,
    requirements,
    sessions,
    transfer,
)
from vestibule.domain.context import Context
from vestibule.domain.email import key_of
from vestibule.domain.factors import method_of, proven_address
from vestibule.domain.intermediate_sessions import Waiting
from vestibule.domain.members import MemberView
from vestibule.domain.organizations import OrganizationView
from vestibule.errors import Failure
from vestibule.records import Factor, IntermediateSession, Member, Organization, Project, Session
from vestibule.store import eligibility, sharing
from vestibule.store.interface import Transaction

# By member id: who is named, and the factors that name this member.
_Known = dict[str, tuple[Member, tuple[Factor, ...]]]

_LIVE: Final = ("active", "invited", "pending")


@dataclass(frozen=True)
class Reached:
    """An organization that can be entered; `member` is None for who is none there yet.

    `needs_primary` and `needs_second` say which factors are missing there.
    """

    organization: OrganizationView
    member: MemberView | None
    domain: str
    needs_primary: bool
    needs_second: bool


@dataclass(frozen=True)
class Discovery:
    """An address, and the organizations: memberships first, each kind the oldest first."""

    email_address: str
    organizations: tuple[Reached, ...]


async def run(
    context: Context,
    project: Project,
    *,
    intermediate_session_token: str = "",
    session_token: str = "",
    session_jwt: str = "",
) -> Discovery:
    """Return what exactly one of the three reaches; nothing is used up.

    An intermediate session also reaches the organizations that would make a member of the address;
    a session only those that it can be exchanged for. Raises Failure no_session_arguments,
    too_many_session_arguments, and those of `portable`, or of `sessions.find` and `sessions.owner`.
    """
    given = sum(map(bool, (intermediate_session_token, session_token, session_jwt)))
    if given != 1:
        raise Failure(
            errors.too_many_session_arguments if given else errors.no_session_arguments,
            "Give exactly one of intermediate_session_token, session_token and session_jwt.",
        )
    async with context.store.read() as tx:
        if intermediate_session_token:
            waiting = await portable(tx, context, project, intermediate_session_token)
            return await _of_proof(tx, project, waiting.record)
        session = await sessions.find(
            tx,
            project,
            session_token=session_token,
            session_jwt_text=session_jwt,
            now=context.clock.now(),
        )
        _, member = await sessions.owner(tx, project, session)
        return await _of_session(tx, project, session, member)


async def portable(
    tx: Transaction, context: Context, project: Project, text: str, *, lock: bool = False
) -> Waiting:
    """Return the intermediate session that `text` names, if it is good for any organization.

    One that holds an SSO factor belongs to the organization it was made in (MT-06): what an
    identity provider says counts for its own organization. Raises Failure
    invalid_intermediate_session_token_for_organization, insufficient_factors when it proves no
    address, and intermediate_session_not_found.
    """
    waiting = await intermediate_sessions.load(tx, context, project.project_id, text, lock=lock)
    factors = waiting.record.factors
    if any(method_of(factor) == "sso" for factor in factors):
        raise Failure(
            errors.invalid_intermediate_session_token_for_organization,
            "This intermediate session holds an SSO factor: it is good for the Organization that "
            "it was made in, and not for discovery.",
        )
    if not any(map(proven_address, factors)):
        raise Failure(
            errors.insufficient_factors,
            "No factor of this session proves an e-mail address; log in with one that does.",
        )
    return waiting


async def _of_proof(tx: Transaction, project: Project, proof: IntermediateSession) -> Discovery:
    address = next(filter(None, map(proven_address, proof.factors)))
    known = await _by_address(tx, project, proof.factors)
    reached = await _memberships(tx, project, proof, known)
    there = {each.organization.organization.organization_id for each in reached}
    key = key_of(address)
    eligible = [
        organization
        for organization in await eligibility.organizations(tx, project.project_id, key)
        if organization.organization_id not in there
        and requirements.has_primary(organization, None, proof.factors)
    ]
    for view in await organizations.views(tx, project, eligible):
        missing = requirements.needs_second(view.organization, None, ())
        domain = key.rpartition("@")[2]
        reached.append(Reached(view, None, domain, needs_primary=False, needs_second=missing))
    return Discovery(address, tuple(reached))


async def _of_session(
    tx: Transaction, project: Project, session: Session, member: Member
) -> Discovery:
    known = await _by_address(tx, project, session.factors)
    for factor in session.factors:
        if method_of(factor) != "sso":
            continue
        named = await transfer.identity_of(tx, session, factor)
        if named is None:
            continue
        used, identity = named
        for each in await sharing.members(
            tx,
            project.project_id,
            used.connection_id,
            external_id=identity.external_id,
            email_key=key_of(identity.email_address),
        ):
            _, others = known.get(each.member_id, (each, ()))
            known[each.member_id] = each, (*others, factor)
    known[member.member_id] = member, session.factors
    proven = filter(None, map(proven_address, session.factors))
    address = next(proven, member.email_address)
    return Discovery(address, tuple(await _memberships(tx, project, session, known)))


async def _by_address(tx: Transaction, project: Project, factors: Sequence[Factor]) -> _Known:
    own: dict[str, Any] = {"project_id": project.project_id}
    by_key: defaultdict[str, list[Factor]] = defaultdict(list)
    for factor in factors:
        if address := proven_address(factor):
            by_key[key_of(address)].append(factor)
    emails = await tx.member_emails.all(**own, email_key=tuple(by_key), retired=False)
    keys = {email.member_id: email.email_key for email in emails}
    found = await tx.members.all(**own, member_id=tuple(keys), status=_LIVE)
    return {item.member_id: (item, tuple(by_key[keys[item.member_id]])) for item in found}


async def _memberships(
    tx: Transaction,
    project: Project,
    proof: Session | IntermediateSession,
    known: _Known,
) -> list[Reached]:
    """Return what `known` members reach; suspended organizations let nobody in."""
    where = tuple({member.organization_id for member, _ in known.values()})
    found = await tx.organizations.all(
        project_id=project.project_id, organization_id=where, suspended_at=0, order="created_at"
    )
    by_id = {organization.organization_id: organization for organization in found}
    there = [member for member, _ in known.values() if member.organization_id in by_id]
    views = await members.views_across(tx, project, by_id, there)
    reached = []
    for view in await organizations.views(tx, project, found):
        for member in views:
            if member.member.organization_id == view.organization.organization_id:
                _, naming = known[member.member.member_id]
                factors = _counting(view.organization, member.member, proof, naming)
                reached.append(_reached(view, member, factors))
    return reached


def _counting(
    organization: Organization,
    member: Member,
    proof: Session | IntermediateSession,
    naming: Sequence[Factor],
) -> list[Factor]:
    """Return the factors of `proof` that count for `member`, whom those of `naming` name."""
    phones = transfer.proofs_of_phone(proof.factors, organization, member)
    return [*naming, *phones]


def _reached(view: OrganizationView, member: MemberView, factors: Sequence[Factor]) -> Reached:
    needs_primary = not requirements.has_primary(view.organization, member.member, factors)
    return Reached(
        view,
        member,
        "",
        needs_primary=needs_primary,
        needs_second=requirements.needs_second(view.organization, member.member, factors),
    )
