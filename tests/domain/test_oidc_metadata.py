"""Discovery in the background: new keys are followed on their host, all else waits for a person."""

import json
from typing import Any

import pytest

from tests.support.scenario import ISSUER, Scenario
from vestibule.clock import DAY
from vestibule.domain.upkeep.metadata_refresh import refresh_due
from vestibule.fetch import FetchResponse

WELL_KNOWN = f"{ISSUER}/.well-known/openid-configuration"
ENDPOINTS = {
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
    "jwks_uri": f"{ISSUER}/jwks",
}


class Provider:
    """An OIDC connection of the scenario, and what its provider's document says."""

    def __init__(self, scenario: Scenario, connection: dict[str, Any]) -> None:
        self.scenario = scenario
        organization_id, connection_id = connection["organization_id"], connection["connection_id"]
        self.path = f"/v1/b2b/sso/oidc/{organization_id}/connections/{connection_id}"
        self.settings = f"/v1/b2b/sso/{organization_id}/connections/{connection_id}/settings"
        self.status = 200
        self.document: dict[str, Any] = {"issuer": ISSUER, **ENDPOINTS}
        scenario.fetch.answers[WELL_KNOWN] = self._answer

    async def refresh(self, **changes: Any) -> dict[str, Any]:
        """Publish these changes, let a day go by, and return the metadata as shown."""
        self.document |= changes
        self.scenario.clock.advance(DAY)
        await refresh_due(self.scenario.context)
        return dict((await self.scenario.api.good("GET", self.settings))["metadata"])

    async def connection(self) -> dict[str, Any]:
        return dict((await self.scenario.api.good("PUT", self.path, {}))["connection"])

    async def _answer(self, _method: str, url: str, _body: bytes) -> FetchResponse:
        body = json.dumps(self.document).encode()
        return FetchResponse(status=self.status, headers={}, body=body, url=url)


@pytest.fixture
async def provider(scenario: Scenario) -> Provider:
    organization = await scenario.organization()
    return Provider(scenario, await scenario.oidc_connection(organization["organization_id"]))


async def test_unchanged_document_changes_nothing(provider: Provider) -> None:
    before = await provider.connection()
    shown = await provider.refresh()
    assert (shown["url"], shown["last_error"], shown["offer"]) == (WELL_KNOWN, "", None)
    assert await provider.connection() == before


async def test_new_address_of_the_keys_is_followed_on_the_same_host(provider: Provider) -> None:
    moved = f"{ISSUER}/keys/v2"
    assert (await provider.refresh(jwks_uri=moved))["offer"] is None
    assert (await provider.connection())["jwks_url"] == moved


@pytest.mark.parametrize(
    "moved", ["https://evil.test/jwks", "https://op.example.com:8443/jwks", f"{ISSUER}.evil.test/j"]
)
async def test_address_of_the_keys_on_another_host_is_offered(
    provider: Provider, moved: str
) -> None:
    offer = (await provider.refresh(jwks_uri=moved))["offer"]
    assert offer["changes"] == [
        {"field": "jwks_url", "current": f"{ISSUER}/jwks", "offered": moved}
    ]
    assert (await provider.connection())["jwks_url"] == f"{ISSUER}/jwks"


async def test_address_of_the_keys_that_a_person_entered_stays(provider: Provider) -> None:
    own = f"{ISSUER}/own"
    await provider.scenario.api.good("PUT", provider.path, {"jwks_url": own})
    offer = (await provider.refresh(jwks_uri=f"{ISSUER}/keys/v2"))["offer"]
    assert [(each["field"], each["current"]) for each in offer["changes"]] == [("jwks_url", own)]
    assert (await provider.connection())["jwks_url"] == own


@pytest.mark.case("OI-46", verdict="refused", reason="token_url")
async def test_secret_is_sent_elsewhere_only_with_a_persons_yes(provider: Provider) -> None:
    moved = "https://login.example.net/token"
    offer = (await provider.refresh(token_endpoint=moved))["offer"]
    assert (await provider.connection())["token_url"] == f"{ISSUER}/token"
    path = f"{provider.settings}/metadata/accept"
    await provider.scenario.api.good("POST", path, {"digest": offer["digest"]})
    assert (await provider.connection())["token_url"] == moved


@pytest.mark.case("OI-49", verdict="refused", reason="oidc.discovery")
async def test_document_of_another_issuer_is_not_used(provider: Provider) -> None:
    shown = await provider.refresh(issuer="https://evil.test", jwks_uri=f"{ISSUER}/keys/v2")
    assert shown["last_error"] == (
        f"The discovery document cannot be used: expected issuer {ISSUER}, received issuer "
        "https://evil.test."
    )
    assert (await provider.connection())["jwks_url"] == f"{ISSUER}/jwks"


async def test_what_a_stranger_writes_is_shown_legibly_and_in_short(provider: Provider) -> None:
    shown = await provider.refresh(issuer="https://evil\7\u202e\n" + "x" * 100_000)
    assert len(shown["last_error"]) < 500
    assert shown["last_error"].isprintable()


async def test_failures_change_nothing_and_are_said(provider: Provider) -> None:
    provider.status = 503
    shown = await provider.refresh(jwks_uri=f"{ISSUER}/keys/v2")
    assert shown["last_error"].endswith("it answered with status 503 instead of 200.")
    del provider.scenario.fetch.answers[WELL_KNOWN]
    assert (await provider.refresh())["last_error"].endswith("it could not be fetched.")
    assert (await provider.connection())["jwks_url"] == f"{ISSUER}/jwks"


async def test_issuer_without_a_document_has_no_feed(provider: Provider) -> None:
    await provider.scenario.api.good("PUT", provider.path, {"issuer": "https://other.example.com"})
    answer = await provider.scenario.api.good("GET", provider.settings)
    assert answer["metadata"] is None
