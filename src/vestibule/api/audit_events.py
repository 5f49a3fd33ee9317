"""The `organizations.audit_events` endpoint: what was changed in an organization, and by whom."""

from typing import Final, Self

import msgspec

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Request, Response
from vestibule.api.objects.search import DEFAULT_LIMIT, Limit
from vestibule.clock import rfc3339
from vestibule.domain import audit_chain
from vestibule.permissions import Permission
from vestibule.records import ActorType, AuditEvent

group: Final = Group("organizations.audit_events", own=True)


class Actor(msgspec.Struct, kw_only=True):
    """Who did it; `id` is of the API secret or the member, or an operator's user name."""

    type: ActorType
    id: str
    session_id: str


class AuditEventObject(msgspec.Struct, kw_only=True):
    """One change. `hash` covers all of it and `previous_hash`, so that a change of either shows."""

    sequence: int
    occurred_at: str
    action: str
    object_id: str
    member_id: str
    changed: tuple[str, ...]
    reason: str
    actor: Actor
    address: str
    user_agent: str
    request_id: str
    previous_hash: str
    hash: str

    @classmethod
    def of(cls, event: AuditEvent) -> Self:
        """Return the object that shows `event`."""
        return cls(
            sequence=event.sequence,
            occurred_at=rfc3339(event.occurred_at),
            action=event.action,
            object_id=event.object_id,
            member_id=event.member_id,
            changed=event.changed,
            reason=event.reason,
            actor=Actor(
                type=event.actor_type, id=event.actor_id, session_id=event.actor_session_id
            ),
            address=event.address,
            user_agent=event.user_agent,
            request_id=event.request_id,
            previous_hash=event.previous_hash.hex(),
            hash=event.hash.hex(),
        )


class AuditEventsRequest(Request):
    """Whose events: the newest, or those after a `next_cursor`."""

    organization_id: str
    cursor: str | None = None
    limit: Limit | None = None


class AuditEventsResponse(Response):
    """Events, newest first; `next_cursor` is null with the oldest."""

    audit_events: list[AuditEventObject]
    next_cursor: str | None


@group.endpoint(
    "GET",
    "/v1/b2b/organizations/{organization_id}/audit_events",
    access=Permission("stytch.organization", None),
    errors=(errors.organization_not_found,),
)
async def get(request: AuditEventsRequest, call: Call) -> AuditEventsResponse:
    """List what was changed in an organization, newest first; no role gives a member this."""
    call.require_secret("audit_events")
    page = await audit_chain.page(
        call.context,
        call.project,
        request.organization_id,
        after=request.cursor or "",
        limit=request.limit or DEFAULT_LIMIT,
    )
    return AuditEventsResponse(
        audit_events=[AuditEventObject.of(event) for event in page.events],
        next_cursor=page.next_cursor or None,
    )
