"""The `sso.traces` endpoints: how sign-ins went, and who has to do what about those that failed."""

from typing import Final, Literal, Self

import msgspec

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Request, Response
from vestibule.api.objects.search import DEFAULT_LIMIT, Limit
from vestibule.clock import rfc3339
from vestibule.domain import traces
from vestibule.domain.traces import Filter
from vestibule.permissions import Permission
from vestibule.records import Trace

group: Final = Group("sso.traces", own=True)

_TRACES: Final = "/v1/b2b/sso/{organization_id}/traces"
_ACCESS: Final = Permission("stytch.sso", "get")

Outcome = Literal["succeeded", "failed"]


class StepObject(msgspec.Struct, kw_only=True):
    """One check: what was wanted, what came. `fix` is what to do, `pitfall` the usual mistake."""

    name: str
    passed: bool
    expected: str
    received: str
    fix: str
    pitfall: str


class TraceObject(msgspec.Struct, kw_only=True):
    """One sign-in. A failed one has the failed step last, and `side` says who has to act."""

    trace_id: str
    organization_id: str
    connection_id: str
    outcome: Outcome
    error_type: str
    reason: str
    side: Literal["", "identity_provider", "vestibule", "application", "user"]
    steps: list[StepObject]
    created_at: str

    @classmethod
    def of(cls, trace: Trace) -> Self:
        """Return the object that shows `trace`."""
        return cls(
            trace_id=trace.trace_id,
            organization_id=trace.organization_id,
            connection_id=trace.connection_id,
            outcome=trace.outcome,
            error_type=trace.error_type,
            reason=trace.reason,
            side=trace.side,
            steps=msgspec.convert(trace.steps, list[StepObject], from_attributes=True),
            created_at=rfc3339(trace.created_at),
        )


class GetRequest(Request):
    """Which sign-in: the page that a person sees when it fails shows its trace_id."""

    organization_id: str
    trace_id: str


class GetResponse(Response):
    """The sign-in."""

    trace: TraceObject


@group.endpoint(
    "GET",
    f"{_TRACES}/{{trace_id}}",
    access=_ACCESS,
    errors=(errors.organization_not_found, errors.trace_not_found),
)
async def get(request: GetRequest, call: Call) -> GetResponse:
    """Get how one sign-in went, step by step; it is kept for 30 days."""
    trace = await traces.get(call.context, call.project, request.organization_id, request.trace_id)
    return GetResponse(trace=TraceObject.of(trace))


class SearchRequest(Request):
    """Which sign-ins: the newest, or those after a `next_cursor` of the same search."""

    organization_id: str
    connection_id: str | None = None
    outcome: Outcome | None = None
    cursor: str | None = None
    limit: Limit | None = None


class SearchResponse(Response):
    """Sign-ins, newest first; `next_cursor` is null with the oldest."""

    traces: list[TraceObject]
    next_cursor: str | None


@group.endpoint("GET", _TRACES, access=_ACCESS, errors=(errors.organization_not_found,))
async def search(request: SearchRequest, call: Call) -> SearchResponse:
    """List how the sign-ins of an Organization went, newest first; they are kept for 30 days."""
    wanted = Filter(connection_id=request.connection_id or "", outcome=request.outcome or "")
    found = await traces.page(
        call.context,
        call.project,
        request.organization_id,
        wanted,
        after=request.cursor or "",
        limit=request.limit or DEFAULT_LIMIT,
    )
    return SearchResponse(
        traces=[TraceObject.of(trace) for trace in found.traces],
        next_cursor=found.next_cursor or None,
    )
