"""Tokens of OpenID providers that are over are refreshed: once, and by nobody else's word."""

import asyncio
from base64 import b64encode
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from tests.support.asgi import Api
from tests.support.context import open_test_context
from tests.support.determinism import SeededEntropy
from tests.support.doors import Door, open_door, open_external
from tests.support.refreshing import TOKEN_URL, RefreshingProvider
from tests.support.scenario import CLIENT_ID, CLIENT_SECRET, ISSUER, Scenario
from vestibule.app import App
from vestibule.clock import HOUR, MINUTE, SECOND
from vestibule.fetch import FetchResponse

UNABLE = (400, "unable_to_refresh_oidc_token")


@pytest.fixture
async def door(scenario: Scenario) -> Door:
    return await open_door(scenario, "oidc")


@pytest.fixture
def provider(scenario: Scenario, door: Door) -> RefreshingProvider:
    del door  # it puts the plain endpoint where this one goes
    return RefreshingProvider(scenario)


def path(member: dict[str, Any]) -> str:
    return (
        f"/v1/b2b/organizations/{member['organization_id']}/members/{member['member_id']}"
        "/oidc_providers?include_refresh_token=true"
    )


async def only(api: Api, member: dict[str, Any]) -> dict[str, Any]:
    """Return the one registration that the endpoint shows."""
    (one,) = (await api.good("GET", path(member)))["registrations"]
    return dict(one)


async def refused(scenario: Scenario, member: dict[str, Any]) -> tuple[int, str]:
    return await scenario.api.bad("GET", path(member))


async def session_lives(scenario: Scenario, login: dict[str, Any]) -> bool:
    body = {"session_token": login["session_token"]}
    answer = await scenario.api.call("POST", "/v1/b2b/sessions/authenticate", body)
    assert answer.status == 200 or answer.json["error_type"] == "session_not_found"
    return answer.status == 200


async def long_login(door: Door, **person: Any) -> dict[str, Any]:
    """Log in for longer than the provider's tokens last."""
    token = await door.token(**person)
    return await door.scenario.authenticate(token, session_duration_minutes=1440)


async def test_token_of_no_known_end_is_taken_to_last_an_hour_where_it_can_be_renewed(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    provider.answer.clear()
    member = await door.log_in()
    scenario.clock.advance(HOUR - SECOND)
    first = await only(scenario.api, member)
    assert (first["access_token"], first["access_token_expires_in"]) == ("access-1", 1)
    scenario.clock.advance(SECOND)
    renewed = await only(scenario.api, member)
    assert (renewed["access_token"], renewed["access_token_expires_in"]) == ("access-2", 3600)


async def test_access_token_is_refreshed_once_it_is_over(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    member = await door.log_in()
    scenario.clock.advance(HOUR - 1)
    assert (await only(scenario.api, member))["access_token"] == "access-1"
    assert provider.refreshes == []
    scenario.clock.advance(1)
    before = scenario.provider.claims
    renewed = await only(scenario.api, member)
    assert (renewed["access_token"], renewed["refresh_token"]) == ("access-2", "refresh-2")
    assert renewed["access_token_expires_in"] == 3600
    assert renewed["provider_subject"] == before["sub"]
    assert provider.refreshes == [{"grant_type": "refresh_token", "refresh_token": "refresh-1"}]
    assert await only(scenario.api, member) == renewed
    scenario.clock.advance(HOUR)
    assert (await only(scenario.api, member))["access_token"] == "access-3"
    assert [each["refresh_token"] for each in provider.refreshes] == ["refresh-1", "refresh-2"]


async def test_what_a_refresh_does_not_bring_stays(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    provider.rotates = False
    provider.without_id_token = True
    provider.answer["scope"] = "openid email"
    member = await door.log_in()
    before = await only(scenario.api, member)
    del provider.answer["scope"]
    scenario.clock.advance(HOUR)
    assert await only(scenario.api, member) == {**before, "access_token": "access-2"}
    provider.answer["scope"] = "openid"
    scenario.clock.advance(HOUR)
    assert (await only(scenario.api, member))["scopes"] == ["openid"]
    assert [each["refresh_token"] for each in provider.refreshes] == ["refresh-1", "refresh-1"]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_client_proves_itself_as_the_provider_wants(
    scenario: Scenario, door: Door, provider: RefreshingProvider, method: str
) -> None:
    async with scenario.context.store.write() as tx:
        (connection,) = await tx.connections.all(project_id=scenario.project.project_id)
        assert connection.oidc is not None
        oidc = replace(connection.oidc, token_auth_method=method)
        await tx.connections.update(replace(connection, oidc=oidc))
    member = await door.log_in()
    scenario.clock.advance(HOUR)
    scenario.fetch.headers.clear()
    await only(scenario.api, member)
    (form,) = provider.refreshes
    if method == "client_secret_post":
        assert (form["client_id"], form["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
    else:
        assert "client_secret" not in form
        pair = b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        assert scenario.fetch.headers[0]["Authorization"] == f"Basic {pair}"


async def test_without_a_refresh_token_an_access_token_ends(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    provider.gives_refresh_tokens = False
    member = await door.log_in()
    scenario.clock.advance(HOUR)
    assert await refused(scenario, member) == (400, "missing_oidc_refresh_token")
    assert provider.refreshes == []


async def test_provider_that_refuses_is_told_and_asked_again_next_time(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    login = await long_login(door)
    scenario.clock.advance(HOUR)
    provider.status = 500
    with capture_logs() as logged:
        assert await refused(scenario, login) == UNABLE
    assert {"oidc.code.unavailable"} <= {each.get("detail") for each in logged}
    assert await session_lives(scenario, login)
    provider.status = 200
    assert (await only(scenario.api, login))["access_token"] == "access-2"


async def test_provider_that_cannot_be_reached_is_told(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    member = await door.log_in()
    scenario.clock.advance(HOUR)
    endpoint = scenario.fetch.answers.pop(TOKEN_URL)
    assert await refused(scenario, member) == UNABLE
    scenario.fetch.answers[TOKEN_URL] = endpoint
    assert (await only(scenario.api, member))["access_token"] == "access-2"
    assert len(provider.refreshes) == 1


async def test_key_set_that_cannot_be_had_ends_nothing(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    provider.rotates = False
    login = await long_login(door)
    scenario.clock.advance(HOUR)
    target = f"/v1/b2b/sso/oidc/{door.organization_id}/connections/{door.connection_id}"
    await scenario.api.good("PUT", target, {"jwks_url": f"{ISSUER}/nowhere"})
    assert await refused(scenario, login) == UNABLE
    assert await session_lives(scenario, login)
    await scenario.api.good("PUT", target, {"jwks_url": f"{ISSUER}/jwks"})
    assert (await only(scenario.api, login))["refresh_token"] == "refresh-1"


@pytest.mark.case("OI-53")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sub": "somebody-else"}, "oidc.sub"),
        ({"iss": "https://evil.example"}, "oidc.iss"),
        ({"aud": "client-2"}, "oidc.aud"),
        ({"nonce": "another"}, "oidc.nonce"),
    ],
)
async def test_refresh_for_another_identity_ends_the_sessions_of_the_connection(
    scenario: Scenario,
    door: Door,
    provider: RefreshingProvider,
    changes: dict[str, Any],
    reason: str,
) -> None:
    saml = Door(scenario, "saml", await scenario.saml_connection(door.organization_id))
    by_saml = await long_login(saml)
    by_oidc = await long_login(door)
    somebody = await long_login(door, subject="bob", email="bob@acme.test")
    assert by_oidc["member_id"] == by_saml["member_id"]
    await door.log_in()
    scenario.clock.advance(HOUR)
    provider.refreshed = changes
    with capture_logs() as logged:
        assert await refused(scenario, by_oidc) == UNABLE
    assert {reason} <= {each.get("detail") for each in logged}
    assert not await session_lives(scenario, by_oidc)
    assert await session_lives(scenario, by_saml)
    assert await session_lives(scenario, somebody)
    assert await refused(scenario, by_oidc) == (404, "member_oidc_token_not_found")


@pytest.mark.case("OI-46")
async def test_refresh_token_stays_with_the_provider_that_gave_it_out(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    member = await door.log_in()
    scenario.clock.advance(HOUR)
    target = f"/v1/b2b/sso/oidc/{door.organization_id}/connections/{door.connection_id}"
    evil = {name: f"https://evil.example/{name}" for name in ("token_url", "jwks_url")}
    for change in ({"issuer": "https://evil.example", **evil}, {"client_id": "client-2"}):
        await scenario.api.good("PUT", target, change)
        scenario.fetch.requests.clear()
        assert await refused(scenario, member) == UNABLE
        assert scenario.fetch.requests == []
    assert provider.refreshes == []


async def test_readers_on_two_nodes_share_one_refresh(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    """Refresh tokens are good once: two readers that ask at once must not spend two."""
    member = await door.log_in()
    scenario.clock.advance(HOUR)
    context = await open_test_context(
        scenario.context.store,
        clock=scenario.clock,
        entropy=SeededEntropy(1),
        fetch=scenario.fetch,
    )
    other = Api(App(context), project_id=scenario.project.project_id, secret="secret-test-first")
    slowly(scenario)
    read = [only(api, member) for api in (scenario.api, other) * 3]
    found = await asyncio.gather(*read)
    assert {each["access_token"] for each in found} == {"access-2"}
    assert {each["refresh_token"] for each in found} == {"refresh-2"}
    assert len(provider.refreshes) == 1


def slowly(scenario: Scenario, *, seconds: float = 0.2) -> None:
    """Let the token endpoint take its time."""
    endpoint = scenario.fetch.answers[TOKEN_URL]

    async def answer(method: str, url: str, body: bytes) -> FetchResponse:
        await asyncio.sleep(seconds)
        return await endpoint(method, url, body)

    scenario.fetch.answers[TOKEN_URL] = answer


async def test_login_during_a_refresh_wins(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    member = await door.log_in()
    scenario.clock.advance(HOUR)
    endpoint = scenario.fetch.answers[TOKEN_URL]

    async def overtaken(method: str, url: str, body: bytes) -> FetchResponse:
        scenario.fetch.answers[TOKEN_URL] = endpoint
        answer = await endpoint(method, url, body)
        await door.log_in()
        return answer

    scenario.fetch.answers[TOKEN_URL] = overtaken
    assert (await only(scenario.api, member))["access_token"] == "access-3"
    assert (await only(scenario.api, member))["refresh_token"] == "refresh-3"
    assert len(provider.refreshes) == 1


async def test_connection_deleted_during_a_refresh_leaves_nothing(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    member = await door.log_in()
    scenario.clock.advance(HOUR)
    endpoint = scenario.fetch.answers[TOKEN_URL]

    async def deleted(method: str, url: str, body: bytes) -> FetchResponse:
        target = f"/v1/b2b/sso/{door.organization_id}/connections/{door.connection_id}"
        await scenario.api.good("DELETE", target)
        return await endpoint(method, url, body)

    scenario.fetch.answers[TOKEN_URL] = deleted
    assert await refused(scenario, member) == (404, "member_oidc_token_not_found")
    assert len(provider.refreshes) == 1


async def claimed(scenario: Scenario, *, seconds: int = 15) -> None:
    """Let a reader begin a refresh and never come back."""
    async with scenario.context.store.write() as tx:
        until = scenario.clock.now() + seconds * SECOND
        assert await tx.oidc_tokens.change(
            {"refreshing_until": until}, project_id=scenario.project.project_id
        )


async def test_refresh_that_was_abandoned_is_taken_over(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    member = await door.log_in()
    scenario.clock.advance(HOUR)
    await claimed(scenario)
    waiting = asyncio.create_task(only(scenario.api, member))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    assert provider.refreshes == []
    scenario.clock.advance(15 * SECOND)
    assert (await waiting)["access_token"] == "access-2"


async def test_reader_does_not_wait_for_ever(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    member = await door.log_in()
    scenario.clock.advance(HOUR)
    await claimed(scenario, seconds=60)
    waiting = asyncio.create_task(refused(scenario, member))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    scenario.clock.advance(20 * SECOND)
    assert await waiting == UNABLE
    assert provider.refreshes == []


async def test_one_that_cannot_be_refreshed_does_not_hide_the_others(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    provider.gives_refresh_tokens = False
    member = await door.log_in()
    scenario.clock.advance(HOUR)
    second = Door(scenario, "oidc", await scenario.oidc_connection(door.organization_id))
    RefreshingProvider(scenario)
    assert (await second.log_in())["member_id"] == member["member_id"]
    assert (await only(scenario.api, member))["connection_id"] == second.connection_id
    scenario.clock.advance(2 * HOUR)
    both = (await scenario.api.good("GET", path(member)))["registrations"]
    assert [each["connection_id"] for each in both] == [second.connection_id]


async def test_tokens_of_a_login_through_another_organization_are_refreshed_at_its_provider(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    partner = await open_external(door)
    member = await partner.log_in()
    scenario.clock.advance(HOUR)
    one = await only(scenario.api, member)
    assert (one["connection_id"], one["access_token"]) == (partner.connection_id, "access-2")
    assert len(provider.refreshes) == 1
    target = f"/v1/b2b/sso/{door.organization_id}/connections/{door.connection_id}"
    await scenario.api.good("DELETE", target)
    assert await refused(scenario, member) == (404, "member_oidc_token_not_found")


async def test_no_token_is_in_a_log_line_or_a_trace(
    scenario: Scenario, door: Door, provider: RefreshingProvider
) -> None:
    provider.answer["access_token"] = secret = "the-access-token-of-the-provider"
    with capture_logs() as logged:
        member = await door.log_in()
        scenario.clock.advance(HOUR)
        provider.status = 400
        assert await refused(scenario, member) == UNABLE
        provider.status = 200
        await only(scenario.api, member)
        scenario.clock.advance(MINUTE)
    async with scenario.context.store.read() as tx:
        traces = await tx.traces.all(project_id=scenario.project.project_id)
        kept = await tx.oidc_tokens.all(project_id=scenario.project.project_id)
    seen = f"{logged} {traces} {kept}"
    for text in (secret, "refresh-1", "refresh-2", b64encode(CLIENT_SECRET.encode()).decode()):
        assert text not in seen
