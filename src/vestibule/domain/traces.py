"""Traces: every sign-in, good or bad, for the admin who has to fix it. Never a secret."""

from typing import Any

from msgspec.structs import replace

from vestibule.domain.context import Context
from vestibule.domain.sign_in.refusals import Refusal
from vestibule.records import Connection, SsoToken, Trace, TraceStep
from vestibule.store.interface import Transaction


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
    return {
        "project_id": token.project_id,
        "organization_id": token.organization_id,
        "trace_id": token.trace_id,
    }


def _passed(trace: Trace) -> tuple[TraceStep, ...]:
    return tuple(step for step in trace.steps if step.passed)
