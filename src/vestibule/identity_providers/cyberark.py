"""CyberArk: its words, its attribute names and what to know about it."""

from vestibule.identity_providers.base import Guide, IdentityProvider

PROVIDER = IdentityProvider(
    key="cyberark",
    label="CyberArk",
    saml=Guide(
        places={
            "acs_url": "Trust > Assertion Consumer Service URL",
            "audience_uri": "Trust > SP Entity ID / Issuer / Audience",
            "metadata_url": "Trust > IdP configuration > Metadata > Copy URL",
            "name_id": (
                "Trust > Service Provider Configuration > NameID Format: emailAddress, "
                "SAML Response > NameID: LoginUser.Email"
            ),
            "attributes": "SAML Response > Attributes",
            "groups": "SAML Response > Attributes > groups",
            "assignment": "Permissions > Add",
        },
        attribute_mapping={
            "email": "email",
            "first_name": "firstName",
            "last_name": "lastName",
            "idp_user_id": "id",
            "groups": "groups",
        },
        steps=(
            "Web Apps > Add Web Apps > Custom > SAML.",
            "Sign Response or Assertion: Both.",
            (
                "SAML Response: id = LoginUser.Uuid, email = LoginUser.Email, firstName = "
                "LoginUser.FirstName, lastName = LoginUser.LastName, groups = "
                "LoginUser.GroupNames."
            ),
            "Permissions: add who may sign in.",
        ),
    ),
    oidc=Guide(
        places={
            "redirect_url": "Trust > Authorized redirect URIs",
            "client_id": "Trust > OpenID Connect client ID",
            "client_secret": "Trust > OpenID Connect client secret",
            "issuer": "Trust > OpenID Connect issuer URL",
            "groups": "Tokens > Custom logic for the groups claim",
            "assignment": "Permissions > Add",
        },
        attribute_mapping={},
        steps=(
            "Web Apps > Add Web Apps > Custom > OpenID Connect.",
            "Trust: login initiated by the relying party, and a client secret.",
            (
                "Tokens: the claims email, given_name, family_name and, where roles depend on "
                "groups, groups."
            ),
            "Permissions: add who may sign in.",
        ),
    ),
    quirks=(),
)
