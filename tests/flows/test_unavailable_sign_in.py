"""A database that goes away in the middle of a sign-in: 503, nothing half-made, and on with it."""

from collections.abc import Awaitable, Callable

import pytest

from tests.support.asgi import Answer
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.doors import open_door
from tests.support.hooked_store import HookedStore
from tests.support.refusals import Left, assert_page, left, traces
from tests.support.scenario import Scenario, open_scenario, token_of
from vestibule import errors
from vestibule.store.interface import Store

PATH = "/v1/b2b/sso/authenticate"


@pytest.fixture
def hooked(store: Store) -> HookedStore:
    return HookedStore(store)


@pytest.fixture
async def scenario(hooked: HookedStore, clock: HandClock, entropy: SeededEntropy) -> Scenario:
    return await open_scenario(hooked, clock=clock, entropy=entropy)


async def interrupted(
    hooked: HookedStore,
    ask: Callable[[], Awaitable[Answer]],
    check: Callable[[Answer], Awaitable[None]],
) -> Answer:
    """Ask again and again, each time without the database one transaction later; return the end."""
    nth = 0
    while True:
        nth += 1
        hooked.fail(nth)
        answer = await ask()
        if not hooked.fired:
            hooked.arm(0, hooked.close)
            assert nth > 1
            return answer
        assert answer.status == 503
        assert answer.headers["retry-after"] == "2"
        await check(answer)


async def test_a_saml_answer_waits_for_the_database(
    hooked: HookedStore, scenario: Scenario
) -> None:
    door = await open_door(scenario, "saml")
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, door.connection)

    async def check(answer: Answer) -> None:
        assert_page(answer, errors.server_unavailable)
        assert await left(scenario) == Left()
        assert await traces(scenario) == []

    answer = await interrupted(
        hooked, lambda: scenario.post_callback(browser, door.connection, fields), check
    )
    assert answer.status == 303
    await scenario.authenticate(token_of(answer))


async def test_a_refusal_waits_for_its_trace(hooked: HookedStore, scenario: Scenario) -> None:
    door = await open_door(scenario, "saml")
    fields = {"SAMLResponse": "not base64"}

    async def check(answer: Answer) -> None:
        assert_page(answer, errors.server_unavailable)
        assert await traces(scenario) == []

    answer = await interrupted(
        hooked,
        lambda: scenario.post_callback(scenario.browser(), door.connection, fields),
        check,
    )
    assert_page(answer, errors.invalid_xml_saml_response)


async def test_a_start_waits_for_the_database(hooked: HookedStore, scenario: Scenario) -> None:
    door = await open_door(scenario, "oidc")

    async def check(answer: Answer) -> None:
        assert_page(answer, errors.server_unavailable)
        assert not answer.set_cookies
        async with scenario.context.store.read() as tx:
            assert await tx.sign_ins.count() == 0

    answer = await interrupted(
        hooked,
        lambda: scenario.start(scenario.browser(), connection_id=door.connection_id),
        check,
    )
    assert answer.status == 302


async def test_a_code_is_sent_once_whatever_happens(
    hooked: HookedStore, scenario: Scenario
) -> None:
    """An OIDC answer is used up before its code leaves: the person starts again, and gets in."""
    door = await open_door(scenario, "oidc")
    # The provider keys are there already, and a sign-in that is only started takes so many:
    await door.token()
    hooked.arm(0, hooked.close)
    await scenario.start(scenario.browser(), connection_id=door.connection_id)
    to_start, used, nth = hooked.count, 1, 0
    sent = len(posts(scenario))
    while True:
        nth += 1
        hooked.fail(to_start + nth)
        answer = await door.come_back()
        if not hooked.fired:
            break
        assert_page(answer, errors.server_unavailable)
        found = await left(scenario)
        assert found.sso_tokens == 1
        assert found.consumed_sign_ins - used == len(posts(scenario)) - sent
        used, sent = found.consumed_sign_ins, len(posts(scenario))
    hooked.arm(0, hooked.close)
    assert used > 1
    assert answer.status == 302
    await scenario.authenticate(token_of(answer))


def posts(scenario: Scenario) -> list[str]:
    return [url for method, url, _ in scenario.fetch.requests if method == "POST"]


async def test_a_redemption_waits_for_the_database(hooked: HookedStore, scenario: Scenario) -> None:
    door = await open_door(scenario, "saml")
    token = await door.token()
    before = await left(scenario)

    async def check(answer: Answer) -> None:
        assert answer.json["error_type"] == "server_unavailable"
        assert await left(scenario) == before

    answer = await interrupted(
        hooked, lambda: scenario.api.call("POST", PATH, {"sso_token": token}), check
    )
    assert answer.status == 200


async def test_a_session_waits_for_the_database(hooked: HookedStore, scenario: Scenario) -> None:
    door = await open_door(scenario, "saml")
    body = {
        "session_token": (await door.log_in())["session_token"],
        "session_custom_claims": {"a": 1},
    }

    async def check(answer: Answer) -> None:
        assert answer.json["error_type"] == "server_unavailable"
        async with scenario.context.store.read() as tx:
            (session,) = await tx.sessions.all()
        assert session.custom_claims == {}

    answer = await interrupted(
        hooked, lambda: scenario.api.call("POST", "/v1/b2b/sessions/authenticate", body), check
    )
    assert answer.status == 200


async def test_when_the_commit_is_in_doubt_trying_again_does_no_harm(
    hooked: HookedStore, scenario: Scenario
) -> None:
    """The database commits and goes away before it says so: used is used, once."""
    door = await open_door(scenario, "saml")
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, door.connection)
    hooked.lose(3)
    assert_page(
        await scenario.post_callback(browser, door.connection, fields), errors.server_unavailable
    )
    assert await left(scenario) == Left(sso_tokens=1, replays=1, consumed_sign_ins=1)
    assert_page(
        await scenario.post_callback(browser, door.connection, fields),
        errors.duplicate_saml_response,
    )
    token = await door.token()
    hooked.lose(3)
    answer = await scenario.api.call("POST", PATH, {"sso_token": token})
    assert answer.status == 503
    assert (await left(scenario)).sessions == 1
    refused = await scenario.api.bad("POST", PATH, {"sso_token": token})
    assert refused == (404, "sso_token_not_found")
    assert (await left(scenario)).sessions == 1
