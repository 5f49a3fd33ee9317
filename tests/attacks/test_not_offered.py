"""What is not offered gives an attacker nothing: each test fails when the thing comes to be.

Whoever builds it then proves the case itself, in the place of the test here.
"""

import pytest

from tests.support.scenario import Scenario

NOT_FOUND = (404, "route_not_found")


@pytest.mark.case("ST-25")
async def test_there_are_no_machine_secrets_to_rotate(scenario: Scenario) -> None:
    for path in (
        "",
        "/m2m-client-test-x/secrets/rotate",
        "/m2m-client-test-x/secrets/rotate/start",
    ):
        assert await scenario.api.bad("POST", f"/v1/m2m/clients{path}", {}) == NOT_FOUND


@pytest.mark.case("ST-26")
async def test_we_issue_no_refresh_token_that_could_be_used_twice(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    login = await scenario.authenticate(await scenario.saml_token(connection))
    assert "refresh_token" not in login
    body = {"grant_type": "refresh_token", "refresh_token": login["session_token"]}
    path = f"/v1/public/{scenario.project.project_id}/oauth2/token"
    assert await scenario.api.bad("POST", path, body) == NOT_FOUND


@pytest.mark.case("ST-27")
async def test_we_give_out_no_authorization_code_of_our_own(scenario: Scenario) -> None:
    for path in ("/v1/b2b/idp/oauth/authorize/start", "/v1/b2b/idp/oauth/authorize"):
        assert await scenario.api.bad("POST", path, {"client_id": "x"}) == NOT_FOUND
    path = f"/v1/public/{scenario.project.project_id}/oauth2/token"
    body = {"grant_type": "authorization_code", "code": "x"}
    assert await scenario.api.bad("POST", path, body) == NOT_FOUND
