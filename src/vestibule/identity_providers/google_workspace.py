"""Google Workspace: its words, its attribute names and what to know about it."""

from vestibule.identity_providers.base import Guide, IdentityProvider, Pitfall

PROVIDER = IdentityProvider(
    key="google-workspace",
    label="Google Workspace",
    saml=Guide(
        places={
            "acs_url": "Service provider details > ACS URL",
            "audience_uri": "Service provider details > Entity ID",
            "idp_sso_url": "Option 2 > SSO URL",
            "idp_entity_id": "Option 2 > Entity ID",
            "x509_certificate": "Option 2 > Certificate",
            "name_id": (
                "Service provider details > Name ID format: EMAIL, Name ID: Basic "
                "Information > Primary email"
            ),
            "attributes": "SAML attribute mapping",
            "groups": "SAML attribute mapping > Group membership",
            "assignment": "User access > ON for their organizational unit or group",
        },
        attribute_mapping={
            "email": "NameID",
            "first_name": "firstName",
            "last_name": "lastName",
            "groups": "groups",
        },
        steps=(
            "Apps > Web and mobile apps > Add app > Add custom SAML app.",
            "Name ID format: EMAIL; Name ID: Basic Information > Primary email.",
            "Attributes: First name = firstName, Last name = lastName; Group membership: groups.",
            "User access: ON for the organizational units who may sign in.",
        ),
    ),
    oidc=Guide(
        places={
            "redirect_url": "Google Cloud > Clients > Authorized redirect URIs",
            "client_id": "Google Cloud > Clients > Client ID",
            "client_secret": "Google Cloud > Clients > Client secret",
            "issuer": "https://accounts.google.com",
            "assignment": (
                "Google Cloud > Auth Platform > Audience: Internal, and API controls > "
                "App access control"
            ),
        },
        attribute_mapping={},
        steps=(
            "Google Cloud > Auth Platform: audience Internal.",
            "Clients > Create client > Web application.",
        ),
    ),
    quirks=(
        "There is no metadata URL: copy the three values.",
        "A user id cannot be sent, so a changed e-mail address looks like a new person.",
        "A change of access can take up to 24 hours.",
    ),
    signs={
        "redirect_uri_mismatch": Pitfall.REDIRECT_URI_MISMATCH,
        "org_internal": Pitfall.USER_NOT_ASSIGNED,
        "admin_policy_enforced": Pitfall.USER_NOT_ASSIGNED,
    },
)
