import base64

import pytest

from tests.support.asgi import Answer, basic, call
from tests.support.counting import CountingStore, secrets_compared
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.member_session import sign_in
from tests.support.scenario import Scenario, add_project, open_scenario
from vestibule.api.groups import endpoints
from vestibule.domain import projects
from vestibule.permissions import Public
from vestibule.store.interface import Store

PATH = "/v1/b2b/rbac/policy"


def encoded(text: bytes) -> str:
    return f"Basic {base64.b64encode(text).decode()}"


def require_refusal(answer: Answer) -> None:
    assert (answer.status, answer.json["error_type"]) == (401, "unauthorized_credentials")
    assert answer.headers["www-authenticate"] == 'Basic realm="vestibule"'


async def test_scheme_is_read_in_any_case(scenario: Scenario) -> None:
    value = scenario.api.authorization
    for scheme in ("Basic", "basic", "BASIC"):
        headers = {"authorization": value.replace("Basic", scheme)}
        assert (await call(scenario.app, "GET", PATH, headers=headers)).status == 200


@pytest.mark.case("AD-08")
async def test_whatever_is_wrong_with_the_credentials_is_answered_alike(
    scenario: Scenario,
) -> None:
    other = await add_project(scenario.app, scenario.context, name="other")
    mine, good = scenario.project.project_id, b"project-test-first:secret-test-first"
    values = [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic a",
        "Basic \xff\xfe",
        "Bearer abc",
        scenario.api.authorization.removeprefix("Basic "),
        scenario.api.authorization.replace("Basic ", "Basic  x"),
        encoded(b""),
        encoded(b"no colon"),
        encoded(b":"),
        encoded(b"\xff\xfe:\xff"),
        encoded(b"a\x00b:c"),
        encoded(b"project-test-first\x00:secret-test-first"),
        encoded(good + b"\x00"),
        encoded(good + b" "),
        encoded(good.upper()),
        encoded("\U0001f6c2:\U0001f6c2".encode()),
        encoded(b"x" * 5000 + b":" + b"y" * 5000),
        basic(mine, ""),
        basic(mine, "wrong"),
        basic("project-test-unknown", "secret-test-first"),
        basic(mine, "secret-test-other"),
        basic(other.project.project_id, "secret-test-first"),
        basic(scenario.public_token, "secret-test-first"),
    ]
    for value in values:
        require_refusal(await call(scenario.app, "GET", PATH, headers={"authorization": value}))
    require_refusal(await call(scenario.app, "GET", PATH))


@pytest.mark.case("AD-01")
async def test_every_endpoint_but_the_public_ones_asks_who_is_calling(scenario: Scenario) -> None:
    public = [item.operation_id for item in endpoints() if isinstance(item.access, Public)]
    assert public == ["sessions.get_jwks"]
    for item in endpoints():
        if not isinstance(item.access, Public):
            # Nothing of the request is looked at before: the body is no JSON.
            answer = await call(scenario.app, item.method, item.path, body=b"{")
            require_refusal(answer)


@pytest.mark.case("AD-09", verdict="refused", reason="unauthorized_credentials")
async def test_unknown_project_costs_what_a_wrong_secret_costs(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    """The same statements, digests and comparisons; bench/credentials.py measures the rest."""
    counting = CountingStore(store)
    scenario = await open_scenario(counting, clock=clock, entropy=entropy)
    mine, secret = scenario.project.project_id, "secret-test-first"
    counting.taken()
    costs = []
    for user, password in (
        (mine, "wrong"),
        (mine, secret[:-1] + "x"),
        (mine, ""),
        (mine, "x" * 5000),
        ("project-test-unknown", secret),
        ("", secret),
        ("x" * 5000, ""),
    ):
        headers = {"authorization": basic(user, password)}
        with secrets_compared() as counts:
            require_refusal(await call(scenario.app, "GET", PATH, headers=headers))
        costs.append((counting.statements[:], dict(counts)))
        counting.taken()
    assert len(costs[0][0]) == 2
    assert costs[0][1]["compare_digest"] == 1
    assert costs[0][1]["openssl_sha256"] >= 1
    assert all(cost == costs[0] for cost in costs)


@pytest.mark.case("AD-09", verdict="holds")
async def test_every_secret_of_a_project_is_compared_whichever_is_right(
    scenario: Scenario,
) -> None:
    project = scenario.project
    more = [await projects.rotate_secret(scenario.context, project) for _ in range(2)]
    for secret in ("secret-test-first", *more, "wrong"):
        headers = {"authorization": basic(project.project_id, secret)}
        with secrets_compared() as counts:
            answer = await call(scenario.app, "GET", PATH, headers=headers)
        assert answer.status == (401 if secret == "wrong" else 200)
        assert counts["compare_digest"] == 3


# Member sessions -------------------------------------------------------------------------------


async def test_token_decides_where_both_session_headers_come(scenario: Scenario) -> None:
    caller = await sign_in(scenario, await scenario.organization())
    path = f"/v1/b2b/sso/{caller.organization_id}"
    await caller.hold("stytch_admin")
    both = {**caller.headers, "x-stytch-member-sessionjwt": "no jwt"}
    await scenario.api.good("GET", path, headers=both)
    swapped = {"x-stytch-member-session": "no token"}
    refused = await scenario.api.bad("GET", path, headers=swapped)
    assert refused[1] in {"session_not_found", "invalid_session_token"}


@pytest.mark.parametrize(
    "value", ["x", "\xff", "a\x00b", "é" * 100, "x" * 5000, "a.b.c", "..", "=."]
)
@pytest.mark.parametrize("name", ["x-stytch-member-session", "x-stytch-member-sessionjwt"])
async def test_header_that_is_no_session_is_refused(
    scenario: Scenario, name: str, value: str
) -> None:
    organization = await scenario.organization()
    path = f"/v1/b2b/sso/{organization['organization_id']}"
    answer = await scenario.api.call("GET", path, headers={name: value})
    assert answer.status in {400, 401, 404}, answer.body
    assert answer.json["error_type"] in {
        "session_not_found",
        "invalid_session_token",
        "unable_to_parse_session_jwt",
    }


async def test_session_of_another_project_is_unknown(scenario: Scenario) -> None:
    caller = await sign_in(scenario, await scenario.organization())
    other = await add_project(scenario.app, scenario.context, name="other")
    organization = await other.organization("Theirs")
    path = f"/v1/b2b/sso/{organization['organization_id']}"
    refused = await other.api.bad("GET", path, headers=caller.headers)
    assert refused == (404, "session_not_found")
