"""What every rule may reach: the database, the clock, randomness and the ways out."""

from dataclasses import dataclass, replace
from typing import Self

from vestibule.clock import Clock
from vestibule.domain.jwks_cache import JwksCache
from vestibule.domain.limiter import Limiter
from vestibule.fetch import Fetch
from vestibule.ids import Entropy, OpaqueToken, mint_token, new_id
from vestibule.mail import Mail
from vestibule.records import SYSTEM, Origin, Project
from vestibule.settings import Settings
from vestibule.sms import Sms
from vestibule.store.interface import Store
from vestibule.store.sealing import Sealer


@dataclass(frozen=True)
class Context:
    """The doors of one running server, made once by `app.open_context`.

    `origin` is who is behind what is done with this one, for the audit log.
    """

    settings: Settings
    clock: Clock
    entropy: Entropy
    store: Store
    sealer: Sealer
    fetch: Fetch
    mail: Mail
    sms: Sms
    jwks: JwksCache
    limiter: Limiter
    origin: Origin = SYSTEM

    def acting_for(self, origin: Origin) -> Self:
        """Return the same doors in somebody's hands."""
        return replace(self, origin=origin)

    def new_id(self, prefix: str, project: Project) -> str:
        """Return a new public id of `project`, such as `member-test-0198…`."""
        return new_id(prefix, project.environment, now=self.clock.now(), entropy=self.entropy)

    def mint_token(self) -> OpaqueToken:
        """Return a new opaque token."""
        return mint_token(now=self.clock.now(), entropy=self.entropy)
