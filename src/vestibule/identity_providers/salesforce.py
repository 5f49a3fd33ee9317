"""Salesforce: its words, its attribute names and what to know about it."""

from vestibule.identity_providers.base import Guide, IdentityProvider

PROVIDER = IdentityProvider(
    key="salesforce",
    label="Salesforce",
    saml=Guide(
        places={
            "acs_url": "Connected App > ACS URL",
            "audience_uri": "Connected App > Entity Id",
            "metadata_url": "Setup > Identity Provider > Salesforce Identity metadata",
            "name_id": "Web App Settings > Subject Type: Username, Name ID Format: emailAddress",
            "attributes": "Custom Attributes",
            "groups": "Custom Attributes > groups = $UserRole.Name",
            "assignment": "Manage Profiles or Manage Permission Sets",
        },
        attribute_mapping={
            "email": "email",
            "first_name": "firstName",
            "last_name": "lastName",
            "idp_user_id": "id",
            "groups": "groups",
        },
        steps=(
            "Setup > Identity Provider > Enable, with a certificate.",
            "App Manager > New Connected App > Enable SAML, SHA256.",
            (
                "Custom attributes: id = $User.Id, firstName = $User.FirstName, lastName = "
                "$User.LastName."
            ),
            "Manage Profiles or Permission Sets: who may sign in.",
        ),
    ),
    oidc=Guide(
        places={
            "redirect_url": "Connected App > Callback URL",
            "client_id": "Connected App > Consumer Key",
            "client_secret": "Connected App > Consumer Secret",
            "issuer": "Your My Domain URL",
            "groups": "Custom Attributes",
            "assignment": "Manage Profiles or Manage Permission Sets",
        },
        attribute_mapping={},
        steps=(
            "App Manager > New Connected App > Enable OAuth Settings.",
            "Selected OAuth scopes: openid, email, profile.",
            "Manage Profiles or Permission Sets: who may sign in.",
        ),
    ),
    quirks=(
        "Subject type User ID is no e-mail address: map email to the attribute, or use Username.",
    ),
)
