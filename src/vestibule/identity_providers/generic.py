"""Other identity provider: its words, its attribute names and what to know about it."""

from vestibule.identity_providers.base import Guide, IdentityProvider, Pitfall

PROVIDER = IdentityProvider(
    key="generic",
    label="Other identity provider",
    saml=Guide(
        places={
            "acs_url": "ACS URL, Reply URL or SP SSO URL",
            "audience_uri": "Audience, SP Entity ID or Identifier",
            "metadata_url": "Metadata URL",
            "idp_sso_url": "SSO URL",
            "idp_entity_id": "Entity ID or Issuer",
            "x509_certificate": "Signing certificate",
            "name_id": "NameID: the e-mail address",
            "attributes": "Attributes or claims of the application",
            "groups": "Groups attribute of the application",
            "assignment": "Assignments or access of the application",
        },
        attribute_mapping={
            "email": "email",
            "first_name": "firstName",
            "last_name": "lastName",
            "idp_user_id": "id",
            "groups": "groups",
        },
        steps=(
            "Create a SAML application.",
            "NameID: the person's e-mail address.",
            "Attributes: email, firstName, lastName, and a unique id that never changes.",
        ),
    ),
    oidc=Guide(
        places={
            "redirect_url": "Redirect or callback URL",
            "client_id": "Client ID",
            "client_secret": "Client secret",
            "issuer": "Issuer base URL, not the discovery URL",
            "groups": "Groups claim of the application",
            "assignment": "Assignments or access of the application",
        },
        attribute_mapping={},
        steps=("Create a web application with grant type Authorization Code.",),
    ),
    quirks=(
        "The NameID is often not the e-mail address: then map email to an attribute.",
        "With several certificates, the active signing one counts.",
        "The issuer must be exactly the value in the ID token.",
    ),
    signs={
        "redirect_uri": Pitfall.REDIRECT_URI_MISMATCH,
        "redirect uri": Pitfall.REDIRECT_URI_MISMATCH,
        "redirection uri": Pitfall.REDIRECT_URI_MISMATCH,
        "not assigned": Pitfall.USER_NOT_ASSIGNED,
        "client_secret is missing": Pitfall.MISSING_SECRET,
        "client secret is missing": Pitfall.MISSING_SECRET,
    },
)
