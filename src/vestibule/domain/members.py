"""Members: found, added, moved to another address, and shown with what is computed."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import organizations, role_ledger, roles, tenancy
from vestibule.domain.context import Context
from vestibule.domain.email import key_of, read_email
from vestibule.domain.organizations import OrganizationView
from vestibule.domain.policy import project_policy
from vestibule.errors import Failure
from vestibule.records import (
    Connection,
    Factor,
    IntermediateSession,
    Member,
    MemberEmail,
    MemberRole,
    MemberStatus,
    Organization,
    Project,
    Registration,
    Session,
)
from vestibule.store.interface import Conflict, ParentMissing, Transaction

ID_FORM: Final = re.compile(r"member-(test|live)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class MemberView:
    """A member with all that an answer shows of it. `emails` has the retired addresses too."""

    member: Member
    emails: tuple[MemberEmail, ...]
    direct_roles: tuple[str, ...]
    registrations: tuple[Registration, ...]
    grants: tuple[roles.Grant, ...]


async def load(
    tx: Transaction, organization: Organization, locator: str, *, lock: bool = False
) -> Member:
    """Return the member whose id, else external id, is `locator`; deleted ones are not found.

    An external id cannot have the form of an id. With `lock` the member stays as it is until the
    transaction ends. Raises Failure member_not_found.
    """
    member = await find(tx, organization, locator, lock=lock)
    if member is None:
        raise Failure(errors.member_not_found)
    return member


async def find(
    tx: Transaction, organization: Organization, locator: str, *, lock: bool = False
) -> Member | None:
    """Return the member that `load` does, or None."""
    column = "member_id" if ID_FORM.fullmatch(locator) else "external_id"
    where: dict[str, Any] = {**tenancy.of_organization(organization), column: locator}
    member = await tx.members.find(lock=lock, **where)
    return None if member is None or member.status == "deleted" else member


async def load_by_email(tx: Transaction, organization: Organization, address: str) -> Member:
    """Return the member whose present address this is. Raises Failure member_not_found."""
    member = await by_email(tx, organization, key_of(address))
    if member is None:
        raise Failure(errors.member_not_found)
    return member


async def by_email(tx: Transaction, organization: Organization, key: str) -> Member | None:
    """Return the member whose present address has this key (`email.read_email`), or None."""
    email = await tx.member_emails.find(
        **tenancy.of_organization(organization), email_key=key, retired=False
    )
    if email is None:
        return None
    return await tx.members.find(**tenancy.of_organization(organization), member_id=email.member_id)


async def shown(
    tx: Transaction, project: Project, organization: Organization, member: Member
) -> tuple[MemberView, OrganizationView]:
    """Return member and organization with all that an answer shows of them."""
    return (
        await view(tx, project, organization, member),
        await organizations.view(tx, project, organization),
    )


async def view(
    tx: Transaction, project: Project, organization: Organization, member: Member
) -> MemberView:
    """Return one member's view."""
    return (await views(tx, project, organization, [member]))[0]


async def views(
    tx: Transaction, project: Project, organization: Organization, members: Sequence[Member]
) -> list[MemberView]:
    """Return the views of members of one organization, in their order."""
    return await views_across(tx, project, {organization.organization_id: organization}, members)


async def views_across(
    tx: Transaction,
    project: Project,
    within: Mapping[str, Organization],
    members: Sequence[Member],
) -> list[MemberView]:
    """Return the views of members of several organizations of one project, in their order.

    `within` are these organizations by id. It takes four queries at most, however many members
    there are.
    """
    if not members:
        return []
    where: dict[str, Any] = {
        "project_id": project.project_id,
        "organization_id": tuple({member.organization_id for member in members}),
        "member_id": tuple(member.member_id for member in members),
    }
    emails = _by_member(await tx.member_emails.all(**where))
    direct = _by_member(await tx.member_roles.all(**where))
    registrations = _by_member(await tx.registrations.all(**where, order="created_at"))
    connections = await _connections(tx, project.project_id, registrations.values())
    policy = project_policy(project)
    found = []
    for member in members:
        own = registrations[member.member_id]
        addresses, given = emails[member.member_id], direct[member.member_id]
        grants = roles.member_grants(
            within[member.organization_id],
            member,
            given,
            own,
            connections,
            policy=policy,
            address_since=next((each.primary_since for each in addresses if not each.retired), 0),
        )
        role_ids = tuple(row.role_id for row in given)
        found.append(MemberView(member, tuple(addresses), role_ids, tuple(own), grants))
    return found


async def add(
    tx: Transaction,
    context: Context,
    project: Project,
    organization: Organization,
    *,
    email_address: str,
    name: str = "",
    status: MemberStatus = "active",
    email_verified: bool = False,
    **fields: Any,
) -> Member:
    """Add a member to `organization` and return it; `fields` are further columns of `Member`.

    Raises Failure invalid_email, duplicate_member_email, retired_member_email,
    action_not_allowed_email_domain_is_claimed, duplicate_member_external_id, or
    organization_not_found when the organization was deleted at the same moment.
    """
    address, key = read_email(email_address)
    await require_unclaimed(tx, organization, key)
    await _require_free(tx, organization, key)
    now = context.clock.now()
    member = Member(
        member_id=context.new_id("member", project),
        project_id=project.project_id,
        organization_id=organization.organization_id,
        email_address=address,
        status=status,
        email_address_verified=email_verified,
        name=name,
        created_at=now,
        updated_at=now,
        **fields,
    )
    try:
        await tx.members.insert(member)
        await tx.member_emails.insert(_email(context, project, member, key))
    except Conflict as conflict:
        raise taken(conflict) from None
    except ParentMissing:
        raise Failure(errors.organization_not_found) from None
    return member


async def bring_back(
    tx: Transaction,
    context: Context,
    project: Project,
    organization: Organization,
    member: Member,
) -> Member:
    """Make a deleted member active under the address it had, and return it as it now is.

    Raises Failure email_unverified_for_reactivation, reactivation_email_belongs_to_another_member
    or action_not_allowed_email_domain_is_claimed.
    """
    if not member.email_address_verified:
        raise Failure(errors.email_unverified_for_reactivation)
    _, key = read_email(member.email_address)
    await require_unclaimed(tx, organization, key)
    email = _email(context, project, member, key)
    if not await tx.member_emails.insert_if_absent(email):
        raise Failure(errors.reactivation_email_belongs_to_another_member)
    active = replace(member, status="active", updated_at=context.clock.now())
    await tx.members.update(active)
    return active


async def change_email(
    tx: Transaction,
    context: Context,
    organization: Organization,
    member: Member,
    *,
    email_address: str,
    verified: bool,
    unlink: bool = False,
) -> Member:
    """Give `member` another address and return the member as it now is (semantics 1.3).

    The old address is retired: it stays this member's, who may go back to it. With `unlink` it
    is given up. An address that differs in case alone is no other address. Raises Failure
    invalid_email, duplicate_member_email, retired_member_email or
    action_not_allowed_email_domain_is_claimed.
    """
    address, key = read_email(email_address)
    old_key = read_email(member.email_address)[1]
    changed = replace(member, email_address=address, updated_at=context.clock.now())
    own = {**tenancy.of_organization(organization), "member_id": member.member_id}
    if key != old_key:
        changed = replace(changed, email_address_verified=verified)
        await require_unclaimed(tx, organization, key)
        await _require_free(tx, organization, key, for_member=member.member_id)
        if unlink:
            await tx.member_emails.delete(**own, email_key=old_key)
        else:
            await tx.member_emails.change({"retired": True}, **own, email_key=old_key)
    values: dict[str, Any] = {"email_address": address, "retired": False}
    if key != old_key:
        values["primary_since"] = context.clock.now()
    if not await tx.member_emails.change(values, **own, email_key=key):
        (project,) = await tx.projects.all(project_id=organization.project_id)
        try:
            await tx.member_emails.insert(_email(context, project, changed, key))
        except Conflict as conflict:
            raise taken(conflict) from None
    await tx.members.update(changed)
    return changed


async def assign_roles(
    tx: Transaction, context: Context, member: Member, role_ids: Collection[str]
) -> str:
    """Make `role_ids` the roles that `member` holds directly; those held already stay as given.

    Returns what the audit log has to say of it.
    """
    own = tenancy.of_member(member)
    held = {row.role_id for row in await tx.member_roles.all(**own)}
    lost, gained = held.difference(role_ids), set(role_ids) - held
    await tx.member_roles.delete(**own, role_id=tuple(lost))
    for role_id in sorted(gained):
        row = MemberRole(**own, role_id=role_id, given=role_ledger.given(context))
        await tx.member_roles.insert(row)
    return role_ledger.said(gained=gained, lost=lost)


async def end_sessions(
    tx: Transaction, organization: Organization, member_id: str, *, connection_id: str = ""
) -> list[Session | IntermediateSession]:
    """End a member's sessions, intermediate ones too, and return them.

    With `connection_id` only those end that hold a factor of that connection.
    """
    where = {**tenancy.of_organization(organization), "member_id": member_id}
    ended: list[Session | IntermediateSession] = []
    for session in await tx.sessions.all(**where):
        if _has_factor(session.factors, connection_id):
            await tx.sessions.delete(**where, session_id=session.session_id)
            ended.append(session)
    for intermediate in await tx.intermediate_sessions.all(**where):
        if _has_factor(intermediate.factors, connection_id):
            await tx.intermediate_sessions.delete(**where, token_id=intermediate.token_id)
            ended.append(intermediate)
    return ended


def taken(conflict: Conflict) -> Failure:
    """Return the Failure of a member's value that another one took at the same moment."""
    if conflict.column == "members.external_id":
        return Failure(errors.duplicate_member_external_id)
    return Failure(errors.duplicate_member_email)


def _has_factor(factors: Iterable[Factor], connection_id: str) -> bool:
    return not connection_id or any(
        factor.details.get("provider_id") == connection_id for factor in factors
    )


async def require_unclaimed(tx: Transaction, organization: Organization, key: str) -> None:
    """Pass unless another organization claims the domain of the address (semantics 2.6).

    Raises Failure action_not_allowed_email_domain_is_claimed.
    """
    claim = await tx.organization_domains.find(
        project_id=organization.project_id, kind="claimed", domain=key.rpartition("@")[2]
    )
    if claim is not None and claim.organization_id != organization.organization_id:
        raise Failure(errors.action_not_allowed_email_domain_is_claimed)


async def _require_free(
    tx: Transaction, organization: Organization, key: str, *, for_member: str = ""
) -> None:
    held = await tx.member_emails.find(**tenancy.of_organization(organization), email_key=key)
    if held is not None and held.member_id != for_member:
        raise Failure(
            errors.retired_member_email if held.retired else errors.duplicate_member_email
        )


def _email(context: Context, project: Project, member: Member, key: str) -> MemberEmail:
    return MemberEmail(
        email_id=context.new_id("email", project),
        project_id=member.project_id,
        organization_id=member.organization_id,
        member_id=member.member_id,
        email_key=key,
        email_address=member.email_address,
        created_at=context.clock.now(),
        primary_since=context.clock.now(),
    )


Row = TypeVar("Row", MemberEmail, MemberRole, Registration)


def _by_member(rows: Iterable[Row]) -> defaultdict[str, list[Row]]:
    grouped: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row.member_id].append(row)
    return grouped


async def _connections(
    tx: Transaction, project_id: str, registrations: Iterable[Sequence[Registration]]
) -> list[Connection]:
    """Return the connections that these registrations belong to and that are in use."""
    ids = {row.connection_id for rows in registrations for row in rows}
    if not ids:
        return []
    return await tx.connections.all(
        project_id=project_id, connection_id=tuple(ids), status="active"
    )
