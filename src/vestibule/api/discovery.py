"""The `discovery` endpoints: the organizations of a proven address, entered or made."""

from typing import Annotated, Any, Final

from vestibule import errors
from vestibule.api.endpoint import NO_EFFECT, Call, Group, Request, Response, sent
from vestibule.api.objects.discovery import DiscoveredOrganization, discovered_organization
from vestibule.api.objects.organization_settings import SETTING_ERRORS, NewOrganization
from vestibule.api.objects.sessions import (
    NAMED_SESSION,
    WANTED_SESSION,
    LoginResponse,
    outcome_fields,
    require_locale,
)
from vestibule.domain import discovery, discovery_login
from vestibule.domain.discovery_login import Proven
from vestibule.domain.outcome import Wanted
from vestibule.permissions import ProjectSecret

of_organizations: Final = Group("discovery.organizations")
of_intermediate_sessions: Final = Group("discovery.intermediate_sessions")

_PROOF_ERRORS: Final = (
    errors.intermediate_session_not_found,
    errors.invalid_intermediate_session_token_for_organization,
    errors.insufficient_factors,
)


class ListRequest(Request):
    """Exactly one of the three."""

    intermediate_session_token: str | None = None
    session_token: str | None = None
    session_jwt: str | None = None


class ListResponse(Response):
    """Memberships first, then what can be joined, each kind in the order of creation."""

    email_address: str
    discovered_organizations: list[DiscoveredOrganization]
    organization_id_hint: None = None


@of_organizations.endpoint(
    "POST",
    "/v1/b2b/discovery/organizations",
    access=ProjectSecret(),
    errors=(
        errors.no_session_arguments,
        errors.too_many_session_arguments,
        *_PROOF_ERRORS,
        *NAMED_SESSION,
    ),
)
async def list(request: ListRequest, call: Call) -> ListResponse:  # noqa: A001 - its wire name
    """List the organizations that can be entered with an intermediate session or a session."""
    now = call.context.clock.now()
    found = await discovery.run(
        call.context,
        call.project,
        intermediate_session_token=request.intermediate_session_token or "",
        session_token=request.session_token or "",
        session_jwt=request.session_jwt or "",
    )
    return ListResponse(
        email_address=found.email_address,
        discovered_organizations=[
            discovered_organization(each, now=now) for each in found.organizations
        ],
    )


class CreateRequest(NewOrganization, kw_only=True):
    """The fields of the new organization, and the session that its creator wants."""

    intermediate_session_token: str
    session_duration_minutes: int | None = None
    session_custom_claims: dict[str, Any] | None = None
    telemetry_id: Annotated[str | None, NO_EFFECT] = None


class CreateResponse(LoginResponse, kw_only=True):
    """How the creator's login to the new organization ended."""


@of_organizations.endpoint(
    "POST",
    "/v1/b2b/discovery/organizations/create",
    access=ProjectSecret(),
    errors=(
        *_PROOF_ERRORS,
        *SETTING_ERRORS,
        errors.action_not_allowed_email_domain_is_claimed,
        *WANTED_SESSION,
    ),
)
async def create(request: CreateRequest, call: Call) -> CreateResponse:
    """Make an organization, and whoever proved the address its first admin."""
    proven = _proven(request)
    settings = sent(
        request,
        "intermediate_session_token",
        "session_duration_minutes",
        "session_custom_claims",
        "telemetry_id",
    )
    ended = await discovery_login.create(call.context, call.project, settings, proven)
    return CreateResponse(**outcome_fields(ended, now=call.context.clock.now()))


class ExchangeRequest(Request):
    """The intermediate session, and the organization to enter."""

    intermediate_session_token: str
    organization_id: str
    session_duration_minutes: int | None = None
    session_custom_claims: dict[str, Any] | None = None
    locale: str | None = None
    telemetry_id: Annotated[str | None, NO_EFFECT] = None


class ExchangeResponse(LoginResponse, kw_only=True):
    """How the login to the organization ended."""


@of_intermediate_sessions.endpoint(
    "POST",
    "/v1/b2b/discovery/intermediate_sessions/exchange",
    access=ProjectSecret(),
    errors=(
        *_PROOF_ERRORS,
        errors.organization_not_found,
        errors.organization_suspended,
        errors.user_lock_limit_reached,
        errors.email_jit_provisioning_not_allowed,
        errors.invalid_email_for_jit_provisioning,
        errors.action_not_allowed_email_domain_is_claimed,
        errors.operation_restricted_by_organization_auth_methods,
        *WANTED_SESSION,
        errors.invalid_locale,
    ),
)
async def exchange(request: ExchangeRequest, call: Call) -> ExchangeResponse:
    """Enter an organization with the proven address, as its member or as one made by its domain."""
    require_locale(request.locale)
    ended = await discovery_login.exchange(
        call.context, call.project, request.organization_id, _proven(request)
    )
    return ExchangeResponse(**outcome_fields(ended, now=call.context.clock.now()))


def _proven(request: CreateRequest | ExchangeRequest) -> Proven:
    wanted = Wanted(
        duration_minutes=request.session_duration_minutes,
        custom_claims=request.session_custom_claims or {},
        locale=(request.locale if isinstance(request, ExchangeRequest) else None) or "en",
    )
    return Proven(request.intermediate_session_token, wanted)
