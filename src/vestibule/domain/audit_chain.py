"""The audit log as it is read: page by page, whole, and checked for what was done to it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from vestibule.domain import audit, cursor, organizations
from vestibule.domain.context import Context
from vestibule.records import AuditEvent, AuditHead, Project
from vestibule.store import audit_chains
from vestibule.store.interface import Transaction

_AT_ONCE: Final = 500
_BEFORE_ALL: Final = -(1 << 63)
_SEARCH: Final = "audit_events"


@dataclass(frozen=True)
class Chain:
    """The events of one organization, or of a project where `organization_id` is ''."""

    project_id: str
    organization_id: str


@dataclass(frozen=True)
class Verdict:
    """What came of checking a chain.

    `broken_at` is the number of the first event that is not as it was written, 0 when all are, and
    `problem` says in words what is wrong. `last_hash` is the end of what is good, in hex: an
    operator who keeps it elsewhere will see a chain that was written anew as a whole.
    """

    chain: Chain
    events: int
    last_hash: str
    broken_at: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Page:
    """Some events, newest first, and the cursor of the next page; '' after the last."""

    events: tuple[AuditEvent, ...]
    next_cursor: str


async def page(context: Context, project: Project, locator: str, *, after: str, limit: int) -> Page:
    """Return up to `limit` events of an organization that come after the cursor `after`.

    Raises Failure organization_not_found, or bad_request for a cursor of something else.
    """
    async with context.store.read() as tx:
        organization = await organizations.load(tx, project, locator)
        search = f"{_SEARCH}:{organization.organization_id}"
        before: dict[str, Any] = {}
        if after:
            before["sequence__lt"] = int(cursor.read(context, project, search, after)[0])
        found = await tx.audit_events.all(
            project_id=project.project_id,
            organization_id=organization.organization_id,
            **before,
            order="sequence",
            descending=True,
            limit=limit + 1,
        )
    shown, more = found[:limit], len(found) > limit
    position = (str(shown[-1].sequence),) if more else ()
    return Page(tuple(shown), cursor.write(context, project, search, position) if more else "")


async def chains(
    context: Context, *, project_id: str = "", organization_id: str | None = None
) -> list[Chain]:
    """Return the chains there are, all of them or those of a project or organization."""
    async with context.store.read() as tx:
        found = [Chain(*each) for each in await audit_chains.every(tx)]
    return [
        chain
        for chain in found
        if project_id in {"", chain.project_id}
        if organization_id in {None, chain.organization_id}
    ]


async def events(
    context: Context, chain: Chain, *, at_once: int = _AT_ONCE
) -> AsyncIterator[AuditEvent]:
    """Yield the events of a chain, oldest first, `at_once` from each look at the database."""
    last = _BEFORE_ALL
    while True:
        async with context.store.read() as tx:
            found = await _from(tx, chain, last, at_once)
        for event in found:
            yield event
        if len(found) < at_once:
            return
        last = found[-1].sequence


async def _from(tx: Transaction, chain: Chain, last: int, limit: int) -> list[AuditEvent]:
    return await tx.audit_events.all(
        project_id=chain.project_id,
        organization_id=chain.organization_id,
        sequence__gt=last,
        order="sequence",
        limit=limit,
    )


async def verify(context: Context, chain: Chain) -> Verdict:
    """Check that every event of a chain is there, in its place and as it was written.

    What is appended meanwhile does no harm: the end is read first.
    """
    async with context.store.read() as tx:
        head = await tx.audit_heads.find(
            project_id=chain.project_id, organization_id=chain.organization_id
        )
    good = AuditHead(project_id=chain.project_id, organization_id=chain.organization_id)
    reached = head is not None and head == good
    async for event in events(context, chain):
        problem = _problem(good, event)
        if problem:
            return _verdict(chain, good, problem)
        good = AuditHead(
            project_id=chain.project_id,
            organization_id=chain.organization_id,
            sequence=event.sequence,
            hash=event.hash,
        )
        reached = reached or good == head
    if head is None:
        return _verdict(chain, good, "the record of the chain's end is missing")
    if not reached:
        return _verdict(chain, good, f"the chain has to end with number {head.sequence}")
    return _verdict(chain, good, "")


def _problem(before: AuditHead, event: AuditEvent) -> str:
    """Return what is wrong with the event after `before`, or ''."""
    if event.sequence != before.sequence + 1:
        return f"followed by number {event.sequence}: events are missing, or have been moved"
    if event.previous_hash != before.hash:
        return "it does not follow the event before it"
    if event.hash != audit.digest(event):
        return "it is not as it was written"
    return ""


def _verdict(chain: Chain, good: AuditHead, problem: str) -> Verdict:
    broken_at = good.sequence + 1 if problem else 0
    return Verdict(chain, good.sequence, good.hash.hex(), broken_at, problem)
