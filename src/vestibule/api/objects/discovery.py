"""Discovered organizations on the wire (contract a, semantics 1.6)."""

import msgspec

from vestibule.api.objects.members import MemberObject, member_object
from vestibule.api.objects.organizations import OrganizationObject, organization_object
from vestibule.api.objects.sessions import (
    MfaRequired,
    PrimaryRequired,
    mfa_required,
    primary_required,
)
from vestibule.domain.discovery import Reached


class Membership(msgspec.Struct, kw_only=True):
    """`b2b.discovery.Membership`: what somebody is in an organization, or may become."""

    type: str
    details: dict[str, str] | None
    member: MemberObject | None


class DiscoveredOrganization(msgspec.Struct, kw_only=True):
    """`b2b.discovery.DiscoveredOrganization`."""

    organization: OrganizationObject
    membership: Membership
    member_authenticated: bool
    primary_required: PrimaryRequired | None
    mfa_required: MfaRequired | None


def discovered_organization(reached: Reached, *, now: int) -> DiscoveredOrganization:
    """Return an organization that can be entered as the wire shows it.

    As when it is entered, a second factor is asked for once the primary one is there.
    """
    organization, first = reached.organization.organization, reached.needs_primary
    return DiscoveredOrganization(
        organization=organization_object(reached.organization),
        membership=_membership(reached, now=now),
        member_authenticated=not (first or reached.needs_second),
        primary_required=primary_required(organization) if first else None,
        mfa_required=mfa_required(reached.member) if reached.needs_second and not first else None,
    )


def _membership(reached: Reached, *, now: int) -> Membership:
    if reached.member is None:
        return Membership(
            type="eligible_to_join_by_email_domain",
            details={"domain": reached.domain},
            member=None,
        )
    status = reached.member.member.status
    shown = member_object(reached.member, now=now)
    return Membership(type=f"{status}_member", details=None, member=shown)
