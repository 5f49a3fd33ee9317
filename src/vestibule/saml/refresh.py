"""Which changes of an identity provider's metadata wait for a person's yes."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from vestibule.saml.keys import Certificate


class HeldChange(StrEnum):
    """Why metadata read anew waits: whoever took over its host could have made this change."""

    ENTITY_ID = "entity_id"
    NO_SIGNING_KEY = "no_signing_key"
    ALL_SIGNING_KEYS = "all_signing_keys"
    SSO_HOST = "sso_host"


@dataclass(frozen=True, kw_only=True)
class Known:
    """Who an identity provider is: as its connection has it, or as its metadata has."""

    entity_id: str
    sso_url: str
    certificates: Sequence[Certificate]


def held_changes(new: Known, *, old: Known) -> tuple[HeldChange, ...]:
    """Compare metadata read anew with what its connection has; empty: take it over.

    A rotation keeps at least one signing key, in whatever certificate, and a login page stays on
    its host and scheme. Where the connection has no certificate yet, any is fine.
    """
    keys = [certificate.public_key for certificate in old.certificates]
    new_keys = [certificate.public_key for certificate in new.certificates]
    held = {
        HeldChange.ENTITY_ID: new.entity_id != old.entity_id,
        HeldChange.NO_SIGNING_KEY: not new_keys,
        HeldChange.ALL_SIGNING_KEYS: bool(keys and new_keys)
        and not any(key in keys for key in new_keys),
        HeldChange.SSO_HOST: urlsplit(new.sso_url)[:2] != urlsplit(old.sso_url)[:2],
    }
    return tuple(change for change, is_held in held.items() if is_held)
