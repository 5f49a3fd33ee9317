"""Traces: every sign-in, good or bad, for the admin who has to fix it. Never a secret."""

from vestibule.domain.context import Context
from vestibule.domain.sign_in.refusals import Refusal
from vestibule.records import Connection, Trace, TraceStep
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


async def fail(
    tx: Transaction, *, project_id: str, organization_id: str, trace_id: str, refusal: Refusal
) -> None:
    """Turn a trace that had succeeded into a failed one: the redemption refused the identity."""
    await tx.traces.change(
        {
            "outcome": "failed",
            "error_type": refusal.error.name,
            "reason": refusal.reason,
            "side": refusal.side,
        },
        project_id=project_id,
        organization_id=organization_id,
        trace_id=trace_id,
    )
