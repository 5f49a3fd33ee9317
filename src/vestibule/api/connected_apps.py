"""The endpoints about Connected Apps. There are none yet, so each answers for an empty set."""

from typing import Any, Final

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Request, Response
from vestibule.api.objects.targets import MemberTarget, OrganizationTarget
from vestibule.domain import member_changes, organizations
from vestibule.errors import Failure
from vestibule.permissions import Permission

of_organizations: Final = Group("organizations")
of_members: Final = Group("organizations.members")
revocation: Final = Group("organizations.members.connected_apps")

_ORGANIZATION: Final = "/v1/b2b/organizations/{organization_id}"
_MEMBER: Final = f"{_ORGANIZATION}/members/{{member_id}}"


class ConnectedAppsResponse(Response):
    """The applications that members have let in."""

    connected_apps: list[dict[str, Any]]


@of_organizations.endpoint(
    "GET",
    f"{_ORGANIZATION}/connected_apps",
    access=Permission("stytch.organization", None),
    errors=(errors.organization_not_found,),
)
async def connected_apps(request: OrganizationTarget, call: Call) -> ConnectedAppsResponse:
    """Return the applications that members of the organization have let in."""
    call.require_secret("connected_apps")
    await organizations.get(call.context, call.project, request.organization_id)
    return ConnectedAppsResponse(connected_apps=[])


class AppRequest(Request):
    """Which application, seen from which organization."""

    organization_id: str
    connected_app_id: str


class ConnectedAppResponse(Response):
    """One application and the members who have let it in."""

    connected_app_id: str
    name: str
    description: str
    client_type: str
    active_members: list[dict[str, Any]]
    logo_url: str | None = None


@of_organizations.endpoint(
    "GET",
    f"{_ORGANIZATION}/connected_apps/{{connected_app_id}}",
    access=Permission("stytch.organization", None),
    errors=(errors.organization_not_found, errors.connected_app_not_found),
)
async def get_connected_app(request: AppRequest, call: Call) -> ConnectedAppResponse:
    """Return one application of an organization."""
    call.require_secret("connected_apps")
    await organizations.get(call.context, call.project, request.organization_id)
    raise Failure(errors.connected_app_not_found)


@of_members.endpoint(
    "GET",
    f"{_MEMBER}/connected_apps",
    access=Permission("stytch.member", "get.connected-apps", own=True),
    errors=(errors.organization_not_found, errors.member_not_found),
)
async def get_connected_apps(request: MemberTarget, call: Call) -> ConnectedAppsResponse:
    """Return the applications that the member has let in."""
    await _member(call, request.organization_id, request.member_id)
    return ConnectedAppsResponse(connected_apps=[])


class RevokeRequest(MemberTarget):
    """Which application is to lose its access to which member."""

    connected_app_id: str


class RevokeResponse(Response):
    """Done."""


@revocation.endpoint(
    "POST",
    f"{_MEMBER}/connected_apps/{{connected_app_id}}/revoke",
    access=Permission("stytch.member", "revoke.connected-app", own=True),
    errors=(
        errors.organization_not_found,
        errors.member_not_found,
        errors.connected_app_not_found,
    ),
)
async def revoke(request: RevokeRequest, call: Call) -> RevokeResponse:
    """End what the member let an application do."""
    await _member(call, request.organization_id, request.member_id)
    raise Failure(errors.connected_app_not_found)


async def _member(call: Call, organization_id: str, member_id: str) -> None:
    """Pass when the member exists."""
    await member_changes.get(call.context, call.project, organization_id, member_locator=member_id)
