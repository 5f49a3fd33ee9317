"""JumpCloud: its words, its attribute names and what to know about it."""

from vestibule.identity_providers.base import Guide, IdentityProvider

PROVIDER = IdentityProvider(
    key="jumpcloud",
    label="JumpCloud",
    saml=Guide(
        places={
            "acs_url": "SSO > ACS URL",
            "audience_uri": "SSO > SP Entity ID",
            "metadata_file": "SSO > Export Metadata",
            "name_id": "SSO > SAMLSubject NameID: email, SAMLSubject NameID Format: emailAddress",
            "attributes": "SSO > User Attribute Mapping",
            "groups": "SSO > Group Attributes > include group attribute",
            "assignment": "User Groups",
        },
        attribute_mapping={
            "email": "email",
            "first_name": "firstName",
            "last_name": "lastName",
            "idp_user_id": "id",
            "groups": "groups",
        },
        steps=(
            "SSO Applications > Custom application > SAML.",
            "Tick Sign Assertion, and Declare Redirect Endpoint before exporting the metadata.",
            (
                "Attributes: id = email, email = email, firstName = firstname, lastName = "
                "lastname; include group attribute groups."
            ),
            "User Groups: add who may sign in.",
        ),
    ),
    oidc=Guide(
        places={
            "redirect_url": "SSO > Redirect URIs",
            "client_id": "Client ID, shown after activation",
            "client_secret": "Client Secret, shown once after activation",
            "issuer": "https://oauth.id.jumpcloud.com/",
            "groups": "SSO > Group Attributes > include group attribute",
            "assignment": "User Groups",
        },
        attribute_mapping={},
        steps=(
            "SSO Applications > Add New Application > Custom OIDC App.",
            "SSO: client authentication type Client Secret Basic.",
            "Attribute Mapping: standard scopes Email and Profile; include group attribute groups.",
            "User Groups: add who may sign in.",
        ),
    ),
    quirks=("The metadata is a file, not a URL.",),
)
