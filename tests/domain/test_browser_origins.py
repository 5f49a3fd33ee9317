import pytest

from tests.support.context import BASE_URL
from tests.support.scenario import Scenario, add_project
from vestibule import errors
from vestibule.domain import browser_origins, projects
from vestibule.errors import Failure

APPLICATION = "https://app.example.test"
ALMOST = [
    "null",
    "https://app.example.test.evil.test",
    "https://evil-app.example.test",
    "https://sub.app.example.test",
    "https://example.test",
    "https://app.example.tes",
    "https://app.example.test:444",
    "https://app.example.test:443",
    "http://app.example.test",
    "https://app.example.test/",
    "https://app.example.test/callback",
    "https://user@app.example.test",
    "https://evil.test\\@app.example.test",
    "HTTPS://APP.EXAMPLE.TEST",
    "https://app.example.test, https://evil.test",
    "https://app.example.test https://evil.test",
    "https://app_example.test",
    "https://app.example%",
    "https://%",
    "https://",
    "*",
    "https://*",
    "file://",
    "\0",
    "\xff",
    "https://app.example.test\0",
    "x" * 10_000,
]


@pytest.mark.case("AD-44")
@pytest.mark.parametrize("origin", ALMOST)
async def test_what_is_almost_the_origin_is_another(scenario: Scenario, origin: str) -> None:
    known = await browser_origins.projects_at(scenario.context, origin)
    assert known == frozenset()
    with pytest.raises(Failure) as caught:
        browser_origins.require(scenario.context, scenario.project, origin=origin, known=known)
    assert caught.value.error is errors.bad_domain_for_stytch_sdk


@pytest.mark.case("AD-44")
async def test_a_page_asks_for_the_projects_that_know_it(scenario: Scenario) -> None:
    context, first = scenario.context, scenario.project
    other = "https://other.example:8443"
    second = (await add_project(scenario.app, context, name="second")).project
    await projects.add_redirect_url(
        context, second, "https://Other.Example:8443/back", login=True, signup=False
    )
    both = frozenset({first.project_id, second.project_id})
    assert await browser_origins.projects_at(context, APPLICATION) == both
    known = await browser_origins.projects_at(context, other)
    assert known == {second.project_id}
    browser_origins.require(context, first, origin=APPLICATION, known=both)
    browser_origins.require(context, second, origin=other, known=known)
    with pytest.raises(Failure) as caught:
        browser_origins.require(context, first, origin=other, known=known)
    assert caught.value.error is errors.bad_domain_for_stytch_sdk


async def test_no_page_and_our_own_page_are_let_in(scenario: Scenario) -> None:
    assert await browser_origins.projects_at(scenario.context, "") == frozenset()
    for origin in ("", BASE_URL):
        browser_origins.require(scenario.context, scenario.project, origin=origin, known=())
