"""The `organizations.members` endpoints: create, get, update, delete, search."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Request, Response, given
from vestibule.api.objects.answers import MemberResponse, member_response
from vestibule.api.objects.members import MemberObject, member_object
from vestibule.api.objects.organizations import OrganizationObject, organization_object
from vestibule.api.objects.search import DEFAULT_LIMIT, Limit, ResultsMetadata, SearchQuery
from vestibule.api.objects.targets import MemberTarget
from vestibule.domain import limits, member_changes, member_search, organizations
from vestibule.domain.caller import Caller, only_with_secret
from vestibule.errors import Failure
from vestibule.permissions import Permission, ProjectSecret

group: Final = Group("organizations.members")

_MEMBER: Final = "stytch.member"

Name = Annotated[str, msgspec.Meta(max_length=256)]
Roles = Annotated[tuple[str, ...], msgspec.Meta(max_length=100)]
OrganizationIds = Annotated[tuple[str, ...], msgspec.Meta(max_length=1000)]

_FIELD_ERRORS: Final = (
    errors.organization_not_found,
    errors.invalid_email,
    errors.duplicate_member_email,
    errors.retired_member_email,
    errors.action_not_allowed_email_domain_is_claimed,
    errors.duplicate_member_external_id,
    errors.invalid_id,
    errors.invalid_phone_number,
    errors.invalid_phone_number_sandbox,
    errors.metadata_too_many_keys,
    errors.metadata_too_large,
    errors.cannot_assign_default_rbac_role_id,
    errors.invalid_rbac_role_assignment,
    errors.cannot_update_trusted_metadata,
)


class CreateRequest(Request):
    """The fields of a new member; null is the same as leaving a field out."""

    organization_id: str
    email_address: str
    name: Name | None = None
    trusted_metadata: dict[str, Any] | None = None
    untrusted_metadata: dict[str, Any] | None = None
    create_member_as_pending: bool | None = None
    is_breakglass: bool | None = None
    mfa_phone_number: str | None = None
    mfa_enrolled: bool | None = None
    roles: Roles | None = None
    external_id: str | None = None


@group.endpoint(
    "POST",
    "/v1/b2b/organizations/{organization_id}/members",
    access=Permission(_MEMBER, "create"),
    errors=_FIELD_ERRORS,
)
async def create(request: CreateRequest, call: Call) -> MemberResponse:
    """Add a member to an organization, active unless asked otherwise."""
    elsewhere = {"organization_id", "email_address", "create_member_as_pending", "roles"}
    sent = given(request, without=elsewhere)
    fields = {name: value for name, value in sent.items() if value is not None}
    if call.caller is not None:
        _require_for_creation(call.caller, request)
    member, organization = await member_changes.create(
        call.context,
        call.project,
        request.organization_id,
        email_address=request.email_address,
        pending=bool(request.create_member_as_pending),
        roles=request.roles or (),
        fields=fields,
    )
    return member_response(member, organization, now=call.now)


def _require_for_creation(caller: Caller, request: CreateRequest) -> None:
    """Pass when a member session that may create members may give a new one all of this.

    What it could not change afterwards it cannot set at the start either.
    """
    if request.trusted_metadata is not None:
        raise Failure(errors.cannot_update_trusted_metadata)
    if request.external_id is not None:
        raise only_with_secret("external_id")
    organization_id = caller.session.organization_id
    if request.roles:
        caller.require(_MEMBER, "update.settings.roles", organization_id=organization_id)
    if request.is_breakglass:
        caller.require(_MEMBER, "update.settings.is-breakglass", organization_id=organization_id)


class GetRequest(Request):
    """Which member: by exactly one of id (or external id) and present address."""

    organization_id: str
    member_id: str | None = None
    email_address: str | None = None


@group.endpoint(
    "GET",
    "/v1/b2b/organizations/{organization_id}/member",
    access=ProjectSecret(),
    errors=(
        errors.organization_not_found,
        errors.invalid_member_get_fields,
        errors.member_not_found,
    ),
)
async def get(request: GetRequest, call: Call) -> MemberResponse:
    """Return a member; a deleted one is not found."""
    member, organization = await member_changes.get(
        call.context,
        call.project,
        request.organization_id,
        member_locator=request.member_id or "",
        email_address=request.email_address or "",
    )
    return member_response(member, organization, now=call.now)


class DangerouslyGetRequest(Request):
    """Which member, by its own id, whatever the organization."""

    member_id: str
    include_deleted: bool = False


@group.endpoint(
    "GET",
    "/v1/b2b/organizations/members/dangerously_get/{member_id}",
    access=ProjectSecret(),
    errors=(errors.member_not_found,),
)
async def dangerously_get(request: DangerouslyGetRequest, call: Call) -> MemberResponse:
    """Return a member of any organization; the caller checks which one it is."""
    member, organization = await member_changes.get_anywhere(
        call.context,
        call.project,
        request.member_id,
        include_deleted=request.include_deleted,
    )
    return member_response(member, organization, now=call.now)


class UpdateRequest(Request):
    """The fields to change; those left out stay as they are, `roles` is replaced whole."""

    organization_id: str
    member_id: str
    name: Name | UnsetType = UNSET
    trusted_metadata: dict[str, Any] | UnsetType = UNSET
    untrusted_metadata: dict[str, Any] | UnsetType = UNSET
    is_breakglass: bool | UnsetType = UNSET
    mfa_phone_number: str | UnsetType = UNSET
    mfa_enrolled: bool | UnsetType = UNSET
    roles: Roles | UnsetType = UNSET
    preserve_existing_sessions: bool | UnsetType = UNSET
    default_mfa_method: str | UnsetType = UNSET
    email_address: str | UnsetType = UNSET
    external_id: str | UnsetType | None = UNSET
    unlink_email: bool | UnsetType = UNSET


# What a member session needs for each field: the action, and whether it also counts on
# stytch.self (contract a). Fields that are not here need the project secret alone.
_ACTIONS: Final[Mapping[str, tuple[str, bool]]] = {
    "name": ("update.info.name", True),
    "untrusted_metadata": ("update.info.untrusted-metadata", True),
    "is_breakglass": ("update.settings.is-breakglass", False),
    "mfa_phone_number": ("update.info.mfa-phone", True),
    "mfa_enrolled": ("update.settings.mfa-enrolled", True),
    "roles": ("update.settings.roles", False),
    "default_mfa_method": ("update.settings.default-mfa-method", True),
    "email_address": ("update.info.email", False),
}


@group.endpoint(
    "PUT",
    "/v1/b2b/organizations/{organization_id}/members/{member_id}",
    access=Permission(_MEMBER, None, own=True),
    errors=(
        *_FIELD_ERRORS,
        errors.member_not_found,
        errors.duplicate_member_phone_number_for_member,
        errors.invalid_mfa_default_method,
        errors.default_mfa_member_missing_factor,
        errors.member_cannot_update_their_email_address,
        errors.cannot_preserve_existing_sessions,
    ),
)
async def update(request: UpdateRequest, call: Call) -> MemberResponse:
    """Change the fields that are sent, each with its own permission under a member session."""
    sent = given(request, without={"organization_id", "member_id"})
    organization_id, member_id = request.organization_id, request.member_id
    if call.caller is not None:
        seen, _ = await member_changes.get(
            call.context, call.project, organization_id, member_locator=member_id
        )
        organization_id, member_id = seen.member.organization_id, seen.member.member_id
        _require_each(call.caller, sent, organization_id=organization_id, member_id=member_id)
    unlink = sent.pop("unlink_email", False)
    preserve = sent.pop("preserve_existing_sessions", False)
    member, organization = await member_changes.update(
        call.context,
        call.project,
        organization_id,
        member_id,
        sent,
        unlink_email=unlink,
        preserve_existing_sessions=preserve,
    )
    return member_response(member, organization, now=call.now)


def _require_each(
    caller: Caller, sent: Mapping[str, Any], *, organization_id: str, member_id: str
) -> None:
    """Pass when the member session may change every one of these fields of the member."""
    if caller.session.organization_id != organization_id:
        raise Failure(errors.session_authorization_tenancy_error)
    own = caller.session.member_id == member_id
    if not sent and not own:
        # A change of nothing would be a way to read any other member.
        raise Failure(errors.session_authorization_error)
    for name in sent:
        if name == "trusted_metadata":
            raise Failure(errors.cannot_update_trusted_metadata)
        if name == "preserve_existing_sessions":
            raise Failure(errors.cannot_preserve_existing_sessions)
        if name == "email_address" and own:
            raise Failure(errors.member_cannot_update_their_email_address)
        if name not in _ACTIONS:
            raise only_with_secret(name)
        action, of_self = _ACTIONS[name]
        target = member_id if of_self else ""
        caller.require(_MEMBER, action, organization_id=organization_id, member_id=target)


class DeleteResponse(Response):
    """The id of the deleted member."""

    member_id: str


@group.endpoint(
    "DELETE",
    "/v1/b2b/organizations/{organization_id}/members/{member_id}",
    access=Permission(_MEMBER, "delete", own=True),
    errors=(errors.organization_not_found, errors.member_not_found),
)
async def delete(request: MemberTarget, call: Call) -> DeleteResponse:
    """Delete a member: sessions end, the address and the external id are free again."""
    gone = await member_changes.delete(
        call.context, call.project, request.organization_id, request.member_id
    )
    return DeleteResponse(member_id=gone)


class SearchRequest(Request):
    """Which members of which organizations, and how many of them at once."""

    organization_ids: OrganizationIds = ()
    cursor: str | None = None
    limit: Limit | None = None
    query: SearchQuery | None = None


class SearchResponse(Response):
    """One page of members, oldest first, and the organizations they are in by id."""

    members: list[MemberObject]
    organizations: dict[str, OrganizationObject]
    results_metadata: ResultsMetadata


@group.endpoint(
    "POST",
    "/v1/b2b/organizations/members/search",
    access=Permission(_MEMBER, "search"),
    limits=(limits.MEMBER_SEARCH,),
    errors=(
        errors.organization_not_found,
        errors.member_search_missing_organization_id,
        errors.member_search_missing_filter_name,
        errors.member_search_filter_name_must_be_string,
        errors.member_search_filter_name_not_recognized,
        errors.member_search_missing_filter_value,
        errors.member_search_expected_array_of_strings,
        errors.member_search_expected_string,
        errors.member_search_expected_boolean,
        errors.member_search_member_email_fuzzy_too_short,
        errors.member_search_member_mfa_phone_number_fuzzy_too_short,
        errors.member_search_cannot_mix_internal_and_external_member_ids,
        errors.search_invalid_status_filter,
    ),
)
async def search(request: SearchRequest, call: Call) -> SearchResponse:
    """Find members; deleted ones only when the filter `statuses` names them."""
    if not request.organization_ids:
        raise Failure(errors.member_search_missing_organization_id)
    within = await organizations.get_all(call.context, call.project, request.organization_ids)
    for organization in within:
        call.require(_MEMBER, "search", organization_id=organization.organization_id)
    query = request.query or SearchQuery()
    found = await member_search.run(
        call.context,
        call.project,
        within=within,
        operands=query.operands,
        operator=query.operator,
        after=request.cursor or "",
        limit=request.limit or DEFAULT_LIMIT,
    )
    return SearchResponse(
        members=[member_object(view, now=call.now) for view in found.members],
        organizations={
            view.organization.organization_id: organization_object(view)
            for view in found.organizations
        },
        results_metadata=ResultsMetadata(total=found.total, next_cursor=found.next_cursor),
    )
