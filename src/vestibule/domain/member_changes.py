"""Members as an application makes, changes and deletes them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import audit, members, organizations, phone_numbers, tenancy
from vestibule.domain.context import Context
from vestibule.domain.email import key_of
from vestibule.domain.members import MemberView
from vestibule.domain.metadata import merge
from vestibule.domain.mfa.sms_codes import without_phone
from vestibule.domain.mfa.totps import without
from vestibule.domain.organization_settings import EXTERNAL_ID
from vestibule.domain.organizations import OrganizationView
from vestibule.domain.policy import MEMBER_ROLE, project_policy, roles_of
from vestibule.errors import Failure
from vestibule.records import Member, Organization, Project
from vestibule.store.interface import Conflict, Transaction

_METADATA: Final = ("trusted_metadata", "untrusted_metadata")


async def create(
    context: Context,
    project: Project,
    locator: str,
    *,
    email_address: str,
    pending: bool,
    roles: Sequence[str],
    fields: Mapping[str, Any],
) -> tuple[MemberView, OrganizationView]:
    """Add a member, active or pending, with these direct roles; `fields` are columns of Member.

    Raises Failure organization_not_found, the Failures of `members.add`, those of a role that
    cannot be assigned, and invalid_id, invalid_phone_number, metadata_too_….
    """
    values = {**fields, **{name: merge({}, fields.get(name, {})) for name in _METADATA}}
    _check_values(project, values)
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator)
        role_ids = _assignable(roles_of(project_policy(project), organization), roles)
        member = await members.add(
            tx,
            context,
            project,
            organization,
            email_address=email_address,
            status="pending" if pending else "active",
            **values,
        )
        said = await members.assign_roles(tx, context, member, role_ids)
        await audit.record(tx, context, "member.create", member, member.member_id, reason=said)
        return await members.shown(tx, project, organization, member)


async def update(
    context: Context,
    project: Project,
    locator: str,
    member_locator: str,
    changes: Mapping[str, Any],
    *,
    unlink_email: bool = False,
    preserve_existing_sessions: bool = False,
) -> tuple[MemberView, OrganizationView]:
    """Change the fields that were sent: columns of Member, and `roles` for the direct ones.

    Metadata is merged, roles are replaced whole, another `email_address` has to be verified anew.
    Losing a role ends sessions as `_end_sessions_of_lost_roles` says. Raises Failure
    organization_not_found, member_not_found, those of `create`, of `members.change_email`, of a
    phone number that is set already and of a method that is not set up.
    """
    _check_values(project, changes)
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator)
        before = member = await members.load(tx, organization, member_locator, lock=True)
        said = ""
        if "roles" in changes:
            role_ids = _assignable(
                roles_of(project_policy(project), organization), changes["roles"]
            )
            seen = await members.view(tx, project, organization, member)
            said = await members.assign_roles(tx, context, member, role_ids)
            if not preserve_existing_sessions:
                await _end_sessions_of_lost_roles(tx, organization, seen, role_ids)
        if "email_address" in changes:
            member = await members.change_email(
                tx,
                context,
                organization,
                member,
                email_address=changes["email_address"],
                verified=False,
                unlink=unlink_email,
            )
        member = replace(member, **_columns(member, changes), updated_at=context.clock.now())
        try:
            await tx.members.update(member)
        except Conflict as conflict:
            raise members.taken(conflict) from None
        changed = audit.differing(before, member) | (changes.keys() & {"roles"})
        await audit.record(
            tx,
            context,
            "member.update",
            member,
            member.member_id,
            changed=changed,
            reason=said,
        )
        return await members.shown(tx, project, organization, member)


async def delete(context: Context, project: Project, locator: str, member_locator: str) -> str:
    """Delete a member and return its id. Raises Failure organization_not_found, member_not_found.

    The sessions end; addresses, external id and identities at connections are free for others;
    roles are gone. The member itself stays as `deleted`, for search and reactivation.
    """
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator)
        member = await members.load(tx, organization, member_locator, lock=True)
        await members.end_sessions(tx, organization, member.member_id)
        own = tenancy.of_member(member)
        await tx.member_emails.delete(**own)
        await tx.member_roles.delete(**own)
        await tx.registrations.delete(**own)
        await tx.email_updates.delete(**own)
        await tx.impersonation_tokens.delete(**own)
        await tx.totps.delete(**own)
        await tx.sms_codes.delete(**own)
        await tx.members.update(
            replace(
                without(without_phone(member)),
                status="deleted",
                external_id=None,
                updated_at=context.clock.now(),
            )
        )
        await audit.record(tx, context, "member.delete", member, member.member_id)
    return member.member_id


async def reactivate(
    context: Context, project: Project, locator: str, member_id: str
) -> tuple[MemberView, OrganizationView]:
    """Make a deleted member active again, with its address but without what deletion ended.

    Only the member's own id names it. Raises Failure organization_not_found,
    no_deleted_member_found_for_reactivation, email_unverified_for_reactivation,
    reactivation_email_belongs_to_another_member or action_not_allowed_email_domain_is_claimed.
    """
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator)
        member = await tx.members.find(
            lock=True,
            project_id=project.project_id,
            organization_id=organization.organization_id,
            member_id=member_id,
        )
        if member is None or member.status != "deleted":
            raise Failure(errors.no_deleted_member_found_for_reactivation)
        member = await members.bring_back(tx, context, project, organization, member)
        await audit.record(tx, context, "member.reactivate", member, member.member_id)
        return await members.shown(tx, project, organization, member)


async def delete_external_id(
    context: Context, project: Project, locator: str, member_locator: str
) -> tuple[MemberView, OrganizationView]:
    """Take a member's external id away, if it has one.

    Raises Failure organization_not_found or member_not_found.
    """
    return await update(context, project, locator, member_locator, {"external_id": None})


async def unlink_retired_email(
    context: Context,
    project: Project,
    locator: str,
    member_locator: str,
    *,
    email_id: str = "",
    email_address: str = "",
) -> tuple[MemberView, OrganizationView]:
    """Give up a retired address of a member, so that others may have it.

    Given both names, they must be of the same address. Raises Failure organization_not_found,
    member_not_found, retired_email_missing_email_identifiers or email_not_found.
    """
    if not email_id and not email_address:
        raise Failure(errors.retired_email_missing_email_identifiers)
    named: dict[str, Any] = {"email_id": email_id} if email_id else {}
    if email_address:
        named["email_key"] = key_of(email_address)
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator)
        member = await members.load(tx, organization, member_locator, lock=True)
        if not await tx.member_emails.delete(
            project_id=member.project_id,
            organization_id=member.organization_id,
            member_id=member.member_id,
            retired=True,
            **named,
        ):
            raise Failure(errors.email_not_found)
        await audit.record(tx, context, "member.unlink_retired_email", member, member.member_id)
        return await members.shown(tx, project, organization, member)


async def get(
    context: Context,
    project: Project,
    locator: str,
    *,
    member_locator: str = "",
    email_address: str = "",
) -> tuple[MemberView, OrganizationView]:
    """Return the member with this id, external id or present address.

    Raises Failure organization_not_found, invalid_member_get_fields or member_not_found.
    """
    if bool(member_locator) == bool(email_address):
        raise Failure(errors.invalid_member_get_fields)
    async with context.store.read() as tx:
        organization = await organizations.load(tx, project, locator)
        if member_locator:
            member = await members.load(tx, organization, member_locator)
        else:
            member = await members.load_by_email(tx, organization, email_address)
        return await members.shown(tx, project, organization, member)


async def get_anywhere(
    context: Context, project: Project, member_id: str, *, include_deleted: bool
) -> tuple[MemberView, OrganizationView]:
    """Return the member of any organization with this id. Raises Failure member_not_found."""
    async with context.store.read() as tx:
        member = await tx.members.find(project_id=project.project_id, member_id=member_id)
        if member is None or (member.status == "deleted" and not include_deleted):
            raise Failure(errors.member_not_found)
        organization = await organizations.load(tx, project, member.organization_id)
        return await members.shown(tx, project, organization, member)


async def _end_sessions_of_lost_roles(
    tx: Transaction, organization: Organization, before: MemberView, role_ids: Iterable[str]
) -> None:
    """End the sessions that would still hold a role through SSO that was just taken away.

    That are the sessions with a factor of a connection that grants such a role, too
    (semantics 1.3).
    """
    lost = set(before.direct_roles) - set(role_ids)
    connection_ids = {
        source.connection_id
        for grant in before.grants
        if grant.role_id in lost
        for source in grant.sources
        if source.connection_id
    }
    for connection_id in sorted(connection_ids):
        await members.end_sessions(
            tx, organization, before.member.member_id, connection_id=connection_id
        )


def _assignable(known: Collection[str], role_ids: Sequence[str]) -> list[str]:
    """Return the roles once each. Raises Failure for one that cannot be given to a member."""
    for role_id in role_ids:
        if role_id == MEMBER_ROLE:
            raise Failure(errors.cannot_assign_default_rbac_role_id)
        if role_id not in known:
            raise Failure(
                errors.invalid_rbac_role_assignment, f"roles: no role is named {role_id[:128]!r}."
            )
    return list(dict.fromkeys(role_ids))


def _check_values(project: Project, values: Mapping[str, Any]) -> None:
    """Pass when the values that need nothing else to be judged are good."""
    external_id = values.get("external_id")
    if external_id is not None and (
        not EXTERNAL_ID.fullmatch(external_id) or members.ID_FORM.fullmatch(external_id)
    ):
        raise Failure(
            errors.invalid_id,
            "external_id: expected 1 to 128 letters, digits, '.', '_', '-', '|'.",
        )
    if "mfa_phone_number" in values:
        phone_numbers.require_number(project, values["mfa_phone_number"])
    if values.get("default_mfa_method", "totp") not in {"sms_otp", "totp"}:
        raise Failure(errors.invalid_mfa_default_method)


def _columns(member: Member, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of `member` that `changes` gives another value."""
    elsewhere = {"roles", "email_address"}
    values = {name: value for name, value in changes.items() if name not in elsewhere}
    for name in values.keys() & set(_METADATA):
        values[name] = merge(getattr(member, name), values[name])
    phone = values.get("mfa_phone_number", member.mfa_phone_number)
    if phone != member.mfa_phone_number and member.mfa_phone_number:
        raise Failure(errors.duplicate_member_phone_number_for_member)
    method = values.get("default_mfa_method")
    has = {"totp": member.totp_registration_id, "sms_otp": phone}
    if method and not has[method]:
        raise Failure(errors.default_mfa_member_missing_factor)
    return values
