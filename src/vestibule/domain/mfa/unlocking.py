"""A lock that is ended before its time: by the member's own letter, or by an operator.

Where the project allows it, the letter that tells a member of the lock has a link (semantics 4.6).
The link names the member, the address and this very lock, sealed; it is good once, as long as the
lock lasts and the address is the member's. A member gets one link in the time that a lock lasts:
whoever has come as far as the second factor and reads the member's mail as well must not guess on
and on.
"""

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.clock import SECOND
from vestibule.domain import audit, members, organizations, sealed_texts, tenancy
from vestibule.domain.context import Context
from vestibule.domain.outcome import Party
from vestibule.domain.requirements import is_locked
from vestibule.errors import Failure
from vestibule.records import Member, Project
from vestibule.store.interface import Transaction

PATH: Final = "/v1/public/member_unlock"
_PURPOSE: Final = "member-unlock"


@dataclass(frozen=True)
class Locked:
    """Who is locked out, where."""

    email_address: str
    organization_name: str


async def allow(context: Context, project: Project, *, allowed: bool) -> None:
    """Put a link into letters of a lock from now on, or no more; links that are out stay good."""
    async with context.store.write() as tx:
        values = {"user_lock_self_serve": allowed}
        await tx.projects.change(values, project_id=project.project_id)
        await audit.record(
            tx, context, "project.set_self_serve_unlock", project, project.project_id
        )


def link(context: Context, party: Party, *, now: int) -> str:
    """Return the link for a lock that begins `now`, or '' where the member gets none.

    `party` has the member as it was before.
    """
    member = party.member
    lately = now < member.lock_created_at + context.settings.user_lock_seconds * SECOND
    if lately or not party.project.user_lock_self_serve or not member.email_address_verified:
        return ""
    lock = (member.project_id, member.organization_id, member.member_id, str(now))
    token = sealed_texts.write(context, (*lock, member.email_address), purpose=_PURPOSE)
    return f"{context.settings.base_url}{PATH}?token={token}"


async def waiting(context: Context, token: str) -> Locked:
    """Return whose lock a link would end, without using it up.

    Raises Failure unable_to_auth_magic_link.
    """
    async with context.store.read() as tx:
        member = await _of_link(tx, context, token)
        organization = await tx.organizations.find(
            project_id=member.project_id, organization_id=member.organization_id
        )
    if organization is None:
        raise Failure(errors.unable_to_auth_magic_link)
    return Locked(member.email_address, organization.organization_name)


async def confirm(context: Context, token: str) -> None:
    """Use a link up: the lock is over. Raises Failure unable_to_auth_magic_link."""
    now = context.clock.now()
    async with context.store.write() as tx:
        member = await _of_link(tx, context, token)
        # When it began is kept: a link is given once in the time that a lock lasts.
        ended = await tx.members.change(
            {"lock_expires_at": now, "failed_attempts": 0, "updated_at": now},
            **tenancy.of_member(member),
            email_address=member.email_address,
            lock_created_at=member.lock_created_at,
            lock_expires_at__gt=now,
        )
        if not ended:
            raise Failure(errors.unable_to_auth_magic_link)
        await audit.record(tx, context, "member.unlock", member, member.member_id)


async def release(context: Context, project: Project, locator: str, member_locator: str) -> bool:
    """End a member's lock on an operator's word; False where there was none.

    Raises Failure organization_not_found or member_not_found.
    """
    now = context.clock.now()
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator)
        member = await members.load(tx, organization, member_locator, lock=True)
        if not is_locked(member, now=now):
            return False
        free = replace(
            member, lock_created_at=0, lock_expires_at=0, failed_attempts=0, updated_at=now
        )
        await tx.members.update(free)
        await audit.record(tx, context, "member.unlock", member, member.member_id)
    return True


async def _of_link(tx: Transaction, context: Context, token: str) -> Member:
    """Return the member, locked as the link says. Raises Failure unable_to_auth_magic_link."""
    lock = sealed_texts.read(context, token, purpose=_PURPOSE)
    if lock is None:
        raise Failure(errors.unable_to_auth_magic_link)
    project_id, organization_id, member_id, began, email_address = lock
    member = await tx.members.find(
        project_id=project_id, organization_id=organization_id, member_id=member_id
    )
    if (
        member is None
        or member.status == "deleted"
        or member.lock_created_at != int(began)
        or member.email_address != email_address
        or not is_locked(member, now=context.clock.now())
    ):
        raise Failure(errors.unable_to_auth_magic_link)
    return member
