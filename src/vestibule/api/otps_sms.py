"""The `otps.sms` endpoints: a member's phone."""

from typing import Final

from vestibule import errors
from vestibule.api.endpoint import Call, Group
from vestibule.api.objects.answers import MemberResponse, member_response
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
from vestibule.api.objects.sessions import require_locale
from vestibule.api.objects.targets import MemberTarget
from vestibule.domain.limits import MFA_GUESSES, SMS_REQUESTS
from vestibule.domain.mfa import sms_codes
from vestibule.permissions import Permission, ProjectSecret

group: Final = Group("otps.sms")
of_members: Final = Group("organizations.members")


class SendRequest(MemberTokens):
    """Whose phone: `mfa_phone_number` for a member who has none; `locale` is the text's."""

    mfa_phone_number: str | None = None
    locale: str | None = None


class SendResponse(MemberResponse):
    """The member, with the number from now on."""


@group.endpoint(
    "POST",
    "/v1/b2b/otps/sms/send",
    access=ProjectSecret(),
    errors=(
        *USABLE,
        *HELD_SESSION,
        errors.session_enforced_factor_matching_session_required,
        errors.insufficient_factors,
        errors.missing_sms_parameter,
        errors.invalid_phone_number,
        errors.invalid_phone_number_country_code,
        errors.invalid_phone_number_sandbox,
        errors.duplicate_member_phone_number_for_member,
        errors.unavailable_endpoint,
        errors.invalid_locale,
    ),
    limits=(SMS_REQUESTS,),
)
async def send(request: SendRequest, call: Call) -> SendResponse:
    """Send a code to a member's phone, in the place of the one before."""
    require_locale(request.locale)
    member, organization = await sms_codes.send(
        call.context,
        call.project,
        request.organization_id,
        request.member_id,
        tokens_of(request),
        request.mfa_phone_number or "",
        locale=request.locale or "en",
    )
    shown = member_response(member, organization, now=call.now)
    return SendResponse(
        member_id=shown.member_id, member=shown.member, organization=shown.organization
    )


class AuthenticateRequest(EnrollingRequest, kw_only=True):
    """The code that was sent, and a session that it is proven for."""

    code: str


class AuthenticateResponse(SecondFactorResponse, kw_only=True):
    """The session that holds the second factor."""


@group.endpoint(
    "POST",
    "/v1/b2b/otps/sms/authenticate",
    access=ProjectSecret(),
    errors=(
        *SECOND_FACTOR,
        errors.invalid_set_mfa_enrollment,
        errors.otp_code_not_found,
        errors.unable_to_auth_otp_code,
    ),
    limits=(MFA_GUESSES,),
)
async def authenticate(request: AuthenticateRequest, call: Call) -> AuthenticateResponse:
    """Prove the phone, which ends an intermediate session or adds to a session."""
    seen = await sms_codes.authenticate(
        call.context, call.project, completion_of(request), request.code
    )
    return AuthenticateResponse(**second_factor_fields(seen, now=call.now))


@of_members.endpoint(
    "DELETE",
    "/v1/b2b/organizations/{organization_id}/members/mfa_phone_numbers/{member_id}",
    access=Permission("stytch.member", "update.info.delete.mfa-phone", own=True),
    errors=(
        errors.organization_not_found,
        errors.member_not_found,
        errors.member_phone_number_not_found,
        errors.insufficient_factors,
    ),
)
async def delete_mfa_phone_number(request: MemberTarget, call: Call) -> MemberResponse:
    """Give up a member's phone; who does so for itself has to have proven a second factor."""
    views = await sms_codes.delete_phone_number(
        call.context, call.project, request.organization_id, request.member_id, call.caller
    )
    return member_response(*views, now=call.now)
