"""The `sso` endpoints: list and delete connections, redeem an sso_token."""

from typing import Annotated, Any, Final

from vestibule import errors
from vestibule.api.endpoint import NO_EFFECT, Call, Group, Request, Response
from vestibule.api.objects.connections import (
    ExternalConnection,
    OidcConnection,
    SamlConnection,
    external_object,
    oidc_object,
    saml_object,
)
from vestibule.api.objects.members import MemberObject, member_object
from vestibule.api.objects.organizations import OrganizationObject, organization_object
from vestibule.api.objects.sessions import (
    LOCALES,
    MemberOptions,
    MemberSession,
    MfaRequired,
    PrimaryRequired,
    session_object,
)
from vestibule.clock import rfc3339
from vestibule.domain import connection_lifecycle
from vestibule.domain.sessions import SessionView
from vestibule.domain.sign_in import redemption
from vestibule.domain.sign_in.redemption import Redemption, Unfinished
from vestibule.errors import Failure
from vestibule.permissions import Permission, ProjectSecret

group: Final = Group("sso")


class GetConnectionsRequest(Request):
    """Whose connections."""

    organization_id: str


class GetConnectionsResponse(Response):
    """The connections by kind, oldest first."""

    saml_connections: list[SamlConnection]
    oidc_connections: list[OidcConnection]
    external_connections: list[ExternalConnection]


@group.endpoint(
    "GET",
    "/v1/b2b/sso/{organization_id}",
    access=Permission("stytch.sso", "get"),
    errors=(errors.organization_not_found,),
)
async def get_connections(request: GetConnectionsRequest, call: Call) -> GetConnectionsResponse:
    """List the organization's connections."""
    views = await connection_lifecycle.all_of(call.context, call.project, request.organization_id)
    return GetConnectionsResponse(
        saml_connections=[
            saml_object(call.context, view, view.connection.saml)
            for view in views
            if view.connection.saml is not None
        ],
        oidc_connections=[
            oidc_object(call.context, view.connection, view.connection.oidc)
            for view in views
            if view.connection.oidc is not None
        ],
        external_connections=[
            external_object(view.connection, view.connection.external)
            for view in views
            if view.connection.external is not None
        ],
    )


class DeleteConnectionRequest(Request):
    """Which connection, of any kind."""

    organization_id: str
    connection_id: str


class DeleteConnectionResponse(Response):
    """What was deleted."""

    connection_id: str


@group.endpoint(
    "DELETE",
    "/v1/b2b/sso/{organization_id}/connections/{connection_id}",
    access=Permission("stytch.sso", "delete"),
    errors=(
        errors.organization_not_found,
        errors.sso_connection_not_found,
        errors.cannot_delete_default_sso_connection,
    ),
)
async def delete_connection(
    request: DeleteConnectionRequest, call: Call
) -> DeleteConnectionResponse:
    """Delete a connection; its members stay, logins through it and roles from it end."""
    connection_id = await connection_lifecycle.delete(
        call.context, call.project, request.organization_id, request.connection_id
    )
    return DeleteConnectionResponse(connection_id=connection_id)


class AuthenticateRequest(Request):
    """The token of the redirect, and what the session should be like (semantics 2.4)."""

    sso_token: str
    pkce_code_verifier: str | None = None
    session_token: str | None = None
    session_jwt: str | None = None
    session_duration_minutes: int | None = None
    session_custom_claims: dict[str, Any] | None = None
    locale: str | None = None
    intermediate_session_token: str | None = None
    telemetry_id: Annotated[str | None, NO_EFFECT] = None


class AuthenticateResponse(Response):
    """A session, or an intermediate one where more is needed (then both tokens are empty)."""

    member_id: str
    organization_id: str
    member: MemberObject
    organization: OrganizationObject
    member_authenticated: bool
    session_token: str = ""
    session_jwt: str = ""
    reset_session: bool = False
    intermediate_session_token: str = ""
    intermediate_session_token_expires_at: str | None = None
    member_session: MemberSession | None = None
    mfa_required: MfaRequired | None = None
    primary_required: PrimaryRequired | None = None
    member_device: None = None


@group.endpoint(
    "POST",
    "/v1/b2b/sso/authenticate",
    access=ProjectSecret(),
    errors=(
        errors.sso_token_not_found,
        errors.pkce_expected_code_verifier,
        errors.pkce_did_not_expect_code_verifier,
        errors.pkce_mismatch,
        errors.invalid_pkce_code_verifier,
        errors.invalid_connection_for_jit_provisioning,
        errors.operation_restricted_by_organization_auth_methods,
        errors.duplicate_member_email,
        errors.retired_member_email,
        errors.action_not_allowed_email_domain_is_claimed,
        errors.sso_connection_not_found,
        errors.requires_active_sso_connection,
        errors.too_many_session_arguments,
        errors.session_not_found,
        errors.invalid_session_token,
        errors.invalid_session_duration_minutes,
        errors.custom_claims_too_large,
        errors.stytch_claims_in_custom_claims,
        errors.intermediate_session_not_found,
        errors.invalid_intermediate_session_token_for_organization,
        errors.invalid_locale,
    ),
)
async def authenticate(request: AuthenticateRequest, call: Call) -> AuthenticateResponse:
    """Redeem an sso_token once: find or create the member, and begin a session."""
    if request.locale is not None and request.locale not in LOCALES:
        raise Failure(errors.invalid_locale)
    redeemed = await redemption.redeem(
        call.context,
        call.project,
        Redemption(
            sso_token=request.sso_token,
            pkce_code_verifier=request.pkce_code_verifier or "",
            session_token=request.session_token or "",
            session_jwt=request.session_jwt or "",
            session_duration_minutes=request.session_duration_minutes,
            session_custom_claims=request.session_custom_claims or {},
            intermediate_session_token=request.intermediate_session_token or "",
        ),
    )
    return _unfinished(redeemed) if isinstance(redeemed, Unfinished) else _finished(redeemed)


def _finished(seen: SessionView) -> AuthenticateResponse:
    organization = seen.organization.organization
    return AuthenticateResponse(
        member_id=seen.session.member_id,
        organization_id=seen.session.organization_id,
        member=member_object(seen.member),
        organization=organization_object(seen.organization),
        member_authenticated=True,
        session_token=seen.token,
        session_jwt=seen.jwt,
        member_session=session_object(seen.session, organization, seen.roles),
    )


def _unfinished(redeemed: Unfinished) -> AuthenticateResponse:
    """Say that a second factor is needed (semantics 2.4)."""
    member, phone = redeemed.member.member, redeemed.member.member.mfa_phone_number
    options = MemberOptions(mfa_phone_number=phone, totp_registration_id="") if phone else None
    return AuthenticateResponse(
        member_id=member.member_id,
        organization_id=member.organization_id,
        member=member_object(redeemed.member),
        organization=organization_object(redeemed.organization),
        member_authenticated=False,
        intermediate_session_token=redeemed.token,
        intermediate_session_token_expires_at=rfc3339(redeemed.intermediate.expires_at),
        mfa_required=MfaRequired(member_options=options),
    )
