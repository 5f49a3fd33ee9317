"""A member changes its own e-mail address: the new one is proven first (semantics 1.3).

The letter holds a link to a page of ours, which asks before it uses the link up (a scanner of mail
must not), or a code that the application hands on.
"""

from dataclasses import dataclass
from typing import Final, Literal

from vestibule import errors
from vestibule.clock import MINUTE
from vestibule.domain import (
    audit,
    letter_texts,
    letters,
    members,
    organizations,
    redirect_urls,
    tenancy,
)
from vestibule.domain.context import Context
from vestibule.domain.email import read_email
from vestibule.domain.members import MemberView
from vestibule.domain.organizations import OrganizationView
from vestibule.errors import Failure
from vestibule.ids import new_code, read_token, same_secret
from vestibule.records import EmailUpdate, Member, Organization, Project
from vestibule.store.interface import Transaction

LIFE: Final = 5 * MINUTE
PURPOSE: Final = "email-update-code"
_MOST_ATTEMPTS: Final = 5

Delivery = Literal["EMAIL_MAGIC_LINK", "EMAIL_OTP"]
Views = tuple[MemberView, OrganizationView]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The address that a member wants, and how it is to be proven."""

    email_address: str
    redirect_url: str = ""
    locale: str = "en"
    delivery: Delivery = "EMAIL_MAGIC_LINK"


async def start(
    context: Context, project: Project, locator: str, member_locator: str, wanted: Wanted
) -> Views:
    """Send the letter, and return the member as it still is. A later start replaces this one.

    Raises Failure: this server sends no mail, the redirect URL, the member is not active or has
    not proven its address, or the wanted one is not free.
    """
    if not context.mail.ready:
        raise Failure(errors.email_settings_not_found)
    address, key = read_email(wanted.email_address)
    token, now = context.mint_token(), context.clock.now()
    code = new_code(entropy=context.entropy) if wanted.delivery == "EMAIL_OTP" else ""
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator)
        member = await members.load(tx, organization, member_locator, lock=True)
        _require_settled(member)
        await _require_free(tx, organization, member, key, now=now)
        update = EmailUpdate(
            update_id=token.token_id,
            **tenancy.of_member(member),
            email_key=key,
            email_address=address,
            secret_hash=token.secret_hash,
            code=context.sealer.seal(code.encode(), purpose=PURPOSE) if code else b"",
            redirect_url="" if code else await _redirect_url(tx, project, wanted.redirect_url),
            created_at=now,
            expires_at=now + LIFE,
        )
        await tx.email_updates.delete(**tenancy.of_member(member))
        await tx.email_updates.insert(update)
        proof = code or f"{context.settings.base_url}/v1/public/email_update?token={token.text}"
        text = letter_texts.email_update(
            wanted.locale, organization.organization_name, proof, is_code=bool(code)
        )
        await letters.write(
            tx,
            context,
            project,
            organization.organization_id,
            to=address,
            subject=text.subject,
            text=text.body,
            until=update.expires_at,
        )
        await audit.record(tx, context, "member.start_email_update", member, member.member_id)
        return await members.shown(tx, project, organization, member)


async def waiting(context: Context, token: str) -> EmailUpdate:
    """Return the change that a link is for, without using it up.

    Raises Failure unable_to_verify_member_email_update.
    """
    async with context.store.read() as tx:
        return await _of_link(tx, token, now=context.clock.now())


async def confirm(context: Context, token: str) -> EmailUpdate:
    """Use a link up: the address is the member's, and proven. Return the change.

    Raises Failure unable_to_verify_member_email_update, and those of `members.change_email` when
    the address was taken meanwhile.
    """
    now = context.clock.now()
    async with context.store.write() as tx:
        update = await _of_link(tx, token, now=now)
        (project,) = await tx.projects.all(project_id=update.project_id)
        await _finish(tx, context, project, update, now=now)
    return update


async def confirm_code(
    context: Context, project: Project, locator: str, member_locator: str, code: str
) -> Views:
    """Use a code up: the address is the member's, and proven. Return the member.

    The fifth wrong code ends the change. Raises Failure as `confirm` does.
    """
    now = context.clock.now()
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator)
        member = await members.load(tx, organization, member_locator)
        update = await tx.email_updates.find(lock=True, **tenancy.of_member(member))
        right = update is not None and _is_right(context, update, code, now=now)
        if right and update is not None:
            member = await _finish(tx, context, project, update, now=now)
            return await members.shown(tx, project, organization, member)
        if update is not None:
            await tx.email_updates.change(
                {"attempts": update.attempts + 1}, **tenancy.of_member(member)
            )
    raise Failure(errors.unable_to_verify_member_email_update)


async def _finish(
    tx: Transaction, context: Context, project: Project, update: EmailUpdate, *, now: int
) -> Member:
    used = await tx.email_updates.change(
        {"consumed_at": now},
        **tenancy.of_member(update),
        update_id=update.update_id,
        consumed_at=0,
        expires_at__gt=now,
    )
    if not used:
        raise Failure(errors.unable_to_verify_member_email_update)
    organization = await organizations.load(tx, project, update.organization_id)
    member = await members.load(tx, organization, update.member_id, lock=True)
    member = await members.change_email(
        tx, context, organization, member, email_address=update.email_address, verified=True
    )
    await audit.record(tx, context, "member.confirm_email_update", member, member.member_id)
    return member


def _is_right(context: Context, update: EmailUpdate, code: str, *, now: int) -> bool:
    live = not update.consumed_at and update.expires_at > now
    if not update.code or not live or update.attempts >= _MOST_ATTEMPTS:
        return False
    return same_secret(context.sealer.unseal(update.code, purpose=PURPOSE), code.encode())


async def _of_link(tx: Transaction, token: str, *, now: int) -> EmailUpdate:
    read = read_token(token)
    update = await tx.email_updates.find(update_id=read.token_id) if read else None
    if (
        read is None
        or update is None
        or not same_secret(update.secret_hash, read.secret_hash)
        or update.code
        or update.consumed_at
        or update.expires_at <= now
    ):
        raise Failure(errors.unable_to_verify_member_email_update)
    return update


def _require_settled(member: Member) -> None:
    if member.status != "active":
        raise Failure(errors.email_updates_available_only_for_active_members)
    if not member.email_address_verified:
        raise Failure(errors.member_has_no_active_verified_email)


async def _require_free(
    tx: Transaction, organization: Organization, member: Member, key: str, *, now: int
) -> None:
    """Pass for an address that nobody else has, had or is changing to; an own old one is free."""
    within = {**tenancy.of_organization(organization), "email_key": key}
    held = await tx.member_emails.find(**within)
    if held is not None and not (held.member_id == member.member_id and held.retired):
        raise Failure(
            errors.desired_email_deactivated_by_different_member
            if held.retired
            else errors.duplicate_member_email
        )
    for other in await tx.email_updates.all(**within, consumed_at=0, expires_at__gt=now):
        if other.member_id != member.member_id:
            raise Failure(errors.desired_email_updating_for_different_member)
    await members.require_unclaimed(tx, organization, key)


async def _redirect_url(tx: Transaction, project: Project, given: str) -> str:
    registered = await tx.redirect_urls.all(project_id=project.project_id)
    return redirect_urls.choose(registered, "login", given)
