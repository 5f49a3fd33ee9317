"""Who logs in: from a verified identity to a member (semantics 2.6, the decision table).

Looked up in this order: the registration (connection, external id), then the e-mail address in
the connection's own organization, then just-in-time provisioning.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import connections, members, metadata, tenancy
from vestibule.domain.context import Context
from vestibule.domain.email import read_email
from vestibule.domain.requirements import may_provision
from vestibule.errors import Failure
from vestibule.records import (
    Connection,
    Identity,
    Member,
    MemberEmail,
    Organization,
    Project,
    Registration,
)
from vestibule.store.interface import Transaction


@dataclass(frozen=True)
class Login:
    """A verified identity at a connection of an organization."""

    project: Project
    organization: Organization
    connection: Connection
    identity: Identity


class Overtaken(Exception):
    """Another login of the same person was faster; a new transaction will see what it made."""


async def match(tx: Transaction, login: Login) -> Member | None:
    """Return the member that would log in, or None when one would be created."""
    registration = await _registration(tx, login)
    member = await _live_member(tx, login, registration.member_id) if registration else None
    return member or await _by_email(tx, login)


@dataclass(frozen=True)
class Found:
    """The member that an identity is of, and the registration that says so; None where not yet."""

    member: Member | None
    registration: Registration | None


async def find(tx: Transaction, login: Login) -> Found:
    """Return who logs in, locked: it cannot be deleted between this decision and the session.

    A registration that a deleted member left behind is removed. Raises Overtaken, and Failure
    duplicate_member_email when the address is that of a member with another account there.
    """
    registration = await _registration(tx, login)
    if registration is not None:
        member = await _live_member(tx, login, registration.member_id, lock=True)
        if member is not None:
            return Found(member, registration)
        # Deleted members are never matched (row 8); their registrations mean nothing.
        await tx.registrations.delete(
            **tenancy.of_organization(login.organization),
            registration_id=registration.registration_id,
        )
    member = await _by_email(tx, login, lock=True)
    if member is not None:
        await _refuse_other_subject(tx, login, member)
    return Found(member, None)


async def admit(
    tx: Transaction, context: Context, login: Login, found: Found
) -> tuple[Member, Registration]:
    """Return member and registration as this login leaves them; creates them where needed.

    Raises Overtaken, and Failure: JIT provisioning is not allowed for this connection, or the
    address belongs to another member or organization.
    """
    if found.member is None:
        member = await _provision(tx, context, login)
    elif found.registration is not None:
        member = await _follow_email(tx, context, login, found.member)
    else:
        member = found.member
    member = await _settle(tx, context, login, member)
    return member, await register(tx, context, login, member, found.registration)


def changed_ties(found: Found, identity: Identity) -> set[str]:
    """Return the names of what a login changes of the tie between a member and an identity."""
    if found.registration is None:
        return {"sso_registrations"}
    told = identity.groups is not None and identity.groups != found.registration.groups
    return {"groups"} if told else set()


async def _registration(tx: Transaction, login: Login) -> Registration | None:
    return await tx.registrations.find(
        **tenancy.of_organization(login.organization),
        connection_id=login.connection.connection_id,
        external_id=login.identity.external_id,
    )


async def _live_member(
    tx: Transaction, login: Login, member_id: str, *, lock: bool = False
) -> Member | None:
    member = await tx.members.find(
        lock=lock, **tenancy.of_organization(login.organization), member_id=member_id
    )
    return None if member is None or member.status == "deleted" else member


async def _by_email(tx: Transaction, login: Login, *, lock: bool = False) -> Member | None:
    """Return the member whose primary address this is; retired ones name nobody."""
    email = await _email(tx, login)
    if email is None or email.retired:
        return None
    return await _live_member(tx, login, email.member_id, lock=lock)


async def _email(tx: Transaction, login: Login) -> MemberEmail | None:
    _, key = read_email(login.identity.email_address)
    return await tx.member_emails.find(**tenancy.of_organization(login.organization), email_key=key)


async def _follow_email(tx: Transaction, context: Context, login: Login, member: Member) -> Member:
    """Row 2: an address that changed at the identity provider becomes the primary one."""
    email = await _email(tx, login)
    if email is not None and email.member_id == member.member_id and not email.retired:
        return member
    return await members.change_email(
        tx,
        context,
        login.organization,
        member,
        email_address=login.identity.email_address,
        verified=True,
        unlink=False,
    )


async def _refuse_other_subject(tx: Transaction, login: Login, member: Member) -> None:
    """Row 4, as decided in security.md 3.3: a second subject for one member is refused."""
    other = await tx.registrations.find(
        **tenancy.of_organization(login.organization),
        connection_id=login.connection.connection_id,
        member_id=member.member_id,
    )
    if other is not None and other.external_id == login.identity.external_id:
        raise Overtaken
    if other is not None:
        raise Failure(
            errors.duplicate_member_email,
            "A Member with this e-mail address is already tied to another account of this identity "
            "provider. Delete that Member or let the identity provider send the same id as before.",
        )


async def _provision(tx: Transaction, context: Context, login: Login) -> Member:
    """Rows 5 to 7: create the member when the organization lets this connection do so."""
    organization = login.organization
    if not may_provision(organization, login.connection):
        raise Failure(errors.invalid_connection_for_jit_provisioning)
    try:
        return await members.add(
            tx,
            context,
            login.project,
            organization,
            email_address=login.identity.email_address,
            name=login.identity.name,
            status="active",
            email_verified=True,
        )
    except Failure as failure:
        if failure.error is errors.duplicate_member_email:
            # Nobody had the address a moment ago.
            raise Overtaken from None
        raise


async def _settle(tx: Transaction, context: Context, login: Login, member: Member) -> Member:
    """Write what a login changes: status, proof of the address, an empty name, mapped metadata."""
    identity = login.identity
    settled = replace(
        member,
        status="active",
        email_address_verified=True,
        name=member.name or identity.name,
        trusted_metadata=metadata.merge_within_limits(member.trusted_metadata, identity.metadata),
    )
    if settled != member:
        settled = replace(settled, updated_at=context.clock.now())
        await tx.members.update(settled)
    return settled


async def register(
    tx: Transaction,
    context: Context,
    login: Login,
    member: Member,
    registration: Registration | None,
) -> Registration:
    """Write what this login says about the identity: raw attributes, and groups where sent.

    Raises Overtaken when the connection was deleted at the same moment.
    """
    now, identity = context.clock.now(), login.identity
    if registration is not None:
        renewed = replace(
            registration,
            sso_attributes=identity.attributes,
            groups=registration.groups if identity.groups is None else identity.groups,
            updated_at=now,
            groups_since=_groups_since(registration, identity, now=now),
        )
        if not await tx.registrations.update(renewed):
            raise Overtaken
        return renewed
    prefix = f"{connections.protocol_of(login.connection)}-member-registration"
    created = Registration(
        registration_id=context.new_id(prefix, login.project),
        **tenancy.of_organization(login.organization),
        member_id=member.member_id,
        connection_id=login.connection.connection_id,
        external_id=identity.external_id,
        sso_attributes=identity.attributes,
        groups=identity.groups,
        created_at=now,
        updated_at=now,
        groups_since=dict.fromkeys(identity.groups or (), now),
    )
    await tx.registrations.insert(created)
    return created


def _groups_since(before: Registration, identity: Identity, *, now: int) -> Mapping[str, int]:
    """Return since when each group has been sent; 0 for one that was there before this was kept."""
    if identity.groups is None:
        return before.groups_since
    known = {**dict.fromkeys(before.groups or (), 0), **before.groups_since}
    return {group: known.get(group, now) for group in identity.groups}
