"""What a token has to say to be accepted for one connection, and for one sign-in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from vestibule.oidc.discovery import TENANT
from vestibule.oidc.jwks import Algorithm

_USUAL: Final = (
    Algorithm.RS256,
    Algorithm.ES256,
    Algorithm.RS384,
    Algorithm.RS512,
    Algorithm.ES384,
    Algorithm.ES512,
)


class Recipient(Protocol):
    """What every expectation says: whose token is expected, for which client."""

    @property
    def issuer(self) -> str:
        """The provider's, with `{tenantid}` in it where there are several tenants."""

    @property
    def client_id(self) -> str:
        """Ours at the provider."""

    @property
    def tenants(self) -> tuple[str, ...]:
        """Those that the issuer may stand for; none when it is no template."""

    @property
    def clock_skew(self) -> int:
        """By how much the provider's clock may differ, in microseconds."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """Times are microseconds.

    `nonce` is the one sent; None only for a token from a refresh, which then must repeat `subject`
    (OIDC Core 12.2). `max_age` is the age of the authentication that was asked for. An `issuer`
    with `{tenantid}` in it (Microsoft Entra, several tenants) demands the list of `tenants`.
    Raises ValueError when these rules are broken: they are the caller's.
    """

    issuer: str
    client_id: str
    nonce: str | None = field(repr=False)
    subject: str | None = None
    clock_skew: int = 60_000_000
    max_age: int | None = None
    tenants: tuple[str, ...] = ()
    algorithms: tuple[Algorithm, ...] = _USUAL

    def __post_init__(self) -> None:
        if self.nonce == "" or (self.nonce is None and not self.subject):
            raise ValueError("a sign-in needs its nonce, a refresh its subject")
        if not self.issuer or not self.client_id or not self.algorithms:
            raise ValueError("issuer, client_id and algorithms must not be empty")
        if (TENANT in self.issuer) != bool(self.tenants):
            raise ValueError("an issuer with {tenantid} needs its tenants, and only that one")


@dataclass(frozen=True, kw_only=True)
class TrustedExpectation:
    """What a trusted token has to say, and by which of our names its claims are known.

    `client_id` is the audience. `mapping` leads from email, token_id, organization_id,
    external_member_id and role_ids to the names of claims. `pinned` says that its keys were given
    by hand. `clock_skew` is in microseconds.
    """

    issuer: str
    client_id: str
    mapping: Mapping[str, str]
    pinned: bool
    clock_skew: int = 60_000_000
    tenants: tuple[str, ...] = ()
    algorithms: tuple[Algorithm, ...] = _USUAL


@dataclass(frozen=True, kw_only=True)
class LogoutExpectation:
    """What a logout token has to say: it is of no sign-in. `clock_skew` is in microseconds."""

    issuer: str
    client_id: str
    clock_skew: int = 60_000_000
    tenants: tuple[str, ...] = ()
    algorithms: tuple[Algorithm, ...] = _USUAL
