"""A place that publishes an identity provider's metadata, and a connection set up from it."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from tests.support import saml_metadata
from tests.support.context import RoutedFetch
from tests.support.saml_keys import signer
from tests.support.scenario import MAPPING, Scenario
from vestibule.clock import DAY
from vestibule.domain.upkeep.metadata_refresh import refresh_due
from vestibule.fetch import FetchError, FetchResponse, Reason

URL: Final = "https://idp.example.com/metadata.xml"


class MetadataHost:
    """Publishes what a test tells it to, and answers 304 to whoever has that already."""

    def __init__(self, fetch: RoutedFetch, *, url: str = URL) -> None:
        self.url = url
        self.status = 200
        self.gone = False
        self.body = b""
        self.asked = 0
        self.sent: list[int] = []
        self._fetch = fetch
        fetch.answers[url] = self._answer
        self.publish("idp")

    def publish(self, *idps: str, sso_url: str = saml_metadata.REDIRECT_SSO, **more: str) -> None:
        """Publish the certificates of these identity providers; `more` is of the entity."""
        self.publish_pems([signer(name).pem for name in idps], sso_url=sso_url, **more)

    def publish_pems(
        self, pems: Sequence[str], *, sso_url: str = saml_metadata.REDIRECT_SSO, **more: str
    ) -> None:
        """Publish these certificates."""
        services = [saml_metadata.service(saml_metadata.REDIRECT, sso_url)]
        keys = [saml_metadata.key(pem) for pem in pems]
        role = saml_metadata.role(keys=keys, services=services)
        self.body = saml_metadata.entity(role, **more).encode()

    async def _answer(self, _method: str, url: str, _body: bytes) -> FetchResponse:
        self.asked += 1
        headers = self._fetch.headers[-1]
        if self.gone:
            raise FetchError(Reason.UNREACHABLE, detail="gone")
        etag = f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'
        known = self.status == 200 and headers.get("If-None-Match") == etag
        status = 304 if known else self.status
        self.sent.append(status)
        body = b"" if known else self.body
        return FetchResponse(status=status, headers={"etag": etag}, body=body, url=url)


class FedConnection:
    """A SAML connection that was set up from the metadata of a host."""

    def __init__(self, scenario: Scenario, host: MetadataHost, connection: dict[str, Any]) -> None:
        self.scenario = scenario
        self.host = host
        self.organization_id = str(connection["organization_id"])
        self.connection_id = str(connection["connection_id"])
        self.path = f"/v1/b2b/sso/{self.organization_id}/connections/{self.connection_id}/settings"

    async def refresh(self) -> dict[str, Any]:
        """Let a day go by and the background read what is due; return the metadata as shown."""
        self.scenario.clock.advance(DAY)
        await refresh_due(self.scenario.context)
        return await self.shown()

    async def shown(self) -> dict[str, Any]:
        """Return the metadata as the settings show it."""
        return dict((await self.scenario.api.good("GET", self.path))["metadata"])

    async def decide(self, what: str, digest: str) -> dict[str, Any]:
        """Accept or refuse an offer; return the metadata as it is then."""
        path = f"{self.path}/metadata/{what}"
        answer = await self.scenario.api.good("POST", path, {"digest": digest})
        return dict(answer["metadata"])

    async def connection(self) -> dict[str, Any]:
        """Return the connection's object."""
        answer = await self.scenario.api.good("GET", f"/v1/b2b/sso/{self.organization_id}")
        (found,) = (
            each
            for each in answer["saml_connections"]
            if each["connection_id"] == self.connection_id
        )
        return dict(found)

    async def certificates(self) -> list[str]:
        """Return the PEM texts that the connection trusts."""
        found = (await self.connection())["verification_certificates"]
        return [each["certificate"] for each in found]

    async def put_settings(self, **settings: Any) -> None:
        """Change settings of the connection."""
        await self.scenario.api.good("PUT", self.path, settings)

    async def announced(self) -> list[tuple[str, dict[str, Any]]]:
        """Return kind and payload of every event in the outbox, oldest first."""
        async with self.scenario.context.store.read() as tx:
            found = await tx.outbox.all(order="created_at")
        return [(each.kind, dict(each.payload)) for each in found]


async def fed_connection(
    scenario: Scenario, host: MetadataHost, *, organization_id: str = ""
) -> FedConnection:
    """Make an active SAML connection from a host's metadata."""
    if not organization_id:
        organization_id = (await scenario.organization())["organization_id"]
    made = await scenario.api.good("POST", f"/v1/b2b/sso/saml/{organization_id}", {})
    connection_id = made["connection"]["connection_id"]
    path = f"/v1/b2b/sso/saml/{organization_id}/connections/{connection_id}"
    await scenario.api.good("PUT", path, {"attribute_mapping": MAPPING})
    answer = await scenario.api.good("PUT", f"{path}/url", {"metadata_url": host.url})
    return FedConnection(scenario, host, dict(answer["connection"]))
