"""What is known about a vendor: data first."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Guide:
    """How a connection of one protocol is set up in the vendor's console.

    `places` says, for a field of our connection, where its value belongs or is found there.
    `attribute_mapping` fits the attributes that `steps` set up; it is offered, never applied
    silently.
    """

    places: Mapping[str, str]
    attribute_mapping: Mapping[str, str]
    steps: tuple[str, ...]


@dataclass(frozen=True)
class IdentityProvider:
    """A vendor of the API's `identity_provider` enum; a protocol without a guide is None."""

    key: str
    label: str
    saml: Guide | None = None
    oidc: Guide | None = None
    quirks: tuple[str, ...] = ()
