"""Duo: its words, its attribute names and what to know about it."""

from vestibule.identity_providers.base import Guide, IdentityProvider

PROVIDER = IdentityProvider(
    key="duo",
    label="Duo",
    saml=Guide(
        places={
            "acs_url": "Service Provider > ACS URL",
            "audience_uri": "Service Provider > Entity ID",
            "metadata_url": "Metadata > Metadata URL",
            "name_id": (
                "SAML Response > NameID format: emailAddress, NameID attribute: <Email Address>"
            ),
            "attributes": "SAML Response > Map attributes",
            "groups": "SAML Response > Role attributes",
            "assignment": "Applications > the application > User access",
        },
        attribute_mapping={
            "email": "email",
            "first_name": "firstName",
            "last_name": "lastName",
            "idp_user_id": "id",
            "groups": "groups",
        },
        steps=(
            "Set up an authentication source first (Active Directory or another SAML provider).",
            "Applications > Protect an Application > Generic SAML Service Provider.",
            "NameID format emailAddress; sign the response and the assertion with SHA256.",
            (
                "Map attributes: Email Address = email, First Name = firstName, Last Name = "
                "lastName, Username = id."
            ),
        ),
    ),
    oidc=Guide(
        places={
            "redirect_url": "Relying Party > Sign-In Redirect URLs",
            "client_id": "Metadata > Client ID",
            "client_secret": "Metadata > Client Secret",
            "issuer": "Metadata > Issuer",
            "groups": "OIDC Response > claims of the profile scope",
            "assignment": "Applications > the application > User access",
        },
        attribute_mapping={},
        steps=(
            "Applications > Protect an Application > Generic OIDC Relying Party.",
            "Relying Party: grant type Authorization Code; scopes openid, profile and email.",
            (
                "OIDC Response: claims email, given_name, family_name; groups, where roles "
                "depend on them."
            ),
        ),
    ),
    quirks=("Leave logout, login and default relay state empty.",),
)
