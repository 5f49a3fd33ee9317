"""An OpenID provider's tokens, kept sealed: first in the sso_token, then with the registration."""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from vestibule.clock import HOUR
from vestibule.domain import tenancy
from vestibule.domain.context import Context
from vestibule.records import OidcToken, Registration, SsoToken
from vestibule.store.interface import Transaction

_CARRIED: Final = "sso-token-provider-tokens"
_KEPT: Final = "oidc-tokens"
_ASSUMED_LIFE: Final = HOUR


@dataclass(frozen=True, kw_only=True)
class ProviderTokens:
    """What a provider gave out for one person, and to whom.

    `expires_at` is the access token's (microseconds), 0 when nobody knows.
    """

    issuer: str
    client_id: str
    subject: str
    scopes: tuple[str, ...]
    expires_at: int
    access_token: str = field(repr=False)
    id_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)


def expiry(expires_in: int | None, *, renewable: bool, now: int) -> int:
    """Return when an access token of `now` is over (microseconds), 0 when nobody knows.

    Where the provider does not say (Salesforce for one), what can be renewed is taken to last an
    hour, so that it is renewed at all (RFC 6749 5.1).
    """
    if expires_in is not None:
        return now + expires_in
    return now + _ASSUMED_LIFE if renewable else 0


def carry(context: Context, tokens: ProviderTokens, *, token_id: str) -> bytes:
    """Return `tokens` sealed for the sso_token `token_id`."""
    return _seal(context, tokens, f"{_CARRIED}:{token_id}")


async def keep(
    tx: Transaction, context: Context, token: SsoToken, registration: Registration
) -> None:
    """Keep what `token` carries as the tokens of `registration`; the newest login's are kept."""
    if token.provider_tokens is None:
        return
    tokens = _unseal(context, token.provider_tokens, f"{_CARRIED}:{token.token_id}")
    kept = OidcToken(**of(registration), sealed=seal(context, tokens, registration))
    await tx.oidc_tokens.delete(**of(registration))
    await tx.oidc_tokens.insert(kept)


def of(registration: Registration) -> dict[str, Any]:
    """Return the key of the tokens of `registration`."""
    return {
        **tenancy.of_organization(registration),
        "registration_id": registration.registration_id,
    }


def seal(context: Context, tokens: ProviderTokens, registration: Registration) -> bytes:
    """Return `tokens` sealed for the row of `registration`."""
    return _seal(context, tokens, f"{_KEPT}:{registration.registration_id}")


def unseal(context: Context, kept: OidcToken) -> ProviderTokens:
    """Return the tokens of a row."""
    return _unseal(context, kept.sealed, f"{_KEPT}:{kept.registration_id}")


def _seal(context: Context, tokens: ProviderTokens, purpose: str) -> bytes:
    return context.sealer.seal(msgspec.json.encode(tokens), purpose=purpose)


def _unseal(context: Context, sealed: bytes, purpose: str) -> ProviderTokens:
    return msgspec.json.decode(context.sealer.unseal(sealed, purpose=purpose), type=ProviderTokens)
