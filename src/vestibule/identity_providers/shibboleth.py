"""Shibboleth: its words, its attribute names and what to know about it."""

from vestibule.identity_providers.base import Guide, IdentityProvider

PROVIDER = IdentityProvider(
    key="shibboleth",
    label="Shibboleth",
    saml=Guide(
        places={
            "acs_url": "relying party or our SP metadata",
            "audience_uri": "relying party or our SP metadata",
            "metadata_url": "https://<host>/idp/shibboleth",
        },
        attribute_mapping={
            "email": "email",
            "first_name": "firstName",
            "last_name": "lastName",
            "idp_user_id": "id",
            "groups": "groups",
        },
        steps=(
            "Import our SP metadata, or add a relying party with the two values.",
            "Attribute resolver and filter: release id, email, firstName, lastName, groups.",
        ),
    ),
    quirks=(
        "It encrypts assertions when our metadata has an encryption key.",
        (
            "Attributes it releases by default are named by OID, such as "
            "urn:oid:0.9.2342.19200300.100.1.3 for mail."
        ),
    ),
)
