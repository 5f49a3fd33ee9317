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
from vestibule.api.objects.sessions import (
    NAMED_SESSION,
    WANTED_SESSION,
    LoginResponse,
    outcome_fields,
    require_locale,
)
from vestibule.api.objects.targets import ConnectionTarget, OrganizationTarget
from vestibule.domain import connection_lifecycle
from vestibule.domain.outcome import Wanted
from vestibule.domain.sign_in import redemption
from vestibule.domain.sign_in.redemption import Redemption
from vestibule.permissions import Permission, ProjectSecret

group: Final = Group("sso")


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
async def get_connections(request: OrganizationTarget, call: Call) -> GetConnectionsResponse:
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
async def delete_connection(request: ConnectionTarget, call: Call) -> DeleteConnectionResponse:
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


class AuthenticateResponse(LoginResponse, kw_only=True):
    """How the login ended."""

    organization_id: str
    reset_session: bool = False


@group.endpoint(
    "POST",
    "/v1/b2b/sso/authenticate",
    access=ProjectSecret(),
    errors=(
        errors.sso_token_not_found,
        errors.expired_saml_response,
        errors.pkce_expected_code_verifier,
        errors.pkce_did_not_expect_code_verifier,
        errors.pkce_mismatch,
        errors.invalid_pkce_code_verifier,
        errors.invalid_connection_for_jit_provisioning,
        errors.operation_restricted_by_organization_auth_methods,
        errors.user_lock_limit_reached,
        errors.duplicate_member_email,
        errors.retired_member_email,
        errors.action_not_allowed_email_domain_is_claimed,
        errors.sso_connection_not_found,
        errors.requires_active_sso_connection,
        errors.too_many_session_arguments,
        *NAMED_SESSION,
        *WANTED_SESSION,
        errors.intermediate_session_not_found,
        errors.invalid_intermediate_session_token_for_organization,
        errors.invalid_locale,
    ),
)
async def authenticate(request: AuthenticateRequest, call: Call) -> AuthenticateResponse:
    """Redeem an sso_token once: find or create the member, and begin a session."""
    require_locale(request.locale)
    ended = await redemption.redeem(
        call.context,
        call.project,
        Redemption(
            sso_token=request.sso_token,
            pkce_code_verifier=request.pkce_code_verifier or "",
            session_token=request.session_token or "",
            session_jwt=request.session_jwt or "",
            intermediate_session_token=request.intermediate_session_token or "",
            wanted=Wanted(
                duration_minutes=request.session_duration_minutes,
                custom_claims=request.session_custom_claims or {},
                locale=request.locale or "en",
            ),
        ),
    )
    return AuthenticateResponse(
        organization_id=ended.organization.organization.organization_id,
        **outcome_fields(ended, now=call.now),
    )
