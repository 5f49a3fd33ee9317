"""`organizations.members.oidc_providers`: the tokens of a member's OpenID providers."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support import oidc_documents
from tests.support.asgi import Api
from tests.support.counting import CountingStore
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.doors import Door, open_door
from tests.support.refreshing import RefreshingProvider
from tests.support.scenario import Scenario, add_project, open_scenario
from vestibule.clock import MINUTE, SECOND
from vestibule.store.interface import Store


def path(organization_id: str, member_id: str, query: str = "") -> str:
    return f"/v1/b2b/organizations/{organization_id}/members/{member_id}/oidc_providers{query}"


async def shown(api: Api, member: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    """Return what the endpoint says about the member of a login."""
    target = path(member["organization_id"], member["member_id"], query)
    return list((await api.good("GET", target))["registrations"])


async def rows(scenario: Scenario) -> int:
    async with scenario.context.store.read() as tx:
        return await tx.oidc_tokens.count(project_id=scenario.project.project_id)


async def carried(scenario: Scenario) -> list[bytes | None]:
    async with scenario.context.store.read() as tx:
        found = await tx.sso_tokens.all(project_id=scenario.project.project_id)
    return [token.provider_tokens for token in found]


@pytest.fixture
async def door(scenario: Scenario) -> Door:
    return await open_door(scenario, "oidc")


@pytest.fixture
def provider(scenario: Scenario, door: Door) -> RefreshingProvider:
    del door  # it puts the plain endpoint where this one goes
    return RefreshingProvider(scenario)


async def test_tokens_of_the_login_are_given_out(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    provider.answer["scope"] = "openid email"
    member = await door.log_in(subject="ada-1")
    scenario.clock.advance(10 * SECOND)
    one = {
        "provider_subject": "ada-1",
        "id_token": oidc_documents.token(scenario.provider.claims),
        "access_token": "access-1",
        "access_token_expires_in": 3590,
        "scopes": ["openid", "email"],
        "connection_id": door.connection_id,
    }
    assert await shown(scenario.api, member) == [one]
    assert await shown(scenario.api, member, "?include_refresh_token=false") == [one]
    with_refresh_token = {**one, "refresh_token": "refresh-1"}
    assert await shown(scenario.api, member, "?include_refresh_token=true") == [with_refresh_token]
    assert provider.refreshes == []


async def test_what_the_provider_leaves_out_is_told_as_such(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    """Scopes that it does not name are those asked for; an end that it does not name is 0."""
    provider.answer.clear()
    provider.gives_refresh_tokens = False
    start = {"custom_scopes": "groups offline_access"}
    member = await door.log_in(start=start)
    scenario.clock.advance(365 * 24 * 60 * MINUTE)
    (one,) = await shown(scenario.api, member, "?include_refresh_token=true")
    assert one["scopes"] == ["openid", "email", "profile", "groups", "offline_access"]
    assert one["access_token_expires_in"] == 0
    assert "refresh_token" not in one


async def test_refresh_token_is_asked_for_where_the_scopes_say_so(
    scenario: Scenario, door: Door
) -> None:
    async def asked(**start: str) -> list[str]:
        started = await scenario.start(
            scenario.browser(), connection_id=door.connection_id, **start
        )
        query = parse_qs(urlsplit(started.headers["location"]).query)
        return query["scope"][0].split()

    assert await asked() == ["openid", "email", "profile"]
    assert await asked(custom_scopes="offline_access") == [
        "openid",
        "email",
        "profile",
        "offline_access",
    ]
    target = f"/v1/b2b/sso/oidc/{door.organization_id}/connections/{door.connection_id}"
    await scenario.api.good("PUT", target, {"custom_scopes": "email offline_access"})
    assert await asked() == ["openid", "email", "offline_access"]


async def test_newest_login_wins(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    await door.log_in()
    provider.gives_refresh_tokens = False
    member = await door.log_in()
    (one,) = await shown(scenario.api, member, "?include_refresh_token=true")
    assert one["access_token"] == "access-2"
    assert "refresh_token" not in one
    assert await rows(scenario) == 1


async def test_tokens_are_kept_once_the_login_is_decided(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    del provider
    token = await door.token()
    (waiting,) = await carried(scenario)
    assert waiting is not None
    assert b"access-1" not in waiting
    assert await rows(scenario) == 0
    await scenario.authenticate(token)
    assert await carried(scenario) == [None]
    assert await rows(scenario) == 1


async def test_refused_login_leaves_no_tokens(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    del provider
    await door.settings(sso_jit_provisioning="NOT_ALLOWED")
    assert await door.refused() == (400, "invalid_connection_for_jit_provisioning")
    assert await rows(scenario) == 0


async def test_member_without_a_login_through_openid_connect_has_none(
    scenario: Scenario, door: Door
) -> None:
    added = await door.add_member("new@acme.test")
    saml = Door(scenario, "saml", await scenario.saml_connection(door.organization_id))
    logged_in = await saml.log_in()
    for member in (added, logged_in):
        target = path(door.organization_id, member["member_id"])
        assert await scenario.api.bad("GET", target) == (404, "member_oidc_token_not_found")


async def test_member_is_found_in_its_own_organization_alone(
    scenario: Scenario, door: Door
) -> None:
    member = await door.log_in()
    other = await scenario.organization("Other")
    own, theirs = door.organization_id, other["organization_id"]
    bad = scenario.api.bad
    assert await bad("GET", path(theirs, member["member_id"])) == (404, "member_not_found")
    assert await bad("GET", path(own, "member-test-x")) == (404, "member_not_found")
    assert await bad("GET", path("x", member["member_id"])) == (404, "organization_not_found")
    stranger = await add_project(scenario.app, scenario.context, name="second")
    gone = await stranger.api.bad("GET", path(own, member["member_id"]))
    assert gone == (404, "organization_not_found")


async def test_include_refresh_token_is_true_or_false(scenario: Scenario, door: Door) -> None:
    target = path(door.organization_id, "member-test-x", "?include_refresh_token=yes")
    answer = await scenario.api.call("GET", target)
    assert (answer.status, answer.json["error_type"]) == (400, "bad_request")
    assert "include_refresh_token" in answer.json["error_message"]


async def test_tokens_go_with_the_connection(scenario: Scenario, door: Door) -> None:
    member = await door.log_in()
    target = f"/v1/b2b/sso/{door.organization_id}/connections/{door.connection_id}"
    await scenario.api.good("DELETE", target)
    refused = await scenario.api.bad("GET", path(door.organization_id, member["member_id"]))
    assert refused == (404, "member_oidc_token_not_found")
    assert await rows(scenario) == 0


async def test_tokens_go_with_the_member(scenario: Scenario, door: Door) -> None:
    member = await door.log_in()
    target = f"/v1/b2b/organizations/{door.organization_id}/members/{member['member_id']}"
    await scenario.api.good("DELETE", target)
    refused = await scenario.api.bad("GET", path(door.organization_id, member["member_id"]))
    assert refused == (404, "member_not_found")
    assert await rows(scenario) == 0


async def test_three_registrations_take_as_many_queries_as_one(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    counting = CountingStore(store)
    scenario = await open_scenario(counting, clock=clock, entropy=entropy)
    door = await open_door(scenario, "oidc")
    member = await door.log_in()
    counting.taken()
    assert [each["connection_id"] for each in await shown(scenario.api, member)] == [
        door.connection_id
    ]
    once = counting.taken()
    made = [door.connection_id]
    for _ in range(2):
        clock.advance(SECOND)
        connection = await scenario.oidc_connection(door.organization_id)
        await Door(scenario, "oidc", connection).log_in()
        made.append(connection["connection_id"])
    counting.taken()
    assert [each["connection_id"] for each in await shown(scenario.api, member)] == made
    assert counting.taken() == once
