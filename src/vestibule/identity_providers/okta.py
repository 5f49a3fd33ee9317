"""Okta: its words, its attribute names and what to know about it."""

from vestibule.identity_providers.base import Guide, IdentityProvider, Pitfall

PROVIDER = IdentityProvider(
    key="okta",
    label="Okta",
    saml=Guide(
        places={
            "acs_url": "Single sign-on URL",
            "audience_uri": "Audience URI (SP Entity ID)",
            "metadata_url": "Sign On > Metadata URL",
            "idp_sso_url": "Sign On > More details > Sign on URL",
            "idp_entity_id": "Sign On > More details > Issuer",
            "x509_certificate": "Sign On > More details > Signing Certificate",
            "name_id": "Configure SAML > Name ID format: EmailAddress, Application username: Email",
            "attributes": "Configure SAML > Attribute Statements",
            "groups": "Configure SAML > Group Attribute Statements, with a narrower filter",
            "assignment": "Assignments > Assign",
        },
        attribute_mapping={
            "email": "NameID",
            "first_name": "firstName",
            "last_name": "lastName",
            "idp_user_id": "id",
            "groups": "groups",
        },
        steps=(
            "Applications > Create App Integration > SAML 2.0.",
            "Name ID format: EmailAddress; Application username: Email.",
            (
                "Attribute Statements (name format Basic): firstName = user.firstName, lastName = "
                "user.lastName, id = user.id."
            ),
            (
                "Group Attribute Statements: groups, with a filter for the groups this "
                "application needs."
            ),
            "Assignments: assign the people or groups who may sign in.",
        ),
    ),
    oidc=Guide(
        places={
            "redirect_url": "Sign-in redirect URIs",
            "client_id": "General > Client Credentials > Client ID",
            "client_secret": "General > Client Secrets",
            "issuer": "Your Okta address (menu under your e-mail)",
            "groups": "Sign On > Token claims > groups claim filter, narrower",
            "assignment": "Assignments > Assign",
        },
        attribute_mapping={},
        steps=(
            "Applications > Create App Integration > OIDC > Web Application.",
            "Grant type: Authorization Code.",
            (
                "Controlled access: everyone with Federation Broker Mode, or the groups who may "
                "sign in."
            ),
            "Sign On > Token claims: a groups claim, where roles depend on groups.",
        ),
    ),
    quirks=(
        (
            "The issuer is a URL of www.okta.com that ends in the application's id, not your Okta "
            "address."
        ),
    ),
    signs={
        "user is not assigned": Pitfall.USER_NOT_ASSIGNED,
        "'redirect_uri' parameter must be": Pitfall.REDIRECT_URI_MISMATCH,
        "client authentication failed": Pitfall.WRONG_SECRET,
        "client secret is invalid": Pitfall.WRONG_SECRET,
    },
)
