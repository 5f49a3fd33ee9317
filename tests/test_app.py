from typing import Any

import pytest

from tests.support.asgi import Answer, call
from tests.support.context import RoutedFetch
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.scenario import Scenario
from vestibule import app as composition
from vestibule.mail import MemoryMail
from vestibule.settings import Settings
from vestibule.store.interface import Store
from vestibule.store.sealing import MasterKeyError

ENVELOPE = {"status_code", "request_id", "error_type", "error_message", "error_url"}
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def is_unknown_route(answer: Answer) -> bool:
    assert answer.json.keys() == ENVELOPE
    assert answer.headers["content-type"] == "application/json"
    return (answer.status, answer.json["error_type"]) == (404, "route_not_found")


METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"]
UNKNOWN = [
    "/",
    "//",
    "/v1",
    "/v1/b2b/nothing",
    "/v1/b2b/organizations/",
    "//v1/b2b/organizations",
    "/v1//b2b/organizations",
    "/v1/b2b/organizations//members",
    "/v1/b2b/sso/saml/",
    "/V1/b2b/organizations",
    "/v1/b2b/organizations%2Fsearch",
    "/v1/b2b%2forganizations",
    "/v1/b2b/organizations/a/b/c/d/e",
    "/v1/b2b/organizations/%2e%2e/%2e%2e/x",
    "/%00",
    "/%FF",
]


async def test_unknown_path_is_answered_with_the_envelope(scenario: Scenario) -> None:
    for path in UNKNOWN:
        for method in METHODS:
            assert is_unknown_route(await scenario.api.call(method, path)), (method, path)


async def test_encoded_slash_stays_inside_its_segment(scenario: Scenario) -> None:
    organization = await scenario.organization(organization_external_id="crm|1")
    got = await scenario.api.good("GET", "/v1/b2b/organizations/crm%7C1")
    assert got["organization"]["organization_id"] == organization["organization_id"]
    for path in ("/v1/b2b/organizations/a%2Fmember", "/v1/b2b/organizations/..%2Fsearch"):
        refused = await scenario.api.bad("GET", path)
        assert refused == (404, "organization_not_found")


async def test_path_without_its_raw_form_is_routed_as_it_is(scenario: Scenario) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/nothing", "headers": []}
    await scenario.app({**scope, "query_string": b"", "root_path": ""}, receive, send)
    assert sent[0]["status"] == 404


async def test_web_socket_is_closed(scenario: Scenario) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    for path in ("/v1/b2b/organizations", "/nothing"):
        scope: dict[str, Any] = {"type": "websocket", "path": path, "headers": [], "root_path": ""}
        await scenario.app(scope, receive, send)
    assert sent == [{"type": "websocket.close"}] * 2


async def test_life_of_the_application_begins_and_ends(scenario: Scenario) -> None:
    received = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        return received.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await scenario.app({"type": "lifespan", "state": {}}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_server_is_built_on_a_database_and_its_master_key(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    async def build(key: str) -> composition.App:
        return await composition.build(
            Settings(base_url="https://sso.example.test", master_key=key),
            clock=clock,
            entropy=entropy,
            fetch=RoutedFetch(),
            mail=MemoryMail(),
            store=store,
        )

    built = await build(KEY)
    assert is_unknown_route(await call(built, "GET", "/nothing"))
    with pytest.raises(MasterKeyError):
        await build(KEY.replace("AAEC", "AAED"))
