"""The `sessions` endpoints: authenticate, exchange, get, revoke, JWKS."""

from typing import Annotated, Any, Final

import msgspec

from vestibule import errors
from vestibule.api.endpoint import NO_EFFECT, Call, Group, Request, Response
from vestibule.api.objects.members import MemberObject, member_object
from vestibule.api.objects.organizations import OrganizationObject, organization_object
from vestibule.api.objects.sessions import (
    NAMED_SESSION,
    WANTED_SESSION,
    LoginResponse,
    MemberSession,
    outcome_fields,
    require_locale,
    session_object,
)
from vestibule.api.objects.targets import MemberTarget
from vestibule.domain import projects, session_exchange, session_revocation, sessions, signing_keys
from vestibule.domain.outcome import Wanted
from vestibule.domain.session_exchange import Exchange
from vestibule.permissions import Permission, ProjectSecret, Public

group: Final = Group("sessions")


class AuthorizationCheck(msgspec.Struct, kw_only=True):
    """May this session's member do this? Answered with a verdict, or with a 403."""

    organization_id: str
    resource_id: str
    action: str


class AuthorizationVerdict(msgspec.Struct, kw_only=True):
    """The answer to an authorization check that passed."""

    authorized: bool
    granting_roles: list[str]


class AuthenticateRequest(Request):
    """Exactly one of `session_token` and `session_jwt`."""

    session_token: str | None = None
    session_jwt: str | None = None
    session_duration_minutes: int | None = None
    session_custom_claims: dict[str, Any] | None = None
    authorization_check: AuthorizationCheck | None = None


class AuthenticateResponse(Response):
    """The session with a fresh JWT; `verdict` is null unless a check was asked for."""

    member_session: MemberSession
    session_token: str
    session_jwt: str
    member: MemberObject
    organization: OrganizationObject
    verdict: AuthorizationVerdict | None = None


@group.endpoint(
    "POST",
    "/v1/b2b/sessions/authenticate",
    access=ProjectSecret(),
    errors=(
        errors.no_session_arguments,
        errors.too_many_session_arguments,
        *NAMED_SESSION,
        *WANTED_SESSION,
        errors.session_authorization_error,
        errors.session_authorization_tenancy_error,
    ),
)
async def authenticate(request: AuthenticateRequest, call: Call) -> AuthenticateResponse:
    """Check a session, extend it when a duration is given, and return a fresh JWT."""
    asked = request.authorization_check
    seen, granting = await sessions.authenticate(
        call.context,
        call.project,
        session_token=request.session_token or "",
        session_jwt=request.session_jwt or "",
        duration_minutes=request.session_duration_minutes,
        custom_claims=request.session_custom_claims,
        check=sessions.Check(asked.organization_id, asked.resource_id, asked.action)
        if asked
        else None,
    )
    return AuthenticateResponse(
        member_session=session_object(seen.session, seen.organization.organization, seen.roles),
        session_token=seen.token,
        session_jwt=seen.jwt,
        member=member_object(seen.member, now=call.now),
        organization=organization_object(seen.organization),
        verdict=AuthorizationVerdict(authorized=True, granting_roles=list(granting))
        if asked
        else None,
    )


class GetResponse(Response):
    """A member's living sessions."""

    member_sessions: list[MemberSession]


@group.endpoint(
    "GET",
    "/v1/b2b/sessions",
    access=ProjectSecret(),
    errors=(errors.organization_not_found, errors.member_not_found),
)
async def get(request: MemberTarget, call: Call) -> GetResponse:
    """List the member's living sessions, oldest first."""
    found = await sessions.of_member(
        call.context,
        call.project,
        organization_id=request.organization_id,
        member_id=request.member_id,
    )
    return GetResponse(
        member_sessions=[
            session_object(session, organization, roles) for session, roles, organization in found
        ]
    )


class RevokeRequest(Request):
    """Exactly one of the four."""

    member_session_id: str | None = None
    session_token: str | None = None
    session_jwt: str | None = None
    member_id: str | None = None


class RevokeResponse(Response):
    """Nothing beyond the envelope."""


@group.endpoint(
    "POST",
    "/v1/b2b/sessions/revoke",
    access=Permission("stytch.member", "revoke-sessions", own=True),
    errors=(
        errors.no_session_revoke_arguments,
        errors.too_many_session_revoke_arguments,
        errors.invalid_session_token,
        errors.unable_to_parse_session_jwt,
        errors.member_not_found,
    ),
)
async def revoke(request: RevokeRequest, call: Call) -> RevokeResponse:
    """End one session, or all sessions of a member; ending it twice is no error."""
    named = await session_revocation.find(
        call.context,
        call.project,
        member_session_id=request.member_session_id or "",
        session_token=request.session_token or "",
        session_jwt=request.session_jwt or "",
        member_id=request.member_id or "",
    )
    if named.member_id:
        # Also when there is no session: who may not ask does not learn that.
        call.require(
            "stytch.member",
            "revoke-sessions",
            organization_id=named.organization_id,
            member_id=named.member_id,
        )
    await session_revocation.revoke(call.context, named)
    return RevokeResponse()


class ExchangeRequest(Request):
    """Exactly one of `session_token` and `session_jwt`, and the organization to go to."""

    organization_id: str
    session_token: str | None = None
    session_jwt: str | None = None
    session_duration_minutes: int | None = None
    session_custom_claims: dict[str, Any] | None = None
    locale: str | None = None
    telemetry_id: Annotated[str | None, NO_EFFECT] = None


class ExchangeResponse(LoginResponse, kw_only=True):
    """How the login to the other organization ended; the session that was given goes on."""


@group.endpoint(
    "POST",
    "/v1/b2b/sessions/exchange",
    access=ProjectSecret(),
    errors=(
        errors.no_session_arguments,
        errors.too_many_session_arguments,
        *NAMED_SESSION,
        errors.organization_not_found,
        errors.insufficient_factors_for_session_exchange,
        errors.member_not_found,
        errors.duplicate_member_email,
        errors.user_lock_limit_reached,
        *WANTED_SESSION,
        errors.invalid_locale,
    ),
)
async def exchange(request: ExchangeRequest, call: Call) -> ExchangeResponse:
    """Begin a session in another organization with the factors that count there, too."""
    require_locale(request.locale)
    ended = await session_exchange.exchange(
        call.context,
        call.project,
        Exchange(
            organization_id=request.organization_id,
            session_token=request.session_token or "",
            session_jwt=request.session_jwt or "",
            wanted=Wanted(
                duration_minutes=request.session_duration_minutes,
                custom_claims=request.session_custom_claims or {},
                locale=request.locale or "en",
            ),
        ),
    )
    return ExchangeResponse(**outcome_fields(ended, now=call.now))


class JwksRequest(Request):
    """Whose keys."""

    project_id: str


class JwksResponse(Response):
    """RFC 7517 key set; each key has the members that the SDKs insist on."""

    keys: list[dict[str, Any]]


@group.endpoint(
    "GET",
    "/v1/b2b/sessions/jwks/{project_id}",
    access=Public("verifiers fetch the keys without credentials (contract d)"),
    errors=(errors.project_not_found,),
)
async def get_jwks(request: JwksRequest, call: Call) -> JwksResponse:
    """Return the public keys of the project's session JWTs, retiring ones included."""
    project = await projects.get(call.context, request.project_id)
    async with call.context.store.read() as tx:
        keys = await signing_keys.published(tx, project.project_id, now=call.context.clock.now())
    return JwksResponse(keys=[signing_keys.jwk(key) for key in keys])
