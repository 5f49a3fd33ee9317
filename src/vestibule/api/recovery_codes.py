"""The `recovery_codes` endpoints: what is left without the authenticator app."""

from typing import Final

from vestibule import errors
from vestibule.api.endpoint import Call, Group
from vestibule.api.objects.answers import MemberResponse, member_response
from vestibule.api.objects.second_factors import (
    SECOND_FACTOR,
    SecondFactorRequest,
    SecondFactorResponse,
    completion_of,
    second_factor_fields,
)
from vestibule.api.objects.targets import MemberTarget
from vestibule.domain.limits import MFA_GUESSES
from vestibule.domain.members import MemberView
from vestibule.domain.mfa import recovery_codes
from vestibule.domain.organizations import OrganizationView
from vestibule.permissions import ProjectSecret

group: Final = Group("recovery_codes")


class RecoverRequest(SecondFactorRequest, kw_only=True):
    """A code, which is used up, and a session that it is proven for."""

    recovery_code: str


class RecoverResponse(SecondFactorResponse, kw_only=True):
    """The session that holds the second factor."""

    recovery_codes_remaining: int


@group.endpoint(
    "POST",
    "/v1/b2b/recovery_codes/recover",
    access=ProjectSecret(),
    errors=(
        *SECOND_FACTOR,
        errors.recovery_codes_not_found,
        errors.invalid_recovery_code,
        errors.unable_to_authenticate_recovery_code,
        errors.totp_code_used_as_recovery_code,
    ),
    limits=(MFA_GUESSES,),
)
async def recover(request: RecoverRequest, call: Call) -> RecoverResponse:
    """Use a recovery code in the place of the authenticator's."""
    seen, left = await recovery_codes.recover(
        call.context, call.project, completion_of(request), request.recovery_code
    )
    return RecoverResponse(
        **second_factor_fields(seen, now=call.now), recovery_codes_remaining=left
    )


class CodesResponse(MemberResponse):
    """The codes that have not been used."""

    recovery_codes: list[str]


@group.endpoint(
    "GET",
    "/v1/b2b/recovery_codes/{organization_id}/{member_id}",
    access=ProjectSecret(),
    errors=(
        errors.organization_not_found,
        errors.member_not_found,
        errors.recovery_codes_not_found,
    ),
)
async def get(request: MemberTarget, call: Call) -> CodesResponse:
    """Show a member's recovery codes."""
    return _answer(
        *await recovery_codes.get(
            call.context, call.project, request.organization_id, request.member_id
        ),
        now=call.now,
    )


class RotateRequest(MemberTarget):
    """Whose codes."""


@group.endpoint(
    "POST",
    "/v1/b2b/recovery_codes/rotate",
    access=ProjectSecret(),
    errors=(
        errors.organization_not_found,
        errors.member_not_found,
        errors.no_active_recovery_code_backed_factor,
    ),
)
async def rotate(request: RotateRequest, call: Call) -> CodesResponse:
    """Replace all of a member's recovery codes."""
    return _answer(
        *await recovery_codes.rotate(
            call.context, call.project, request.organization_id, request.member_id
        ),
        now=call.now,
    )


def _answer(
    member: MemberView, organization: OrganizationView, codes: list[str], *, now: int
) -> CodesResponse:
    shown = member_response(member, organization, now=now)
    return CodesResponse(
        member_id=shown.member_id,
        member=shown.member,
        organization=shown.organization,
        recovery_codes=codes,
    )
