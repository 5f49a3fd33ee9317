import asyncio
from typing import Any, Self

import pytest
from structlog.testing import capture_logs

from tests.support.asgi import Answer, call
from tests.support.context import RoutedFetch
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.hooked_store import HookedStore
from tests.support.metadata_host import MetadataHost, fed_connection
from tests.support.scenario import Scenario, open_scenario
from vestibule import app as composition
from vestibule.clock import DAY, HOUR
from vestibule.mail import MemoryMail
from vestibule.settings import Settings
from vestibule.sms import NoSms
from vestibule.store.interface import Store, StoreUnavailable
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


class Lifespan:
    """Starts and stops an application as a server does; its jobs wait until the test lets them."""

    def __init__(self, scenario: Scenario) -> None:
        self.slept: list[float] = []
        self._turn = asyncio.Event()
        self._app = composition.App(scenario.context, sleep=self._sleep)
        self._received: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self.sent: list[str] = []

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self._turn.wait()

    async def turn(self) -> None:
        """Let every job do its work once more, and wait until all sleep again."""
        turn, self._turn = self._turn, asyncio.Event()
        wanted = len(self.slept) + len(composition.JOBS)
        turn.set()
        async with asyncio.timeout(20):
            while len(self.slept) < wanted:
                await asyncio.sleep(0.001)

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._app({"type": "lifespan"}, self._get, self._send))
        await self._received.put({"type": "lifespan.startup"})
        async with asyncio.timeout(20):
            while len(self.slept) < len(composition.JOBS):
                await asyncio.sleep(0.001)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._received.put({"type": "lifespan.shutdown"})
        await self._running

    async def _get(self) -> dict[str, str]:
        return await self._received.get()

    async def _send(self, message: Any) -> None:
        self.sent.append(message["type"])


async def test_jobs_run_while_the_application_does(scenario: Scenario) -> None:
    await scenario.organization()
    fed = await fed_connection(scenario, MetadataHost(scenario.fetch))
    before = asyncio.all_tasks()
    async with Lifespan(scenario) as life:
        scenario.clock.advance(DAY)
        assert fed.host.asked == 1
        await life.turn()
        assert fed.host.asked == 2
        fed.scenario.clock.advance(DAY)
        await life.turn()
        assert fed.host.asked == 3
    assert life.sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert asyncio.all_tasks() == before


async def test_job_at_work_has_ended_when_the_application_has(scenario: Scenario) -> None:
    fed = await fed_connection(scenario, MetadataHost(scenario.fetch))
    begun, ended = asyncio.Event(), False

    async def endless(_method: str, _url: str, _body: bytes) -> Any:
        nonlocal ended
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended = True

    scenario.fetch.answers[fed.host.url] = endless
    async with Lifespan(scenario) as life:
        scenario.clock.advance(DAY)
        turning = asyncio.create_task(life.turn())
        await begun.wait()
        turning.cancel()
        assert not ended
    assert ended


async def test_expired_rows_and_certificates_are_looked_after(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    token = await scenario.saml_token(connection)
    await scenario.authenticate(token, session_duration_minutes=5)
    scenario.clock.advance(3650 * DAY)
    async with Lifespan(scenario) as life:
        await life.turn()
    async with scenario.context.store.read() as tx:
        assert await tx.sessions.count() == 0
        told = await tx.outbox.all()
    assert [message.payload["purpose"] for message in told] == ["signing"]


async def test_jobs_survive_a_database_that_is_away(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    hooked = HookedStore(store)
    scenario = await open_scenario(hooked, clock=clock, entropy=entropy)
    fed = await fed_connection(scenario, MetadataHost(scenario.fetch))

    async def away() -> None:
        hooked.arm(1, away)
        raise StoreUnavailable("away")

    with capture_logs() as logs:
        async with Lifespan(scenario) as life:
            hooked.arm(1, away)
            for _ in range(3):
                clock.advance(DAY)
                await life.turn()
            hooked.arm(1_000_000, away)
            assert fed.host.asked == 1
            await life.turn()
    assert fed.host.asked == 2
    names = sorted(job.name for job in composition.JOBS)
    for event in ("job put off", "job works again"):
        assert sorted(line["job"] for line in logs if line["event"] == event) == names


async def test_fault_in_one_job_is_logged_and_holds_up_no_other(scenario: Scenario) -> None:
    fed = await fed_connection(scenario, MetadataHost(scenario.fetch))

    async def fault(_method: str, _url: str, _body: bytes) -> Any:
        raise ZeroDivisionError

    scenario.fetch.answers[fed.host.url] = fault
    scenario.clock.advance(3650 * DAY)
    with capture_logs() as logs:
        async with Lifespan(scenario) as life:
            for _ in range(3):
                await life.turn()
                scenario.clock.advance(HOUR)
    (line,) = [line for line in logs if line["event"] == "job failed"]
    assert (line["job"], line["log_level"]) == ("metadata refresh", "error")
    assert isinstance(line["exc_info"], ZeroDivisionError)
    assert [kind for kind, _ in await fed.announced()] == ["connection.certificate_expiring"]


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
            sms=NoSms(),
            store=store,
        )

    built = await build(KEY)
    assert is_unknown_route(await call(built, "GET", "/nothing"))
    with pytest.raises(MasterKeyError):
        await build(KEY.replace("AAEC", "AAED"))


async def test_operators_are_told_of_a_proxy_that_is_not_trusted(scenario: Scenario) -> None:
    with capture_logs() as logs:
        for _ in range(2):
            headers = {"x-forwarded-for": "203.0.113.1"}
            await scenario.api.call("GET", "/v1/b2b/organizations/x", headers=headers)
    told = [each for each in logs if each["event"].startswith("X-Forwarded-For is not believed")]
    assert [each["log_level"] for each in told] == ["warning"]
