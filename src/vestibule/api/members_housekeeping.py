"""The `organizations.members` endpoints that mend one thing: a deletion, an address, an id."""

from typing import Final

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Request
from vestibule.api.members import MemberResponse, member_response
from vestibule.api.objects.targets import MemberTarget
from vestibule.domain import member_changes, organizations
from vestibule.errors import Failure
from vestibule.permissions import Permission

group: Final = Group("organizations.members")

_MEMBER: Final = "stytch.member"
_PATH: Final = "/v1/b2b/organizations/{organization_id}/members/{member_id}"


@group.endpoint(
    "PUT",
    f"{_PATH}/reactivate",
    access=Permission(_MEMBER, "create"),
    errors=(
        errors.organization_not_found,
        errors.no_deleted_member_found_for_reactivation,
        errors.email_unverified_for_reactivation,
        errors.reactivation_email_belongs_to_another_member,
        errors.action_not_allowed_email_domain_is_claimed,
    ),
)
async def reactivate(request: MemberTarget, call: Call) -> MemberResponse:
    """Make a deleted member active again; `member_id` cannot be an external id here."""
    view = await member_changes.reactivate(
        call.context, call.project, request.organization_id, request.member_id
    )
    return member_response(*view)


class UnlinkRetiredEmailRequest(MemberTarget):
    """Which retired address of which member: by its id, by itself, or by both."""

    email_id: str | None = None
    email_address: str | None = None


class UnlinkRetiredEmailResponse(MemberResponse):
    """The member without the address."""

    organization_id: str


@group.endpoint(
    "POST",
    f"{_PATH}/unlink_retired_email",
    access=Permission(_MEMBER, "update.info.unlink.retired-email", own=True),
    errors=(
        errors.organization_not_found,
        errors.member_not_found,
        errors.retired_email_missing_email_identifiers,
        errors.email_not_found,
    ),
)
async def unlink_retired_email(
    request: UnlinkRetiredEmailRequest, call: Call
) -> UnlinkRetiredEmailResponse:
    """Give up an address that the member had before, so that another member may use it."""
    view = await member_changes.unlink_retired_email(
        call.context,
        call.project,
        request.organization_id,
        request.member_id,
        email_id=request.email_id or "",
        email_address=request.email_address or "",
    )
    shown = member_response(*view)
    return UnlinkRetiredEmailResponse(
        member_id=shown.member_id,
        member=shown.member,
        organization=shown.organization,
        organization_id=shown.organization.organization_id,
    )


@group.endpoint(
    "DELETE",
    f"{_PATH}/external_id",
    access=Permission(_MEMBER, None),
    errors=(errors.organization_not_found, errors.member_not_found),
)
async def delete_external_id(request: MemberTarget, call: Call) -> MemberResponse:
    """Take the member's external id away; without one nothing happens."""
    call.require_secret("external_id")
    view = await member_changes.delete_external_id(
        call.context, call.project, request.organization_id, request.member_id
    )
    return member_response(*view)


class DeletePasswordRequest(Request):
    """Which password of which organization."""

    organization_id: str
    member_password_id: str


@group.endpoint(
    "DELETE",
    "/v1/b2b/organizations/{organization_id}/members/passwords/{member_password_id}",
    access=Permission(_MEMBER, "update.info.delete.password", own=True),
    errors=(errors.organization_not_found, errors.member_password_not_found),
)
async def delete_password(request: DeletePasswordRequest, call: Call) -> MemberResponse:
    """Delete a member's password. Nobody has one: this server does not take passwords."""
    await organizations.get(call.context, call.project, request.organization_id)
    raise Failure(errors.member_password_not_found)
