"""Signing in through OpenID Connect, from the start link to the session."""

from tests.support.scenario import Scenario


async def test_first_login_creates_the_member_and_a_session(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.oidc_connection(organization["organization_id"])
    assert connection["status"] == "active"
    result = await scenario.authenticate(await scenario.oidc_token(connection))
    assert result["member_authenticated"] is True
    assert result["member"]["email_address"] == "ada@acme.test"
    assert result["member"]["name"] == "Ada Lovelace"
    (registration,) = result["member"]["sso_registrations"]
    assert registration["external_id"] == "op-user-1"
    (factor,) = result["member_session"]["authentication_factors"]
    assert factor["delivery_method"] == "sso_oidc"
    assert factor["oidc_sso_factor"]["external_id"] == "op-user-1"
