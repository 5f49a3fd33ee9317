"""miniOrange: its words, its attribute names and what to know about it."""

from vestibule.identity_providers.base import Guide, IdentityProvider

PROVIDER = IdentityProvider(
    key="miniorange",
    label="miniOrange",
    saml=Guide(
        places={
            "acs_url": "Basic Settings > ACS URL",
            "audience_uri": "Basic Settings > SP Entity ID",
            "metadata_url": "App menu > Metadata > Metadata URL",
            "name_id": "Basic Settings > NameID: E-Mail Address, NameID Format: emailAddress",
            "attributes": "Attribute Mapping",
            "groups": "Attribute Mapping > User Groups",
            "assignment": "Policies > App Authentication Policy",
        },
        attribute_mapping={
            "email": "email",
            "first_name": "firstName",
            "last_name": "lastName",
            "idp_user_id": "id",
            "groups": "groups",
        },
        steps=(
            "Apps > Add Application > SAML/WS-FED > Custom SAML App.",
            "Import our SP metadata by URL, or type the two values; Sign Assertion on.",
            (
                "Attribute mapping: id = Username, email = E-Mail Address, firstName = First "
                "Name, lastName = Last Name, groups = User Groups."
            ),
        ),
    ),
    oidc=Guide(
        places={
            "redirect_url": "Redirect URL",
            "client_id": "Client ID",
            "client_secret": "Client Secret",
            "issuer": "OAuth Endpoints > Issuer",
            "groups": "Attribute Mapping > User Groups",
            "assignment": "Policies > App Authentication Policy",
        },
        attribute_mapping={},
        steps=(
            "Apps > Add Application > OAUTH/OIDC > OAuth2/OpenID Connect.",
            (
                "Attribute Mapping: email, given_name, family_name; groups, where roles depend "
                "on them."
            ),
            "Policies: add who may sign in.",
        ),
    ),
    quirks=(),
)
