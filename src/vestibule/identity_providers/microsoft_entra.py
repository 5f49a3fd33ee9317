"""Microsoft Entra ID: its words, its attribute names and what to know about it."""

from vestibule.identity_providers.base import Guide, IdentityProvider

PROVIDER = IdentityProvider(
    key="microsoft-entra",
    label="Microsoft Entra ID",
    saml=Guide(
        places={
            "acs_url": "Basic SAML Configuration > Reply URL",
            "audience_uri": "Basic SAML Configuration > Identifier",
            "metadata_url": "SAML Certificates > App Federation Metadata Url",
            "idp_sso_url": "Set up > Login URL",
            "idp_entity_id": "Set up > Microsoft Entra Identifier",
            "x509_certificate": "SAML Certificates > Certificate (Base64)",
        },
        attribute_mapping={
            "email": "NameID",
            "first_name": "firstName",
            "last_name": "lastName",
            "idp_user_id": "id",
            "groups": "groups",
        },
        steps=(
            "Enterprise applications > New application > Create your own > non-gallery.",
            "Single sign-on > SAML > Basic SAML Configuration.",
            "Attributes & Claims: Unique User Identifier = user.primaryauthoritativeemail.",
            (
                "Replace the additional claims by firstName = user.givenname, lastName = "
                "user.surname, id = user.objectid, without a namespace."
            ),
            "Users and groups: add who may sign in.",
        ),
    ),
    oidc=Guide(
        places={
            "redirect_url": "Authentication > Web > Redirect URIs",
            "client_id": "Overview > Application (client) ID",
            "client_secret": "Certificates & secrets > Value (not the Secret ID)",
            "issuer": "https://login.microsoftonline.com/<Directory (tenant) ID>/v2.0",
        },
        attribute_mapping={},
        steps=(
            "App registrations > New registration, accounts in this organizational directory only.",
            (
                "Token configuration: optional ID token claims email, family_name, given_name; "
                "accept the Graph permission."
            ),
            "Token configuration > Add groups claim: groups assigned to the application.",
            "Enterprise applications > Users and groups: add who may sign in.",
        ),
    ),
    quirks=(
        "Groups are object ids, not names.",
        "A client secret expires; only its Value, shown once, is the secret.",
        (
            "With more than about 150 (SAML) or 200 (OIDC) groups none are sent, but a hint that "
            "there are too many."
        ),
        "Issuers `common` and `organizations` belong to no tenant and cannot be used.",
        "Claims that are left in place are named by URLs of schemas.xmlsoap.org.",
    ),
)
