"""An organization's settings: reading the fields of a change, and what must hold after it."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain.email_domains import read_domain, read_domains
from vestibule.domain.metadata import merge
from vestibule.domain.policy import MEMBER_ROLE, Policy, roles_of
from vestibule.errors import ErrorType, Failure
from vestibule.records import EmailRole, EmailRoleAssignment, Organization

ID_FORM: Final = re.compile(r"organization-(test|live)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
EXTERNAL_ID: Final = re.compile(r"[A-Za-z0-9._|-]{1,128}")
_SLUG: Final = re.compile(r"[A-Za-z0-9._~-]{2,128}")
_MAX_NAME: Final = 128
_MAX_URL: Final = 4096
# Pages put it into an address: no other scheme, which could be a script or a document.
_LOGO: Final = re.compile(r"https?://[^\s\x00-\x1f\x7f\"'<>\\]+", re.IGNORECASE)
_AUTH_METHODS: Final = frozenset({
    "sso", "magic_link", "email_otp", "password",
    "google_oauth", "microsoft_oauth", "slack_oauth", "github_oauth", "hubspot_oauth",
})  # fmt: skip
_MFA_METHODS: Final = frozenset({"sms_otp", "totp"})
_MFA_POLICIES: Final = frozenset({"OPTIONAL", "REQUIRED_FOR_ALL"})
_OAUTH_TENANTS: Final = frozenset({"slack", "hubspot", "github"})


_Reader = Callable[[Organization, Any], Any]


def apply(organization: Organization, changes: Mapping[str, Any], policy: Policy) -> Organization:
    """Return `organization` with `changes`, which has columns of it as they were sent.

    A list replaces the old one whole, trusted_metadata is merged. Raises the Failure of the first
    field that cannot be used, or of the first rule that would not hold afterwards.
    """
    email_roles: _Reader = partial(_email_roles, policy)
    readers = {**_READERS, "rbac_email_implicit_role_assignments": email_roles}
    values = {
        name: readers[name](organization, value) if name in readers else value
        for name, value in changes.items()
    }
    changed = replace(organization, **values)
    _require_consistent(changed)
    return changed


def _require_consistent(it: Organization) -> None:
    """Pass when the settings fit together (semantics 1.2, validity rules)."""
    provisioning = {it.sso_jit_provisioning, it.email_jit_provisioning, it.email_invites}
    if provisioning == {"NOT_ALLOWED"}:
        raise Failure(errors.invalid_organization_auth_factor_setting)
    if it.auth_methods == "RESTRICTED" and not it.allowed_auth_methods:
        raise Failure(errors.allowed_auth_methods_required_for_restricted)
    if it.mfa_methods == "RESTRICTED" and not it.allowed_mfa_methods:
        raise Failure(errors.allowed_mfa_methods_required_for_restricted)
    by_email = {it.email_invites, it.email_jit_provisioning}
    if "RESTRICTED" in by_email and not it.email_allowed_domains:
        raise Failure(errors.invalid_restricted_email_setting)
    if it.sso_jit_provisioning == "RESTRICTED" and not it.sso_jit_provisioning_allowed_connections:
        raise Failure(errors.invalid_restricted_sso_setting)
    if it.oauth_tenant_jit_provisioning == "RESTRICTED" and not any(
        (it.allowed_oauth_tenants or {}).values()
    ):
        raise Failure(errors.invalid_restricted_oauth_tenants_setting)


def _name(_: Organization, value: str) -> str:
    if not value.strip():
        raise Failure(errors.organization_name_missing)
    if len(value) > _MAX_NAME:
        raise Failure(errors.invalid_organization_name)
    return value


def _slug(_: Organization, value: str) -> str:
    if not _SLUG.fullmatch(value) or ID_FORM.fullmatch(value):
        raise Failure(errors.invalid_organization_slug)
    return value


def _external_id(_: Organization, value: str | None) -> str | None:
    if value is not None and (not EXTERNAL_ID.fullmatch(value) or ID_FORM.fullmatch(value)):
        raise Failure(errors.invalid_organization_external_id)
    return value


def _logo_url(_: Organization, value: str) -> str:
    if len(value) > _MAX_URL:
        raise Failure(errors.organization_logo_url_too_long)
    if value and not _LOGO.fullmatch(value):
        raise Failure(errors.bad_request, "organization_logo_url: expected an http or https URL.")
    return value


def _metadata(organization: Organization, value: Mapping[str, Any]) -> dict[str, Any]:
    return merge(organization.trusted_metadata, value)


def _allowed_domains(_: Organization, value: Sequence[str]) -> tuple[str, ...]:
    return read_domains(
        value,
        field="email_allowed_domains",
        invalid=errors.organization_settings_invalid_domain,
        common=errors.organization_settings_domain_too_common,
        duplicate=errors.organization_settings_duplicate_domain,
    )


def _claimed_domains(_: Organization, value: Sequence[str]) -> tuple[str, ...]:
    return read_domains(
        value,
        field="claimed_email_domains",
        invalid=errors.organization_settings_invalid_claimed_domain,
        common=errors.organization_settings_claimed_domain_too_common,
        duplicate=errors.organization_settings_duplicate_claimed_domain,
    )


def _auth_methods(_: Organization, value: Sequence[str]) -> tuple[str, ...]:
    return _known(value, _AUTH_METHODS, errors.invalid_organization_allowed_auth_methods)


def _mfa_methods(_: Organization, value: Sequence[str]) -> tuple[str, ...]:
    return _known(value, _MFA_METHODS, errors.invalid_organization_allowed_mfa_methods)


def _mfa_policy(_: Organization, value: str) -> str:
    return _known([value], _MFA_POLICIES, errors.invalid_organization_mfa_policy)[0]


def _oauth_tenants(_: Organization, value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    for provider, tenants in (value or {}).items():
        good = isinstance(tenants, list) and all(isinstance(each, str) for each in tenants)
        if provider not in _OAUTH_TENANTS or not good:
            raise Failure(errors.invalid_oauth_allowed_tenants_format)
    return value


def _email_roles(
    policy: Policy, organization: Organization, value: Sequence[EmailRole]
) -> tuple[EmailRoleAssignment, ...]:
    field = "rbac_email_implicit_role_assignments"
    known = roles_of(policy, organization).keys() - {MEMBER_ROLE}
    read: dict[EmailRoleAssignment, None] = {}
    for assignment in value:
        if assignment.role_id not in known:
            role_id = assignment.role_id[:128]
            raise Failure(errors.invalid_role, f"{field}: no role is named {role_id!r}.")
        domain = read_domain(
            assignment.domain,
            field=field,
            invalid=errors.rbac_invalid_domain,
            common=errors.rbac_domain_too_common,
        )
        read[EmailRoleAssignment(domain=domain, role_id=assignment.role_id)] = None
    return tuple(read)


def _distinct(_: Organization, value: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value))


def _known(value: Sequence[str], known: frozenset[str], error: ErrorType) -> tuple[str, ...]:
    if not known.issuperset(value):
        raise Failure(error)
    return tuple(dict.fromkeys(value))


_READERS: Final[Mapping[str, _Reader]] = {
    "organization_name": _name,
    "organization_slug": _slug,
    "organization_external_id": _external_id,
    "organization_logo_url": _logo_url,
    "trusted_metadata": _metadata,
    "sso_jit_provisioning_allowed_connections": _distinct,
    "email_allowed_domains": _allowed_domains,
    "claimed_email_domains": _claimed_domains,
    "allowed_auth_methods": _auth_methods,
    "allowed_mfa_methods": _mfa_methods,
    "mfa_policy": _mfa_policy,
    "allowed_oauth_tenants": _oauth_tenants,
    "allowed_first_party_connected_apps": _distinct,
    "allowed_third_party_connected_apps": _distinct,
}
