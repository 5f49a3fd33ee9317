"""Tokens of social logins: kept for nobody."""

import pytest

from tests.support.scenario import Scenario

ACME = "/v1/b2b/organizations/acme"
PROVIDERS = ["google", "microsoft", "slack", "hubspot", "github"]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_no_member_has_tokens(scenario: Scenario, provider: str) -> None:
    await scenario.organization()
    body = {"email_address": "ada@example.com"}
    member_id = (await scenario.api.good("POST", f"{ACME}/members", body))["member_id"]
    path = f"{ACME}/members/{member_id}/oauth_providers/{provider}"
    assert await scenario.api.bad("GET", path) == (404, "member_oauth_token_not_found")
    path = f"{ACME}/members/nobody/oauth_providers/{provider}"
    assert await scenario.api.bad("GET", path) == (404, "member_not_found")
    path = f"/v1/b2b/organizations/nowhere/members/{member_id}/oauth_providers/{provider}"
    assert await scenario.api.bad("GET", path) == (404, "organization_not_found")
