"""What every endpoint that proves a second factor is asked, and what it answers (semantics 4.2)."""

from typing import Annotated, Any, Final

from vestibule import errors
from vestibule.api.endpoint import NO_EFFECT, Request, Response
from vestibule.api.objects.members import MemberObject, member_object
from vestibule.api.objects.organizations import OrganizationObject, organization_object
from vestibule.api.objects.sessions import (
    NAMED_SESSION,
    WANTED_SESSION,
    MemberSession,
    session_object,
)
from vestibule.domain.mfa.completion import Completion, Tokens
from vestibule.domain.outcome import Wanted
from vestibule.domain.sessions import SessionView

HELD_SESSION: Final = (
    errors.too_many_session_arguments,
    errors.member_session_member_id_mismatch,
    *NAMED_SESSION,
    errors.intermediate_session_not_found,
    errors.invalid_intermediate_session_token_for_organization,
    errors.action_available_only_once_primary_authentication_is_met,
)
"""What may be wrong with the session, or intermediate session, that a request names."""
USABLE: Final = (
    errors.organization_not_found,
    errors.member_not_found,
    errors.user_lock_limit_reached,
    errors.action_available_only_for_active_members,
    errors.operation_restricted_by_organization_mfa_methods,
)
"""Why a member may not use a second factor."""
SECOND_FACTOR: Final = (errors.no_session_arguments, *HELD_SESSION, *USABLE, *WANTED_SESSION)
"""What may be wrong wherever a second factor is proven, but for the factor itself."""


class MemberTokens(Request):
    """Which member, and at most one of the three that say what the member has proven so far."""

    organization_id: str
    member_id: str
    intermediate_session_token: str | None = None
    session_token: str | None = None
    session_jwt: str | None = None


class SecondFactorRequest(MemberTokens):
    """Exactly one of the three, and what is wanted of the session."""

    session_duration_minutes: int | None = None
    session_custom_claims: dict[str, Any] | None = None
    telemetry_id: Annotated[str | None, NO_EFFECT] = None


class EnrollingRequest(SecondFactorRequest):
    """With `set_mfa_enrollment` (`enroll`, `unenroll`), and whether this method is the default."""

    set_mfa_enrollment: str | None = None
    set_default_mfa: bool | None = None


class SecondFactorResponse(Response, kw_only=True):
    """The session that holds the second factor."""

    member_id: str
    member: MemberObject
    organization: OrganizationObject
    session_token: str
    session_jwt: str
    member_session: MemberSession
    member_device: None = None


def tokens_of(request: MemberTokens) -> Tokens:
    """Return what the request names of what is proven."""
    return Tokens(
        intermediate_session_token=request.intermediate_session_token or "",
        session_token=request.session_token or "",
        session_jwt=request.session_jwt or "",
    )


def completion_of(request: SecondFactorRequest) -> Completion:
    """Return what the request asks of `completion.complete`."""
    enrolling = request if isinstance(request, EnrollingRequest) else None
    return Completion(
        organization_id=request.organization_id,
        member_id=request.member_id,
        tokens=tokens_of(request),
        wanted=Wanted(
            duration_minutes=request.session_duration_minutes,
            custom_claims=request.session_custom_claims or {},
        ),
        set_mfa_enrollment=(enrolling and enrolling.set_mfa_enrollment) or "",
        set_default_mfa=bool(enrolling and enrolling.set_default_mfa),
    )


def second_factor_fields(seen: SessionView, *, now: int) -> dict[str, Any]:
    """Return the fields of a SecondFactorResponse."""
    organization = seen.organization.organization
    return {
        "member_id": seen.member.member.member_id,
        "member": member_object(seen.member, now=now),
        "organization": organization_object(seen.organization),
        "session_token": seen.token,
        "session_jwt": seen.jwt,
        "member_session": session_object(seen.session, organization, seen.roles),
    }
