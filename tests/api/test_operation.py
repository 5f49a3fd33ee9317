from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from tests.support.asgi import Answer, Api, call
from tests.support.bad_input import comparable
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.every_endpoint import (
    READS,
    authorization_of,
    fields_of,
    full_body,
    needs_the_secret_alone,
    path_of,
    with_id,
)
from tests.support.hooked_store import HookedStore
from tests.support.member_session import sign_in
from tests.support.scenario import Scenario, add_project, open_scenario
from vestibule.api.endpoint import Endpoint
from vestibule.api.groups import endpoints
from vestibule.domain import projects
from vestibule.permissions import Permission, Public
from vestibule.store.interface import Store, Transaction

POLICY = "/v1/b2b/rbac/policy"
ORGANIZATIONS = "/v1/b2b/organizations"
UNKNOWN = "organization-test-01960000-0000-7000-8000-000000000000"


async def raw(
    scenario: Scenario,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    content_type: str = "application/json",
    **headers: str,
) -> Answer:
    sent = {
        "authorization": scenario.api.authorization,
        "content-type": content_type,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return await call(scenario.app, method, path, headers=sent, body=body)


def said(answer: Answer) -> tuple[int, str, str]:
    """Return status, type and message, having looked at the whole envelope."""
    body = answer.json
    assert list(body) == ["status_code", "request_id", "error_type", "error_message", "error_url"]
    assert body["status_code"] == answer.status
    assert body["request_id"].startswith("request-id-test-")
    assert body["error_url"] == f"https://sso.example.test/errors#{body['error_type']}"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert int(answer.headers["content-length"]) == len(answer.body)
    return answer.status, body["error_type"], body["error_message"]


# The envelope ----------------------------------------------------------------------------------


async def test_success_carries_status_and_a_new_request_id_each_time(scenario: Scenario) -> None:
    answers = [await scenario.api.good("GET", POLICY) for _ in range(3)]
    assert {answer["status_code"] for answer in answers} == {200}
    assert len({answer["request_id"] for answer in answers}) == 3


async def test_request_id_is_of_the_projects_environment(scenario: Scenario) -> None:
    made = await projects.create(scenario.context, name="other", environment="live")
    live = Api(scenario.app, project_id=made.project_id, secret=made.secret)
    wrong = Api(scenario.app, project_id=made.project_id, secret="wrong")
    for api, path in ((live, POLICY), (live, f"{ORGANIZATIONS}/none"), (wrong, POLICY)):
        answer = await api.call("GET", path)
        assert answer.json["request_id"].startswith("request-id-live-")
    query = f"public_token={made.public_token}"
    page = await scenario.browser().get(f"/v1/public/sso/start?{query}")
    assert "request-id-live-" in page.text


async def test_other_method_is_refused_with_those_there_are(scenario: Scenario) -> None:
    by_path: dict[str, set[str]] = {}
    for endpoint in endpoints():
        by_path.setdefault(endpoint.path, set()).add(endpoint.method)
    for path, methods in by_path.items():
        for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "X"} - methods:
            # Without credentials: the answer is no secret.
            answer = await call(scenario.app, method, path)
            assert said(answer)[:2] == (405, "method_not_allowed"), (method, path)
            assert answer.headers["allow"] == ", ".join(sorted(methods))


async def test_allow_stands_in_no_other_refusal(scenario: Scenario) -> None:
    assert "allow" not in (await raw(scenario, "GET", f"{ORGANIZATIONS}/{UNKNOWN}")).headers


# The body --------------------------------------------------------------------------------------


async def test_body_of_the_largest_size_is_read_and_one_byte_more_is_not(
    scenario: Scenario,
) -> None:
    limit = scenario.context.settings.max_body_bytes
    body = b'{"organization_name": "Acme"}'
    fits = await raw(scenario, "POST", ORGANIZATIONS, body.ljust(limit))
    assert fits.status == 200
    too_large = (413, "bad_request", "The request body is too large.")
    in_pieces = await raw(scenario, "POST", ORGANIZATIONS, body.ljust(limit + 1))
    assert said(in_pieces) == too_large
    announced = await raw(scenario, "POST", ORGANIZATIONS, body, content_length=str(limit + 1))
    assert said(announced) == too_large
    on_a_read = await raw(scenario, "GET", POLICY, b" " * (limit + 1))
    assert said(on_a_read) == too_large


async def test_peer_that_goes_away_gets_no_answer(scenario: Scenario) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": ORGANIZATIONS,
        "root_path": "",
        "headers": [],
        "query_string": b"",
    }
    await scenario.app(scope, receive, send)
    assert sent == []


TWICE = "The body has an object with the same name twice."


@pytest.mark.case("AD-24", "AD-25")
@pytest.mark.parametrize(
    ("body", "content_type", "status", "message"),
    [
        (b"{}", "text/plain", 415, "The body must be JSON, with"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "The body must be JSON, with"),
        (b"{", "application/json", 400, "The body is not valid JSON"),
        (b'[{"organization_name": "A"}]', "application/json", 400, "The body must be a JSON obj"),
        (b'{"organization_name": "a\\u0000b"}', "application/json", 400, "The body has a NUL"),
        (b'{"organization_name": "\\ud83d"}', "application/json", 400, "The body is not valid"),
        (b'{"organization_name": NaN}', "application/json", 400, "The body is not valid JSON"),
        (b'{"organization_name": "A", "organization_name": 1}', "application/json", 400, TWICE),
        (b'{"none": [{"a": 1, "\\u0061": 2}]}', "application/json", 400, TWICE),
        (b'{"none": %s}' % (b"9" * 400), "application/json", 400, "The body has a number that is"),
        (
            b'{"organization_name": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
            "application/json",
            400,
            "The body is not valid JSON",
        ),
    ],
)
async def test_body_that_cannot_be_read_is_refused_by_every_writing_endpoint(
    scenario: Scenario, body: bytes, content_type: str, status: int, message: str
) -> None:
    for endpoint in endpoints():
        if endpoint.method not in READS:
            path = path_of(endpoint, {})
            answer = await raw(scenario, endpoint.method, path, body, content_type=content_type)
            assert said(answer)[:2] == (status, "bad_request"), endpoint.operation_id
            assert said(answer)[2].startswith(message)


async def test_body_of_a_read_is_not_looked_at(scenario: Scenario) -> None:
    # The SDKs announce JSON on every call.
    for body in (b"", b"{", b"\xff"):
        assert (await raw(scenario, "GET", POLICY, body)).status == 200


async def test_path_wins_over_the_same_name_in_body_and_query(scenario: Scenario) -> None:
    await scenario.organization("One")
    await scenario.organization("Two")
    changed = await scenario.api.good(
        "PUT", f"{ORGANIZATIONS}/one", {"organization_id": "two", "organization_name": "Uno"}
    )
    assert changed["organization"]["organization_slug"] == "one"
    ignored = await scenario.api.good(
        "PUT", f"{ORGANIZATIONS}/one", {"organization_id": ["wrong type"]}
    )
    assert ignored["organization"]["organization_slug"] == "one"
    got = await scenario.api.good("GET", f"{ORGANIZATIONS}/one?organization_id=two")
    assert got["organization"]["organization_slug"] == "one"


# The types of fields ---------------------------------------------------------------------------

VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    2**63,
    -(2**64),
    10**300,
    1.5,
    1e300,
    "",
    "text",
    "x" * 3000,
    "\U0001f6c2\u202e\x7f\r\n",
    [],
    ["text"],
    [[]],
    [{}],
    [None],
    {},
    {"a": "text"},
    {"a": {"b": [{}]}},
]


def fits(endpoint: Endpoint, name: str, value: Any) -> bool:
    (kind,) = (f.type for f in msgspec.structs.fields(endpoint.request) if f.name == name)
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


async def test_every_field_is_refused_by_its_name_when_it_is_of_a_wrong_type(
    scenario: Scenario,
) -> None:
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    values = {"organization_id": "acme", "connection_id": connection["connection_id"]}
    refused = 0
    for endpoint in endpoints():
        if endpoint.method in READS:
            continue
        for name in fields_of(endpoint):
            for value in VALUES:
                body = msgspec.json.encode({**full_body(endpoint), name: value})
                answer = await raw(scenario, endpoint.method, path_of(endpoint, values), body)
                what = (endpoint.operation_id, name, value, answer.body[:300])
                assert answer.status < 500, what
                if not fits(endpoint, name, value):
                    refused += 1
                    status, kind, message = said(answer)
                    assert (status, kind) == (400, "bad_request"), what
                    assert message.startswith((f"{name}: ", f"{name}[", f"{name}.")), what
    assert refused > 500


async def test_one_of_few_values_is_answered_with_all_of_them(scenario: Scenario) -> None:
    for path, body, message in (
        (
            "/v1/b2b/organizations/search",
            {"query": {"operator": "XOR", "operands": []}},
            "query.operator: expected one of AND, OR.",
        ),
        (
            "/v1/b2b/sso/acme/traces?outcome=x",
            None,
            "outcome: expected one of failed, succeeded.",
        ),
    ):
        answer = await scenario.api.call("POST" if body else "GET", path, body)
        assert said(answer) == (400, "bad_request", message)


async def test_required_field_that_is_absent_is_named(scenario: Scenario) -> None:
    asked = 0
    for endpoint in endpoints():
        path = path_of(endpoint, {}).partition("?")[0]
        for field in msgspec.structs.fields(endpoint.request):
            if field.required and field.name not in endpoint.path_names:
                asked += 1
                body = {k: v for k, v in full_body(endpoint).items() if k != field.name}
                answer = await scenario.api.call(
                    endpoint.method, path, body, headers=authorization_of(endpoint, scenario)
                )
                status, kind, message = said(answer)
                assert (status, kind) == (400, "bad_request"), endpoint.operation_id
                first = field.name
                if endpoint.operation_id == "sessions.get":
                    first = "organization_id"  # none of its fields came
                assert message.startswith(f"{first}: "), endpoint.operation_id
    assert asked >= 14


# Queries ---------------------------------------------------------------------------------------


async def member(scenario: Scenario) -> str:
    await scenario.organization()
    made = await scenario.api.good(
        "POST", f"{ORGANIZATIONS}/acme/members", {"email_address": "ada@acme.test"}
    )
    await scenario.api.good("DELETE", f"{ORGANIZATIONS}/acme/members/{made['member_id']}")
    return f"{ORGANIZATIONS}/members/dangerously_get/{made['member_id']}"


async def test_truth_in_a_query_is_written_as_any_sdk_does(scenario: Scenario) -> None:
    path = await member(scenario)
    for text in ("True", "true", "1"):
        await scenario.api.good("GET", f"{path}?include_deleted={text}")
    for text in ("False", "false", "0"):
        refused = await scenario.api.bad("GET", f"{path}?include_deleted={text}")
        assert refused == (404, "member_not_found")


@pytest.mark.parametrize("text", ["", "TRUE%00", "yes", "2", "%C3%A9", "[]", "null", "9" * 3000])
async def test_truth_in_a_query_that_is_neither_is_refused(scenario: Scenario, text: str) -> None:
    answer = await raw(scenario, "GET", f"{await member(scenario)}?include_deleted={text}")
    status, kind, message = said(answer)
    assert (status, kind) == (400, "bad_request")
    assert message.startswith("include_deleted: ")


async def test_first_of_several_values_in_a_query_counts(scenario: Scenario) -> None:
    path = await member(scenario)
    await scenario.api.good("GET", f"{path}?include_deleted=true&include_deleted=false")


@pytest.mark.case("AD-25")
@pytest.mark.parametrize("query", ["a=%FF", "&".join("a=1" for _ in range(101)), "%ED%A0%80=1"])
async def test_query_that_cannot_be_read_is_refused(scenario: Scenario, query: str) -> None:
    answer = await raw(scenario, "GET", f"{POLICY}?{query}")
    assert said(answer) == (400, "bad_request", "The query string cannot be read.")


# Ids -------------------------------------------------------------------------------------------


@pytest.mark.case("AD-47")
@pytest.mark.parametrize("name", ["organization_id", "member_id", "connection_id"])
async def test_awkward_id_in_any_path_is_simply_not_there(scenario: Scenario, name: str) -> None:
    await scenario.organization()
    for endpoint in with_id(name):
        for value in ("%2F", "..", "%2e%2e", "%25", "x" * 4000, "%F0%9F%9B%82", "'--", "%0A", "*"):
            path = path_of(endpoint, {"organization_id": "acme", name: value})
            answer = await scenario.api.call(endpoint.method, path, full_body(endpoint))
            assert said(answer)[0] == 404, (endpoint.operation_id, value, answer.body)
        for value in ("%00", "%FF", "a%00b"):
            path = path_of(endpoint, {"organization_id": "acme", name: value})
            answer = await scenario.api.call(endpoint.method, path, full_body(endpoint))
            assert said(answer)[:2] == (400, "bad_request"), (endpoint.operation_id, value)


@pytest.mark.case("MT-24", "AD-03")
@pytest.mark.parametrize("name", ["organization_id", "member_id", "connection_id"])
async def test_id_of_somebody_else_is_answered_as_an_unknown_one(
    scenario: Scenario, name: str
) -> None:
    mine = await owned(scenario, "Mine")
    other = await owned(scenario, "Other")
    stranger = await owned(await add_project(scenario.app, scenario.context, name="b"), "Far")
    before = await look(scenario, other)
    for endpoint in with_id(name):
        answers = set()
        foreign = [stranger[name]] if name == "organization_id" else [other[name], stranger[name]]
        for value in [*foreign, f"{name.removesuffix('_id')}-test-unknown"]:
            path = path_of(endpoint, {**mine, name: value})
            if endpoint.path_names == ("member_id",) and value == other[name]:
                continue  # dangerously_get: of any organization of the project
            answer = await scenario.api.call(endpoint.method, path, full_body(endpoint))
            assert answer.status == 404, (endpoint.operation_id, value, answer.body)
            answers.add(comparable(answer))
        assert len(answers) == 1, endpoint.operation_id
    assert await look(scenario, other) == before


@pytest.mark.case("MT-24")
async def test_member_session_reaches_nothing_of_another_organization(
    scenario: Scenario,
) -> None:
    """The path's organization comes first, and is refused with 403 as the contract has it.

    The case asks for 404 as for an unknown id: that is the answer to a foreign id below one's own
    organization. Which organizations there are, a backend with the project secret knows anyway.
    """
    caller = await sign_in(scenario, await scenario.organization("Mine"))
    await caller.hold("stytch_admin")
    other = await owned(scenario, "Other")
    before = await look(scenario, other)
    for endpoint in endpoints():
        if not isinstance(endpoint.access, Permission) or "organization_id" not in fields(endpoint):
            continue
        path = path_of(endpoint, other)
        refused = await caller.bad(endpoint.method, path, full_body(endpoint))
        if needs_the_secret_alone(endpoint):
            assert refused == (403, "session_authorization_error"), endpoint.operation_id
            continue
        assert refused == (403, "session_authorization_tenancy_error"), endpoint.operation_id
        for name in {"member_id", "connection_id"} & set(endpoint.path_names):
            own = {**other, "organization_id": caller.organization_id}
            answers = set()
            for value in (other[name], "x"):
                path = path_of(endpoint, {**own, name: value})
                answer = await scenario.api.call(
                    endpoint.method, path, full_body(endpoint), headers=caller.headers
                )
                assert answer.status == 404, (endpoint.operation_id, answer.body)
                answers.add(comparable(answer))
            assert len(answers) == 1
    assert await look(scenario, other) == before


async def test_member_may_name_itself_by_its_external_id(scenario: Scenario) -> None:
    caller = await sign_in(scenario, await scenario.organization("Mine"))
    await scenario.api.good("PUT", caller.path, {"external_id": "ada"})
    other = {"email_address": "bob@acme.test", "external_id": "bob"}
    path = f"{ORGANIZATIONS}/{caller.organization_id}/members"
    await scenario.api.good("POST", path, other)
    for locator in ("bob", "unknown"):
        refused = await caller.bad("DELETE", f"{path}/{locator}")
        assert refused == (403, "session_authorization_error")
    gone = await caller.good("DELETE", f"{ORGANIZATIONS}/mine/members/ada")
    assert gone["member_id"] == caller.member_id


@pytest.mark.case("MT-24")
@pytest.mark.parametrize("moment", range(1, 5))
async def test_name_that_goes_over_to_another_organization_meanwhile_reaches_nothing_there(
    store: Store, clock: HandClock, entropy: SeededEntropy, moment: int
) -> None:
    hooked = HookedStore(store)
    scenario = await open_scenario(hooked, clock=clock, entropy=entropy)
    caller = await sign_in(scenario, await scenario.organization("Mine"))
    await caller.hold("stytch_admin")
    other = await scenario.organization("Other")

    async def swap() -> None:
        for each, slug in (
            (caller.organization_id, "was-mine"),
            (other["organization_id"], "mine"),
        ):
            path = f"{ORGANIZATIONS}/{each}"
            await scenario.api.good("PUT", path, {"organization_slug": slug})

    hooked.arm(moment, swap)
    body = {"email_address": "new@acme.test"}
    answer = await scenario.api.call(
        "POST", f"{ORGANIZATIONS}/mine/members", body, headers=caller.headers
    )
    assert hooked.fired
    assert answer.json.get("error_type") in {None, "session_authorization_tenancy_error"}
    async with store.read() as tx:
        assert await tx.members.count(organization_id=other["organization_id"]) == 0


def fields(endpoint: Endpoint) -> tuple[str, ...]:
    return endpoint.request.__struct_fields__


async def owned(scenario: Scenario, name: str) -> dict[str, str]:
    """Make an organization with a member and a connection, and return the ids."""
    organization = await scenario.organization(name)
    connection = await scenario.saml_connection(organization["organization_id"])
    made = await scenario.api.good(
        "POST",
        f"{ORGANIZATIONS}/{organization['organization_id']}/members",
        {"email_address": f"ada@{name.lower()}.test"},
    )
    return {
        "organization_id": organization["organization_id"],
        "member_id": made["member_id"],
        "connection_id": connection["connection_id"],
        "certificate_id": connection["verification_certificates"][0]["certificate_id"],
    }


async def look(scenario: Scenario, ids: dict[str, str]) -> list[Any]:
    paths = [
        path_of(endpoint, ids)
        for endpoint in endpoints()
        if endpoint.method == "GET" and set(endpoint.path_names) == {"organization_id"}
    ]
    shown = [comparable(await scenario.api.call("GET", path)) for path in paths]
    return [
        *shown,
        comparable(await scenario.api.call("GET", f"/v1/b2b/sso/{ids['organization_id']}")),
    ]


# Faults of ours --------------------------------------------------------------------------------


async def test_database_that_is_away_is_a_503_that_says_when_to_come_back(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    hooked = HookedStore(store)
    scenario = await open_scenario(hooked, clock=clock, entropy=entropy)
    for endpoint in endpoints():
        path = path_of(endpoint, {})
        hooked.fail(1)
        answer = await scenario.api.call(endpoint.method, path, full_body(endpoint))
        assert said(answer)[:2] == (503, "server_unavailable"), endpoint.operation_id
        assert answer.headers["retry-after"] == "2"
        assert "the test took" not in answer.text


class BrokenStore:
    """Every transaction meets a bug of ours."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.broken = False

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        if self.broken:
            raise KeyError("words of the inside")
        async with self._store.read() as tx:
            yield tx

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        async with self._store.write() as tx:
            yield tx

    async def close(self) -> None:
        await self._store.close()


@pytest.mark.case("AD-20")
async def test_bug_of_ours_is_a_500_that_tells_nothing_and_is_logged(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    broken = BrokenStore(store)
    scenario = await open_scenario(broken, clock=clock, entropy=entropy)
    broken.broken = True
    with capture_logs() as logs:
        answer = await scenario.api.call("GET", POLICY)
    status, kind, message = said(answer)
    assert (status, kind) == (500, "internal_server_error")
    assert "inside" not in answer.text
    assert "KeyError" not in message
    (line,) = logs
    assert line["event"] == "request failed"
    assert "words of the inside" in str(line["exc_info"])
    assert line["exc_info"].__traceback__ is not None


async def test_public_endpoint_takes_no_credentials(scenario: Scenario) -> None:
    for endpoint in endpoints():
        if isinstance(endpoint.access, Public):
            path = path_of(endpoint, {"project_id": scenario.project.project_id})
            assert (await call(scenario.app, endpoint.method, path)).status == 200
