"""The page of Single Logout: its methods, its bindings, its plain ends."""

from urllib.parse import urlsplit

import pytest

from tests.support.asgi import call
from tests.support.refusals import assert_safe, traces
from tests.support.scenario import Scenario
from tests.support.single_logout import POST, Provider, answered, provider
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
