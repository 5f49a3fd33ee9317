"""The `organizations` endpoints beside its settings: its external id, and how large it is."""

from typing import Final

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Response
from vestibule.api.objects.answers import OrganizationResponse
from vestibule.api.objects.organizations import organization_object
from vestibule.api.objects.targets import OrganizationTarget
from vestibule.domain import organizations
from vestibule.permissions import Permission, ProjectSecret

group: Final = Group("organizations")


@group.endpoint(
    "DELETE",
    "/v1/b2b/organizations/{organization_id}/external_id",
    access=Permission("stytch.organization", None),
    errors=(errors.organization_not_found,),
)
async def delete_external_id(request: OrganizationTarget, call: Call) -> OrganizationResponse:
    """Take the organization's external id away; without one nothing happens."""
    call.require_secret("organization_external_id")
    view = await organizations.update(
        call.context, call.project, request.organization_id, {"organization_external_id": None}
    )
    return OrganizationResponse(organization=organization_object(view))


class MetricsResponse(Response):
    """How many members there are; deleted ones do not count."""

    member_count: int


@group.endpoint(
    "GET",
    "/v1/b2b/organizations/{organization_id}/metrics",
    access=ProjectSecret(),
    errors=(errors.organization_not_found,),
)
async def metrics(request: OrganizationTarget, call: Call) -> MetricsResponse:
    """Return how large an organization is."""
    count = await organizations.member_count(call.context, call.project, request.organization_id)
    return MetricsResponse(member_count=count)
