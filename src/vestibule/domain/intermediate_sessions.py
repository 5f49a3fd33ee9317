"""Intermediate sessions: proven factors that are not yet enough (semantics 1.5, 4.2)."""

from typing import Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.clock import MINUTE
from vestibule.domain.context import Context
from vestibule.domain.factors import with_factor
from vestibule.errors import Failure
from vestibule.ids import read_token, same_secret
from vestibule.records import Factor, IntermediateSession, Member, Organization
from vestibule.store.interface import Transaction

LIFE: Final = 10 * MINUTE


def needs_second_factor(organization: Organization, member: Member) -> bool:
    """True when the organization demands a second factor, or the member has enrolled one."""
    return organization.mfa_policy == "REQUIRED_FOR_ALL" or member.mfa_enrolled


def is_enough(organization: Organization, member: Member, factors: tuple[Factor, ...]) -> bool:
    """True when `factors` make a full session."""
    has_second = any(factor.sequence_order == "SECONDARY" for factor in factors)
    return has_second or not needs_second_factor(organization, member)


async def start(
    tx: Transaction, context: Context, member: Member, *, factors: tuple[Factor, ...]
) -> tuple[IntermediateSession, str]:
    """Keep `factors` for ten minutes; return the record and its opaque token."""
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
        expires_at=now + LIFE,
    )
    await tx.intermediate_sessions.insert(made)
    return made, token.text


async def find(
    tx: Transaction, context: Context, organization: Organization, member: Member, text: str
) -> IntermediateSession | None:
    """Return the one that `text` names, locked, or None when `text` is ''.

    Raises Failure: it is unknown or over, or belongs to another organization or member.
    """
    if not text:
        return None
    read = read_token(text)
    found = read and await tx.intermediate_sessions.find(
        lock=True, project_id=organization.project_id, token_id=read.token_id
    )
    if not read or not found or not same_secret(found.secret_hash, read.secret_hash):
        raise Failure(errors.intermediate_session_not_found)
    if found.expires_at <= context.clock.now():
        raise Failure(errors.intermediate_session_not_found)
    owner = (organization.organization_id, member.member_id)
    if (found.organization_id, found.member_id) != owner:
        raise Failure(errors.invalid_intermediate_session_token_for_organization)
    return found


async def consume(tx: Transaction, found: IntermediateSession) -> None:
    """End it: a session takes its place."""
    await tx.intermediate_sessions.delete(
        project_id=found.project_id,
        organization_id=found.organization_id,
        token_id=found.token_id,
    )


async def add_factor(
    tx: Transaction, found: IntermediateSession, factor: Factor
) -> IntermediateSession:
    """Add a proven factor and return the same intermediate session with it."""
    changed = replace(found, factors=with_factor(found.factors, factor))
    await tx.intermediate_sessions.update(changed)
    return changed
