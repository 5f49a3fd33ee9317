"""Keycloak: its words, its attribute names and what to know about it."""

from vestibule.identity_providers.base import Guide, IdentityProvider

PROVIDER = IdentityProvider(
    key="keycloak",
    label="Keycloak",
    saml=Guide(
        places={
            "acs_url": "Client > Valid redirect URIs and Master SAML Processing URL",
            "audience_uri": "Client > Client ID",
            "metadata_url": "Realm settings > SAML 2.0 Identity Provider Metadata",
        },
        attribute_mapping={
            "email": "email",
            "first_name": "firstName",
            "last_name": "lastName",
            "idp_user_id": "id",
            "groups": "groups",
        },
        steps=(
            "Clients > Create client, type SAML.",
            "Keys: Client signature required off, or import our signing certificate.",
            "Name ID format: email, Force name ID format on; Sign assertions on.",
            "Client scopes > dedicated: User Property mappers id, email, firstName, lastName.",
            "Group list mapper: attribute groups, Single Group Attribute on.",
        ),
    ),
    oidc=Guide(
        places={
            "redirect_url": "Client > Valid redirect URIs",
            "client_id": "Client > Client ID",
            "client_secret": "Client > Credentials > Client Secret",
            "issuer": "https://<host>/realms/<realm>",
        },
        attribute_mapping={},
        steps=(
            "Clients > Create client, OpenID Connect, Client authentication on.",
            "Client scopes: a Group Membership mapper with claim name groups.",
        ),
    ),
    quirks=("A group with its full path begins with a slash, which is part of its name.",),
)
