"""The `totps` endpoints: a member's authenticator app."""

from typing import Final

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Response
from vestibule.api.objects.answers import MemberResponse, member_response
from vestibule.api.objects.members import MemberObject, member_object
from vestibule.api.objects.organizations import OrganizationObject, organization_object
from vestibule.api.objects.second_factors import (
    HELD_SESSION,
    SECOND_FACTOR,
    USABLE,
    EnrollingRequest,
    MemberTokens,
    SecondFactorResponse,
    completion_of,
    second_factor_fields,
    tokens_of,
)
from vestibule.api.objects.targets import MemberTarget
from vestibule.domain.limits import MFA_GUESSES
from vestibule.domain.mfa import totps
from vestibule.permissions import Permission, ProjectSecret

group: Final = Group("totps")
of_members: Final = Group("organizations.members")


class CreateRequest(MemberTokens):
    """Whose authenticator, and in how many minutes (5 to 1440, 60) a code has to be proven."""

    expiration_minutes: int | None = None


class CreateResponse(Response):
    """What the authenticator app reads: the secret, or the picture, a data URL; shown this once."""

    member_id: str
    totp_registration_id: str
    secret: str
    qr_code: str
    recovery_codes: list[str]
    member: MemberObject
    organization: OrganizationObject


@group.endpoint(
    "POST",
    "/v1/b2b/totp",
    access=ProjectSecret(),
    errors=(
        *USABLE,
        *HELD_SESSION,
        errors.organization_suspended,
        errors.invalid_expiration,
        errors.active_totp_exists,
        errors.session_enforced_factor_matching_session_required,
        errors.insufficient_factors,
    ),
)
async def create(request: CreateRequest, call: Call) -> CreateResponse:
    """Make an authenticator for a member; it counts once its first code has been proven."""
    made = await totps.create(
        call.context,
        call.project,
        request.organization_id,
        request.member_id,
        tokens_of(request),
        request.expiration_minutes,
    )
    return CreateResponse(
        member_id=made.member.member.member_id,
        totp_registration_id=made.registration_id,
        secret=made.secret,
        qr_code=made.qr_code,
        recovery_codes=list(made.recovery_codes),
        member=member_object(made.member, now=call.now),
        organization=organization_object(made.organization),
    )


class AuthenticateRequest(EnrollingRequest, kw_only=True):
    """The code that the authenticator shows, and a session that it is proven for."""

    code: str


class AuthenticateResponse(SecondFactorResponse, kw_only=True):
    """The session that holds the second factor."""


@group.endpoint(
    "POST",
    "/v1/b2b/totp/authenticate",
    access=ProjectSecret(),
    errors=(
        *SECOND_FACTOR,
        errors.invalid_set_mfa_enrollment,
        errors.totp_not_found,
        errors.expired_totp,
        errors.invalid_totp_code,
        errors.unable_to_authenticate_totp,
        errors.totp_code_already_authenticated,
        errors.recovery_code_used_as_totp_code,
    ),
    limits=(MFA_GUESSES,),
)
async def authenticate(request: AuthenticateRequest, call: Call) -> AuthenticateResponse:
    """Prove the authenticator, which ends an intermediate session or adds to a session."""
    seen = await totps.authenticate(
        call.context, call.project, completion_of(request), request.code
    )
    return AuthenticateResponse(**second_factor_fields(seen, now=call.now))


class MigrateRequest(MemberTarget):
    """The secret of an authenticator that the member has used elsewhere, and its codes, if any."""

    secret: str
    recovery_codes: list[str] | None = None


class MigrateResponse(Response):
    """The authenticator, active at once."""

    member_id: str
    totp_registration_id: str
    recovery_codes: list[str]
    member: MemberObject
    organization: OrganizationObject


@group.endpoint(
    "POST",
    "/v1/b2b/totp/migrate",
    access=ProjectSecret(),
    errors=(
        *USABLE,
        errors.organization_suspended,
        errors.invalid_recovery_code,
        errors.active_totp_exists,
    ),
)
async def migrate(request: MigrateRequest, call: Call) -> MigrateResponse:
    """Take over a member's authenticator; without recovery codes, some are made."""
    made = await totps.migrate(
        call.context,
        call.project,
        request.organization_id,
        request.member_id,
        request.secret,
        request.recovery_codes or (),
    )
    return MigrateResponse(
        member_id=made.member.member.member_id,
        totp_registration_id=made.registration_id,
        recovery_codes=list(made.recovery_codes),
        member=member_object(made.member, now=call.now),
        organization=organization_object(made.organization),
    )


@of_members.endpoint(
    "DELETE",
    "/v1/b2b/organizations/{organization_id}/members/{member_id}/totp",
    access=Permission("stytch.member", "update.info.delete.mfa-totp", own=True),
    errors=(
        errors.organization_not_found,
        errors.member_not_found,
        errors.totp_not_found,
        errors.insufficient_factors,
    ),
)
async def delete_totp(request: MemberTarget, call: Call) -> MemberResponse:
    """Give up a member's authenticator; who does so for itself has to have proven it."""
    views = await totps.delete(
        call.context, call.project, request.organization_id, request.member_id, call.caller
    )
    return member_response(*views, now=call.now)
