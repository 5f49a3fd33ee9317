"""What an organization demands of a login: that it may be, its methods, and a second factor."""

from collections.abc import Iterable

from vestibule import errors
from vestibule.clock import SECOND, rfc3339
from vestibule.domain.factors import method_of
from vestibule.errors import Failure
from vestibule.records import Connection, Factor, Member, Organization


def require_standing(organization: Organization, member: Member | None, *, now: int) -> None:
    """Pass when somebody may log in here at all: rows 16 and 17 of semantics 2.6.

    `member` is None for somebody who is no member yet. Raises Failure organization_suspended, or
    user_lock_limit_reached until the lock is over.
    """
    if organization.suspended_at:
        raise Failure(errors.organization_suspended)
    if member is not None and is_locked(member, now=now):
        raise Failure(
            errors.user_lock_limit_reached,
            "This Member is locked after too many failed attempts, until "
            f"{rfc3339(member.lock_expires_at)}.",
            retry_after=(member.lock_expires_at - now) // SECOND + 1,
        )


def is_locked(member: Member, *, now: int) -> bool:
    """True while the member may not log in, by any method."""
    return member.lock_expires_at > now


def allows(organization: Organization, member: Member | None, method: str) -> bool:
    """True when `method` is one of the organization's; break-glass members may use any (row 14)."""
    return (
        organization.auth_methods != "RESTRICTED"
        or method in organization.allowed_auth_methods
        or (member is not None and member.is_breakglass)
    )


def may_provision(organization: Organization, connection: Connection) -> bool:
    """True when the organization lets its connection make members of new people (rows 5 to 7)."""
    return organization.sso_jit_provisioning == "ALL_ALLOWED" or (
        organization.sso_jit_provisioning == "RESTRICTED"
        and connection.connection_id in organization.sso_jit_provisioning_allowed_connections
    )


def has_primary(
    organization: Organization, member: Member | None, factors: Iterable[Factor]
) -> bool:
    """True when one of `factors` is of a method that the organization allows this member.

    `member` is None for somebody who is no member yet; likewise below.
    """
    methods = (method_of(factor) for factor in factors)
    return any(method and allows(organization, member, method) for method in methods)


def needs_second(
    organization: Organization, member: Member | None, factors: Iterable[Factor]
) -> bool:
    """True while a second factor is missing that the organization or the member wants."""
    enrolled = member is not None and member.mfa_enrolled
    wanted = enrolled or organization.mfa_policy == "REQUIRED_FOR_ALL"
    return wanted and not any(factor.sequence_order == "SECONDARY" for factor in factors)


def allows_second(organization: Organization, member: Member, method: str) -> bool:
    """True when `method` (sms_otp, totp) is one of the organization's; for break-glass, any is."""
    return (
        organization.mfa_methods != "RESTRICTED"
        or method in organization.allowed_mfa_methods
        or member.is_breakglass
    )
