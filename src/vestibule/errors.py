"""Every error a caller can see: its `error_type`, HTTP status and default message.

Names are those of the wire contract. Raise `Failure(errors.some_error, "a fuller message")`; the
message goes to the caller, `detail` only to the log. `web.py` renders it; nothing else does.
"""

from dataclasses import dataclass
from typing import Final

_REGISTRY: dict[tuple[str, int], "ErrorType"] = {}


@dataclass(frozen=True)
class ErrorType:
    """One kind of error on the wire."""

    name: str
    status: int
    message: str


class Failure(Exception):
    """Ends a request with a wire error.

    `message` replaces the default text; it must name the field or the step and what to do.
    `detail` is for the log. `retry_after` (seconds) becomes the header of that name.
    """

    def __init__(
        self, error: ErrorType, message: str = "", *, detail: str = "", retry_after: int = 0
    ) -> None:
        super().__init__(f"{error.name}: {message or error.message}")
        self.error = error
        self.message = message or error.message
        self.detail = detail
        self.retry_after = retry_after


def all_errors() -> tuple[ErrorType, ...]:
    """Return every error, ordered by name."""
    return tuple(_REGISTRY[key] for key in sorted(_REGISTRY))


def _error(name: str, status: int, message: str) -> ErrorType:
    # The contract has no names of its own for 413 and 415: `bad_request` carries them too.
    if (name, status) in _REGISTRY:
        raise ValueError(f"error {name} {status} is declared twice")
    return _REGISTRY.setdefault((name, status), ErrorType(name, status, message))


# Requests ------------------------------------------------------------------------------------
bad_request: Final = _error("bad_request", 400, "The request could not be understood.")
request_too_large: Final = _error("bad_request", 413, "The request body is too large.")
unsupported_media_type: Final = _error(
    "bad_request", 415, "The body must be JSON, with Content-Type application/json."
)
route_not_found: Final = _error("route_not_found", 404, "No endpoint has this path.")
method_not_allowed: Final = _error("method_not_allowed", 405, "This path has no such method.")
bad_domain_for_stytch_sdk: Final = _error(
    "bad_domain_for_stytch_sdk",
    400,
    "Pages of this origin may not ask: register a redirect URL of it for the project.",
)
internal_server_error: Final = _error(
    "internal_server_error",
    500,
    "Something went wrong on our side; the request id finds it in the log.",
)
server_unavailable: Final = _error(
    "server_unavailable", 503, "The database cannot be reached right now; try again shortly."
)
too_many_requests: Final = _error(
    "too_many_requests", 429, "Too many requests; Retry-After says when to try again."
)

# Credentials ---------------------------------------------------------------------------------
unauthorized_credentials: Final = _error(
    "unauthorized_credentials", 401, "Unauthorized credentials: send Basic project_id:secret."
)
session_authorization_error: Final = _error(
    "session_authorization_error",
    403,
    "The Member is not authorized to perform the requested action on that resource.",
)
session_authorization_tenancy_error: Final = _error(
    "session_authorization_tenancy_error",
    403,
    "The Member's session belongs to another Organization than the one requested.",
)
cannot_update_trusted_metadata: Final = _error(
    "cannot_update_trusted_metadata",
    401,
    "trusted_metadata can be written with the project secret alone, not with a Member's session.",
)

# Organizations --------------------------------------------------------------------------------
organization_not_found: Final = _error(
    "organization_not_found", 404, "No Organization with this id, slug or external id exists."
)
organization_slug_already_used: Final = _error(
    "organization_slug_already_used", 400, "Another Organization already uses this slug."
)
organization_external_id_already_used: Final = _error(
    "organization_external_id_already_used",
    400,
    "Another Organization already uses this external id.",
)
organization_name_missing: Final = _error(
    "organization_name_missing", 400, "organization_name: an Organization needs a name."
)
invalid_organization_name: Final = _error(
    "invalid_organization_name", 400, "organization_name: expected 1 to 128 characters."
)
invalid_organization_slug: Final = _error(
    "invalid_organization_slug",
    400,
    "organization_slug: expected 2 to 128 characters of letters, digits, '-', '.', '_', '~'.",
)
invalid_organization_external_id: Final = _error(
    "invalid_organization_external_id",
    400,
    "organization_external_id: expected up to 128 letters, digits, '.', '_', '-', '|'.",
)
organization_logo_url_too_long: Final = _error(
    "organization_logo_url_too_long",
    400,
    "organization_logo_url: expected at most 4096 characters.",
)
organization_settings_domain_too_common: Final = _error(
    "organization_settings_domain_too_common",
    400,
    "A common e-mail provider's domain cannot be used here.",
)
organization_settings_invalid_domain: Final = _error(
    "organization_settings_invalid_domain",
    400,
    "email_allowed_domains: expected a domain such as example.com.",
)
organization_settings_duplicate_domain: Final = _error(
    "organization_settings_duplicate_domain",
    400,
    "email_allowed_domains: the same domain is given twice.",
)
organization_settings_claimed_domain_too_common: Final = _error(
    "organization_settings_claimed_domain_too_common",
    400,
    "claimed_email_domains: a common e-mail provider's domain cannot be claimed.",
)
organization_settings_invalid_claimed_domain: Final = _error(
    "organization_settings_invalid_claimed_domain",
    400,
    "claimed_email_domains: expected a domain such as example.com.",
)
organization_settings_duplicate_claimed_domain: Final = _error(
    "organization_settings_duplicate_claimed_domain",
    400,
    "claimed_email_domains: this domain is already claimed.",
)
invalid_organization_auth_factor_setting: Final = _error(
    "invalid_organization_auth_factor_setting",
    400,
    "sso_jit_provisioning, email_jit_provisioning and email_invites cannot all be NOT_ALLOWED.",
)
allowed_auth_methods_required_for_restricted: Final = _error(
    "allowed_auth_methods_required_for_restricted",
    400,
    "allowed_auth_methods must name at least one method while auth_methods is RESTRICTED.",
)
allowed_mfa_methods_required_for_restricted: Final = _error(
    "allowed_mfa_methods_required_for_restricted",
    400,
    "allowed_mfa_methods must name at least one method while mfa_methods is RESTRICTED.",
)
invalid_restricted_email_setting: Final = _error(
    "invalid_restricted_email_setting",
    400,
    "email_allowed_domains must name at least one domain while email_invites or "
    "email_jit_provisioning is RESTRICTED.",
)
invalid_restricted_sso_setting: Final = _error(
    "invalid_restricted_sso_setting",
    400,
    "sso_jit_provisioning_allowed_connections must name at least one connection of the "
    "Organization while sso_jit_provisioning is RESTRICTED.",
)
invalid_restricted_oauth_tenants_setting: Final = _error(
    "invalid_restricted_oauth_tenants_setting",
    400,
    "allowed_oauth_tenants must name at least one tenant while "
    "oauth_tenant_jit_provisioning is RESTRICTED.",
)
invalid_oauth_allowed_tenants_format: Final = _error(
    "invalid_oauth_allowed_tenants_format",
    400,
    "allowed_oauth_tenants: expected a map with keys slack, hubspot, github and lists of "
    "tenant ids.",
)
invalid_organization_allowed_auth_methods: Final = _error(
    "invalid_organization_allowed_auth_methods",
    400,
    "allowed_auth_methods: expected a list of sso, magic_link, email_otp, password, google_oauth, "
    "microsoft_oauth, slack_oauth, github_oauth, hubspot_oauth.",
)
invalid_organization_allowed_mfa_methods: Final = _error(
    "invalid_organization_allowed_mfa_methods",
    400,
    "allowed_mfa_methods: expected a list of sms_otp and totp.",
)
invalid_organization_mfa_policy: Final = _error(
    "invalid_organization_mfa_policy", 400, "mfa_policy: expected REQUIRED_FOR_ALL or OPTIONAL."
)
invalid_sso_default_connection_id: Final = _error(
    "invalid_sso_default_connection_id",
    400,
    "sso_default_connection_id: expected an active connection of this Organization.",
)
metadata_too_many_keys: Final = _error(
    "metadata_too_many_keys", 400, "Metadata can have at most 20 top-level keys."
)
metadata_too_large: Final = _error(
    "metadata_too_large", 400, "Metadata can be at most 4096 bytes of JSON."
)
organization_search_filter_name_not_recognized: Final = _error(
    "organization_search_filter_name_not_recognized", 400, "This filter_name is not known."
)
organization_search_filter_name_must_be_string: Final = _error(
    "organization_search_filter_name_must_be_string", 400, "filter_name: expected a string."
)
organization_search_missing_filter_name: Final = _error(
    "organization_search_missing_filter_name", 400, "An operand needs a filter_name."
)
organization_search_missing_filter_value: Final = _error(
    "organization_search_missing_filter_value", 400, "An operand needs a filter_value."
)
organization_search_expected_array_of_strings: Final = _error(
    "organization_search_expected_array_of_strings",
    400,
    "filter_value: expected a list of strings.",
)
organization_search_expected_string: Final = _error(
    "organization_search_expected_string", 400, "filter_value: expected a string."
)
organization_search_expected_boolean: Final = _error(
    "organization_search_expected_boolean", 400, "filter_value: expected true or false."
)
organization_search_organization_name_fuzzy_too_short: Final = _error(
    "organization_search_organization_name_fuzzy_too_short",
    400,
    "organization_name_fuzzy: expected at least 3 characters.",
)
organization_search_organization_slug_fuzzy_too_short: Final = _error(
    "organization_search_organization_slug_fuzzy_too_short",
    400,
    "organization_slug_fuzzy: expected at least 3 characters.",
)
organization_search_member_email_fuzzy_too_short: Final = _error(
    "organization_search_member_email_fuzzy_too_short",
    400,
    "member_email_fuzzy: expected at least 3 characters.",
)
organization_search_allowed_domain_fuzzy_too_short: Final = _error(
    "organization_search_allowed_domain_fuzzy_too_short",
    400,
    "allowed_domain_fuzzy: expected at least 3 characters.",
)
action_not_allowed_email_domain_is_claimed: Final = _error(
    "action_not_allowed_email_domain_is_claimed",
    400,
    "Another Organization has claimed this e-mail domain; the member can only join that "
    "Organization.",
)

# Members --------------------------------------------------------------------------------------
member_not_found: Final = _error(
    "member_not_found", 404, "No Member with this id exists in the Organization."
)
invalid_member_get_fields: Final = _error(
    "invalid_member_get_fields", 400, "Give exactly one of member_id and email_address."
)
invalid_email: Final = _error(
    "invalid_email", 400, "email_address: expected a valid e-mail address."
)
duplicate_member_email: Final = _error(
    "duplicate_member_email",
    400,
    "Another Member of this Organization already uses this e-mail address.",
)
retired_member_email: Final = _error(
    "retired_member_email",
    400,
    "This e-mail address is retired by a Member of this Organization; unlink it first.",
)
duplicate_member_external_id: Final = _error(
    "duplicate_member_external_id",
    400,
    "Another Member of this Organization already uses this external id.",
)
invalid_id: Final = _error("invalid_id", 400, "The id has a form that cannot exist.")
invalid_phone_number: Final = _error(
    "invalid_phone_number",
    400,
    "mfa_phone_number: expected a phone number in E.164 form such as +14155552671.",
)
invalid_phone_number_country_code: Final = _error(
    "invalid_phone_number_country_code",
    400,
    "mfa_phone_number: this server sends no SMS to this country (VESTIBULE_SMS_COUNTRIES).",
)
invalid_phone_number_sandbox: Final = _error(
    "invalid_phone_number_sandbox",
    400,
    "mfa_phone_number: the sandbox number is for test projects alone.",
)
member_phone_number_not_found: Final = _error(
    "member_phone_number_not_found", 404, "The Member has no phone number."
)
duplicate_member_phone_number_for_member: Final = _error(
    "duplicate_member_phone_number_for_member",
    400,
    "mfa_phone_number: the Member already has a phone number; delete it before setting another.",
)
invalid_mfa_default_method: Final = _error(
    "invalid_mfa_default_method", 400, "default_mfa_method: expected sms_otp or totp."
)
default_mfa_member_missing_factor: Final = _error(
    "default_mfa_member_missing_factor",
    400,
    "default_mfa_method: the Member has not set this method up.",
)
member_cannot_update_their_email_address: Final = _error(
    "member_cannot_update_their_email_address",
    400,
    "A Member cannot change the own e-mail address directly; use start_email_update.",
)
cannot_preserve_existing_sessions: Final = _error(
    "cannot_preserve_existing_sessions",
    400,
    "preserve_existing_sessions can only be set with the project secret alone.",
)
member_search_missing_organization_id: Final = _error(
    "member_search_missing_organization_id",
    400,
    "organization_ids: name at least one Organization.",
)
member_search_filter_name_not_recognized: Final = _error(
    "member_search_filter_name_not_recognized", 400, "This filter_name is not known."
)
member_search_filter_name_must_be_string: Final = _error(
    "member_search_filter_name_must_be_string", 400, "filter_name: expected a string."
)
member_search_missing_filter_name: Final = _error(
    "member_search_missing_filter_name", 400, "An operand needs a filter_name."
)
member_search_missing_filter_value: Final = _error(
    "member_search_missing_filter_value", 400, "An operand needs a filter_value."
)
member_search_expected_array_of_strings: Final = _error(
    "member_search_expected_array_of_strings", 400, "filter_value: expected a list of strings."
)
member_search_expected_string: Final = _error(
    "member_search_expected_string", 400, "filter_value: expected a string."
)
member_search_expected_boolean: Final = _error(
    "member_search_expected_boolean", 400, "filter_value: expected true or false."
)
member_search_member_email_fuzzy_too_short: Final = _error(
    "member_search_member_email_fuzzy_too_short",
    400,
    "member_email_fuzzy: expected at least 3 characters.",
)
member_search_member_mfa_phone_number_fuzzy_too_short: Final = _error(
    "member_search_member_mfa_phone_number_fuzzy_too_short",
    400,
    "member_mfa_phone_number_fuzzy: expected at least 3 characters.",
)
member_search_cannot_mix_internal_and_external_member_ids: Final = _error(
    "member_search_cannot_mix_internal_and_external_member_ids",
    400,
    "member_ids: give member ids or external ids, not both in one list.",
)
search_invalid_status_filter: Final = _error(
    "search_invalid_status_filter", 400, "statuses: expected pending, invited, active or deleted."
)
no_deleted_member_found_for_reactivation: Final = _error(
    "no_deleted_member_found_for_reactivation",
    404,
    "No deleted Member with this member_id exists in the Organization.",
)
email_unverified_for_reactivation: Final = _error(
    "email_unverified_for_reactivation",
    400,
    "Only a Member whose e-mail address was verified can be reactivated; create it anew.",
)
reactivation_email_belongs_to_another_member: Final = _error(
    "reactivation_email_belongs_to_another_member",
    400,
    "Another Member of the Organization has this e-mail address now.",
)
retired_email_missing_email_identifiers: Final = _error(
    "retired_email_missing_email_identifiers",
    400,
    "Name the retired address by email_id, by email_address or by both.",
)
email_not_found: Final = _error(
    "email_not_found", 404, "The Member has no such retired e-mail address."
)
email_updates_available_only_for_active_members: Final = _error(
    "email_updates_available_only_for_active_members",
    400,
    "Only an active Member can change its e-mail address itself.",
)
member_has_no_active_verified_email: Final = _error(
    "member_has_no_active_verified_email",
    400,
    "The Member has not proven its present e-mail address yet.",
)
desired_email_deactivated_by_different_member: Final = _error(
    "desired_email_deactivated_by_different_member",
    400,
    "Another Member of the Organization had this e-mail address; unlink it there first.",
)
desired_email_updating_for_different_member: Final = _error(
    "desired_email_updating_for_different_member",
    400,
    "Another Member of the Organization is changing to this e-mail address right now.",
)
unable_to_verify_member_email_update: Final = _error(
    "unable_to_verify_member_email_update",
    401,
    "This link or code is wrong, has been used or is too old; start the change again.",
)
unable_to_auth_magic_link: Final = _error(
    "unable_to_auth_magic_link", 401, "This link is wrong, has been used or is too old."
)
email_settings_not_found: Final = _error(
    "email_settings_not_found",
    404,
    "This server cannot send mail: its operator has to set VESTIBULE_MAIL_URL.",
)
member_password_not_found: Final = _error(
    "member_password_not_found", 404, "No Member of the Organization has this password."
)
member_oauth_token_not_found: Final = _error(
    "member_oauth_token_not_found",
    404,
    "The Member has never signed in through this OAuth provider.",
)
connected_app_not_found: Final = _error(
    "connected_app_not_found", 404, "No Connected App with this id exists."
)

# Roles ----------------------------------------------------------------------------------------
invalid_role: Final = _error(
    "invalid_role", 400, "This role is not in the project's or the Organization's policy."
)
invalid_rbac_role_assignment: Final = _error(
    "invalid_rbac_role_assignment",
    400,
    "roles: expected role ids of the project's or the Organization's policy.",
)
cannot_assign_default_rbac_role_id: Final = _error(
    "cannot_assign_default_rbac_role_id",
    400,
    "stytch_member belongs to every Member and cannot be assigned.",
)
rbac_role_duplicate: Final = _error(
    "rbac_role_duplicate",
    400,
    "The same role_id is given twice, or the project already has a role of this name.",
)
empty_rbac_role_id: Final = _error("empty_rbac_role_id", 400, "A role needs a role_id.")
rbac_role_id_too_long: Final = _error(
    "rbac_role_id_too_long", 400, "role_id: expected at most 128 characters."
)
rbac_description_too_long: Final = _error(
    "rbac_description_too_long", 400, "description: expected at most 256 characters."
)
empty_rbac_resource_id: Final = _error(
    "empty_rbac_resource_id", 400, "A permission needs a resource_id."
)
invalid_permission_resource: Final = _error(
    "invalid_permission_resource", 400, "This resource_id is not in the project's policy."
)
invalid_permission_action: Final = _error(
    "invalid_permission_action", 400, "This action is not one of the resource's."
)
rbac_permission_missing_actions: Final = _error(
    "rbac_permission_missing_actions", 400, "A permission needs at least one action."
)
cannot_specify_wildcard_with_other_actions: Final = _error(
    "cannot_specify_wildcard_with_other_actions",
    400,
    "'*' already means every action; give it alone.",
)
rbac_role_missing_permissions: Final = _error(
    "rbac_role_missing_permissions", 400, "A role needs at least one permission."
)
rbac_invalid_domain: Final = _error(
    "rbac_invalid_domain", 400, "domain: expected a domain such as example.com."
)
rbac_domain_too_common: Final = _error(
    "rbac_domain_too_common",
    400,
    "domain: a common e-mail provider's domain cannot be given a role.",
)
invalid_rbac_stytch_role_edit: Final = _error(
    "invalid_rbac_stytch_role_edit",
    400,
    "role_id: only stytch_member and stytch_admin begin with stytch.",
)
invalid_stytch_prefixed_resource: Final = _error(
    "invalid_stytch_prefixed_resource",
    400,
    "resource_id: a resource of your own cannot begin with stytch.",
)
rbac_resource_duplicate: Final = _error(
    "rbac_resource_duplicate", 400, "The same resource_id is given twice."
)
rbac_resource_id_too_long: Final = _error(
    "rbac_resource_id_too_long", 400, "resource_id: expected at most 128 characters."
)
rbac_resource_missing_actions: Final = _error(
    "rbac_resource_missing_actions", 400, "A resource needs at least one action, and none is '*'."
)
rbac_action_too_long: Final = _error(
    "rbac_action_too_long", 400, "actions: expected 1 to 128 characters each."
)
rbac_action_duplicate: Final = _error(
    "rbac_action_duplicate", 400, "The same action is given twice."
)
too_many_roles: Final = _error("too_many_roles", 400, "Too many roles.")

# Connections ----------------------------------------------------------------------------------
sso_connection_not_found: Final = _error(
    "sso_connection_not_found", 404, "No SSO connection with this id exists in the Organization."
)
saml_connection_not_found: Final = _error(
    "saml_connection_not_found", 404, "No SAML connection with this id exists in the Organization."
)
oidc_connection_not_found: Final = _error(
    "oidc_connection_not_found", 404, "No OIDC connection with this id exists in the Organization."
)
invalid_sso_idp: Final = _error(
    "invalid_sso_idp", 400, "identity_provider: not one of the known values."
)
invalid_display_name: Final = _error(
    "invalid_display_name", 400, "display_name: expected at most 256 characters."
)
too_many_sso_connections: Final = _error(
    "too_many_sso_connections", 400, "This Organization has as many SSO connections as are allowed."
)
duplicate_saml_connection: Final = _error(
    "duplicate_saml_connection",
    400,
    "Another connection of this Organization already uses this IdP entity id.",
)
external_organization_id_same_as_organization_id: Final = _error(
    "external_organization_id_same_as_organization_id",
    400,
    "external_organization_id: expected another Organization than the one that uses it.",
)
external_connection_id_not_found: Final = _error(
    "external_connection_id_not_found",
    404,
    "external_connection_id: the external Organization has no SAML or OIDC connection of this id.",
)
external_connection_not_active: Final = _error(
    "external_connection_not_active",
    400,
    "The other Organization's SSO connection that this one refers to is not active, or deleted.",
)
duplicate_external_sso_connection: Final = _error(
    "duplicate_external_sso_connection",
    400,
    "This Organization already has an external connection to that SSO connection.",
)
cannot_delete_default_sso_connection: Final = _error(
    "cannot_delete_default_sso_connection",
    400,
    "The default connection cannot be deleted while others exist; make another one the "
    "default first.",
)
saml_connection_attribute_mapping_required: Final = _error(
    "saml_connection_attribute_mapping_required",
    400,
    "attribute_mapping: a SAML connection needs one.",
)
saml_connection_email_mapping_required: Final = _error(
    "saml_connection_email_mapping_required",
    400,
    "attribute_mapping: map 'email' ('NameID' takes the NameID).",
)
saml_connection_name_mapping_required: Final = _error(
    "saml_connection_name_mapping_required",
    400,
    "attribute_mapping: map 'full_name', or both 'first_name' and 'last_name'.",
)
saml_connection_no_nested_keys_in_attribute_mapping: Final = _error(
    "saml_connection_no_nested_keys_in_attribute_mapping",
    400,
    "attribute_mapping: expected a flat map of strings.",
)
saml_connection_attribute_mapping_missing_groups_key: Final = _error(
    "saml_connection_attribute_mapping_missing_groups_key",
    400,
    "attribute_mapping: map 'groups' before roles are assigned to groups.",
)
saml_group_role_assignment_does_not_contain_member_group: Final = _error(
    "saml_group_role_assignment_does_not_contain_member_group",
    400,
    "A group role assignment needs a group of 1 to 512 characters.",
)
saml_connection_idp_sso_url_required: Final = _error(
    "saml_connection_idp_sso_url_required",
    400,
    "idp_sso_url: required before this connection can be used.",
)
saml_connection_idp_sso_url_invalid_format: Final = _error(
    "saml_connection_idp_sso_url_invalid_format",
    400,
    "idp_sso_url: expected an absolute URL without a fragment.",
)
saml_connection_idp_sso_url_not_https: Final = _error(
    "saml_connection_idp_sso_url_not_https", 400, "idp_sso_url: expected an https URL."
)
invalid_idp_entity_id: Final = _error(
    "invalid_idp_entity_id", 400, "idp_entity_id: expected 1 to 1024 characters without spaces."
)
invalid_x509_certificate: Final = _error(
    "invalid_x509_certificate",
    400,
    "x509_certificate: expected one certificate in PEM form with an RSA key of at least "
    "2048 bits or a P-256, P-384 or P-521 key.",
)
too_many_sso_verification_certificates: Final = _error(
    "too_many_sso_verification_certificates",
    400,
    "A connection can have at most 5 verification certificates; delete one first.",
)
sso_verification_key_not_found: Final = _error(
    "sso_verification_key_not_found",
    404,
    "No verification certificate with this id exists on the connection.",
)
cannot_delete_last_sso_verification_key: Final = _error(
    "cannot_delete_last_sso_verification_key",
    400,
    "An active connection must keep one verification certificate.",
)
too_many_encryption_certificates: Final = _error(
    "too_many_encryption_certificates",
    400,
    "A connection can have at most 5 encryption keys; delete one first.",
)
sso_encryption_private_key_not_found: Final = _error(
    "sso_encryption_private_key_not_found",
    404,
    "No encryption key with this id exists on the connection.",
)
private_key_too_long: Final = _error(
    "private_key_too_long", 400, "The private key is longer than 16384 characters."
)
saml_signing_private_key_invalid: Final = _error(
    "saml_signing_private_key_invalid",
    400,
    "The private key cannot be read, or is weaker than RSA 2048.",
)
saml_signing_private_key_format_not_supported: Final = _error(
    "saml_signing_private_key_format_not_supported",
    400,
    "Expected a PKCS#1 PEM private key (BEGIN RSA PRIVATE KEY).",
)
invalid_saml_metadata_url: Final = _error(
    "invalid_saml_metadata_url",
    400,
    "metadata_url: the metadata could not be fetched from this URL.",
)
saml_connection_metadata_invalid_format: Final = _error(
    "saml_connection_metadata_invalid_format",
    400,
    "The document at metadata_url is not usable SAML identity provider metadata.",
)
invalid_xml_from_saml_metadata_url: Final = _error(
    "invalid_xml_from_saml_metadata_url", 400, "The document at metadata_url is not acceptable XML."
)
oidc_connection_issuer_url_invalid_format: Final = _error(
    "oidc_connection_issuer_url_invalid_format", 400, "issuer: expected an https URL."
)
oidc_connection_authorization_url_invalid_format: Final = _error(
    "oidc_connection_authorization_url_invalid_format",
    400,
    "authorization_url: expected an https URL.",
)
oidc_connection_token_url_invalid_format: Final = _error(
    "oidc_connection_token_url_invalid_format", 400, "token_url: expected an https URL."
)
oidc_connection_userinfo_url_invalid_format: Final = _error(
    "oidc_connection_userinfo_url_invalid_format", 400, "userinfo_url: expected an https URL."
)
oidc_connection_jwks_url_invalid_format: Final = _error(
    "oidc_connection_jwks_url_invalid_format", 400, "jwks_url: expected an https URL."
)
invalid_client_id: Final = _error(
    "invalid_client_id", 400, "client_id: expected at most 1024 printable characters."
)
client_secret_too_long: Final = _error(
    "client_secret_too_long", 400, "client_secret: expected at most 1024 printable characters."
)

# Sign-in: start -------------------------------------------------------------------------------
public_token_required: Final = _error("public_token_required", 400, "public_token: required.")
public_token_not_found: Final = _error(
    "public_token_not_found", 404, "public_token: no project has this token."
)
missing_sso_connection_locator: Final = _error(
    "missing_sso_connection_locator", 400, "Name the connection: connection_id or organization_id."
)
too_many_sso_connection_locators: Final = _error(
    "too_many_sso_connection_locators", 400, "Give connection_id or organization_id, not both."
)
no_sso_connection_exists_for_organization: Final = _error(
    "no_sso_connection_exists_for_organization",
    400,
    "This Organization has no active SSO connection.",
)
indeterminate_sso_connection_for_organization: Final = _error(
    "indeterminate_sso_connection_for_organization",
    400,
    "This Organization has several SSO connections and no default; give connection_id.",
)
requires_active_sso_connection: Final = _error(
    "requires_active_sso_connection", 400, "This SSO connection is not set up completely yet."
)
invalid_login_sso_url: Final = _error(
    "invalid_login_sso_url", 400, "login_redirect_url: expected an absolute http or https URL."
)
invalid_signup_sso_url: Final = _error(
    "invalid_signup_sso_url", 400, "signup_redirect_url: expected an absolute http or https URL."
)
no_match_for_provided_sso_url: Final = _error(
    "no_match_for_provided_sso_url", 400, "The redirect URL is not registered for this project."
)
query_params_do_not_match: Final = _error(
    "query_params_do_not_match", 400, "The redirect URL's query is not the registered one."
)
invalid_logout_redirect_url: Final = _error(
    "invalid_logout_redirect_url",
    400,
    "logout_redirect_url: expected an absolute http or https URL.",
)
trace_not_found: Final = _error(
    "trace_not_found", 404, "No sign-in of this Organization has this trace_id."
)
logout_not_found: Final = _error(
    "logout_not_found", 404, "This sign-out is unknown, used or too old."
)
no_login_redirect_urls_set: Final = _error(
    "no_login_redirect_urls_set", 400, "No login redirect URL is registered for this project."
)
no_signup_redirect_urls_set: Final = _error(
    "no_signup_redirect_urls_set", 400, "No signup redirect URL is registered for this project."
)
no_logout_redirect_urls_set: Final = _error(
    "no_logout_redirect_urls_set", 400, "No logout redirect URL is registered for this project."
)
no_default_login_redirect_url_set: Final = _error(
    "no_default_login_redirect_url_set", 400, "login_redirect_url: required, as no default is set."
)
no_default_logout_redirect_url_set: Final = _error(
    "no_default_logout_redirect_url_set",
    400,
    "logout_redirect_url: required, as no default is set.",
)
no_default_signup_redirect_url_set: Final = _error(
    "no_default_signup_redirect_url_set",
    400,
    "signup_redirect_url: required, as no default is set.",
)
pkce_required_for_native_callback: Final = _error(
    "pkce_required_for_native_callback",
    400,
    "pkce_code_challenge: required, as the redirect URL is an application's on a device.",
)
invalid_pkce_code_challenge: Final = _error(
    "invalid_pkce_code_challenge",
    400,
    "pkce_code_challenge: expected base64url(SHA-256(verifier)), 43 characters.",
)
duplicate_redirect_url: Final = _error(
    "duplicate_redirect_url", 400, "This redirect URL is registered already."
)
redirect_url_must_use_https: Final = _error(
    "redirect_url_must_use_https", 400, "A live project's redirect URLs must use https."
)
redirect_url_not_found: Final = _error(
    "redirect_url_not_found", 404, "This redirect URL is not registered for the project."
)
redirect_url_with_query_param_placeholder_cannot_be_default: Final = _error(
    "redirect_url_with_query_param_placeholder_cannot_be_default",
    400,
    "A redirect URL with a placeholder, or of an application on a device, cannot be a default.",
)
redirect_url_cannot_use_protocol: Final = _error(
    "redirect_url_cannot_use_protocol", 400, "This scheme cannot be a redirect URL's."
)

# Sign-in: callback ----------------------------------------------------------------------------
missing_saml_response: Final = _error("missing_saml_response", 400, "The form has no SAMLResponse.")
saml_response_too_long: Final = _error(
    "saml_response_too_long", 413, "The SAML response is larger than 256 KiB."
)
invalid_xml_saml_response: Final = _error(
    "invalid_xml_saml_response", 400, "The SAML response is not acceptable XML."
)
missing_signature_saml_response: Final = _error(
    "missing_signature_saml_response", 400, "The SAML response is not signed."
)
invalid_signature_saml_response: Final = _error(
    "invalid_signature_saml_response",
    400,
    "The SAML response's signature is not one of this connection's identity provider.",
)
failed_saml_response: Final = _error(
    "failed_saml_response", 400, "The identity provider says that the login failed."
)
invalid_saml_response: Final = _error(
    "invalid_saml_response", 400, "The SAML response was not made for this connection."
)
invalid_audience_saml_response: Final = _error(
    "invalid_audience_saml_response", 400, "The SAML response names another audience."
)
expired_saml_response: Final = _error(
    "expired_saml_response", 400, "The SAML response is too old; sign in again."
)
not_yet_valid_saml_response: Final = _error(
    "not_yet_valid_saml_response", 400, "The SAML response is not valid yet; the clocks differ."
)
duplicate_saml_response: Final = _error(
    "duplicate_saml_response", 400, "This SAML response has been used already; sign in again."
)
unsolicited_saml_response: Final = _error(
    "unsolicited_saml_response",
    400,
    "This SAML response does not belong to a login started here; sign in again.",
)
saml_idp_initiated_auth_disabled: Final = _error(
    "saml_idp_initiated_auth_disabled",
    400,
    "This connection does not accept logins started at the identity provider.",
)
missing_saml_relay_state: Final = _error(
    "missing_saml_relay_state",
    400,
    "The login this answer belongs to is unknown or too old; sign in again.",
)
missing_saml_csrf_cookie: Final = _error(
    "missing_saml_csrf_cookie",
    400,
    "Your browser did not bring back the cookie set when the login began; allow cookies "
    "and sign in again.",
)
saml_csrf_cookie_mismatch: Final = _error(
    "saml_csrf_cookie_mismatch", 400, "This login was begun in another browser; sign in again here."
)
invalid_saml_response_email: Final = _error(
    "invalid_saml_response_email", 400, "The mapped e-mail is missing or not a valid address."
)
invalid_saml_response_groups: Final = _error(
    "invalid_saml_response_groups", 400, "The mapped groups are not a list of strings."
)
missing_oidc_state_param: Final = _error(
    "missing_oidc_state_param", 400, "The answer has no state; sign in again."
)
unsolicited_oidc_response: Final = _error(
    "unsolicited_oidc_response",
    400,
    "The login this answer belongs to is unknown or used; sign in again.",
)
expired_oidc_response: Final = _error(
    "expired_oidc_response", 400, "The login took too long; sign in again."
)
missing_oidc_csrf_cookie: Final = _error(
    "missing_oidc_csrf_cookie",
    400,
    "Your browser did not bring back the cookie set when the login began; allow cookies "
    "and sign in again.",
)
oidc_csrf_cookie_mismatch: Final = _error(
    "oidc_csrf_cookie_mismatch", 400, "This login was begun in another browser; sign in again here."
)
oidc_auth_code_error: Final = _error(
    "oidc_auth_code_error", 400, "The identity provider did not give a usable authorization code."
)
oidc_user_not_assigned_to_app_in_idp: Final = _error(
    "oidc_user_not_assigned_to_app_in_idp",
    400,
    "The identity provider says that this person is not assigned to the application.",
)
oidc_invalid_callback_request: Final = _error(
    "oidc_invalid_callback_request", 400, "The identity provider's answer is malformed."
)
oidc_invalid_id_token: Final = _error(
    "oidc_invalid_id_token", 400, "The ID token could not be verified."
)
member_oidc_token_not_found: Final = _error(
    "member_oidc_token_not_found",
    404,
    "No tokens of an OpenID provider are kept for this Member; they are from the next login on.",
)
missing_oidc_refresh_token: Final = _error(
    "missing_oidc_refresh_token",
    400,
    "The access token is over and the provider gave no refresh token: let the Member log in "
    "again, and add the scope that your provider gives one for (offline_access) to custom_scopes.",
)
unable_to_refresh_oidc_token: Final = _error(
    "unable_to_refresh_oidc_token",
    400,
    "The provider did not refresh the access token; let the Member log in again.",
)
oidc_invalid_userinfo: Final = _error(
    "oidc_invalid_userinfo", 400, "The userinfo answer could not be used."
)
oidc_response_subject_mismatch: Final = _error(
    "oidc_response_subject_mismatch", 400, "ID token and userinfo name different subjects."
)
oidc_response_email_missing: Final = _error(
    "oidc_response_email_missing", 400, "The identity provider sent no e-mail address."
)
oidc_response_unverified_email: Final = _error(
    "oidc_response_unverified_email",
    400,
    "The identity provider says that this e-mail address is not verified.",
)

# Sign-in: authenticate ------------------------------------------------------------------------
sso_token_not_found: Final = _error(
    "sso_token_not_found", 404, "This sso_token is unknown, used or expired."
)
pkce_expected_code_verifier: Final = _error(
    "pkce_expected_code_verifier",
    400,
    "pkce_code_verifier: required, as the login began with a challenge.",
)
pkce_did_not_expect_code_verifier: Final = _error(
    "pkce_did_not_expect_code_verifier",
    400,
    "pkce_code_verifier: the login began without a challenge.",
)
pkce_mismatch: Final = _error(
    "pkce_mismatch", 400, "pkce_code_verifier does not fit the challenge."
)
invalid_pkce_code_verifier: Final = _error(
    "invalid_pkce_code_verifier",
    400,
    "pkce_code_verifier: expected 43 to 128 characters of letters, digits, '-', '.', '_', '~'.",
)
email_jit_provisioning_not_allowed: Final = _error(
    "email_jit_provisioning_not_allowed",
    400,
    "Nobody joins this Organization by an e-mail address alone: its email_jit_provisioning is "
    "NOT_ALLOWED, and no Member has this address.",
)
invalid_email_for_jit_provisioning: Final = _error(
    "invalid_email_for_jit_provisioning",
    400,
    "This address may not join the Organization: its domain has to be in email_allowed_domains, "
    "where a Member has a verified address already, and nobody may hold the address.",
)
invalid_connection_for_jit_provisioning: Final = _error(
    "invalid_connection_for_jit_provisioning",
    400,
    "No Member has this identity, and the Organization does not let this connection create one.",
)
operation_restricted_by_organization_auth_methods: Final = _error(
    "operation_restricted_by_organization_auth_methods",
    400,
    "The Organization does not allow logins by SSO.",
)
organization_suspended: Final = _error(
    "organization_suspended",
    403,
    "This Organization is suspended: nobody can log in to it until the operator resumes it.",
)
user_lock_limit_reached: Final = _error(
    "user_lock_limit_reached", 429, "This Member is locked after too many failed attempts."
)

# Second factors -------------------------------------------------------------------------------
action_available_only_for_active_members: Final = _error(
    "action_available_only_for_active_members", 400, "The Member is not active."
)
action_available_only_once_primary_authentication_is_met: Final = _error(
    "action_available_only_once_primary_authentication_is_met",
    400,
    "This intermediate session has no primary factor that the Organization allows yet.",
)
operation_restricted_by_organization_mfa_methods: Final = _error(
    "operation_restricted_by_organization_mfa_methods",
    400,
    "The Organization does not allow this second factor.",
)
member_session_member_id_mismatch: Final = _error(
    "member_session_member_id_mismatch", 400, "This session belongs to another Member."
)
invalid_set_mfa_enrollment: Final = _error(
    "invalid_set_mfa_enrollment", 400, "set_mfa_enrollment: expected enroll or unenroll."
)
session_enforced_factor_matching_session_required: Final = _error(
    "session_enforced_factor_matching_session_required",
    400,
    "The Member has a second factor; send a session, or intermediate session, that holds it.",
)
invalid_expiration: Final = _error(
    "invalid_expiration", 400, "expiration_minutes: expected 5 to 1440."
)
active_totp_exists: Final = _error(
    "active_totp_exists", 400, "The Member has an authenticator; delete it before adding another."
)
totp_not_found: Final = _error("totp_not_found", 404, "The Member has no authenticator.")
expired_totp: Final = _error(
    "expired_totp", 400, "This authenticator was not proven in time; create another."
)
invalid_totp_code: Final = _error("invalid_totp_code", 400, "code: expected six digits.")
totp_code_already_authenticated: Final = _error(
    "totp_code_already_authenticated",
    400,
    "code: this one, or a later one, has been used; wait for the next.",
)
recovery_code_used_as_totp_code: Final = _error(
    "recovery_code_used_as_totp_code",
    400,
    "code: this is a recovery code; send it to recovery_codes.recover.",
)
recovery_codes_not_found: Final = _error(
    "recovery_codes_not_found", 404, "The Member has no recovery codes."
)
no_active_recovery_code_backed_factor: Final = _error(
    "no_active_recovery_code_backed_factor",
    400,
    "The Member has no authenticator that recovery codes could stand in for.",
)
invalid_recovery_code: Final = _error(
    "invalid_recovery_code", 400, "recovery_code: expected 8 to 64 characters."
)
unable_to_authenticate_recovery_code: Final = _error(
    "unable_to_authenticate_recovery_code", 401, "recovery_code: unknown, or used already."
)
totp_code_used_as_recovery_code: Final = _error(
    "totp_code_used_as_recovery_code",
    400,
    "recovery_code: this is an authenticator's code; send it to totps.authenticate.",
)
unable_to_authenticate_totp: Final = _error(
    "unable_to_authenticate_totp", 401, "code: not what the Member's authenticator shows now."
)

missing_sms_parameter: Final = _error(
    "missing_sms_parameter",
    400,
    "mfa_phone_number: the Member has no phone number yet; name the one to send the code to.",
)
unavailable_endpoint: Final = _error(
    "unavailable_endpoint",
    400,
    "This server cannot send SMS: its operator has to set VESTIBULE_SMS_ACCOUNT.",
)
otp_code_not_found: Final = _error(
    "otp_code_not_found",
    404,
    "The Member has no code that could be proven now: it was used, replaced by a newer one, "
    "entered wrong 5 times or not entered within 2 minutes; send another.",
)
unable_to_auth_otp_code: Final = _error(
    "unable_to_auth_otp_code", 401, "code: not the one that was sent to the Member's phone last."
)

# Sessions -------------------------------------------------------------------------------------
trusted_token_profile_not_found: Final = _error(
    "trusted_token_profile_not_found", 404, "No trusted token profile has this profile_id."
)
trusted_token_profile_invalid_request: Final = _error(
    "trusted_token_profile_invalid_request", 400, "This trusted token profile cannot be used."
)
too_many_trusted_token_profiles_for_project: Final = _error(
    "too_many_trusted_token_profiles_for_project",
    400,
    "A project can have at most 20 trusted token profiles.",
)
invalid_trusted_auth_token: Final = _error(
    "invalid_trusted_auth_token",
    400,
    "token: not a valid, unused token of the profile's issuer for its audience.",
)
oauth_access_token_exchange_token_invalid_grant: Final = _error(
    "oauth_access_token_exchange_token_invalid_grant",
    400,
    "access_token: no connected app of this project was given such a token.",
)
migrate_from_external_missing_userinfo: Final = _error(
    "migrate_from_external_missing_userinfo",
    400,
    "This project names no userinfo endpoint to take sessions over from: set one with "
    "`vestibule project set PROJECT_ID --session-migration-url URL`.",
)
migrate_from_external_unexpected_response: Final = _error(
    "migrate_from_external_unexpected_response",
    400,
    "The project's userinfo endpoint did not answer this session_token with a verified address.",
)
migrate_from_external_email_does_not_exist: Final = _error(
    "migrate_from_external_email_does_not_exist",
    400,
    "The address that the userinfo endpoint names is no Member's of the Organization.",
)
insufficient_factors_for_session_exchange: Final = _error(
    "insufficient_factors_for_session_exchange",
    400,
    "No factor of this session can be taken to that Organization; log in there.",
)
user_impersonation_not_allowed: Final = _error(
    "user_impersonation_not_allowed",
    400,
    "Nobody may be impersonated in this project: `vestibule project set` can allow it.",
)
member_impersonation_not_allowed: Final = _error(
    "member_impersonation_not_allowed", 400, "Only an active Member can be impersonated."
)
invalid_impersonation_reason: Final = _error(
    "invalid_impersonation_reason",
    400,
    "Say in 1 to 500 characters why the Member is impersonated.",
)
unable_to_auth_impersonation_token: Final = _error(
    "unable_to_auth_impersonation_token",
    401,
    "This impersonation token is unknown, used, or older than 5 minutes.",
)
session_not_mutable: Final = _error(
    "session_not_mutable",
    400,
    "This session impersonates its Member: it can neither be extended nor gain a factor, and what "
    "the Member logs in with stays as it is.",
)
insufficient_factors: Final = _error(
    "insufficient_factors",
    401,
    "This session does not hold a factor that counts here; log in with one that does.",
)
session_not_found: Final = _error(
    "session_not_found", 404, "This session does not exist or has ended."
)
invalid_session_token: Final = _error(
    "invalid_session_token", 400, "session_token: this is not a session token."
)
no_session_arguments: Final = _error(
    "no_session_arguments", 400, "Give session_token or session_jwt."
)
too_many_session_arguments: Final = _error(
    "too_many_session_arguments", 400, "Give session_token or session_jwt, not both."
)
no_session_revoke_arguments: Final = _error(
    "no_session_revoke_arguments",
    400,
    "Give one of member_session_id, session_token, session_jwt, member_id.",
)
too_many_session_revoke_arguments: Final = _error(
    "too_many_session_revoke_arguments",
    400,
    "Give only one of member_session_id, session_token, session_jwt, member_id.",
)
invalid_session_duration_minutes: Final = _error(
    "invalid_session_duration_minutes", 400, "session_duration_minutes: expected 5 to 527040."
)
custom_claims_too_large: Final = _error(
    "custom_claims_too_large", 400, "session_custom_claims: at most 4096 bytes of JSON in all."
)
stytch_claims_in_custom_claims: Final = _error(
    "stytch_claims_in_custom_claims",
    400,
    "session_custom_claims: keys beginning with https://stytch.com/ are reserved.",
)
unable_to_parse_session_jwt: Final = _error(
    "unable_to_parse_session_jwt", 400, "session_jwt: this is not one of this project's JWTs."
)
jwt_invalid_issuer: Final = _error(
    "jwt_invalid_issuer", 400, "session_jwt: issued by somebody else."
)
jwt_invalid_audience: Final = _error(
    "jwt_invalid_audience", 400, "session_jwt: made for another project."
)
jwt_invalid_claims: Final = _error(
    "jwt_invalid_claims", 400, "session_jwt: its claims are not those of a session."
)
intermediate_session_not_found: Final = _error(
    "intermediate_session_not_found", 404, "This intermediate session does not exist or has ended."
)
invalid_intermediate_session_token_for_organization: Final = _error(
    "invalid_intermediate_session_token_for_organization",
    400,
    "This intermediate session belongs to another Organization.",
)
project_not_found: Final = _error("project_not_found", 404, "No project has this id.")
invalid_locale: Final = _error(
    "invalid_locale",
    400,
    "locale: expected one of en, es, pt-br, fr, it, de-DE, zh-Hans, ca-ES, ja, ru, nl, pl, tr, fa, "
    "vi, cs.",
)
