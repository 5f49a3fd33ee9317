"""The `organizations.members` endpoints that mend one thing: a deletion, an address, an id."""

from typing import Annotated, Final, Literal

from vestibule import errors
from vestibule.api.endpoint import NO_EFFECT, Call, Group, Request
from vestibule.api.objects.answers import MemberResponse, member_response
from vestibule.api.objects.targets import MemberTarget
from vestibule.domain import email_updates, member_changes, organizations
from vestibule.errors import Failure
from vestibule.permissions import Permission

group: Final = Group("organizations.members")
own: Final = Group("organizations.members", own=True)

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
    return member_response(*view, now=call.now)


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
    shown = member_response(*view, now=call.now)
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
    return member_response(*view, now=call.now)


class StartEmailUpdateRequest(MemberTarget):
    """The address that the member wants, and how it is to prove it."""

    email_address: str
    login_redirect_url: str | None = None
    locale: Literal["en", "es", "pt-br", "fr"] | None = None
    login_template_id: Annotated[str | None, NO_EFFECT] = None
    delivery_method: email_updates.Delivery | None = None


@group.endpoint(
    "POST",
    f"{_PATH}/start_email_update",
    access=Permission(_MEMBER, "update.info.email", own=True),
    errors=(
        errors.organization_not_found,
        errors.member_not_found,
        errors.invalid_email,
        errors.email_updates_available_only_for_active_members,
        errors.member_has_no_active_verified_email,
        errors.duplicate_member_email,
        errors.desired_email_deactivated_by_different_member,
        errors.desired_email_updating_for_different_member,
        errors.action_not_allowed_email_domain_is_claimed,
        errors.no_login_redirect_urls_set,
        errors.no_default_login_redirect_url_set,
        errors.invalid_login_sso_url,
        errors.no_match_for_provided_sso_url,
        errors.query_params_do_not_match,
        errors.email_settings_not_found,
    ),
)
async def start_email_update(request: StartEmailUpdateRequest, call: Call) -> MemberResponse:
    """Send a link or a code to the new address; it is the member's once that was used."""
    wanted = email_updates.Wanted(
        email_address=request.email_address,
        redirect_url=request.login_redirect_url or "",
        locale=request.locale or "en",
        delivery=request.delivery_method or "EMAIL_MAGIC_LINK",
    )
    view = await email_updates.start(
        call.context, call.project, request.organization_id, request.member_id, wanted
    )
    return member_response(*view, now=call.now)


class ConfirmEmailUpdateRequest(MemberTarget):
    """The code that the letter held."""

    code: str


@own.endpoint(
    "POST",
    f"{_PATH}/confirm_email_update",
    access=Permission(_MEMBER, "update.info.email", own=True),
    errors=(
        errors.organization_not_found,
        errors.member_not_found,
        errors.unable_to_verify_member_email_update,
        errors.duplicate_member_email,
        errors.retired_member_email,
        errors.action_not_allowed_email_domain_is_claimed,
    ),
)
async def confirm_email_update(request: ConfirmEmailUpdateRequest, call: Call) -> MemberResponse:
    """Prove the new address by the code of `start_email_update`; the old one is retired."""
    view = await email_updates.confirm_code(
        call.context, call.project, request.organization_id, request.member_id, request.code
    )
    return member_response(*view, now=call.now)


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
