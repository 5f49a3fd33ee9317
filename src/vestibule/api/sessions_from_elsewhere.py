"""The `sessions` endpoints that begin a session with a proof of another system."""

from typing import Any, Final

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Request, Response
from vestibule.api.objects.members import MemberObject, member_object
from vestibule.api.objects.organizations import OrganizationObject, organization_object
from vestibule.api.objects.sessions import WANTED_SESSION, MemberSession, session_object
from vestibule.domain import session_migration
from vestibule.domain.outcome import Wanted
from vestibule.domain.session_migration import Migration
from vestibule.domain.sessions import SessionView
from vestibule.permissions import ProjectSecret

group: Final = Group("sessions")


class SessionResponse(Response, kw_only=True):
    """A session; it never waits for a second factor."""

    member_id: str
    member_session: MemberSession
    session_token: str
    session_jwt: str
    member: MemberObject
    organization: OrganizationObject


class MigrateRequest(Request):
    """`session_token` is what the other system's userinfo endpoint takes as a bearer token."""

    session_token: str
    organization_id: str
    session_duration_minutes: int | None = None
    session_custom_claims: dict[str, Any] | None = None


@group.endpoint(
    "POST",
    "/v1/b2b/sessions/migrate",
    access=ProjectSecret(),
    errors=(
        *WANTED_SESSION,
        errors.organization_not_found,
        errors.migrate_from_external_missing_userinfo,
        errors.migrate_from_external_unexpected_response,
        errors.migrate_from_external_email_does_not_exist,
        errors.action_available_only_for_active_members,
        errors.organization_suspended,
        errors.user_lock_limit_reached,
    ),
)
async def migrate(request: MigrateRequest, call: Call) -> SessionResponse:
    """Begin a session for whom the system that the application comes from knows by its token."""
    seen = await session_migration.migrate(
        call.context,
        call.project,
        Migration(
            token=request.session_token,
            organization_id=request.organization_id,
            wanted=Wanted(
                duration_minutes=request.session_duration_minutes,
                custom_claims=request.session_custom_claims or {},
            ),
        ),
    )
    return SessionResponse(**_fields(seen, now=call.now))


def _fields(seen: SessionView, *, now: int) -> dict[str, Any]:
    organization = seen.organization.organization
    return {
        "member_id": seen.session.member_id,
        "member_session": session_object(seen.session, organization, seen.roles),
        "session_token": seen.token,
        "session_jwt": seen.jwt,
        "member": member_object(seen.member, now=now),
        "organization": organization_object(seen.organization),
    }
