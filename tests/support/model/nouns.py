"""What the model remembers. Ids, tokens and secrets are pairs: one of each server."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from hypothesis.vendor.pretty import RepresentationPrinter

from vestibule.clock import MINUTE

Pair = tuple[str, str]
NOTHING: Final[Pair] = ("", "")
LOCK_AFTER: Final = 3
"""Wrong codes, one after the other."""
LOCKED_FOR: Final = 20 * MINUTE


class Refused(Exception):
    """The model says that this is refused; the text is the `error_type`."""


@dataclass(eq=False, kw_only=True)
class Noun:
    """Something with a name for people, and an id in each server."""

    name: str
    ids: Pair = NOTHING

    def _repr_pretty_(self, printer: RepresentationPrinter, _cycle: bool) -> None:
        """Let hypothesis tell a story by names."""
        printer.text(self.name)


@dataclass(eq=False, kw_only=True, repr=False)
class Organization(Noun):
    exists: bool = True
    suspended: bool = False
    everybody_needs_second: bool = False
    allows_totp: bool = True
    custom_roles: set[str] = field(default_factory=set)
    email_roles: set[tuple[str, str]] = field(default_factory=set)
    """Domain and role."""
    default: "Connection | None" = None


@dataclass(eq=False, kw_only=True, repr=False)
class Connection(Noun):
    """A connection of its own; or an external one, to `owned`."""

    organization: Organization
    owned: "Connection | None" = None
    kept: bool = True
    active: bool = True
    roles: set[str] = field(default_factory=set)
    group_roles: set[tuple[str, str]] = field(default_factory=set)
    """Group and role."""

    @property
    def exists(self) -> bool:
        return self.kept and self.organization.exists

    @property
    def underlying(self) -> "Connection":
        return self.owned or self


@dataclass(frozen=True)
class Person:
    """Somebody at the identity provider."""

    subject: str
    address: str


@dataclass(eq=False)
class Registration:
    """A member's account at a connection's identity provider."""

    subject: str
    groups: set[str] | None = None
    """None until the identity provider speaks of any."""


@dataclass(eq=False)
class Authenticator:
    """A member's authenticator app, and the recovery codes that came with it."""

    expires_at: int
    secrets: Pair = NOTHING
    codes: list[Pair] = field(default_factory=list)
    used_codes: list[Pair] = field(default_factory=list)
    proven: bool = False
    last_step: int = 0


@dataclass(eq=False, kw_only=True, repr=False)
class Member(Noun):
    organization: Organization
    address: str
    status: Literal["pending", "active", "deleted"]
    verified: bool = False
    breakglass: bool = False
    retired: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    registrations: dict[Connection, Registration] = field(default_factory=dict)
    enrolled: bool = False
    authenticator: Authenticator | None = None
    default_method: str = ""
    wrong_codes: int = 0
    locked_until: int = 0

    @property
    def lives(self) -> bool:
        return self.organization.exists and self.status != "deleted"

    @property
    def proven_authenticator(self) -> Authenticator | None:
        held = self.authenticator
        return held if held is not None and held.proven else None


@dataclass(frozen=True)
class Factor:
    """A proof: through a connection by whoever has that address there, or a second one."""

    kind: Literal["sso", "totp", "recovery_codes"]
    connection: Connection | None = None
    address: str = ""
    of: object = None
    """The authenticator, or the recovery code."""


@dataclass(eq=False, kw_only=True, repr=False)
class SsoToken(Noun):
    connection: Connection
    person: Person
    groups: set[str] | None
    texts: Pair
    expires_at: int
    spent: bool = False


@dataclass(eq=False, kw_only=True, repr=False)
class Session(Noun):
    """A session, or an intermediate one."""

    member: Member
    factors: list[Factor]
    expires_at: int
    intermediate: bool = False
    ended: bool = False
    tokens: Pair = NOTHING
    jwts: Pair = NOTHING

    @property
    def connections(self) -> set[Connection]:
        return {each.connection for each in self.factors if each.connection}


@dataclass(kw_only=True)
class World:
    now: int
    organizations: list[Organization] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    sso_tokens: list[SsoToken] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    """Intermediate ones, too, and those that are over."""

    def alive(self, session: Session) -> bool:
        return (
            session.member.organization.exists
            and not session.ended
            and self.now < session.expires_at
        )

    def is_useful(self, noun: Noun) -> bool:
        """Tell whether there is more to do with it than to see that it is over."""
        if isinstance(noun, Organization):
            return noun.exists and not noun.suspended
        if isinstance(noun, Connection):
            return noun.exists and noun.active and self.is_useful(noun.underlying.organization)
        if isinstance(noun, Member):
            return noun.lives
        if isinstance(noun, Session):
            return self.alive(noun)
        return isinstance(noun, SsoToken) and not noun.spent

    def members_of(self, organization: Organization) -> list[Member]:
        return [each for each in self.members if each.organization is organization and each.lives]

    def connections_of(self, organization: Organization) -> list[Connection]:
        return [
            each for each in self.connections if each.organization is organization and each.exists
        ]


def with_factor(factors: Iterable[Factor], proven: Factor) -> list[Factor]:
    """A connection, and an authenticator, is in a session once, as it was proven last."""
    if proven.connection is None:
        return [*(each for each in factors if each != proven), proven]
    return [*(each for each in factors if each.connection is not proven.connection), proven]
