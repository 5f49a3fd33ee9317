"""What is known about a vendor: data first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Pitfall(StrEnum):
    """A usual mistake when a connection is set up or kept, by the name that traces show."""

    NAME_ID_FORMAT = "nameid-format"
    NAME_ID_CHANGES = "nameid-changes"
    ATTRIBUTE_NOT_SENT = "attribute-not-sent"
    ACS_URL_MISMATCH = "acs-url-mismatch"
    AUDIENCE_MISMATCH = "audience-mismatch"
    STALE_METADATA = "stale-metadata"
    WRONG_CERTIFICATE = "wrong-certificate"
    REDIRECT_URI_MISMATCH = "redirect-uri-mismatch"
    DISCOVERY_URL_AS_ISSUER = "discovery-url-as-issuer"
    ISSUER_NOT_EXACT = "issuer-not-exact"
    MISSING_SECRET = "missing-secret"  # noqa: S105 - the name of a mistake
    WRONG_SECRET = "wrong-secret"  # noqa: S105 - the name of a mistake
    EXPIRED_SECRET = "expired-secret"  # noqa: S105 - the name of a mistake
    USER_NOT_ASSIGNED = "user-not-assigned"
    TOO_MANY_GROUPS = "too-many-groups"
    ANSWERS_NO_REQUEST = "answers-no-request"


@dataclass(frozen=True)
class Guide:
    """How a connection of one protocol is set up in the vendor's console.

    `places` says, for a field of our connection, where its value belongs or is found there; beside
    the fields it has `name_id`, `attributes`, `groups` and `assignment`: where those are set.
    `attribute_mapping` fits the attributes that `steps` set up; it is offered, never applied
    silently.
    """

    places: Mapping[str, str]
    attribute_mapping: Mapping[str, str]
    steps: tuple[str, ...]


@dataclass(frozen=True)
class IdentityProvider:
    """A vendor of the API's `identity_provider` enum; a protocol without a guide is None.

    `signs` are fragments of its error messages, in lower case, and the mistake each stands for.
    """

    key: str
    label: str
    saml: Guide | None = None
    oidc: Guide | None = None
    quirks: tuple[str, ...] = ()
    signs: Mapping[str, Pitfall] = field(default_factory=dict)
