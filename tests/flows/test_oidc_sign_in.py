"""Signing in through OpenID Connect, from the start link to the session."""

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.scenario import CLIENT_ID, CLIENT_SECRET, ISSUER, Scenario
from vestibule.fetch import FetchResponse


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


def taking(scenario: Scenario, method: str) -> None:
    """Let the provider's document name one way for clients to prove themselves."""
    address = f"{ISSUER}/.well-known/openid-configuration"
    plain = scenario.fetch.answers[address]

    async def answer(verb: str, url: str, body: bytes) -> FetchResponse:
        document = json.loads((await plain(verb, url, body)).body)
        document["token_endpoint_auth_methods_supported"] = [method]
        headers = {"content-type": "application/json"}
        data = json.dumps(document).encode()
        return FetchResponse(status=200, headers=headers, body=data, url=url)

    scenario.fetch.answers[address] = answer


@pytest.mark.case("OI-06")
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_code_is_redeemed_with_its_verifier_and_as_the_provider_wants(
    scenario: Scenario, method: str
) -> None:
    organization = await scenario.organization()
    connection = await scenario.oidc_connection(organization["organization_id"])
    taking(scenario, method)
    target = f"/v1/b2b/sso/oidc/{connection['organization_id']}/connections"
    again = {"issuer": ISSUER, "token_url": ""}
    await scenario.api.good("PUT", f"{target}/{connection['connection_id']}", again)
    browser = scenario.browser()
    started = await scenario.start(browser, connection_id=connection["connection_id"])
    asked = parse_qs(urlsplit(started.headers["location"]).query)
    scenario.fetch.requests.clear()
    scenario.fetch.headers.clear()
    code = f"code=c&state={asked['state'][0]}"
    await browser.get(f"{urlsplit(connection['redirect_url']).path}?{code}")
    (method_used, url, body), headers = scenario.fetch.requests[0], scenario.fetch.headers[0]
    assert (method_used, url) == ("POST", f"{ISSUER}/token")
    form = {name: value for name, (value,) in parse_qs(body.decode()).items()}
    digest = hashlib.sha256(form.pop("code_verifier").encode()).digest()
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["code_challenge"] == [base64.urlsafe_b64encode(digest).rstrip(b"=").decode()]
    redeemed = {
        "grant_type": "authorization_code",
        "code": "c",
        "redirect_uri": connection["redirect_url"],
    }
    if method == "client_secret_post":
        proof = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        assert form == {**redeemed, **proof}
        assert "Authorization" not in headers
    else:
        pair = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        assert form == redeemed
        assert headers["Authorization"] == f"Basic {pair}"
