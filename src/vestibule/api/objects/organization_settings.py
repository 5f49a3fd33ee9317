"""The settings of an organization in requests (contract g), and what may be wrong with them."""

from typing import Annotated, Any, Final, Literal

import msgspec

from vestibule import errors
from vestibule.api.endpoint import KEPT, Request
from vestibule.records import EmailRole

Openness = Literal["ALL_ALLOWED", "RESTRICTED", "NOT_ALLOWED"]
ByTenant = Literal["RESTRICTED", "NOT_ALLOWED"]
Methods = Literal["ALL_ALLOWED", "RESTRICTED"]
Names = Annotated[tuple[str, ...], msgspec.Meta(max_length=1000)]
EmailRoles = Annotated[tuple[EmailRole, ...], msgspec.Meta(max_length=100)]

SETTING_ERRORS: Final = (
    errors.organization_name_missing,
    errors.invalid_organization_name,
    errors.invalid_organization_slug,
    errors.organization_slug_already_used,
    errors.invalid_organization_external_id,
    errors.organization_external_id_already_used,
    errors.organization_logo_url_too_long,
    errors.metadata_too_many_keys,
    errors.metadata_too_large,
    errors.organization_settings_invalid_domain,
    errors.organization_settings_domain_too_common,
    errors.organization_settings_duplicate_domain,
    errors.organization_settings_invalid_claimed_domain,
    errors.organization_settings_claimed_domain_too_common,
    errors.organization_settings_duplicate_claimed_domain,
    errors.rbac_invalid_domain,
    errors.rbac_domain_too_common,
    errors.invalid_role,
    errors.invalid_organization_allowed_auth_methods,
    errors.invalid_organization_allowed_mfa_methods,
    errors.invalid_organization_mfa_policy,
    errors.invalid_oauth_allowed_tenants_format,
    errors.invalid_organization_auth_factor_setting,
    errors.allowed_auth_methods_required_for_restricted,
    errors.allowed_mfa_methods_required_for_restricted,
    errors.invalid_restricted_email_setting,
    errors.invalid_restricted_sso_setting,
    errors.invalid_restricted_oauth_tenants_setting,
)


class NewOrganization(Request):
    """The fields of an organization that somebody makes; null is as leaving a field out."""

    organization_name: str | None = None
    organization_slug: str | None = None
    organization_logo_url: str | None = None
    trusted_metadata: dict[str, Any] | None = None
    organization_external_id: str | None = None
    sso_jit_provisioning: Openness | None = None
    email_allowed_domains: Names | None = None
    email_jit_provisioning: ByTenant | None = None
    email_invites: Annotated[Openness | None, KEPT] = None
    auth_methods: Methods | None = None
    allowed_auth_methods: Names | None = None
    mfa_policy: str | None = None
    rbac_email_implicit_role_assignments: EmailRoles | None = None
    mfa_methods: Methods | None = None
    allowed_mfa_methods: Names | None = None
    oauth_tenant_jit_provisioning: Annotated[ByTenant | None, KEPT] = None
    allowed_oauth_tenants: Annotated[dict[str, Any] | None, KEPT] = None
    first_party_connected_apps_allowed_type: Annotated[Openness | None, KEPT] = None
    allowed_first_party_connected_apps: Annotated[Names | None, KEPT] = None
    third_party_connected_apps_allowed_type: Annotated[Openness | None, KEPT] = None
    allowed_third_party_connected_apps: Annotated[Names | None, KEPT] = None
