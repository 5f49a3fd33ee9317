"""`make bench-requests`: what a login and a session check cost, as ratios of one run.

The server's own CPU time for each request of a login (start, SAML callback, sso.authenticate) and
for sessions.authenticate, on SQLite, without sockets. Beside them, in the same rounds, the two
things that none of it can do without: the raw limit of `bench.saml` for verifying a Response, and
one RS256 signature, which the SDKs want on every session JWT. A ratio is the median over rounds.
"""

import asyncio
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from bench.limits import Taken, login, opened, timed
from bench.saml import raw_limit
from bench.saml_documents import documents
from tests.support.saml_keys import signer
from tests.support.scenario import Scenario
from vestibule.clock import MINUTE, SystemClock
from vestibule.counters import open_counters

ROUNDS: Final = 201
SESSIONS: Final = "/v1/b2b/sessions/authenticate"


async def one_round(scenario: Scenario, connection: dict[str, Any], taken: Taken) -> None:
    """Log in once, and check the session once."""
    member = await login(scenario, connection, taken)
    check = partial(scenario.api.good, "POST", SESSIONS, {"session_token": member["session_token"]})
    await timed(taken, "sessions.authenticate", check)


async def measure(folder: Path) -> Taken:
    """Return the CPU seconds of each request, round by round."""
    field = next(each.field for each in documents(now=SystemClock().now()) if each.name == "A")
    key = signer("idp").key
    taken: Taken = {}

    async def raw() -> None:
        raw_limit(field)

    async def signature() -> None:
        key.sign(b"a session", PKCS1v15(), SHA256())

    async with opened(folder / "server", open_counters("")) as scenario:
        organization = await scenario.organization(sso_jit_provisioning="ALL_ALLOWED")
        connection = await scenario.saml_connection(organization["organization_id"])
        await one_round(scenario, connection, {})
        for _ in range(ROUNDS):
            scenario.clock.advance(MINUTE)
            await timed(taken, "raw limit of SAML", raw)
            await timed(taken, "RS256 signature", signature)
            await one_round(scenario, connection, taken)
    return taken


def main() -> None:
    """Measure, and print the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        taken = asyncio.run(measure(Path(folder)))
    raw, signature = taken["raw limit of SAML"], taken["RS256 signature"]
    for name, times in taken.items():
        of_raw, of_signature = (
            statistics.median(t / r for t, r in zip(times, against, strict=True))
            for against in (raw, signature)
        )
        sys.stdout.write(
            f"{name:<24}{statistics.median(times) * 1e6:7.0f} us"
            f"{of_raw:8.2f} x raw limit{of_signature:8.2f} x RS256\n"
        )


if __name__ == "__main__":
    main()
