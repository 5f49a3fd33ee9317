"""Which changes of an identity provider's metadata wait for a person's yes."""

from collections.abc import Sequence
from enum import StrEnum
from urllib.parse import urlsplit

from vestibule.saml.keys import Certificate
from vestibule.saml.metadata import IdentityProviderMetadata


class HeldChange(StrEnum):
    """Why metadata read anew waits: whoever took over its host could have made this change."""

    ENTITY_ID = "entity_id"
    NO_SIGNING_KEY = "no_signing_key"
    ALL_SIGNING_KEYS = "all_signing_keys"
    SSO_HOST = "sso_host"


def held_changes(
    metadata: IdentityProviderMetadata,
    *,
    entity_id: str,
    sso_url: str,
    certificates: Sequence[Certificate],
) -> tuple[HeldChange, ...]:
    """Compare metadata read anew with what its connection has; empty: take it over.

    A rotation keeps at least one signing key, in whatever certificate, and a login page stays on
    its host and scheme. Where the connection has no certificate yet, any is fine.
    """
    old = [certificate.public_key for certificate in certificates]
    new = [certificate.public_key for certificate in metadata.certificates]
    held = {
        HeldChange.ENTITY_ID: metadata.entity_id != entity_id,
        HeldChange.NO_SIGNING_KEY: not new,
        HeldChange.ALL_SIGNING_KEYS: bool(old and new) and not any(key in old for key in new),
        HeldChange.SSO_HOST: urlsplit(metadata.sso_url)[:2] != urlsplit(sso_url)[:2],
    }
    return tuple(change for change, is_held in held.items() if is_held)
