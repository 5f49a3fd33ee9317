"""What may happen once happens once, whichever of two servers on one PostgreSQL is asked."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest

from tests.support import oidc_documents
from tests.support.asgi import Answer, Api, Browser
from tests.support.authenticators import AUTHENTICATE, RECOVER, at_second_factor, wrong
from tests.support.context import open_test_context
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.doors import open_door
from tests.support.oidc_documents import SECOND
from tests.support.refusals import Left, left, traces
from tests.support.scenario import CLIENT_ID, ISSUER, Scenario, open_scenario, token_of
from vestibule.app import App
from vestibule.fetch import FetchResponse
from vestibule.store.open import open_store

AT_ONCE = 50


@dataclass(frozen=True)
class Nodes:
    """The scenario of the first server, and the second one: another process in all but name."""

    scenario: Scenario
    second: Api

    def browsers(self, used: Browser) -> tuple[Browser, Browser]:
        """Return a browser as the balancer may send it: to either server, with its cookies."""
        other = Browser(self.second.app)
        other.cookies.update(used.cookies)
        return used, other


@pytest.fixture
async def nodes(postgres_url: str, clock: HandClock) -> AsyncIterator[Nodes]:
    first, second = [await open_store(postgres_url, connections=8) for _ in range(2)]
    scenario = await open_scenario(first, clock=clock, entropy=SeededEntropy(1))
    context = await open_test_context(
        second, clock=clock, entropy=SeededEntropy(2), fetch=scenario.fetch
    )
    api = Api(App(context), project_id=scenario.project.project_id, secret="secret-test-first")
    yield Nodes(scenario, api)
    await first.close()
    await second.close()


async def started(scenario: Scenario, connection: dict[str, Any]) -> tuple[Browser, str]:
    """Start at the first server; return the browser, and where the provider sends it back to."""
    browser = scenario.browser()
    answer = await scenario.start(browser, connection_id=connection["connection_id"])
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    issued = scenario.clock.now() // SECOND
    scenario.provider.claims = oidc_documents.claims(
        iss=ISSUER, aud=CLIENT_ID, nonce=query["nonce"][0], iat=issued, exp=issued + 300
    )
    back = urlencode({"code": "code-1", "state": query["state"][0]})
    return browser, f"{urlsplit(connection['redirect_url']).path}?{back}"


def statuses(answers: list[Answer]) -> list[int]:
    return sorted(answer.status for answer in answers)


@pytest.mark.case("OI-03")
async def test_of_two_callbacks_at_once_on_two_nodes_one_redeems_the_code(nodes: Nodes) -> None:
    scenario = nodes.scenario
    organization = await scenario.organization()
    connection = await scenario.oidc_connection(organization["organization_id"])
    browser, back = await started(scenario, connection)
    scenario.fetch.requests.clear()
    both = nodes.browsers(browser)
    answers = await asyncio.gather(*(each.get(back) for each in both * (AT_ONCE // 2)))
    assert statuses(answers) == [302, *[400] * (AT_ONCE - 1)]
    assert [url for method, url, _ in scenario.fetch.requests if method == "POST"] == [
        f"{ISSUER}/token"
    ]
    assert await left(scenario) == Left(sso_tokens=1, consumed_sign_ins=1)
    refused = await traces(scenario, outcome="failed")
    assert {trace.reason for trace in refused} == {"unsolicited_oidc_response"}


@pytest.mark.case("OI-03")
async def test_login_begun_on_one_node_goes_on_at_the_other_and_is_over_there(
    nodes: Nodes,
) -> None:
    scenario = nodes.scenario
    organization = await scenario.organization()
    connection = await scenario.oidc_connection(organization["organization_id"])
    browser, back = await started(scenario, connection)
    _, elsewhere = nodes.browsers(browser)
    token = token_of(await elsewhere.get(back))
    assert (await browser.get(back)).status == 400
    assert (await elsewhere.get(back)).status == 400
    refused = await traces(scenario, outcome="failed")
    assert {trace.reason for trace in refused} == {"unsolicited_oidc_response"}
    answer = await nodes.second.good("POST", "/v1/b2b/sso/authenticate", {"sso_token": token})
    assert answer["member_authenticated"] is True


@pytest.mark.case("SP-23")
async def test_of_fifty_assertions_at_once_on_two_nodes_one_is_accepted(nodes: Nodes) -> None:
    scenario = nodes.scenario
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    both = nodes.browsers(browser)
    answers = await asyncio.gather(
        *(scenario.post_callback(each, connection, fields) for each in both * (AT_ONCE // 2))
    )
    assert statuses(answers) == [303, *[400] * (AT_ONCE - 1)]
    assert await left(scenario) == Left(sso_tokens=1, replays=1, consumed_sign_ins=1)
    refused = await traces(scenario, outcome="failed")
    assert {trace.reason for trace in refused} == {"duplicate_saml_response"}


@pytest.mark.case("ST-01")
async def test_of_fifty_redemptions_at_once_on_two_nodes_one_succeeds(nodes: Nodes) -> None:
    scenario = nodes.scenario
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    body = {"sso_token": await scenario.saml_token(connection)}
    both = (scenario.api, nodes.second)
    answers = await asyncio.gather(
        *(each.call("POST", "/v1/b2b/sso/authenticate", body) for each in both * (AT_ONCE // 2))
    )
    assert statuses(answers) == [200, *[404] * (AT_ONCE - 1)]
    refused = {answer.json["error_type"] for answer in answers if answer.status != 200}
    assert refused == {"sso_token_not_found"}
    found = await left(scenario)
    assert (found.members, found.sessions) == (1, 1)


@pytest.mark.case("MF-05", reason="unable_to_authenticate_totp, user_lock_limit_reached")
async def test_of_fifty_guesses_at_once_on_two_nodes_ten_are_judged(nodes: Nodes) -> None:
    """Each node limits requests in its own memory here; what binds both is the member's row."""
    scenario = nodes.scenario
    ada = await at_second_factor(await open_door(scenario, "saml"))
    app, _ = await ada.enrol()
    sessions = [await ada.session() for _ in range(3)]
    both = (scenario.api, nodes.second)
    guesses = [
        {**ada.who, "code": wrong(app.code(), n + 1), **sessions[n % 3]} for n in range(AT_ONCE)
    ]
    # The right code is among the last: it comes too late.
    guesses[-1]["code"] = app.code()
    answers = await asyncio.gather(
        *(both[n % 2].call("POST", AUTHENTICATE, guess) for n, guess in enumerate(guesses))
    )
    told = [answer.json["error_type"] for answer in answers if answer.status != 200]
    judged = told.count("unable_to_authenticate_totp") + AT_ONCE - len(told)
    assert judged == 10
    assert told.count("user_lock_limit_reached") >= 1
    assert set(told) <= {
        "unable_to_authenticate_totp",
        "user_lock_limit_reached",
        "too_many_requests",
    }
    assert (await ada.member())["is_locked"] is True
    locked = await ada.bad(AUTHENTICATE, code=app.code(), **sessions[0])
    assert locked[0] == 429


@pytest.mark.case("MF-01")
@pytest.mark.case("MF-09")
async def test_a_code_counts_once_on_two_nodes(nodes: Nodes) -> None:
    scenario = nodes.scenario
    ada = await at_second_factor(await open_door(scenario, "saml"))
    app, codes = await ada.enrol()
    sessions = [await ada.session() for _ in range(3)]
    for path, code, used in (
        (AUTHENTICATE, {"code": app.code()}, "totp_code_already_authenticated"),
        (RECOVER, {"recovery_code": codes[0]}, "unable_to_authenticate_recovery_code"),
    ):
        bodies = [{**ada.who, **code, **sessions[n % 3]} for n in range(8)]
        both = (scenario.api, nodes.second)
        answers = await asyncio.gather(
            *(both[n % 2].call("POST", path, body) for n, body in enumerate(bodies))
        )
        assert [answer.status for answer in answers].count(200) == 1
        assert {a.json["error_type"] for a in answers if a.status != 200} == {used}


def one_of(name: str) -> dict[str, dict[str, Any]]:
    """Return a whole configuration of each protocol in which everything says whose it is."""
    idp = f"https://{name}.example.com"
    common = {"display_name": name}
    endpoints = ("authorization_url", "token_url", "userinfo_url", "jwks_url")
    return {
        "saml": {
            **common,
            "idp_entity_id": idp,
            "idp_sso_url": f"{idp}/sso",
            "attribute_mapping": {"email": f"{name}_email", "full_name": f"{name}_name"},
            "alternative_audience_uri": f"{idp}/audience",
        },
        "oidc": {
            **common,
            "issuer": idp,
            "client_id": name,
            "client_secret": f"secret of {name}",
            "custom_scopes": f"openid {name}",
            "attribute_mapping": {"who": name},
            **{each: f"{idp}/{each}" for each in endpoints},
        },
    }


@pytest.mark.case("AD-34", verdict="holds")
@pytest.mark.parametrize("protocol", ["saml", "oidc"])
async def test_of_whole_configurations_at_once_on_two_nodes_the_last_one_stands(
    nodes: Nodes, protocol: str
) -> None:
    """The last write wins, and wins whole: no field of one beside a field of another."""
    scenario = nodes.scenario
    organization_id = (await scenario.organization())["organization_id"]
    base = f"/v1/b2b/sso/{protocol}/{organization_id}"
    connection_id = (await scenario.api.good("POST", base, {}))["connection"]["connection_id"]
    path = f"{base}/connections/{connection_id}"
    both = (scenario.api, nodes.second)
    configurations = [one_of(f"idp{number}")[protocol] for number in range(8)]
    for _ in range(3):
        answers = await asyncio.gather(
            *(both[n % 2].call("PUT", path, each) for n, each in enumerate(configurations))
        )
        assert statuses(answers) == [200] * len(configurations)
        # Each was told what it wrote, not what came after.
        for sent, answer in zip(configurations, answers, strict=True):
            assert answer.json["connection"].items() >= sent.items()
        listed = await scenario.api.good("GET", f"/v1/b2b/sso/{organization_id}")
        (kept,) = listed[f"{protocol}_connections"]
        assert [each for each in configurations if kept.items() >= each.items()] != []


@pytest.mark.case("AD-34", verdict="holds")
async def test_issuers_at_once_on_two_nodes_keep_their_own_endpoints(nodes: Nodes) -> None:
    scenario = nodes.scenario
    connection = await scenario.oidc_connection((await scenario.organization())["organization_id"])
    base = f"/v1/b2b/sso/oidc/{connection['organization_id']}"
    path = f"{base}/connections/{connection['connection_id']}"
    issuers = [f"https://op{number}.example.com" for number in range(4)]
    for issuer in issuers:
        describe(scenario, issuer)
    both = (scenario.api, nodes.second)
    for _ in range(5):
        answers = await asyncio.gather(
            *(both[n % 2].call("PUT", path, {"issuer": issuers[n % 4]}) for n in range(8))
        )
        assert statuses(answers) == [200] * 8
        for answer in answers:
            shown = answer.json["connection"]
            for name in ("authorization_url", "token_url", "userinfo_url", "jwks_url"):
                assert shown[name].startswith(f"{shown['issuer']}/"), shown


def describe(scenario: Scenario, issuer: str) -> None:
    """Let a provider of this name answer with its own endpoints."""
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks",
    }

    async def answer(_method: str, url: str, _body: bytes) -> FetchResponse:
        await asyncio.sleep(0)
        return FetchResponse(status=200, headers={}, body=msgspec.json.encode(document), url=url)

    scenario.fetch.answers[f"{issuer}/.well-known/openid-configuration"] = answer
