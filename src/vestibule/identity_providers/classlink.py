"""ClassLink: its words, its attribute names and what to know about it."""

from vestibule.identity_providers.base import Guide, IdentityProvider

PROVIDER = IdentityProvider(
    key="classlink",
    label="ClassLink",
    saml=Guide(
        places={
            "acs_url": "SAML Console > Metadata, from our SP metadata URL",
            "audience_uri": "SAML Console > Metadata, from our SP metadata URL",
            "metadata_url": "SAML Console > IdP Metadata URL",
            "name_id": "SAML Console > Name ID: Email",
            "attributes": "SAML Console > Attribute Mapping",
            "groups": "SAML Console > Attribute Mapping > Groups",
            "assignment": "Applications > Assign to groups or users",
        },
        attribute_mapping={
            "email": "email",
            "first_name": "firstName",
            "last_name": "lastName",
            "idp_user_id": "id",
            "groups": "groups",
        },
        steps=(
            "Management Console > Single Sign-On > SAML Console > Add new.",
            "Enter our SP metadata URL.",
            (
                "Attributes: id = Login Id, email = Email, firstName = Given Name, lastName = "
                "Family Name."
            ),
        ),
    ),
    quirks=("It wants our metadata as a URL.",),
)
