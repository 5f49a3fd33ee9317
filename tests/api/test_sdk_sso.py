import re

import pytest

from tests.support.asgi import Answer, basic, call
from tests.support.doors import open_door
from tests.support.scenario import Scenario, add_project

PATH = "/sdk/v1/b2b/sso/discovery/connections"
ADA = f"{PATH}?email_address=ada%40acme.test"


async def get(scenario: Scenario, target: str = ADA, password: str | None = None) -> Answer:
    """Ask as the browser SDK does: the public token is user and password, JSON is announced."""
    token = scenario.public_token
    headers = {
        "authorization": basic(token, token if password is None else password),
        "content-type": "application/json",
    }
    return await call(scenario.app, "GET", target, headers=headers)


async def test_answer_is_wrapped_and_shows_what_to_offer(scenario: Scenario) -> None:
    door = await open_door(scenario, "saml", "Acme")
    path = f"/v1/b2b/sso/saml/{door.organization_id}/connections/{door.connection_id}"
    changes = {"display_name": "Acme's Okta", "identity_provider": "okta"}
    await scenario.api.good("PUT", path, changes)
    await door.add_member()
    answer = await get(scenario)
    assert answer.status == 200
    body = answer.json
    assert re.fullmatch("request-id-test-[0-9a-f-]{36}", body["data"].pop("request_id"))
    assert body == {
        "data": {
            "status_code": 200,
            "connections": [
                {
                    "connection_id": door.connection_id,
                    "display_name": "Acme's Okta",
                    "identity_provider": "okta",
                }
            ],
        }
    }


@pytest.mark.case("MT-23")
async def test_stranger_gets_an_answer_of_the_same_shape(scenario: Scenario) -> None:
    """A member of an organization without SSO is answered as nobody is.

    That an address has connections to sign in through is what discovery tells, to whoever asks.
    """
    organization = await scenario.organization()
    path = f"/v1/b2b/organizations/{organization['organization_id']}/members"
    await scenario.api.good("POST", path, {"email_address": "ada@acme.test"})
    answers = [await get(scenario), await get(scenario, f"{PATH}?email_address=b%40acme.test")]
    for answer in answers:
        assert answer.status == 200
        assert answer.json["data"]["connections"] == []
        assert answer.json["data"].keys() == {"status_code", "request_id", "connections"}


async def test_password_is_not_looked_at(scenario: Scenario) -> None:
    for password in ("", "session-token", scenario.public_token):
        assert (await get(scenario, password=password)).status == 200


async def test_public_token_is_asked_for(scenario: Scenario) -> None:
    other = await add_project(scenario.app, scenario.context, name="other")
    refused = [
        {},
        {"authorization": basic("", "")},
        {"authorization": basic("public-token-test-unknown", "")},
        {"authorization": basic("public-token-test-\0", "")},
        {"authorization": scenario.api.authorization},
        {"authorization": f"Bearer {scenario.public_token}"},
    ]
    for headers in refused:
        answer = await call(scenario.app, "GET", ADA, headers=headers)
        assert answer.status == 401
        # An error is not wrapped.
        assert answer.json["error_type"] == "unauthorized_credentials"
    # It opens nothing else.
    token = {"authorization": basic(other.public_token, other.public_token)}
    answer = await call(scenario.app, "GET", "/v1/b2b/rbac/policy", headers=token)
    assert answer.status == 401


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("", "bad_request"),
        ("?email_address=", "invalid_email"),
        ("?email_address=ada", "invalid_email"),
        ("?email_address=ada%00%40acme.test", "bad_request"),
    ],
)
async def test_bad_address_is_refused(scenario: Scenario, query: str, error: str) -> None:
    answer = await get(scenario, PATH + query)
    assert (answer.status, answer.json["error_type"]) == (400, error)
    assert "data" not in answer.json
    assert "email_address" in answer.json["error_message"]
