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
            "name_id": "conf/saml-nameid.xml: a generator for emailAddress from mail",
            "attributes": "conf/attribute-filter.xml",
            "groups": "conf/attribute-filter.xml: isMemberOf with a value filter",
            "assignment": "conf/intercept/context-check-intercept-config.xml",
        },
        attribute_mapping={
            "email": "urn:oid:0.9.2342.19200300.100.1.3",
            "first_name": "urn:oid:2.5.4.42",
            "last_name": "urn:oid:2.5.4.4",
            "idp_user_id": "urn:oasis:names:tc:SAML:attribute:subject-id",
            "groups": "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
        },
        steps=(
            "Import our SP metadata, or add a relying party with the two values.",
            (
                "Attribute filter: release mail, givenName, sn, samlSubjectID and, where roles "
                "depend on groups, isMemberOf."
            ),
        ),
    ),
    quirks=(
        "It encrypts assertions when our metadata has an encryption key.",
        (
            "Attributes are named by OID, such as urn:oid:0.9.2342.19200300.100.1.3 for mail; the "
            "short name is only the FriendlyName, which does not count."
        ),
    ),
)
