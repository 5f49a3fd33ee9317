"""Traces: every sign-in, good or bad, for the admin who has to fix it. Never a secret."""

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import cursor, organizations, tenancy
from vestibule.domain.context import Context
from vestibule.domain.sign_in.refusals import Refusal
from vestibule.errors import Failure
from vestibule.records import Connection, Project, SsoToken, Trace, TraceStep
from vestibule.store.interface import Transaction


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which traces are wanted; '' stands for any."""

    connection_id: str = ""
    outcome: str = ""


@dataclass(frozen=True)
class Page:
    """Some traces, newest first, and the cursor of the next page; '' after the last."""

    traces: tuple[Trace, ...]
    next_cursor: str


async def get(context: Context, project: Project, locator: str, trace_id: str) -> Trace:
    """Return one trace. Raises Failure organization_not_found, trace_not_found."""
    async with context.store.read() as tx:
        organization = await organizations.load(tx, project, locator)
        trace = await tx.traces.find(
            project_id=project.project_id,
            organization_id=organization.organization_id,
            trace_id=trace_id,
        )
    if trace is None:
        raise Failure(errors.trace_not_found)
    return trace


async def page(
    context: Context, project: Project, locator: str, wanted: Filter, *, after: str, limit: int
) -> Page:
    """Return up to `limit` traces of an organization that come after the cursor `after`.

    Their ids are in the order of time. Raises Failure organization_not_found, or bad_request for a
    cursor of something else.
    """
    chosen: dict[str, Any] = {name: value for name, value in vars(wanted).items() if value}
    async with context.store.read() as tx:
        organization = await organizations.load(tx, project, locator)
        search = cursor.named("traces", organization.organization_id, vars(wanted))
        if after:
            chosen["trace_id__lt"] = cursor.read(context, project, search, after)[0]
        found = await tx.traces.all(
            project_id=project.project_id,
            organization_id=organization.organization_id,
            **chosen,
            order="trace_id",
            descending=True,
            limit=limit + 1,
        )
    shown, more = found[:limit], len(found) > limit
    position = (shown[-1].trace_id,) if more else ()
    return Page(tuple(shown), cursor.write(context, project, search, position) if more else "")


def new(
    context: Context,
    connection: Connection,
    *,
    trace_id: str,
    sign_in_id: str,
    steps: tuple[TraceStep, ...],
    refusal: Refusal | None = None,
) -> Trace:
    """Return the record of one sign-in at `connection`."""
    return Trace(
        trace_id=trace_id,
        project_id=connection.project_id,
        organization_id=connection.organization_id,
        connection_id=connection.connection_id,
        sign_in_id=sign_in_id,
        outcome="failed" if refusal else "succeeded",
        error_type=refusal.error.name if refusal else "",
        reason=refusal.reason if refusal else "",
        side=refusal.side if refusal else "",
        steps=steps,
        created_at=context.clock.now(),
    )


async def fail(tx: Transaction, token: SsoToken, refusal: Refusal) -> None:
    """Turn a trace that had succeeded into a failed one: the redemption refused the identity."""
    trace = await tx.traces.find(lock=True, **_of(token))
    if trace is not None:
        await tx.traces.update(
            replace(
                trace,
                outcome="failed",
                error_type=refusal.error.name,
                reason=refusal.reason,
                side=refusal.side,
                steps=(*_passed(trace), *refusal.steps),
            )
        )


async def mend(tx: Transaction, token: SsoToken) -> None:
    """Turn a failed trace back: what the redemption refused was put right, and it succeeded."""
    values = {"outcome": "succeeded", "error_type": "", "reason": "", "side": ""}
    for trace in await tx.traces.change(values, **_of(token), outcome="failed"):
        await tx.traces.update(replace(trace, steps=_passed(trace)))


def _of(token: SsoToken) -> dict[str, Any]:
    return {**tenancy.of_organization(token), "trace_id": token.trace_id}


def _passed(trace: Trace) -> tuple[TraceStep, ...]:
    return tuple(step for step in trace.steps if step.passed)
