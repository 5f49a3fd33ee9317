"""The `organizations` endpoints: create, get, update, delete, search."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from msgspec import UNSET, UnsetType

from vestibule import errors
from vestibule.api.endpoint import KEPT, Call, Group, Request, Response, given, sent
from vestibule.api.objects.answers import OrganizationResponse
from vestibule.api.objects.organization_settings import (
    SETTING_ERRORS,
    ByTenant,
    EmailRoles,
    Methods,
    Names,
    NewOrganization,
    Openness,
)
from vestibule.api.objects.organizations import OrganizationObject, organization_object
from vestibule.api.objects.search import DEFAULT_LIMIT, Limit, ResultsMetadata, SearchQuery
from vestibule.api.objects.targets import OrganizationTarget
from vestibule.domain import limits, organization_search, organizations
from vestibule.domain.caller import only_with_secret
from vestibule.errors import Failure
from vestibule.permissions import Permission, ProjectSecret

group: Final = Group("organizations")


class CreateRequest(NewOrganization):
    """The fields of a new organization; null is the same as leaving a field out."""

    claimed_email_domains: Names | None = None


@group.endpoint("POST", "/v1/b2b/organizations", access=ProjectSecret(), errors=SETTING_ERRORS)
async def create(request: CreateRequest, call: Call) -> OrganizationResponse:
    """Make an organization; a slug is made of its name when none is given."""
    view = await organizations.create(call.context, call.project, sent(request))
    return OrganizationResponse(organization=organization_object(view))


@group.endpoint(
    "GET",
    "/v1/b2b/organizations/{organization_id}",
    access=ProjectSecret(),
    errors=(errors.organization_not_found,),
)
async def get(request: OrganizationTarget, call: Call) -> OrganizationResponse:
    """Return an organization."""
    view = await organizations.get_view(call.context, call.project, request.organization_id)
    return OrganizationResponse(organization=organization_object(view))


class UpdateRequest(Request):
    """The fields to change; those left out stay as they are, lists are replaced whole."""

    organization_id: str
    organization_name: str | UnsetType = UNSET
    organization_slug: str | UnsetType = UNSET
    organization_logo_url: str | UnsetType = UNSET
    trusted_metadata: dict[str, Any] | UnsetType = UNSET
    organization_external_id: str | UnsetType | None = UNSET
    sso_default_connection_id: str | UnsetType | None = UNSET
    sso_jit_provisioning: Openness | UnsetType = UNSET
    sso_jit_provisioning_allowed_connections: Names | UnsetType = UNSET
    email_allowed_domains: Names | UnsetType = UNSET
    email_jit_provisioning: ByTenant | UnsetType = UNSET
    email_invites: Annotated[Openness | UnsetType, KEPT] = UNSET
    auth_methods: Methods | UnsetType = UNSET
    allowed_auth_methods: Names | UnsetType = UNSET
    mfa_policy: str | UnsetType = UNSET
    rbac_email_implicit_role_assignments: EmailRoles | UnsetType = UNSET
    mfa_methods: Methods | UnsetType = UNSET
    allowed_mfa_methods: Names | UnsetType = UNSET
    oauth_tenant_jit_provisioning: Annotated[ByTenant | UnsetType, KEPT] = UNSET
    allowed_oauth_tenants: Annotated[dict[str, Any] | UnsetType | None, KEPT] = UNSET
    claimed_email_domains: Names | UnsetType = UNSET
    first_party_connected_apps_allowed_type: Annotated[Openness | UnsetType, KEPT] = UNSET
    allowed_first_party_connected_apps: Annotated[Names | UnsetType, KEPT] = UNSET
    third_party_connected_apps_allowed_type: Annotated[Openness | UnsetType, KEPT] = UNSET
    allowed_third_party_connected_apps: Annotated[Names | UnsetType, KEPT] = UNSET


# What a member session needs on stytch.organization for each field (contract a); fields that are
# not here can be written with the project secret alone.
_ACTIONS: Final[Mapping[str, str]] = {
    "organization_name": "update.info.name",
    "organization_slug": "update.info.slug",
    "organization_logo_url": "update.info.logo-url",
    "sso_default_connection_id": "update.settings.default-sso-connection",
    "sso_jit_provisioning": "update.settings.sso-jit-provisioning",
    "sso_jit_provisioning_allowed_connections": "update.settings.sso-jit-provisioning",
    "email_allowed_domains": "update.settings.allowed-domains",
    "email_jit_provisioning": "update.settings.email-jit-provisioning",
    "email_invites": "update.settings.email-invites",
    "auth_methods": "update.settings.allowed-auth-methods",
    "allowed_auth_methods": "update.settings.allowed-auth-methods",
    "mfa_policy": "update.settings.mfa-policy",
    "rbac_email_implicit_role_assignments": "update.settings.implicit-roles",
    "mfa_methods": "update.settings.allowed-mfa-methods",
    "allowed_mfa_methods": "update.settings.allowed-mfa-methods",
    "oauth_tenant_jit_provisioning": "update.settings.oauth-tenant-jit-provisioning",
    "allowed_oauth_tenants": "update.settings.allowed-oauth-tenants",
}


@group.endpoint(
    "PUT",
    "/v1/b2b/organizations/{organization_id}",
    access=Permission("stytch.organization", None),
    errors=(
        errors.organization_not_found,
        *SETTING_ERRORS,
        errors.invalid_sso_default_connection_id,
        errors.cannot_update_trusted_metadata,
    ),
)
async def update(request: UpdateRequest, call: Call) -> OrganizationResponse:
    """Change the fields that are sent, each with its own permission under a member session."""
    changes = given(request, without={"organization_id"})
    named = request.organization_id
    if call.caller is not None:
        named = (await organizations.get(call.context, call.project, named)).organization_id
        _require_each(call, named, changes)
    view = await organizations.update(call.context, call.project, named, changes)
    return OrganizationResponse(organization=organization_object(view))


def _require_each(call: Call, organization_id: str, names: Iterable[str]) -> None:
    """Pass when the member session may change every one of these fields of the organization."""
    if call.caller is None or call.caller.session.organization_id != organization_id:
        raise Failure(errors.session_authorization_tenancy_error)
    for name in names:
        if name == "trusted_metadata":
            raise Failure(errors.cannot_update_trusted_metadata)
        if name not in _ACTIONS:
            raise only_with_secret(name)
        call.require("stytch.organization", _ACTIONS[name], organization_id=organization_id)


class DeleteResponse(Response):
    """The id of what is gone."""

    organization_id: str


@group.endpoint(
    "DELETE",
    "/v1/b2b/organizations/{organization_id}",
    access=Permission("stytch.organization", "delete"),
    errors=(errors.organization_not_found,),
)
async def delete(request: OrganizationTarget, call: Call) -> DeleteResponse:
    """Remove an organization with its members, sessions and connections."""
    gone = await organizations.delete(call.context, call.project, request.organization_id)
    return DeleteResponse(organization_id=gone)


class SearchRequest(Request):
    """Which organizations, and how many of them at once."""

    cursor: str | None = None
    limit: Limit | None = None
    query: SearchQuery | None = None


class SearchResponse(Response):
    """One page of organizations, oldest first."""

    organizations: list[OrganizationObject]
    results_metadata: ResultsMetadata


@group.endpoint(
    "POST",
    "/v1/b2b/organizations/search",
    access=ProjectSecret(),
    limits=(limits.ORGANIZATION_SEARCH,),
    errors=(
        errors.organization_search_missing_filter_name,
        errors.organization_search_filter_name_must_be_string,
        errors.organization_search_filter_name_not_recognized,
        errors.organization_search_missing_filter_value,
        errors.organization_search_expected_array_of_strings,
        errors.organization_search_expected_string,
        errors.organization_search_expected_boolean,
        errors.organization_search_organization_name_fuzzy_too_short,
        errors.organization_search_organization_slug_fuzzy_too_short,
        errors.organization_search_member_email_fuzzy_too_short,
        errors.organization_search_allowed_domain_fuzzy_too_short,
    ),
)
async def search(request: SearchRequest, call: Call) -> SearchResponse:
    """Find organizations; without a query all of them."""
    query = request.query or SearchQuery()
    found = await organization_search.run(
        call.context,
        call.project,
        operands=query.operands,
        operator=query.operator,
        after=request.cursor or "",
        limit=request.limit or DEFAULT_LIMIT,
    )
    return SearchResponse(
        organizations=[organization_object(view) for view in found.organizations],
        results_metadata=ResultsMetadata(total=found.total, next_cursor=found.next_cursor),
    )
