"""The audit log: what was changed, by whom and from where; the one place that writes it.

An event is written in the transaction of its change and stands or falls with it. The events of an
organization, and those of a project that concern no organization, each form a chain: numbered
without gaps, each with the hash of the one before. Nothing here changes or removes an event.

The hash is SHA-256 of the event as JSON with sorted keys, bytes in base64, fields of default value
left out, `hash` itself as well.
"""

import hashlib
from collections.abc import Iterable
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from vestibule.domain.context import Context
from vestibule.records import (
    SYSTEM,
    AuditEvent,
    AuditHead,
    Connection,
    IntermediateSession,
    Member,
    Organization,
    Project,
    Record,
    Session,
    SsoToken,
)
from vestibule.store.interface import Transaction

Action = Literal[
    "organization.create",
    "organization.update",
    "organization.delete",
    "organization.suspend",
    "organization.resume",
    "organization.set_roles",
    "member.create",
    "member.update",
    "member.delete",
    "member.reactivate",
    "member.unlink_retired_email",
    "member.add_totp",
    "member.delete_totp",
    "member.rotate_recovery_codes",
    "member.send_sms_code",
    "member.delete_phone_number",
    "member.lock",
    "member.unlock",
    "member.start_email_update",
    "member.confirm_email_update",
    "member.impersonate",
    "connection.create",
    "connection.update",
    "connection.update_settings",
    "connection.delete",
    "connection.sever",
    "connection.delete_certificate",
    "connection.delete_encryption_key",
    "connection.accept_metadata",
    "connection.refuse_metadata",
    "connection.follow_metadata",
    "connection.stop_metadata",
    "connection.start_key_rotation",
    "connection.complete_key_rotation",
    "connection.cancel_key_rotation",
    "session.create",
    "session.await_factor",
    "session.add_factor",
    "session.refuse",
    "session.revoke",
    "session.log_out",
    "project.create",
    "project.add_secret",
    "project.refuse_secrets",
    "project.remove_secret",
    "project.add_redirect_url",
    "project.set_default_redirect_url",
    "project.remove_redirect_url",
    "project.rotate_key",
    "project.add_trusted_tokens",
    "project.remove_trusted_tokens",
    "project.set_policy",
    "project.set_session_migration",
    "project.set_self_serve_unlock",
    "project.set_impersonation",
]
# What is kept for the ledger of roles differs when an assignment beside it does.
_LEDGER: Final = frozenset({"connection_roles_given"})
# A login sets them to zero: no event says that, as none said that they were counted.
_COUNTS: Final = frozenset({"failed_attempts"})
Owner = Project | Organization | Member | Connection | Session | SsoToken


async def record(
    tx: Transaction,
    context: Context,
    action: Action,
    owner: Owner,
    object_id: str,
    *,
    changed: Iterable[str] = (),
    reason: str = "",
) -> None:
    """Append an event to the chain of the owner's organization, or of a project.

    `changed` are names of fields: values, which may be secret, are never written. It has to be the
    last thing in a transaction that locks anything: the chain is held from here to the commit, and
    who holds it must not wait for somebody who wants it.
    """
    organization_id = "" if isinstance(owner, Project) else owner.organization_id
    head = await _held(tx, AuditHead(project_id=owner.project_id, organization_id=organization_id))
    event = AuditEvent(
        project_id=head.project_id,
        organization_id=head.organization_id,
        sequence=head.sequence + 1,
        occurred_at=context.clock.now(),
        action=action,
        object_id=object_id,
        member_id=owner.member_id if isinstance(owner, Member | Session) else "",
        changed=tuple(sorted(set(changed))),
        reason=reason,
        **msgspec.structs.asdict(context.origin),
        previous_hash=head.hash,
    )
    event = replace(event, hash=digest(event))
    await tx.audit_events.insert(event)
    await tx.audit_heads.update(replace(head, sequence=event.sequence, hash=event.hash))


async def record_end(
    tx: Transaction,
    context: Context,
    action: Action,
    ended: Iterable[Session | IntermediateSession],
    *,
    reason: str = "",
) -> None:
    """Append one event for each member whose sessions have `ended`, as `record` does.

    It names the session, or the member where several of one have ended.
    """
    by_member: dict[tuple[str, str], list[Session]] = {}
    for each in ended:
        if isinstance(each, Session):
            by_member.setdefault((each.organization_id, each.member_id), []).append(each)
    # In order, as two that end sessions of the same organizations wait for one another's chains.
    for (_, member_id), sessions in sorted(by_member.items()):
        named = sessions[0].session_id if len(sessions) == 1 else member_id
        await record(tx, context, action, sessions[0], named, reason=reason)


async def record_login(
    tx: Transaction,
    context: Context,
    before: Member | None,
    after: Member,
    *,
    also: Iterable[str] = (),
) -> None:
    """Append what a login did to its member, as `record` does: made it, or changed it.

    `before` is None for a member that it made; `also` names what it changed beside the member's
    record. A login that leaves the member as it was is no event here.
    """
    if before is None:
        await record(tx, context, "member.create", after, after.member_id)
        return
    changed = (differing(before, after) | set(also)) - _COUNTS
    if changed:
        await record(
            tx,
            context,
            "member.update",
            after,
            after.member_id,
            changed=changed,
            reason="by a login",
        )


async def record_deletion(
    tx: Transaction,
    context: Context,
    action: Literal["organization.delete", "connection.delete"],
    owner: Organization | Connection,
    object_id: str,
    *,
    severed: Iterable[Connection],
) -> None:
    """Append an event of a deletion, and one for each connection that it `severed`.

    Those belong to other organizations, which do not learn who did it; the request is the same.
    """
    nobody = context.acting_for(replace(SYSTEM, request_id=context.origin.request_id))
    others = {(each.organization_id, each.connection_id): each for each in severed}
    # In order, as two deletions wait for one another's chains.
    for key in sorted({(owner.organization_id, ""), *others}):
        if key in others:
            reason = "the connection that it refers to was deleted"
            await record(tx, nobody, "connection.sever", others[key], key[1], reason=reason)
        else:
            await record(tx, context, action, owner, object_id)


async def _held(tx: Transaction, first: AuditHead) -> AuditHead:
    """Return the end of the chain, held until the transaction ends."""
    key = {"project_id": first.project_id, "organization_id": first.organization_id}
    while (head := await tx.audit_heads.find(lock=True, **key)) is None:
        await tx.audit_heads.insert_if_absent(first)
    return head


def digest(event: AuditEvent) -> bytes:
    """Return the hash that `event` has to have."""
    plain = msgspec.json.encode(replace(event, hash=b""), order="sorted")
    return hashlib.sha256(plain).digest()


def differing(before: Record, after: Record) -> set[str]:
    """Return the names of the fields, of nested records too, in which two records differ."""
    names: set[str] = set()
    for name in before.__struct_fields__:
        old, new = getattr(before, name), getattr(after, name)
        if isinstance(old, Record) and isinstance(new, Record):
            names |= differing(old, new)
        elif old != new:
            names.add(name)
    return names - {"updated_at"} - _LEDGER
