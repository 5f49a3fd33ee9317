"""Microsoft Entra ID: its words, its attribute names and what to know about it."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from vestibule.identity_providers.base import Guide, IdentityProvider, Pitfall

GROUPS: Final = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"
_GROUPS_LINK: Final = "http://schemas.microsoft.com/claims/groups.link"
_ISSUER: Final = re.compile(
    r"https://(login\.microsoftonline\.com|login\.windows\.net|sts\.windows\.net)(/|$)"
)
_SHARED: Final = re.compile(_ISSUER.pattern + r"(common|organizations|consumers|\{tenantid\})(/|$)")

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
            "name_id": (
                "Attributes & Claims > Unique User Identifier: user.primaryauthoritativeemail"
            ),
            "attributes": "Attributes & Claims > Additional claims",
            "groups": (
                "Attributes & Claims > Add a group claim > Groups assigned to the application"
            ),
            "assignment": "Users and groups > Add user/group",
        },
        attribute_mapping={
            "email": "NameID",
            "first_name": "firstName",
            "last_name": "lastName",
            "idp_user_id": "id",
            "groups": GROUPS,
        },
        steps=(
            "Enterprise applications > New application > Create your own > non-gallery.",
            "Single sign-on > SAML > Basic SAML Configuration.",
            "Attributes & Claims: Unique User Identifier = user.primaryauthoritativeemail.",
            (
                "Replace the additional claims by firstName = user.givenname, lastName = "
                "user.surname, id = user.objectid, without a namespace."
            ),
            (
                "Where roles depend on groups: Add a group claim > Groups assigned to the "
                "application, source attribute Group ID."
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
            "groups": "Token configuration > groups claim > Groups assigned to the application",
            "assignment": "Enterprise applications > Users and groups > Add user/group",
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
    # https://learn.microsoft.com/entra/identity-platform/reference-error-codes
    signs={
        "aadsts50105": Pitfall.USER_NOT_ASSIGNED,
        "aadsts50011": Pitfall.REDIRECT_URI_MISMATCH,
        "aadsts500112": Pitfall.REDIRECT_URI_MISMATCH,
        "aadsts500113": Pitfall.REDIRECT_URI_MISMATCH,
        "aadsts7000215": Pitfall.WRONG_SECRET,
        "aadsts7000218": Pitfall.MISSING_SECRET,
        "aadsts7000222": Pitfall.EXPIRED_SECRET,
    },
)


def groups_are_left_out(claims: Mapping[str, Any]) -> bool:
    """Tell whether an ID token says that there are too many groups for it to carry.

    It then names another place for them (a distributed claim, OIDC Core 5.6.2) or only says that
    there are some.
    """
    elsewhere = claims.get("_claim_names")
    linked = isinstance(elsewhere, Mapping) and "groups" in elsewhere
    hint = claims.get("hasgroups")
    return linked or hint is True or hint == "true"


def groups_are_linked(attributes: Collection[str]) -> bool:
    """Tell whether an assertion with these attributes carries a link in place of the groups."""
    return _GROUPS_LINK in attributes


def is_of_no_tenant(issuer: str) -> bool:
    """Tell whether an issuer is one of Entra's that every tenant shares: no token ever names it."""
    return _SHARED.match(issuer) is not None


def is_issuer(issuer: str) -> bool:
    """Tell whether this is an issuer of Entra, in any of its forms."""
    return _ISSUER.match(issuer) is not None
