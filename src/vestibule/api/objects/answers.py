"""The answers that several endpoints give: one organization, one member."""

from vestibule.api.endpoint import Response
from vestibule.api.objects.members import MemberObject, member_object
from vestibule.api.objects.organizations import OrganizationObject, organization_object
from vestibule.domain.members import MemberView
from vestibule.domain.organizations import OrganizationView


class OrganizationResponse(Response):
    """One organization."""

    organization: OrganizationObject


class MemberResponse(Response):
    """One member and the organization it is in."""

    member_id: str
    member: MemberObject
    organization: OrganizationObject


def member_response(
    member: MemberView, organization: OrganizationView, *, now: int
) -> MemberResponse:
    """Return one member and its organization as the wire shows them at `now`."""
    return MemberResponse(
        member_id=member.member.member_id,
        member=member_object(member, now=now),
        organization=organization_object(organization),
    )
