"""The `impersonation` endpoint: a token of `vestibule impersonate` becomes a session."""

from typing import Final

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Request, Response
from vestibule.api.objects.members import MemberObject
from vestibule.api.objects.organizations import OrganizationObject
from vestibule.api.objects.sessions import MemberSession, MfaRequired, outcome_fields
from vestibule.domain import impersonation
from vestibule.permissions import ProjectSecret

group: Final = Group("impersonation")


class AuthenticateRequest(Request):
    """The token that was made for one member."""

    impersonation_token: str


class AuthenticateResponse(Response):
    """A session of an hour that says who is behind it; nothing more is ever needed for it."""

    member_id: str
    organization_id: str
    member: MemberObject
    organization: OrganizationObject
    member_authenticated: bool
    session_token: str
    session_jwt: str
    member_session: MemberSession
    intermediate_session_token: str = ""
    intermediate_session_token_expires_at: str | None = None
    mfa_required: MfaRequired | None = None


@group.endpoint(
    "POST",
    "/v1/b2b/impersonation/authenticate",
    access=ProjectSecret(),
    errors=(
        errors.unable_to_auth_impersonation_token,
        errors.user_impersonation_not_allowed,
        errors.member_impersonation_not_allowed,
        errors.member_not_found,
        errors.organization_suspended,
    ),
)
async def authenticate(request: AuthenticateRequest, call: Call) -> AuthenticateResponse:
    """Begin a session in which somebody of the operator's acts as a member."""
    begun = await impersonation.authenticate(
        call.context, call.project, request.impersonation_token
    )
    return AuthenticateResponse(
        organization_id=begun.organization.organization.organization_id,
        **outcome_fields(begun, now=call.now),
    )
