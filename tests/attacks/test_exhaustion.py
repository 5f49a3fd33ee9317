"""Attempts to use the server up, and what an unfriendly tenant has it fetch: SR-14 to SR-22.

How large, slow or many requests may be is in test_inbound_peers.py, what foreign servers may answer
in test_outbound_peers.py.
"""

import asyncio
import importlib
import pkgutil
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import vestibule
from tests.support.asgi import Answer, call
from tests.support.counting import CountingStore
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.doors import open_door
from tests.support.every_endpoint import READS, path_of
from tests.support.full_records import rows
from tests.support.refusals import Left, assert_page, assert_safe, left, traces
from tests.support.scenario import ISSUER, Scenario, open_scenario
from vestibule import errors
from vestibule.api.groups import endpoints
from vestibule.clock import DAY
from vestibule.domain.sign_in.start import LIFE
from vestibule.errors import ErrorType
from vestibule.fetch import FetchResponse
from vestibule.store.cleanup import remove_expired
from vestibule.store.interface import TABLES, Store

LIMIT = 30
POLICY = "/v1/b2b/rbac/policy"
FORM = "application/x-www-form-urlencoded"


# What a tenant has us fetch --------------------------------------------------------------------


@pytest.mark.case("SR-14")
async def test_a_logo_is_never_fetched_and_on_no_page(scenario: Scenario) -> None:
    logo = "http://169.254.169.254/latest/meta-data/"
    organization = await scenario.organization(organization_logo_url=logo)
    path = f"/v1/b2b/organizations/{organization['organization_id']}"
    shown = await scenario.api.good("PUT", path, {"organization_logo_url": logo + "2"})
    assert shown["organization"]["organization_logo_url"] == logo + "2"
    connection = await scenario.saml_connection(organization["organization_id"])
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    assert (await scenario.post_callback(browser, connection, fields)).status == 303
    page = await scenario.post_callback(browser, connection, fields)
    assert page.status == errors.duplicate_saml_response.status
    assert_safe(page)
    assert "img-src 'self'" in page.headers["content-security-policy"]
    assert logo not in page.text
    assert scenario.fetch.requests == []


@pytest.mark.case("SR-16")
async def test_an_identity_provider_that_hangs_holds_up_no_other_login(scenario: Scenario) -> None:
    """No transaction is open, and no lock held, while a provider is waited for."""
    hanging = await open_door(scenario, "oidc", "Hanging")
    others = [await open_door(scenario, "saml", "Saml"), await open_door(scenario, "oidc", "Oidc")]
    good, never = scenario.fetch.answers[f"{ISSUER}/token"], asyncio.Event()

    async def hang(method: str, url: str, body: bytes) -> FetchResponse:
        if b"hanging" in body:
            await never.wait()
        return await good(method, url, body)

    scenario.fetch.answers[f"{ISSUER}/token"] = hang
    waiting = [
        asyncio.create_task(
            scenario.oidc_callback(scenario.browser(), hanging.connection, code="hanging")
        )
        for _ in range(20)
    ]
    async with asyncio.timeout(LIMIT):
        while len(scenario.fetch.requests) < 20 or not all(
            method == "POST" for method, *_ in scenario.fetch.requests[-20:]
        ):
            await asyncio.sleep(0.01)
        for door in others:
            assert (await door.log_in())["organization_id"] == door.organization_id
    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


@pytest.mark.case("SR-16")
async def test_every_request_is_made_for_the_tenant_whose_provider_is_asked(
    scenario: Scenario,
) -> None:
    """Whom a request is for is all that keeps tenants apart (see test_outbound_peers.py)."""
    for name in ("First", "Second"):
        before = len(scenario.fetch.tenants)
        door = await open_door(scenario, "oidc", name)
        await door.log_in()
        made = await scenario.api.good("POST", f"/v1/b2b/sso/saml/{door.organization_id}", {})
        path = f"/v1/b2b/sso/saml/{door.organization_id}/connections"
        by_url = f"{path}/{made['connection']['connection_id']}/url"
        await scenario.api.bad("PUT", by_url, {"metadata_url": "https://idp.example.com/none"})
        asked = [url for _, url, _ in scenario.fetch.requests[before:]]
        assert len(asked) >= 4
        assert asked[-1] == "https://idp.example.com/none"
        assert set(scenario.fetch.tenants[before:]) == {door.organization_id}


# What anybody can ask for ----------------------------------------------------------------------


async def counts(store: Store) -> dict[str, int]:
    async with store.read() as tx:
        return {table.name: await rows(tx, table).count() for table in TABLES}


@pytest.mark.case("SR-17")
@pytest.mark.parametrize("protocol", ["saml", "oidc"])
async def test_a_start_costs_one_row_that_goes_by_itself(
    store: Store, clock: HandClock, entropy: SeededEntropy, protocol: str
) -> None:
    counting = CountingStore(store)
    scenario = await open_scenario(counting, clock=clock, entropy=entropy)
    organization = await scenario.organization()
    make = scenario.saml_connection if protocol == "saml" else scenario.oidc_connection
    connection = await make(organization["organization_id"])
    before = await counts(store)
    counting.taken()
    for _ in range(300):
        answer = await scenario.start(scenario.browser(), connection_id=connection["connection_id"])
        assert answer.status == 302
    written = [sql for sql in counting.statements if not sql.startswith("SELECT")]
    assert len(written) == 300
    assert {sql.split("(")[0].strip() for sql in written} == {"INSERT INTO sign_ins"}
    assert await counts(store) == {**before, "sign_ins": 300}
    clock.advance(LIFE + DAY)
    assert await remove_expired(store, now=clock.now()) == 300
    assert await counts(store) == before


@pytest.mark.case("SR-17")
async def test_a_start_that_is_refused_costs_no_row(scenario: Scenario) -> None:
    before = await counts(scenario.context.store)
    for parameters in (
        {"connection_id": "saml-connection-test-none"},
        {},
        {"organization_id": "x"},
    ):
        assert (await scenario.start(scenario.browser(), **parameters)).status in {400, 404}
    assert await counts(scenario.context.store) == before


@pytest.mark.case("SR-18")
async def test_hostile_posts_at_once_are_refused_and_others_are_answered(
    scenario: Scenario,
) -> None:
    door = await open_door(scenario, "saml")

    async def post() -> Answer:
        response = scenario.saml_response(door.connection, in_response_to=None, idp="other")
        return await scenario.post_callback(
            scenario.browser(), door.connection, {"SAMLResponse": response}
        )

    first = [asyncio.create_task(post()) for _ in range(50)]
    between = asyncio.create_task(scenario.api.call("GET", POLICY))
    second = [asyncio.create_task(post()) for _ in range(50)]
    assert (await between).status == 200
    assert not all(task.done() for task in second)
    answers = await asyncio.gather(*first, *second)
    refusal = errors.invalid_signature_saml_response
    assert {answer.status for answer in answers} == {refusal.status}
    assert {trace.reason for trace in await traces(scenario)} == {"sig.value"}
    assert await left(scenario) == Left()
    assert (await door.log_in())["member_authenticated"] is True


# Bodies that unpack ----------------------------------------------------------------------------


def multipart() -> bytes:
    """Return 10 000 parts, each a file that wants to lie somewhere else."""
    part = (
        b"--x\r\nContent-Disposition: form-data; name=SAMLResponse; "
        b"filename=../../../etc/passwd\r\n\r\nx\r\n"
    )
    return part * 10_000 + b"--x--\r\n"


@pytest.mark.case("SR-19")
async def test_multipart_is_taken_nowhere(scenario: Scenario) -> None:
    content_type = "multipart/form-data; boundary=x"
    headers = {"authorization": scenario.api.authorization, "content-type": content_type}
    body = multipart()
    for endpoint in endpoints():
        if endpoint.method in READS:
            continue
        path = path_of(endpoint, {})
        answer = await call(scenario.app, endpoint.method, path, headers=headers, body=body)
        said = (answer.status, answer.json["error_message"])
        error = errors.unsupported_media_type
        assert said == (error.status, error.message), endpoint.operation_id


@pytest.mark.case("SR-19")
async def test_a_multipart_form_is_no_answer_of_an_identity_provider(scenario: Scenario) -> None:
    door = await open_door(scenario, "saml")
    headers = {"content-type": "multipart/form-data; boundary=x"}
    path = urlsplit(door.connection["acs_url"]).path
    answer = await call(scenario.app, "POST", path, headers=headers, body=multipart())
    assert_page(answer, errors.unsupported_media_type, f"Post a form ({FORM}).")
    assert await left(scenario) == Left()


# Patterns, numbers and many of them ------------------------------------------------------------


def patterns() -> dict[str, tuple[re.Pattern[Any], set[str]]]:
    """Return every compiled pattern of the product by where it stands, and how it is used there."""
    found = {}
    for module in pkgutil.walk_packages(vestibule.__path__, "vestibule."):
        if module.name.endswith(("__main__", ".env")) or ".versions." in module.name:
            continue
        imported = importlib.import_module(module.name)
        source = Path(str(imported.__file__)).read_text()
        for name, value in vars(imported).items():
            used = set(
                re.findall(rf"\b{name}\.(match|fullmatch|search|findall|finditer)\(", source)
            )
            if isinstance(value, re.Pattern) and used:
                found[f"{module.name}.{name}"] = (value, used)
    return found


UNITS = (
    "a",
    "a.",
    "a-",
    "a@",
    " ",
    "\t",
    "0",
    "0-",
    "/",
    "\\",
    "\\u0000",
    "=",
    "é",
    "<",
    '"',
    "%4",
)


@pytest.mark.case("SR-20")
def test_no_pattern_takes_long_for_any_text() -> None:
    """A pattern that backtracks would take minutes at this length, not parts of a second."""
    assert len(patterns()) > 20
    slow = {}
    for place, (pattern, used) in patterns().items():
        for unit in UNITS:
            text: Any = unit * (50_000 // len(unit)) + "!"
            given = text.encode() if isinstance(pattern.pattern, bytes) else text
            started = time.process_time()
            for way in used:
                getattr(pattern, "findall" if way == "finditer" else way)(given)
            if time.process_time() - started > 1:
                slow[place, unit] = time.process_time() - started
    assert slow == {}


@pytest.mark.case("SR-20", "AD-23")
@pytest.mark.parametrize("unit", ["a", "a.", "a@", '"', " ", "%", "\\"])
async def test_long_text_in_any_field_is_refused_quickly(scenario: Scenario, unit: str) -> None:
    text = unit * (50_000 // len(unit)) + "!"
    await scenario.organization()
    path = "/v1/b2b/organizations/acme"
    for field, value, error in (
        ("email_address", text, errors.invalid_email),
        ("email_allowed_domains", [text], errors.organization_settings_invalid_domain),
        ("organization_slug", text, errors.invalid_organization_slug),
        ("organization_external_id", text, errors.invalid_organization_external_id),
    ):
        method, where = ("POST", f"{path}/members") if field == "email_address" else ("PUT", path)
        started = time.process_time()
        refused = await scenario.api.bad(method, where, {field: value})
        assert time.process_time() - started < 1, field
        assert refused == (error.status, error.name), field


@pytest.mark.case("SR-21")
@pytest.mark.parametrize("name", ["id[]", "id", "organization_id"])
async def test_many_fields_in_a_query_are_refused(scenario: Scenario, name: str) -> None:
    query = "&".join([f"{name}=1"] * 100_000)
    assert await scenario.api.bad("GET", f"{POLICY}?{query}") == (400, "bad_request")
    page = await scenario.browser().get(f"/v1/public/sso/start?{query}")
    assert_page(page, errors.bad_request, "The fields cannot be read.")


@pytest.mark.case("SR-21")
async def test_many_fields_in_a_form_are_refused(scenario: Scenario) -> None:
    door = await open_door(scenario, "saml")
    path = urlsplit(door.connection["acs_url"]).path
    body = b"&".join([b"id[]=1"] * 100_000)
    answer = await call(scenario.app, "POST", path, headers={"content-type": FORM}, body=body)
    assert_page(answer, errors.bad_request, "The fields cannot be read.")


@pytest.mark.case("SR-21", "AD-24")
@pytest.mark.parametrize(
    ("number", "error"),
    [
        ("9" * 309, errors.invalid_session_duration_minutes),
        ("9" * 400, errors.bad_request),
        ("-" + "9" * 5000, errors.bad_request),
        ("9" * 400_000, errors.bad_request),
        ("1e400", errors.bad_request),
        ("9" * 300 + ".5", errors.bad_request),
    ],
)
async def test_a_huge_number_is_refused(scenario: Scenario, number: str, error: ErrorType) -> None:
    body = f'{{"session_token": "none", "session_duration_minutes": {number}}}'
    answer = await in_json(scenario, body)
    assert (answer.status, answer.json["error_type"]) == (400, error.name)
    assert len(answer.text) < 10_000


@pytest.mark.case("SR-21", "AD-24")
async def test_many_names_in_json_cost_no_more_than_their_bytes(scenario: Scenario) -> None:
    """What is read is bounded by the size of a body; names that hash alike cannot be made up."""
    names = ",".join(f'"{number}":1' for number in range(80_000))
    answer = await in_json(scenario, f'{{"session_token": "none", {names}}}')
    assert (answer.status, answer.json["error_type"]) == (400, "invalid_session_token")


async def in_json(scenario: Scenario, body: str) -> Answer:
    headers = {
        "authorization": scenario.api.authorization,
        "content-type": "application/json",
    }
    path = "/v1/b2b/sessions/authenticate"
    return await call(scenario.app, "POST", path, headers=headers, body=body.encode())


# Memory ----------------------------------------------------------------------------------------


@pytest.mark.case("SR-22")
def test_ten_thousand_hostile_documents_leave_no_memory_behind() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.hostile_memory", "270"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    refused, grown = map(int, done.stdout.split())
    assert refused > 10_000
    assert grown < 20_000_000
