"""What whole answers look like, key by key: what was sent, and sensible values for the rest."""

import re
from datetime import datetime, timedelta
from typing import Any, ClassVar

from vestibule.clock import MINUTE, SystemClock, to_datetime

_UUID7 = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


class Like:
    """Equals every text that the pattern fits whole."""

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # it stands for many values

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.fullmatch(self._pattern, other) is not None

    def __repr__(self) -> str:
        return f"<like {self._pattern}>"


class In:
    """Equals every RFC 3339 text in UTC of a time about `minutes` from now."""

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # it stands for many values

    def __init__(self, minutes: int = 0, *, within: timedelta = timedelta(minutes=2)) -> None:
        self._minutes = minutes
        self._within = within

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str) or not other.endswith("Z"):
            return False
        wanted = to_datetime(SystemClock().now() + self._minutes * MINUTE)
        return abs(datetime.fromisoformat(other) - wanted) < self._within

    def __repr__(self) -> str:
        return f"<in {self._minutes} minutes>"


NOW = In(0)
# Of keys that were made now, or when the server was started.
TEN_YEARS = In(3650 * 24 * 60, within=timedelta(days=1))
ENVELOPE: dict[str, Any] = {
    "status_code": 200,
    "request_id": Like(f"request-id-test-{_UUID7}"),
}
CERTIFICATE = Like(r"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=]+\n)+-----END CERTIFICATE-----\n")
TOKEN = Like(r"[A-Za-z0-9_-]{40,}")
JWT = Like(r"eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
MEMBER_ROLE = {
    "role_id": "stytch_member",
    "sources": [{"type": "direct_assignment", "details": {}}],
}


def new_id(kind: str) -> Like:
    return Like(f"{kind}-test-{_UUID7}")


def organization(**known: Any) -> dict[str, Any]:
    """Return an organization with nothing but a name, changed by `known`."""
    return {
        "organization_id": new_id("organization"),
        "organization_name": Like(".+"),
        "organization_logo_url": "",
        "organization_slug": Like("[a-z0-9-]+"),
        "organization_external_id": None,
        "sso_jit_provisioning": "ALL_ALLOWED",
        "sso_jit_provisioning_allowed_connections": [],
        "sso_active_connections": [],
        "sso_default_connection_id": None,
        "scim_active_connection": None,
        "email_allowed_domains": [],
        "email_jit_provisioning": "NOT_ALLOWED",
        "email_invites": "ALL_ALLOWED",
        "auth_methods": "ALL_ALLOWED",
        "allowed_auth_methods": [],
        "mfa_policy": "OPTIONAL",
        "mfa_methods": "ALL_ALLOWED",
        "allowed_mfa_methods": [],
        "oauth_tenant_jit_provisioning": "NOT_ALLOWED",
        "allowed_oauth_tenants": None,
        "claimed_email_domains": [],
        "rbac_email_implicit_role_assignments": [],
        "first_party_connected_apps_allowed_type": "ALL_ALLOWED",
        "allowed_first_party_connected_apps": [],
        "third_party_connected_apps_allowed_type": "ALL_ALLOWED",
        "allowed_third_party_connected_apps": [],
        "custom_roles": [],
        "trusted_metadata": {},
        "created_at": NOW,
        "updated_at": NOW,
        **known,
    }


def member(**known: Any) -> dict[str, Any]:
    """Return a member who was added with an address alone, changed by `known`."""
    return {
        "organization_id": new_id("organization"),
        "member_id": new_id("member"),
        "external_id": None,
        "email_address": Like(".+@.+"),
        "email_address_verified": False,
        "retired_email_addresses": [],
        "status": "active",
        "name": "",
        "is_breakglass": False,
        "is_admin": False,
        "roles": [MEMBER_ROLE],
        "sso_registrations": [],
        "oauth_registrations": [],
        "scim_registration": None,
        "member_password_id": "",
        "totp_registration_id": "",
        "mfa_enrolled": False,
        "mfa_phone_number": "",
        "mfa_phone_number_verified": False,
        "default_mfa_method": "",
        "is_locked": False,
        "lock_created_at": None,
        "lock_expires_at": None,
        "trusted_metadata": {},
        "untrusted_metadata": {},
        "created_at": NOW,
        "updated_at": NOW,
        **known,
    }


def saml_connection(base_url: str, **known: Any) -> dict[str, Any]:
    """Return a SAML connection that was just made, changed by `known`."""
    callback = Like(rf"{re.escape(base_url)}/v1/b2b/sso/callback/saml-connection-test-{_UUID7}")
    return {
        "organization_id": new_id("organization"),
        "connection_id": new_id("saml-connection"),
        "status": "pending",
        "idp_entity_id": "",
        "display_name": "",
        "idp_sso_url": "",
        "acs_url": callback,
        "audience_uri": callback,
        "signing_certificates": [certificate("saml-signing-key", issuer="Stytch")],
        "verification_certificates": [],
        "encryption_private_keys": [],
        "saml_connection_implicit_role_assignments": [],
        "saml_group_implicit_role_assignments": [],
        "alternative_audience_uri": "",
        "identity_provider": "generic",
        "nameid_format": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
        "alternative_acs_url": "",
        "idp_initiated_auth_disabled": False,
        "allow_gateway_callback": False,
        "attribute_mapping": {},
        **known,
    }


def certificate(kind: str, **known: Any) -> dict[str, Any]:
    """Return a certificate that was just added, changed by `known`."""
    return {
        "certificate_id": new_id(kind),
        "certificate": CERTIFICATE,
        "issuer": Like(".+"),
        "created_at": NOW,
        "expires_at": TEN_YEARS,
        "updated_at": NOW,
        **known,
    }


def external_connection(**known: Any) -> dict[str, Any]:
    """Return an external connection that was just made, changed by `known`."""
    return {
        "organization_id": new_id("organization"),
        "connection_id": new_id("external-connection"),
        "external_organization_id": new_id("organization"),
        "external_connection_id": new_id("saml-connection"),
        "display_name": "",
        "status": "active",
        "external_connection_implicit_role_assignments": [],
        "external_group_implicit_role_assignments": [],
        **known,
    }


def oidc_connection(base_url: str, **known: Any) -> dict[str, Any]:
    """Return an OIDC connection that was just made, changed by `known`."""
    callback = Like(rf"{re.escape(base_url)}/v1/b2b/sso/callback/oidc-connection-test-{_UUID7}")
    return {
        "organization_id": new_id("organization"),
        "connection_id": new_id("oidc-connection"),
        "status": "pending",
        "display_name": "",
        "redirect_url": callback,
        "client_id": "",
        "client_secret": "",
        "issuer": "",
        "authorization_url": "",
        "token_url": "",
        "userinfo_url": "",
        "jwks_url": "",
        "identity_provider": "generic",
        "custom_scopes": "",
        "attribute_mapping": {},
        **known,
    }


def session(**known: Any) -> dict[str, Any]:
    """Return a session of an hour that just began, changed by `known`."""
    return {
        "member_session_id": new_id("session"),
        "member_id": new_id("member"),
        "started_at": NOW,
        "last_accessed_at": NOW,
        "expires_at": In(60),
        "authentication_factors": [],
        "organization_id": new_id("organization"),
        "organization_slug": Like("[a-z0-9-]+"),
        "roles": ["stytch_member"],
        "custom_claims": {},
        **known,
    }


def factor(sdk_name: str, connection_id: str, external_id: str) -> dict[str, Any]:
    """Return the factor of a login through a connection, as far as the SDK knows its fields."""
    protocol = connection_id.partition("-")[0]
    shown = {
        "type": "sso",
        "delivery_method": f"sso_{protocol}",
        "last_authenticated_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
        f"{protocol}_sso_factor": {
            "id": new_id(f"{protocol}-member-registration"),
            "provider_id": connection_id,
            "external_id": external_id,
        },
    }
    # The Python SDK's model does not have it.
    return shown if sdk_name == "python" else {**shown, "sequence_order": "PRIMARY"}
