"""PingFederate: its words, its attribute names and what to know about it."""

from vestibule.identity_providers.base import Guide, IdentityProvider

PROVIDER = IdentityProvider(
    key="pingfederate",
    label="PingFederate",
    saml=Guide(
        places={
            "acs_url": "Protocol Settings > Endpoint URL (POST)",
            "audience_uri": "Partner's Entity ID",
            "metadata_file": "Select Action > Export Metadata",
            "name_id": (
                "Attribute Contract > SAML_SUBJECT, fulfilled with mail, "
                "SAML_NAME_FORMAT: emailAddress"
            ),
            "attributes": "Attribute Contract and Attribute Contract Fulfillment",
            "groups": "Attribute Contract Fulfillment > groups",
            "assignment": "Authentication Policies > Issuance Criteria",
        },
        attribute_mapping={
            "email": "email",
            "first_name": "firstName",
            "last_name": "lastName",
            "idp_user_id": "id",
            "groups": "groups",
        },
        steps=(
            "Applications > SP Connections > Create.",
            (
                "Attribute contract: id, email, firstName, lastName, groups, fulfilled from your "
                "directory."
            ),
            "Activate the connection.",
        ),
    ),
    oidc=Guide(
        places={
            "redirect_url": "OAuth client > Redirect URIs",
            "client_id": "OAuth client > Client ID",
            "client_secret": "OAuth client > Client Secret",
            "issuer": "The base URL of the server",
            "groups": "OpenID Connect Policy > Contract Fulfillment > groups",
            "assignment": "Authentication Policies > Issuance Criteria",
        },
        attribute_mapping={},
        steps=(
            (
                "Applications > OAuth > Clients > Add Client, with a client secret and "
                "Authorization Code."
            ),
            (
                "OpenID Connect Policy Management: attribute contract email, given_name, "
                "family_name, groups."
            ),
        ),
    ),
    quirks=(
        "The issuer is the server's federation entity id, which need not be a URL.",
        "The metadata is a file.",
    ),
)
