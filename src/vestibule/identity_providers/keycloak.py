"""Keycloak: its words, its attribute names and what to know about it."""

from vestibule.identity_providers.base import Guide, IdentityProvider, Pitfall

PROVIDER = IdentityProvider(
    key="keycloak",
    label="Keycloak",
    saml=Guide(
        places={
            "acs_url": "Client > Valid redirect URIs and Master SAML Processing URL",
            "audience_uri": "Client > Client ID",
            "metadata_url": "Realm settings > SAML 2.0 Identity Provider Metadata",
            "name_id": "Client > Settings > Name ID format: email, Force name ID format: On",
            "attributes": "Client scopes > dedicated > User Property mappers",
            "groups": "Client scopes > dedicated > Group list mapper",
            "assignment": "Authentication > the flow of the client, where it asks for a role",
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
            "groups": "Client scopes > dedicated > Group Membership mapper",
            "assignment": "Authentication > the flow of the client, where it asks for a role",
        },
        attribute_mapping={},
        steps=(
            "Clients > Create client, OpenID Connect, Client authentication on.",
            "Client scopes: a Group Membership mapper with claim name groups.",
        ),
    ),
    quirks=("A group with its full path begins with a slash, which is part of its name.",),
    signs={
        "incorrect redirect_uri": Pitfall.REDIRECT_URI_MISMATCH,
        "invalid parameter: redirect_uri": Pitfall.REDIRECT_URI_MISMATCH,
        "invalid client or invalid client credentials": Pitfall.WRONG_SECRET,
    },
)
