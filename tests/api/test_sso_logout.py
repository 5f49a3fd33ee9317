from tests.support.application_logout import START, register
from tests.support.scenario import Scenario
from tests.support.single_logout import provider


async def test_logout_answers_with_a_url_of_ours(scenario: Scenario) -> None:
    await register(scenario)
    idp = await provider(scenario)
    session = await idp.sign_in()
    body = {"session_token": session["session_token"]}
    answer = await scenario.api.good("POST", START, body)
    assert answer.keys() == {"status_code", "request_id", "logout_url"}
    assert answer["logout_url"].startswith(f"{idp.logout_url}/start?token=")


async def test_get_is_still_the_connections_of_an_organization(scenario: Scenario) -> None:
    """An organization may be called `logout`: our path must not stand in its way."""
    await scenario.organization("logout", organization_slug="logout")
    assert (await scenario.api.good("GET", "/v1/b2b/sso/logout"))["saml_connections"] == []
