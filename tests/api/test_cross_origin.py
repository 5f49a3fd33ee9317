"""Calls of pages on other origins: which are let in, and what browsers are told (AD-44).

A real browser asks in tests/browser/test_in_chromium.py.
"""

from dataclasses import replace
from typing import Final

import pytest

from tests.support.asgi import Answer, basic, call
from tests.support.counting import CountingStore
from tests.support.every_endpoint import path_of
from tests.support.hooked_store import HookedStore
from tests.support.scenario import Scenario, add_project
from vestibule.api.groups import endpoints
from vestibule.app import App
from vestibule.browser import pages
from vestibule.domain import projects
from vestibule.permissions import PublicToken

PATH: Final = "/sdk/v1/b2b/sso/discovery/connections"
ADA: Final = f"{PATH}?email_address=ada%40acme.test"
APPLICATION: Final = "https://app.example.test"
EVIL: Final = ("https://evil.test", "null", "https://app.example.test.evil.test", "*")
ASKED: Final = {
    "access-control-request-method": "GET",
    "access-control-request-headers": "authorization,content-type,x-sdk-client,x-sdk-parent-host",
}


def told(answer: Answer) -> dict[str, str]:
    """Return what an answer says to browsers about pages of other origins."""
    prefix = "access-control-"
    return {k.removeprefix(prefix): v for k, v in answer.headers.items() if k.startswith(prefix)}


async def get(scenario: Scenario, origin: str, target: str = ADA, token: str = "") -> Answer:
    given = token or scenario.public_token
    headers = {"origin": origin, "authorization": basic(given, given)}
    return await call(scenario.app, "GET", target, headers=headers)


async def preflight(scenario: Scenario, origin: str, path: str = PATH) -> Answer:
    return await call(scenario.app, "OPTIONS", path, headers={"origin": origin, **ASKED})


@pytest.fixture
def every_path(scenario: Scenario) -> list[str]:
    """Every path of the server, of endpoints and of pages."""
    named = {"organization_id": "acme"}
    return sorted(
        {path_of(each, named) for each in endpoints()}
        | {str(getattr(route, "path", "")) for route in pages.routes(scenario.context)}
    )


async def test_the_application_may_ask_and_read(scenario: Scenario) -> None:
    answer = await preflight(scenario, APPLICATION)
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["vary"] == "origin"
    assert told(answer) == {
        "allow-origin": APPLICATION,
        "allow-credentials": "true",
        "allow-methods": "GET",
        "allow-headers": "authorization, content-type, x-sdk-client, x-sdk-parent-host",
        "max-age": "7200",
    }
    answer = await get(scenario, APPLICATION)
    assert answer.status == 200
    assert told(answer) == {"allow-origin": APPLICATION, "allow-credentials": "true"}
    assert answer.headers["vary"] == "origin"


@pytest.mark.parametrize(
    ("target", "token", "status"),
    [(f"{PATH}?email_address=ada", "", 400), (PATH, "", 400), (ADA, "public-token-test-x", 401)],
)
async def test_the_application_may_read_what_is_wrong(
    scenario: Scenario, target: str, token: str, status: int
) -> None:
    answer = await get(scenario, APPLICATION, target, token)
    assert answer.status == status
    assert told(answer) == {"allow-origin": APPLICATION, "allow-credentials": "true"}


@pytest.mark.case("AD-44")
@pytest.mark.parametrize("origin", EVIL)
async def test_a_page_of_another_origin_is_refused_and_told_nothing(
    scenario: Scenario, origin: str
) -> None:
    answer = await preflight(scenario, origin)
    assert (answer.status, answer.json["error_type"]) == (405, "method_not_allowed")
    assert told(answer) == {}
    answer = await get(scenario, origin)
    assert (answer.status, answer.json["error_type"]) == (400, "bad_domain_for_stytch_sdk")
    assert told(answer) == {}
    assert answer.headers["vary"] == "origin"


@pytest.mark.case("AD-44")
async def test_the_application_of_one_project_asks_nothing_of_another(scenario: Scenario) -> None:
    other = await add_project(scenario.app, scenario.context, name="other")
    theirs = "https://theirs.example"
    await projects.add_redirect_url(
        other.context, other.project, f"{theirs}/back", login=True, signup=False
    )
    assert (await get(other, theirs)).status == 200
    answer = await get(scenario, theirs)
    assert (answer.status, answer.json["error_type"]) == (400, "bad_domain_for_stytch_sdk")


@pytest.mark.case("AD-44")
async def test_nothing_else_is_open_to_pages_of_any_origin(
    scenario: Scenario, every_path: list[str]
) -> None:
    for_browsers = {each.path for each in endpoints() if isinstance(each.access, PublicToken)}
    assert for_browsers == {PATH}
    own = {"authorization": scenario.api.authorization}
    for path in every_path:
        for origin in (APPLICATION, *EVIL):
            for method in ("OPTIONS", "GET", "POST"):
                sent = {**own, **ASKED, "origin": origin}
                answer = await call(scenario.app, method, path, headers=sent)
                allowed = path.partition("?")[0] == PATH and origin == APPLICATION
                assert bool(told(answer)) == allowed, (method, path, origin)


async def test_without_an_origin_nothing_is_said(scenario: Scenario) -> None:
    answer = await get(scenario, "")
    assert answer.status == 200
    assert told(answer) == {}


async def test_the_redirect_urls_of_the_origin_are_read_once(scenario: Scenario) -> None:
    store = CountingStore(scenario.context.store)
    app = App(replace(scenario.context, store=store))
    headers = {"authorization": basic(scenario.public_token, scenario.public_token)}

    async def statements(**more: str) -> list[str]:
        store.taken()
        assert (await call(app, "GET", ADA, headers={**headers, **more})).status == 200
        return store.statements[:]

    without, one = await statements(), await statements(origin=APPLICATION)
    (read,) = set(one) - set(without)
    assert "FROM redirect_urls" in read
    assert len(one) == len(without) + 1
    for path in ("second", "third"):
        await projects.add_redirect_url(
            scenario.context, scenario.project, f"{APPLICATION}/{path}", login=True, signup=False
        )
    assert await statements(origin=APPLICATION) == one


@pytest.mark.parametrize(
    ("origin", "nth", "status", "granted"),
    [
        (APPLICATION, 1, 200, False),
        (APPLICATION, 2, 503, True),
        (EVIL[0], 1, 400, False),
        (EVIL[0], 2, 503, False),
    ],
)
async def test_while_the_database_is_away_no_page_is_let_in(
    scenario: Scenario, origin: str, nth: int, status: int, *, granted: bool
) -> None:
    store = HookedStore(scenario.context.store)
    app = App(replace(scenario.context, store=store))
    given = basic(scenario.public_token, scenario.public_token)
    store.fail(nth)
    answer = await call(app, "GET", ADA, headers={"origin": origin, "authorization": given})
    assert (answer.status, bool(told(answer)), store.fired) == (status, granted, True)
