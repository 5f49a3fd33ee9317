"""OneLogin: its words, its attribute names and what to know about it."""

from vestibule.identity_providers.base import Guide, IdentityProvider

PROVIDER = IdentityProvider(
    key="onelogin",
    label="OneLogin",
    saml=Guide(
        places={
            "acs_url": "Configuration > ACS URL and Recipient",
            "audience_uri": "Configuration > Audience",
            "metadata_url": "More Actions > SAML Metadata",
            "idp_sso_url": "SSO > SAML 2.0 Endpoint",
            "idp_entity_id": "SSO > Issuer URL",
            "x509_certificate": "SSO > X.509 Certificate",
            "name_id": (
                "Parameters > NameID value: Email, Configuration > SAML nameID format: Email"
            ),
            "attributes": "Parameters > Include in SAML assertion",
            "groups": "Parameters > groups = MemberOf as multi-value",
            "assignment": "Access > Roles, or Users > Applications",
        },
        attribute_mapping={
            "email": "email",
            "first_name": "firstName",
            "last_name": "lastName",
            "idp_user_id": "id",
            "groups": "groups",
        },
        steps=(
            "Applications > Add App > SAML Custom Connector (Advanced).",
            "ACS URL Validator: the ACS URL as an anchored, escaped regular expression.",
            "SAML initiator: Service Provider; signature element: Assertion or Both.",
            (
                "Parameters, each included in the assertion: email, firstName, lastName, id = "
                "UUID, groups = MemberOf as multi-value."
            ),
        ),
    ),
    oidc=Guide(
        places={
            "redirect_url": "Configuration > Redirect URIs",
            "client_id": "SSO > Client ID",
            "client_secret": "SSO > Client Secret",
            "issuer": "SSO > Issuer URL",
            "groups": "Parameters > Groups",
            "assignment": "Access > Roles, or Users > Applications",
        },
        attribute_mapping={},
        steps=(
            "Applications > Add App > OpenId Connect (OIDC).",
            "SSO: Application Type Web, Token Endpoint Basic.",
            "Parameters > Groups: which groups are sent.",
            "Access: the roles that may sign in.",
        ),
    ),
    quirks=("Some accounts sign with SHA-512.",),
)
