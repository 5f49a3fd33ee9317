"""`vestibule serve` as an operator sets it up, with an identity provider outside of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.dev.serving import serving
from tests.support.browsing import Door, a_browser
from tests.support.server_process import run_to_end
from vestibule.clock import SystemClock
from vestibule.dev.client import Client
from vestibule.dev.credentials import OIDC_CLIENT_ID, OIDC_CLIENT_SECRET
from vestibule.dev.identity_provider import identity_provider
from vestibule.dev.identity_provider.keys import kept_signing_identity
from vestibule.ids import SystemEntropy

_MAPPING: Final = {"email": "email", "first_name": "firstName", "last_name": "lastName"}


@dataclass(frozen=True)
class Operator:
    """Runs the commands in a folder, with the settings that the server has, too."""

    folder: Path
    environ: dict[str, str]

    async def command(self, *words: str) -> str:
        """Run what must succeed; return what it prints."""
        status, said = await self.attempt(*words)
        assert status == 0, said
        return said

    async def attempt(self, *words: str) -> tuple[int, str]:
        return await asyncio.to_thread(
            run_to_end, list(words), folder=self.folder, environ=self.environ
        )

    async def values(self, *words: str) -> dict[str, str]:
        """Run what must succeed; return the lines `name  value` that it prints."""
        said = await self.command(*words)
        return dict(line.split(maxsplit=1) for line in said.splitlines() if " " in line)


@asynccontextmanager
async def identity_provider_for(origin: str, folder: Path) -> AsyncIterator[str]:
    """Run the test identity provider in this process, for a server elsewhere; give its URL."""
    clock, entropy = SystemClock(), SystemEntropy()
    identity = await kept_signing_identity(folder, now=clock.now(), entropy=entropy)
    async with serving(
        lambda base_url: identity_provider(
            base_url, identity=identity, clock=clock, entropy=entropy, allowed_origins=(origin,)
        )
    ) as base_url:
        yield base_url


@dataclass(frozen=True)
class Customer:
    """An organization with one connection per protocol."""

    organization_id: str
    saml: str
    oidc: str


async def set_up(api: Client, idp_url: str) -> Customer:
    """Make an organization whose two connections lead to the identity provider."""
    made = await api.call("POST", "/v1/b2b/organizations", {"organization_name": "Acme"})
    organization_id = str(made["organization"]["organization_id"])
    saml = await _connection(api, organization_id, "saml", {"attribute_mapping": _MAPPING})
    path = f"/v1/b2b/sso/saml/{organization_id}/connections/{saml}/url"
    answer = await api.call("PUT", path, {"metadata_url": f"{idp_url}/dev/idp/saml/metadata"})
    assert answer["connection"]["status"] == "active"
    credentials = {"client_id": OIDC_CLIENT_ID, "client_secret": OIDC_CLIENT_SECRET}
    issuer = {"issuer": f"{idp_url}/dev/idp/oidc"}
    oidc = await _connection(api, organization_id, "oidc", {**issuer, **credentials})
    return Customer(organization_id, saml=saml, oidc=oidc)


async def _connection(
    api: Client, organization_id: str, protocol: str, changes: dict[str, Any]
) -> str:
    path = f"/v1/b2b/sso/{protocol}/{organization_id}"
    connection_id = str((await api.call("POST", path, {}))["connection"]["connection_id"])
    await api.call("PUT", f"{path}/connections/{connection_id}", changes)
    return connection_id


async def sign_in(door: Door, connection_id: str, *, balance: Callable[[str], str] = str) -> str:
    """Sign Alice in; return the sso_token. `balance` is as in Door.finish."""
    async with a_browser() as browser:
        step = await browser.visit(balance(door.start_url(connection_id)))
        return await door.finish(browser, step, balance=balance)
