"""Intermediate sessions: proven factors that are not yet enough (semantics 1.5, 4.2)."""

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.clock import MINUTE
from vestibule.domain.context import Context
from vestibule.domain.factors import capped
from vestibule.errors import Failure
from vestibule.ids import read_token, same_secret
from vestibule.records import Factor, IntermediateSession, Member, Organization
from vestibule.store.interface import Transaction

LIFE: Final = 10 * MINUTE


@dataclass(frozen=True)
class Waiting:
    """An intermediate session with its opaque token."""

    record: IntermediateSession
    token: str


async def start(
    tx: Transaction, context: Context, member: Member, *, factors: tuple[Factor, ...]
) -> Waiting:
    """Keep `factors` for ten minutes, or as long as they last."""
    now = context.clock.now()
    token = context.mint_token()
    made = IntermediateSession(
        token_id=token.token_id,
        secret_hash=token.secret_hash,
        project_id=member.project_id,
        organization_id=member.organization_id,
        member_id=member.member_id,
        factors=factors,
        created_at=now,
        expires_at=capped(now + LIFE, factors),
    )
    await tx.intermediate_sessions.insert(made)
    return Waiting(made, token.text)


async def load(
    tx: Transaction, context: Context, project_id: str, text: str, *, lock: bool = False
) -> Waiting:
    """Return the one that `text` names; with `lock` it stays until the transaction ends.

    Raises Failure intermediate_session_not_found: it is unknown or over.
    """
    read = read_token(text)
    found = read and await tx.intermediate_sessions.find(
        lock=lock, project_id=project_id, token_id=read.token_id
    )
    if not read or not found or not same_secret(found.secret_hash, read.secret_hash):
        raise Failure(errors.intermediate_session_not_found)
    if found.expires_at <= context.clock.now():
        raise Failure(errors.intermediate_session_not_found)
    return Waiting(found, text)


async def find(
    tx: Transaction,
    context: Context,
    organization: Organization,
    member: Member | None,
    text: str,
) -> Waiting | None:
    """Return the one that `text` names, locked, or None when `text` is ''.

    Raises Failure: it is unknown or over, or belongs to another organization or member than
    these; None is somebody who is no member yet.
    """
    if not text:
        return None
    waiting = await named(tx, context, organization, text)
    if waiting.record.member_id != (member.member_id if member else ""):
        raise Failure(errors.invalid_intermediate_session_token_for_organization)
    return waiting


async def named(
    tx: Transaction, context: Context, organization: Organization, text: str
) -> Waiting:
    """Return the one of `organization` that `text` names, locked, whoever in it has it.

    Raises Failure intermediate_session_not_found or
    invalid_intermediate_session_token_for_organization.
    """
    found = await load(tx, context, organization.project_id, text, lock=True)
    if found.record.organization_id != organization.organization_id:
        raise Failure(errors.invalid_intermediate_session_token_for_organization)
    return found


async def consume(tx: Transaction, waiting: Waiting) -> None:
    """End it: a session takes its place, one and no more. Raises intermediate_session_not_found."""
    if not await tx.intermediate_sessions.delete(
        project_id=waiting.record.project_id,
        organization_id=waiting.record.organization_id,
        token_id=waiting.record.token_id,
    ):
        raise Failure(errors.intermediate_session_not_found)


async def keep(tx: Transaction, waiting: Waiting, factors: tuple[Factor, ...]) -> Waiting:
    """Make `factors` those that it holds; its end does not move away."""
    end = capped(waiting.record.expires_at, factors)
    changed = replace(waiting.record, factors=factors, expires_at=end)
    await tx.intermediate_sessions.update(changed)
    return Waiting(changed, waiting.token)


async def move(
    tx: Transaction, waiting: Waiting, member: Member, factors: tuple[Factor, ...]
) -> Waiting:
    """Make it `member`'s, with the factors as that organization has them.

    Its token and its end stay as they are.
    """
    await consume(tx, waiting)
    moved = replace(
        waiting.record,
        organization_id=member.organization_id,
        member_id=member.member_id,
        factors=factors,
    )
    await tx.intermediate_sessions.insert(moved)
    return Waiting(moved, waiting.token)
