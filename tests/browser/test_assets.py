import pytest

from tests.support.asgi import call
from tests.support.scenario import Scenario


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("vestibule.css", "text/css"),
        ("submit.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ],
)
async def test_our_own_assets_are_served(scenario: Scenario, name: str, content_type: str) -> None:
    answer = await call(scenario.app, "GET", f"/assets/{name}")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith(content_type)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.body


@pytest.mark.case("AD-47")
@pytest.mark.parametrize(
    "path",
    [
        "/assets/",
        "/assets",
        "/assets/unknown.css",
        "/assets/../page.py",
        "/assets/..%2fpage.py",
        "/assets/%2e%2e/page.py",
        "/assets/%2e%2e%2fpage.py",
        "/assets//etc/passwd",
        "/assets/%00",
        "/assets/%ff",
        "/assets/" + "a" * 5000,
    ],
)
async def test_nothing_else_is_an_asset(scenario: Scenario, path: str) -> None:
    answer = await call(scenario.app, "GET", path)
    assert (answer.status, answer.json["error_type"]) == (404, "route_not_found")
