"""The page of Single Logout: its methods, its bindings, its plain ends."""

from urllib.parse import urlsplit

import pytest

from tests.support.application_logout import begin, follow, register
from tests.support.asgi import call
from tests.support.refusals import assert_safe, traces
from tests.support.scenario import Scenario
from tests.support.single_logout import POST, SLO, Provider, answered, provider
from vestibule import errors


@pytest.fixture
async def idp(scenario: Scenario) -> Provider:
    return await provider(scenario)


async def test_our_answer_leaves_without_a_trail(idp: Provider) -> None:
    answer = await idp.redirect(idp.request())
    answered(answer)
    assert_safe(answer)


async def test_an_answer_by_post_says_sign_out_and_works_without_scripts(
    scenario: Scenario,
) -> None:
    idp = await provider(scenario, binding=POST)
    answer = await idp.redirect(idp.request())
    assert "Signing you out" in answer.text
    assert "Signing you in" not in answer.text
    assert '<button type="submit">' in answer.text
    assert_safe(answer)


async def test_a_form_of_another_type_is_refused(scenario: Scenario, idp: Provider) -> None:
    path = urlsplit(idp.logout_url).path
    headers = {"content-type": "application/json"}
    answer = await call(scenario.app, "POST", path, headers=headers, body=b"{}")
    assert answer.status == 415
    assert (await traces(scenario))[-1].reason == "http.type"


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE"])
async def test_other_methods_are_refused(idp: Provider, method: str) -> None:
    answer = await call(idp.scenario.app, method, urlsplit(idp.logout_url).path)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize("query", ["", "SAMLRequest=%FF", "SAMLRequest=x&SAMLRequest=x", "a=b"])
async def test_a_query_without_one_message_is_refused(
    scenario: Scenario, idp: Provider, query: str
) -> None:
    answer = await idp.visit(query)
    assert answer.status == 400
    assert (await traces(scenario))[-1].outcome == "failed"


async def test_two_messages_in_a_form_are_refused(scenario: Scenario, idp: Provider) -> None:
    answer = await idp.post_fields({"SAMLRequest": "x", "SAMLResponse": "x"})
    assert answer.status == errors.missing_saml_response.status
    assert (await traces(scenario))[-1].reason == "http.params"


async def test_a_connection_of_another_kind_or_none_has_no_logout(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.oidc_connection(organization["organization_id"])
    path = "/v1/public/sso/logout"
    for connection_id in (connection["connection_id"], "saml-connection-test-none"):
        answer = await scenario.browser().get(f"{path}/{connection_id}?SAMLRequest=x")
        assert answer.status == 404
        answer = await scenario.browser().post(f"{path}/{connection_id}", {"SAMLRequest": "x"})
        assert answer.status == 404


# A logout of ours on its way ---------------------------------------------------------------------


@pytest.fixture
async def start(scenario: Scenario, idp: Provider) -> str:
    """Return where a browser begins a logout of ours."""
    await register(scenario)
    return await begin(scenario, await idp.sign_in())


async def test_our_request_leaves_without_a_trail(scenario: Scenario, start: str) -> None:
    answer = await follow(scenario.browser(), start)
    assert answer.headers["location"].startswith(SLO)
    assert answer.set_cookies == ()
    assert_safe(answer)


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
async def test_our_request_is_asked_for_by_get_alone(
    scenario: Scenario, start: str, method: str
) -> None:
    place = urlsplit(start)
    answer = await call(scenario.app, method, f"{place.path}?{place.query}")
    assert answer.status == 405
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("query", ["", "?token=", "?token=x", "?token=x&token=y", "?other=x"])
async def test_without_its_token_the_page_says_what_is_still_open(
    scenario: Scenario, idp: Provider, query: str
) -> None:
    answer = await scenario.browser().get(f"{urlsplit(idp.logout_url).path}/start{query}")
    assert answer.status in {400, 404}
    assert "sign-in may still be open" in answer.text
    assert_safe(answer)


async def test_page_of_an_unknown_connection_is_not_found(scenario: Scenario) -> None:
    answer = await scenario.browser().get("/v1/public/sso/logout/none/start?token=x")
    assert answer.status == 404
    assert "sso_connection_not_found" in answer.text
