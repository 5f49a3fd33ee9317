"""The `sessions` endpoints that begin a session with a proof of another system."""

from typing import Annotated, Any, Final

from vestibule import errors
from vestibule.api.endpoint import NO_EFFECT, Call, Group, Request, Response
from vestibule.api.objects.members import MemberObject, member_object
from vestibule.api.objects.organizations import OrganizationObject, organization_object
from vestibule.api.objects.sessions import (
    NAMED_SESSION,
    WANTED_SESSION,
    MemberSession,
    session_object,
)
from vestibule.domain import attestation, session_migration
from vestibule.domain.attestation import Attestation
from vestibule.domain.outcome import Wanted
from vestibule.domain.session_migration import Migration
from vestibule.domain.sessions import SessionView
from vestibule.errors import Failure
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


class AttestRequest(Request):
    """`organization_id` may be left out where the token names one; a session is to gain a factor.

    At most one of `session_token` and `session_jwt`.
    """

    profile_id: str
    token: str
    organization_id: str | None = None
    session_duration_minutes: int | None = None
    session_custom_claims: dict[str, Any] | None = None
    session_token: str | None = None
    session_jwt: str | None = None
    telemetry_id: Annotated[str | None, NO_EFFECT] = None


class DeviceResponse(SessionResponse, kw_only=True):
    """A session; devices are not looked at."""

    member_device: None = None


@group.endpoint(
    "POST",
    "/v1/b2b/sessions/attest",
    access=ProjectSecret(),
    errors=(
        *WANTED_SESSION,
        errors.too_many_session_arguments,
        *NAMED_SESSION,
        errors.trusted_token_profile_not_found,
        errors.trusted_token_profile_invalid_request,
        errors.invalid_trusted_auth_token,
        errors.organization_not_found,
        errors.member_not_found,
        errors.action_available_only_for_active_members,
        errors.user_lock_limit_reached,
        errors.operation_restricted_by_organization_auth_methods,
        errors.insufficient_factors,
        errors.member_session_member_id_mismatch,
        errors.invalid_rbac_role_assignment,
        errors.invalid_email,
        errors.retired_member_email,
        errors.duplicate_member_email,
        errors.duplicate_member_external_id,
        errors.action_not_allowed_email_domain_is_claimed,
    ),
)
async def attest(request: AttestRequest, call: Call) -> DeviceResponse:
    """Begin a session with a JWT of an issuer that the project trusts, or add it as a factor."""
    seen = await attestation.attest(
        call.context,
        call.project,
        Attestation(
            profile_id=request.profile_id,
            token=request.token,
            organization_id=request.organization_id or "",
            session_token=request.session_token or "",
            session_jwt=request.session_jwt or "",
            wanted=Wanted(
                duration_minutes=request.session_duration_minutes,
                custom_claims=request.session_custom_claims or {},
            ),
        ),
    )
    return DeviceResponse(**_fields(seen, now=call.now))


class ExchangeAccessTokenRequest(Request):
    """An access token of a connected app."""

    access_token: str
    session_duration_minutes: int | None = None
    session_custom_claims: dict[str, Any] | None = None
    telemetry_id: Annotated[str | None, NO_EFFECT] = None


@group.endpoint(
    "POST",
    "/v1/b2b/sessions/exchange_access_token",
    access=ProjectSecret(),
    errors=(*WANTED_SESSION, errors.oauth_access_token_exchange_token_invalid_grant),
)
async def exchange_access_token(
    request: ExchangeAccessTokenRequest,
    call: Call,  # noqa: ARG001 - no access token can be looked up yet
) -> DeviceResponse:
    """Refuse the access token: there are no connected apps yet, so nobody was given one."""
    Wanted(
        duration_minutes=request.session_duration_minutes,
        custom_claims=request.session_custom_claims or {},
    ).check()
    raise Failure(errors.oauth_access_token_exchange_token_invalid_grant)


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
