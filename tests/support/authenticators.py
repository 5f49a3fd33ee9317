"""An authenticator app, and a member at its first factor over HTTP."""

from dataclasses import dataclass
from typing import Any

import pyotp

from tests.support.determinism import HandClock
from tests.support.doors import Door
from vestibule.clock import SECOND

CREATE = "/v1/b2b/totp"
AUTHENTICATE = "/v1/b2b/totp/authenticate"
MIGRATE = "/v1/b2b/totp/migrate"
RECOVER = "/v1/b2b/recovery_codes/recover"
ROTATE = "/v1/b2b/recovery_codes/rotate"
STEP = 30 * SECOND


def wrong(code: str, by: int = 1) -> str:
    """Return another code than this one."""
    return f"{(int(code) + by) % 1_000_000:06}"


@dataclass(frozen=True)
class Authenticator:
    """What the member's phone computes."""

    clock: HandClock
    secret: str

    def code(self, *, steps: int = 0) -> str:
        """Return what it shows now, or showed or will show `steps` of 30 seconds away."""
        return pyotp.HOTP(self.secret).at(self.clock.now() // STEP + steps)


@dataclass(frozen=True)
class AtSecondFactor:
    """A member of a door's organization, named in every request."""

    door: Door
    member_id: str

    @property
    def who(self) -> dict[str, str]:
        return {"organization_id": self.door.organization_id, "member_id": self.member_id}

    @property
    def path(self) -> str:
        return f"/v1/b2b/organizations/{self.door.organization_id}/members/{self.member_id}"

    @property
    def codes_path(self) -> str:
        return f"/v1/b2b/recovery_codes/{self.door.organization_id}/{self.member_id}"

    async def good(self, path: str, **body: Any) -> dict[str, Any]:
        return dict(await self.door.scenario.api.good("POST", path, {**self.who, **body}))

    async def bad(self, path: str, **body: Any) -> tuple[int, str]:
        return await self.door.scenario.api.bad("POST", path, {**self.who, **body})

    async def waiting(self, **person: Any) -> dict[str, str]:
        """Log in up to the intermediate session, and return how requests name it."""
        token = (await self.door.log_in(**person))["intermediate_session_token"]
        assert token
        return {"intermediate_session_token": token}

    async def enrol(self, **proof: str) -> tuple[Authenticator, list[str]]:
        """Make an authenticator and prove it; return it and its recovery codes.

        The clock goes on by a step, so that its next code is another one.
        """
        made = await self.good(CREATE, **proof)
        clock = self.door.scenario.clock
        app = Authenticator(clock, made["secret"])
        proven_by = proof or await self.session()
        await self.good(AUTHENTICATE, code=app.code(), **proven_by)
        clock.advance(STEP)
        return app, made["recovery_codes"]

    async def session(self) -> dict[str, str]:
        """Log in to the end, where nothing more is asked for."""
        token = (await self.door.log_in())["session_token"]
        assert token
        return {"session_token": token}

    async def member(self) -> dict[str, Any]:
        return await self.door.member(self.member_id)


async def at_second_factor(door: Door, **fields: Any) -> AtSecondFactor:
    """Add Ada to the door's organization, where she can log in through it."""
    return AtSecondFactor(door, (await door.add_member("ada@acme.test", **fields))["member_id"])
