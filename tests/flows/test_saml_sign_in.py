"""Signing in through SAML, from the start link to the session."""

from urllib.parse import urlsplit

from tests.support.scenario import LOGIN_URL, SIGNUP_URL, Scenario


async def test_first_login_creates_the_member_and_a_session(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    answer = await scenario.post_callback(browser, connection, fields)
    assert answer.status == 303
    assert answer.headers["location"].startswith(f"{SIGNUP_URL}?stytch_token_type=sso&token=")

    token = answer.headers["location"].rpartition("=")[2]
    result = await scenario.authenticate(token, session_duration_minutes=30)

    assert result["member_authenticated"] is True
    assert result["member"]["email_address"] == "ada@acme.test"
    assert result["member"]["name"] == "Ada Lovelace"
    assert result["member"]["status"] == "active"
    assert result["member"]["email_address_verified"] is True
    (registration,) = result["member"]["sso_registrations"]
    assert registration["connection_id"] == connection["connection_id"]
    assert registration["external_id"] == "ada@acme.test"
    (factor,) = result["member_session"]["authentication_factors"]
    assert factor["type"] == "sso"
    assert factor["delivery_method"] == "sso_saml"
    assert factor["saml_sso_factor"]["provider_id"] == connection["connection_id"]
    assert result["member_session"]["roles"] == ["stytch_member"]


async def test_second_login_finds_the_same_member_and_goes_to_the_login_url(
    scenario: Scenario,
) -> None:
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    first = await scenario.authenticate(await scenario.saml_token(connection))
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    answer = await scenario.post_callback(browser, connection, fields)
    assert urlsplit(answer.headers["location"]).path == urlsplit(LOGIN_URL).path
    second = await scenario.authenticate(answer.headers["location"].rpartition("=")[2])
    assert second["member_id"] == first["member_id"]
    assert second["session_token"] != first["session_token"]


async def test_a_token_is_redeemed_once(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    token = await scenario.saml_token(connection)
    await scenario.authenticate(token)
    refused = await scenario.api.bad("POST", "/v1/b2b/sso/authenticate", {"sso_token": token})
    assert refused == (404, "sso_token_not_found")
