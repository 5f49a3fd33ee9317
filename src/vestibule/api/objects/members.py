"""Members on the wire (contract g)."""

from typing import Any

import msgspec

from vestibule.clock import rfc3339
from vestibule.domain.members import MemberView
from vestibule.domain.policy import ADMIN_ROLE
from vestibule.domain.requirements import is_locked
from vestibule.domain.roles import Grant
from vestibule.records import MemberEmail, Registration


class RegistrationObject(msgspec.Struct, kw_only=True):
    """`b2b.organizations.SSORegistration`."""

    connection_id: str
    external_id: str
    registration_id: str
    sso_attributes: dict[str, Any]


class RetiredEmailObject(msgspec.Struct, kw_only=True):
    """`b2b.organizations.RetiredEmail`."""

    email_id: str
    email_address: str


class RoleSourceObject(msgspec.Struct, kw_only=True):
    """`b2b.organizations.MemberRoleSource`."""

    type: str
    details: dict[str, str]


class MemberRoleObject(msgspec.Struct, kw_only=True):
    """`b2b.organizations.MemberRole`."""

    role_id: str
    sources: tuple[RoleSourceObject, ...]


class MemberObject(msgspec.Struct, kw_only=True):
    """`b2b.organizations.Member`."""

    organization_id: str
    member_id: str
    external_id: str | None
    email_address: str
    email_address_verified: bool
    retired_email_addresses: tuple[RetiredEmailObject, ...]
    status: str
    name: str
    is_breakglass: bool
    is_admin: bool
    roles: tuple[MemberRoleObject, ...]
    sso_registrations: tuple[RegistrationObject, ...]
    oauth_registrations: tuple[()] = ()
    scim_registration: None = None
    member_password_id: str = ""
    totp_registration_id: str
    mfa_enrolled: bool
    mfa_phone_number: str
    mfa_phone_number_verified: bool
    default_mfa_method: str
    is_locked: bool
    lock_created_at: str | None
    lock_expires_at: str | None
    trusted_metadata: dict[str, Any]
    untrusted_metadata: dict[str, Any]
    created_at: str
    updated_at: str


def member_object(view: MemberView, *, now: int) -> MemberObject:
    """Return a member as the wire shows it; a lock that is over by `now` is not shown."""
    it = view.member
    locked = is_locked(it, now=now)
    return MemberObject(
        organization_id=it.organization_id,
        member_id=it.member_id,
        external_id=it.external_id,
        email_address=it.email_address,
        email_address_verified=it.email_address_verified,
        retired_email_addresses=tuple(_retired(each) for each in view.emails if each.retired),
        status=it.status,
        name=it.name,
        is_breakglass=it.is_breakglass,
        is_admin=any(grant.role_id == ADMIN_ROLE for grant in view.grants),
        roles=tuple(map(_role, view.grants)),
        sso_registrations=tuple(map(_registration, view.registrations)),
        mfa_enrolled=it.mfa_enrolled,
        mfa_phone_number=it.mfa_phone_number,
        mfa_phone_number_verified=it.mfa_phone_number_verified,
        totp_registration_id=it.totp_registration_id,
        default_mfa_method=it.default_mfa_method,
        is_locked=locked,
        lock_created_at=rfc3339(it.lock_created_at) if locked else None,
        lock_expires_at=rfc3339(it.lock_expires_at) if locked else None,
        trusted_metadata=dict(it.trusted_metadata),
        untrusted_metadata=dict(it.untrusted_metadata),
        created_at=rfc3339(it.created_at),
        updated_at=rfc3339(it.updated_at),
    )


def _retired(email: MemberEmail) -> RetiredEmailObject:
    return RetiredEmailObject(email_id=email.email_id, email_address=email.email_address)


def _role(grant: Grant) -> MemberRoleObject:
    sources = tuple(
        RoleSourceObject(type=each.type, details=dict(each.details)) for each in grant.sources
    )
    return MemberRoleObject(role_id=grant.role_id, sources=sources)


def _registration(registration: Registration) -> RegistrationObject:
    return RegistrationObject(
        connection_id=registration.connection_id,
        external_id=registration.external_id,
        registration_id=registration.registration_id,
        sso_attributes=dict(registration.sso_attributes),
    )
