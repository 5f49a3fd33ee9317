"""What ends the refusals that are no protocol's but our own: whose settings, and which one."""

from collections.abc import Mapping
from typing import Final

from vestibule import errors
from vestibule.errors import ErrorType

_COOKIES: Final = (
    "Allow cookies of this server in the browser, and sign in again from the application."
)
_AGAIN: Final = "Sign in again from the application."
_REGISTER: Final = "Register one: vestibule redirect-url add."
_REMOVED: Final = "Name a redirect URL that is registered: this one was removed meanwhile."

FIXES: Final[Mapping[ErrorType, str]] = {
    errors.requires_active_sso_connection: "Enter what the connection still lacks.",
    errors.external_connection_not_active: (
        "Delete the external connection, or refer to an active one anew."
    ),
    errors.invalid_connection_for_jit_provisioning: (
        "Let the Organization's sso_jit_provisioning allow this connection, or create the Member "
        "before the first login."
    ),
    errors.operation_restricted_by_organization_auth_methods: (
        "Add sso to the Organization's allowed_auth_methods."
    ),
    errors.saml_idp_initiated_auth_disabled: (
        "Begin at the application, or set the connection's idp_initiated_auth_disabled to false."
    ),
    errors.duplicate_member_email: (
        "Look who holds the address in this Organization: delete that Member or change its "
        "address, or let the identity provider send the id that it sent before."
    ),
    errors.retired_member_email: (
        "Unlink the retired address from the Member that had it (unlink_retired_email)."
    ),
    errors.action_not_allowed_email_domain_is_claimed: (
        "Let the person log in to the Organization that claims the domain, or add the domain to "
        "this Organization's claimed_email_domains as well."
    ),
    errors.organization_suspended: "Resume it: vestibule organization resume.",
    errors.user_lock_limit_reached: (
        "Wait until the Member's lock_expires_at, or end it: vestibule member unlock."
    ),
    errors.missing_saml_csrf_cookie: _COOKIES,
    errors.saml_csrf_cookie_mismatch: _COOKIES,
    errors.missing_oidc_csrf_cookie: _COOKIES,
    errors.oidc_csrf_cookie_mismatch: _COOKIES,
    errors.missing_saml_relay_state: _AGAIN,
    errors.unsolicited_saml_response: _AGAIN,
    errors.expired_saml_response: _AGAIN,
    errors.duplicate_saml_response: _AGAIN,
    errors.unsolicited_oidc_response: _AGAIN,
    errors.expired_oidc_response: _AGAIN,
    errors.no_match_for_provided_sso_url: _REMOVED,
    errors.query_params_do_not_match: _REMOVED,
    errors.no_login_redirect_urls_set: _REGISTER,
    errors.no_default_login_redirect_url_set: _REGISTER,
}
