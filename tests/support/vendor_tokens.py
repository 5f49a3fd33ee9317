"""ID tokens and userinfo answers as each vendor writes them: issuer, audience, subject, groups.

Only the shapes are the vendors'; who is in them and every signature are ours. Sources are noted
where there is more to know than the vendor's setup guide says (semantics section 12).
"""

from dataclasses import dataclass, field
from typing import Any, Final

from tests.support.oidc_documents import ABSENT
from tests.support.scenario import CLIENT_ID

EMAIL: Final = "ada@acme.test"
TENANT: Final = "7f3b1c2e-0000-4000-8000-0123456789ab"
GROUP_ID: Final = "07dd8a60-bf6d-4e17-8844-230b77145381"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What one vendor's ID token and userinfo answer hold; `group` is one of the groups, or ''."""

    vendor: str
    issuer: str
    subject: str
    id_token: dict[str, Any]
    userinfo: dict[str, Any] = field(default_factory=dict)
    group: str = "engineering"

    @property
    def claims(self) -> dict[str, Any]:
        """The claims beside those that every ID token has."""
        absent = {"email": ABSENT, "name": ABSENT}
        return {**absent, "iss": self.issuer, "sub": self.subject, **self.id_token}


_NAMES: Final = {"name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace"}
_GROUPS: Final = ["engineering", "everyone"]

OKTA: Final = Shape(
    # With an access token beside it the ID token is thin: the profile comes from userinfo
    # (https://developer.okta.com/docs/api/openapi/okta-oauth, "Scope-dependent claims").
    vendor="okta",
    issuer="https://acme.okta.com",
    subject="00uid4BxXw6I6TV4m0g3",
    id_token={
        "ver": 1,
        "jti": "ID.4eAWJOCMB3SX8XewDfVR",
        "amr": ["pwd", "mfa"],
        "idp": "00ok1u7AsAkrwdZL3z0g3",
        "preferred_username": EMAIL,
        "email": EMAIL,
        "groups": _GROUPS,
    },
    userinfo={**_NAMES, "email": EMAIL, "email_verified": True, "zoneinfo": "Europe/London"},
)
ENTRA: Final = Shape(
    # https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference: a pairwise
    # subject, groups as object ids, no email_verified.
    vendor="microsoft-entra",
    issuer=f"https://login.microsoftonline.com/{TENANT}/v2.0",
    subject="AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
    id_token={
        **_NAMES,
        "ver": "2.0",
        "tid": TENANT,
        "oid": "00000000-0000-0000-66f3-3332eca7ea81",
        "preferred_username": EMAIL,
        "email": EMAIL,
        "groups": [GROUP_ID, "11111111-bf6d-4e17-8844-230b77145381"],
        "uti": "fqiBqXLPj0eQa82S-IYFAA",
        "rh": "0.AXEA",
    },
    userinfo={**_NAMES, "email": EMAIL, "picture": "https://graph.microsoft.com/v1.0/me/photo"},
    group=GROUP_ID,
)
GOOGLE: Final = Shape(
    # https://developers.google.com/identity/openid-connect/openid-connect: azp beside a single
    # audience, hd for the Workspace; there is no groups claim.
    vendor="google-workspace",
    issuer="https://accounts.google.com",
    subject="10769150350006150715113082367",
    id_token={
        **_NAMES,
        "azp": CLIENT_ID,
        "hd": "acme.test",
        "email": EMAIL,
        "email_verified": True,
        "locale": "en",
    },
    group="",
)
KEYCLOAK: Final = Shape(
    # Group Membership mapper with the full path: a slash begins each name.
    vendor="keycloak",
    issuer="https://keycloak.acme.test/realms/acme",
    subject="4f1b8f4e-9a2b-4d59-8c3d-7a1f3f6d2b10",
    id_token={
        **_NAMES,
        "typ": "ID",
        "azp": CLIENT_ID,
        "sid": "d5a1e2c6",
        "acr": "1",
        "preferred_username": "ada",
        "email": EMAIL,
        "email_verified": True,
        "groups": ["/engineering/core", "/everyone"],
    },
    group="/engineering/core",
)
JUMPCLOUD: Final = Shape(
    # The issuer ends in a slash and the audience is a list (Ory Hydra stands behind it).
    vendor="jumpcloud",
    issuer="https://oauth.id.jumpcloud.com/",
    subject="5f7c0a9b1c9d440000a1b2c3",
    id_token={
        **_NAMES,
        "aud": [CLIENT_ID],
        "rat": 1_795_003_200,
        "sid": "b6a3",
        "email": EMAIL,
        "email_verified": True,
        "groups": _GROUPS,
    },
)
ONELOGIN: Final = Shape(
    vendor="onelogin",
    issuer="https://acme.onelogin.com/oidc/2",
    subject="35613448",
    id_token={
        **_NAMES,
        "preferred_username": EMAIL,
        "email": EMAIL,
        "params": {},
        "groups": _GROUPS,
        "sid": "e1c0",
    },
)
PINGFEDERATE: Final = Shape(
    # The issuer is the server's base URL; one group alone comes as a text.
    vendor="pingfederate",
    issuer="https://pingfederate.acme.test:9031",
    subject="ada",
    id_token={**_NAMES, "pi.sri": "kKsVv3", "email": EMAIL, "groups": "engineering"},
)
SALESFORCE: Final = Shape(
    # The subject is the address of the user's identity; what is custom is an object of its own.
    vendor="salesforce",
    issuer="https://acme.my.salesforce.com",
    subject="https://login.salesforce.com/id/00D000000000001EAA/005000000000001AAA",
    id_token={"custom_attributes": {"department": "Engines"}},
    userinfo={
        **_NAMES,
        "user_id": "005000000000001AAA",
        "preferred_username": "ada@acme.test.sandbox",
        "email": EMAIL,
        "email_verified": True,
        "groups": _GROUPS,
        "urls": {"profile": "https://acme.my.salesforce.com/005000000000001AAA"},
    },
)
CYBERARK: Final = Shape(
    # The issuer is the application's own and ends in a slash.
    vendor="cyberark",
    issuer="https://aad0380.my.idaptive.app/vestibule/",
    subject="c2c7bcc6-9560-44e0-8dff-5be221cd37ee",
    id_token={
        **_NAMES,
        "unique_name": "ada@acme",
        "email": EMAIL,
        "email_verified": True,
        "groups": _GROUPS,
    },
)
DUO: Final = Shape(
    # https://oauth2-proxy.github.io/oauth2-proxy/configuration/providers/cisco_duo for the issuer.
    vendor="duo",
    issuer="https://sso-1793b17c.sso.duosecurity.com/oidc/DIMOJTPPL6E090X4BUL1",
    subject="ada",
    id_token={"email": EMAIL, "groups": _GROUPS},
    userinfo={**_NAMES, "email": EMAIL},
)
MINIORANGE: Final = Shape(
    vendor="miniorange",
    issuer="https://login.xecurify.com/moas",
    subject="ada",
    id_token={**_NAMES, "email": EMAIL, "groups": _GROUPS},
)
GENERIC: Final = Shape(
    # As LemonLDAP::NG does it (peers.md 1.2): the audience in a list with azp, everything else at
    # userinfo.
    vendor="generic",
    issuer="https://auth.acme.test",
    subject="dwho",
    id_token={"aud": [CLIENT_ID], "azp": CLIENT_ID},
    userinfo={"given_name": "Ada", "family_name": "Lovelace", "email": EMAIL, "groups": _GROUPS},
)
SHAPES: Final = (
    CYBERARK, DUO, GENERIC, GOOGLE, JUMPCLOUD, KEYCLOAK, MINIORANGE, ENTRA, OKTA, ONELOGIN,
    PINGFEDERATE, SALESFORCE,
)  # fmt: skip
