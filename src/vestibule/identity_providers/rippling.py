"""Rippling: its words, its attribute names and what to know about it."""

from vestibule.identity_providers.base import Guide, IdentityProvider

PROVIDER = IdentityProvider(
    key="rippling",
    label="Rippling",
    saml=Guide(
        places={
            "acs_url": "Single Sign-On > ACS URL",
            "audience_uri": "Single Sign-On > Service Provider Entity ID",
            "metadata_file": "Single Sign-On > IdP metadata XML",
            "name_id": "Settings > SAML Name ID: the work e-mail",
            "attributes": "Settings > SAML Attributes (Global)",
            "groups": "Settings > SAML Attributes > Group Attribute",
            "assignment": "Access rules",
            "idp_initiated": "Advanced SAML settings > Disable InResponseTo for IdP-initiated SSO",
        },
        attribute_mapping={
            "email": "email",
            "first_name": "firstName",
            "last_name": "lastName",
            "idp_user_id": "id",
            "groups": "groups",
        },
        steps=(
            "IT Management > Custom App > Create, with Single Sign-On (SAML).",
            (
                "Settings > SAML Attributes: id = the user's id, email, firstName = legal first "
                "name, lastName = legal last name."
            ),
            "Advanced SAML settings: Disable InResponseTo for IdP-initiated SSO.",
            "Access rules decide who may sign in.",
        ),
    ),
    quirks=(
        (
            "IdP-initiated logins carry an InResponseTo unless it is disabled, and are then "
            "refused as unsolicited."
        ),
    ),
)
