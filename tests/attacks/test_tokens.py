"""The sso_token and what it is exchanged for, under attack: the cases ST."""

import asyncio
import base64
import hashlib
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.asgi import Answer, Api, basic, call
from tests.support.counting import CountingStore, secrets_compared
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.hooked_store import HookedStore
from tests.support.refusals import assert_safe, left, traces
from tests.support.scenario import Scenario, add_project, open_scenario
from vestibule.app import App
from vestibule.clock import MINUTE, SECOND
from vestibule.settings import Settings
from vestibule.store.interface import Store

Connection = dict[str, Any]
PATH = "/v1/b2b/sso/authenticate"
VERIFIER = "v" * 43
NOT_FOUND = (404, "sso_token_not_found")


def challenge(verifier: str = VERIFIER) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@pytest.fixture
async def connection(scenario: Scenario) -> Connection:
    organization = await scenario.organization()
    return await scenario.saml_connection(organization["organization_id"])


async def redeem(scenario: Scenario, token: str, **options: Any) -> Answer:
    return await scenario.api.call("POST", PATH, {"sso_token": token, **options})


@pytest.mark.case("ST-01")
async def test_of_fifty_redemptions_at_once_one_succeeds(
    scenario: Scenario, connection: Connection
) -> None:
    token = await scenario.saml_token(connection)
    answers = await asyncio.gather(*(redeem(scenario, token) for _ in range(50)))
    assert sorted(answer.status for answer in answers) == [200, *[404] * 49]
    assert {a.json["error_type"] for a in answers if a.status != 200} == {"sso_token_not_found"}
    assert await scenario.api.bad("POST", PATH, {"sso_token": token}) == NOT_FOUND
    found = await left(scenario)
    assert (found.members, found.sessions) == (1, 1)


@pytest.mark.case("ST-02")
async def test_a_token_lasts_five_minutes(scenario: Scenario, connection: Connection) -> None:
    late, in_time = await scenario.saml_token(connection), await scenario.saml_token(connection)
    scenario.clock.advance(5 * MINUTE - 1)
    await scenario.authenticate(in_time)
    scenario.clock.advance(1)
    assert await scenario.api.bad("POST", PATH, {"sso_token": late}) == NOT_FOUND
    scenario.clock.advance(SECOND)
    assert await scenario.api.bad("POST", PATH, {"sso_token": late}) == NOT_FOUND
    assert (await left(scenario)).sessions == 1


@pytest.mark.case("ST-03")
@pytest.mark.parametrize(
    ("verifier", "error"),
    [
        (None, "pkce_expected_code_verifier"),
        ("", "pkce_expected_code_verifier"),
        ("w" * 43, "pkce_mismatch"),
        (challenge(), "pkce_mismatch"),  # what the method `plain` would compare
        ("v" * 42, "invalid_pkce_code_verifier"),
        ("v" * 129, "invalid_pkce_code_verifier"),
        ("v" * 42 + "\n", "invalid_pkce_code_verifier"),
        ("v" * 42 + " ", "invalid_pkce_code_verifier"),
        ("\uff56" * 43, "invalid_pkce_code_verifier"),
    ],
)
async def test_a_token_with_a_challenge_needs_its_verifier(
    scenario: Scenario, connection: Connection, verifier: str | None, error: str
) -> None:
    token = await scenario.saml_token(connection, start={"pkce_code_challenge": challenge()})
    sent = {"sso_token": token, "pkce_code_verifier": verifier}
    assert await scenario.api.bad("POST", PATH, sent) == (400, error)
    found = await left(scenario)
    assert (found.members, found.sessions, found.sso_tokens) == (0, 0, 1)
    await scenario.authenticate(token, pkce_code_verifier=VERIFIER)


@pytest.mark.case("ST-03")
async def test_the_third_wrong_verifier_ends_the_token(
    scenario: Scenario, connection: Connection
) -> None:
    for wrong in (2, 3):
        token = await scenario.saml_token(connection, start={"pkce_code_challenge": challenge()})
        for _ in range(wrong):
            sent = {"sso_token": token, "pkce_code_verifier": "w" * 43}
            assert await scenario.api.bad("POST", PATH, sent) == (400, "pkce_mismatch")
        good = await redeem(scenario, token, pkce_code_verifier=VERIFIER)
        assert good.status == (200 if wrong == 2 else 404)
    assert await scenario.api.bad("POST", PATH, sent) == NOT_FOUND


@pytest.mark.case("ST-03")
async def test_wrong_verifiers_at_once_are_counted_each(
    scenario: Scenario, connection: Connection
) -> None:
    for _ in range(6):
        token = await scenario.saml_token(connection, start={"pkce_code_challenge": challenge()})
        wrong = [redeem(scenario, token, pkce_code_verifier="w" * 43) for _ in range(3)]
        answers = await asyncio.gather(*wrong)
        assert {answer.json["error_type"] for answer in answers} == {"pkce_mismatch"}
        sent = {"sso_token": token, "pkce_code_verifier": VERIFIER}
        assert await scenario.api.bad("POST", PATH, sent) == NOT_FOUND
    assert (await left(scenario)).sessions == 0


@pytest.mark.case("ST-03")
async def test_a_right_verifier_is_too_late_once_three_wrong_ones_are_counted(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    hooked = HookedStore(store)
    scenario = await open_scenario(hooked, clock=clock, entropy=entropy)
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    token = await scenario.saml_token(connection, start={"pkce_code_challenge": challenge()})

    async def others() -> None:
        async with store.write() as tx:
            await tx.sso_tokens.change({"attempts": 3}, project_id=scenario.project.project_id)

    hooked.arm(3, others)  # the credentials are checked, the token is found, then it is used up
    answer = await redeem(scenario, token, pkce_code_verifier=VERIFIER)
    assert hooked.fired
    assert (answer.status, answer.json["error_type"]) == NOT_FOUND
    assert (await left(scenario)).sessions == 0


@pytest.mark.case("ST-04")
async def test_a_verifier_without_a_challenge_is_refused(
    scenario: Scenario, connection: Connection
) -> None:
    token = await scenario.saml_token(connection)
    sent = {"sso_token": token, "pkce_code_verifier": VERIFIER}
    refused = await scenario.api.bad("POST", PATH, sent)
    assert refused == (400, "pkce_did_not_expect_code_verifier")
    assert (await left(scenario)).sessions == 0
    await scenario.authenticate(token)


@pytest.mark.case("ST-05")
async def test_a_token_of_another_project_is_unknown_and_stays_usable(
    scenario: Scenario, connection: Connection
) -> None:
    other = await add_project(scenario.app, scenario.context, name="second")
    token = await scenario.saml_token(connection)
    for _ in range(5):
        assert await other.api.bad("POST", PATH, {"sso_token": token}) == NOT_FOUND
    await scenario.authenticate(token)


@pytest.mark.case("ST-05")
async def test_a_public_token_is_no_credential(scenario: Scenario, connection: Connection) -> None:
    token = await scenario.saml_token(connection)
    users = (scenario.public_token, scenario.project.project_id, "")
    for user in users:
        for password in (scenario.public_token, "", token):
            api = Api(scenario.app, project_id=user, secret=password)
            assert api.authorization == basic(user, password)
            refused = await api.bad("POST", PATH, {"sso_token": token})
            assert refused == (401, "unauthorized_credentials")
    await scenario.authenticate(token)


@pytest.mark.case("ST-07")
async def test_a_token_is_one_exact_text(scenario: Scenario, connection: Connection) -> None:
    token = await scenario.saml_token(connection)
    for other in (
        "",
        token[:-1],
        token + "A",
        token.swapcase(),
        token[:32] + "A" * 32,  # its row is there, the secret is wrong
        "A" * 64,
        token[:-1] + "\u00e9",
        token[:-1] + "=",
        token[:-1] + "\n",
        f" {token}",
        "\uff21" + token[1:],
        "x" * 100_000,
        "' OR 1=1 --",
    ):
        assert await scenario.api.bad("POST", PATH, {"sso_token": other}) == NOT_FOUND
    await scenario.authenticate(token)


@pytest.mark.case("ST-07")
async def test_a_nearly_right_secret_costs_what_any_other_costs(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    """The row is found by the id in a token, which is no secret; what follows is compared whole."""
    counting = CountingStore(store)
    scenario = await open_scenario(counting, clock=clock, entropy=entropy)
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    token = await scenario.saml_token(connection)
    last = "A" if token[-1] != "A" else "Q"
    costs = []
    for secret in (token[32:-1] + last, "A" * 32, "_" * 32):
        counting.taken()
        with secrets_compared() as counts:
            refused = await redeem(scenario, token[:32] + secret)
        assert (refused.status, refused.json["error_type"]) == NOT_FOUND
        costs.append((counting.statements[:], dict(counts)))
    assert costs[0][1]["compare_digest"] >= 2  # the project's secret, and the token's
    assert costs[0] == costs[1] == costs[2]
    await scenario.authenticate(token)


@pytest.mark.case("ST-09")
async def test_the_redirect_with_the_token_leaks_it_nowhere(
    scenario: Scenario, connection: Connection
) -> None:
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    answer = await scenario.post_callback(browser, connection, fields)
    assert_safe(answer)
    assert answer.status == 303
    assert answer.body == b""
    oidc = await scenario.oidc_connection(connection["organization_id"])
    answer = await scenario.oidc_callback(browser, oidc)
    assert_safe(answer)
    assert answer.status == 302
    assert answer.body == b""
    assert_safe(await scenario.start(browser, connection_id=connection["connection_id"]))


def attributes(cookie: str) -> set[str]:
    return {part.strip().lower() for part in cookie.split(";")[1:]}


@pytest.mark.case("ST-22")
async def test_the_cookie_is_bound_to_this_host_and_out_of_reach_of_scripts(
    scenario: Scenario, connection: Connection
) -> None:
    browser = scenario.browser()
    answer = await scenario.start(browser, connection_id=connection["connection_id"])
    (cookie,) = answer.set_cookies
    name, _, value = cookie.partition(";")[0].partition("=")
    assert name.startswith("__Host-")
    assert len(value) == 43
    assert attributes(cookie) == {"httponly", "secure", "samesite=none", "path=/", "max-age=3600"}
    again = await scenario.start(browser, connection_id=connection["connection_id"])
    assert again.set_cookies == (cookie,)


@pytest.mark.case("ST-22")
async def test_on_plain_http_the_cookie_is_lax(scenario: Scenario, connection: Connection) -> None:
    settings = Settings(base_url="http://localhost:3000")
    local = await on_settings(scenario, settings)
    answer = await local.start(local.browser(), connection_id=connection["connection_id"])
    (cookie,) = answer.set_cookies
    assert not cookie.startswith("__Host-")
    assert attributes(cookie) == {"httponly", "samesite=lax", "path=/", "max-age=3600"}


async def on_settings(scenario: Scenario, settings: Settings) -> Scenario:
    """Return the same project on a server with other settings."""
    context = replace(scenario.context, settings=settings)
    app = App(context)
    api = Api(app, project_id=scenario.project.project_id, secret="secret-test-first")
    return Scenario(context, scenario.project, api, public_token=scenario.public_token)


@pytest.mark.case("ST-10", "ST-22")
@pytest.mark.parametrize(
    "planted", ["", "x", "A" * 42, "A" * 44, "\u00e9" * 43, '"' + "A" * 41 + '"']
)
async def test_a_cookie_that_cannot_be_ours_is_replaced(
    scenario: Scenario, connection: Connection, planted: str
) -> None:
    query = urlencode(
        {"public_token": scenario.public_token, "connection_id": connection["connection_id"]}
    )
    answer = await call(
        scenario.app,
        "GET",
        f"/v1/public/sso/start?{query}",
        headers={"cookie": f"__Host-vestibule-browser={planted}"},
    )
    (cookie,) = answer.set_cookies
    value = cookie.partition(";")[0].partition("=")[2]
    assert value != planted
    assert len(value) == 43


@pytest.mark.case("ST-10")
async def test_each_login_has_a_session_token_of_its_own(
    scenario: Scenario, connection: Connection
) -> None:
    tokens = [
        (await scenario.authenticate(await scenario.saml_token(connection)))["session_token"]
        for _ in range(3)
    ]
    assert len(set(tokens)) == 3


@pytest.mark.case("ST-14", "MT-17")
@pytest.mark.parametrize("known_by", ["registration", "address"])
async def test_a_member_deleted_during_the_login_is_not_revived(
    scenario: Scenario, connection: Connection, known_by: str
) -> None:
    organization_id = connection["organization_id"]
    if known_by == "registration":
        member = (await scenario.authenticate(await scenario.saml_token(connection)))["member"]
    else:
        path = f"/v1/b2b/organizations/{organization_id}/members"
        body = {"email_address": "ada@acme.test"}
        member = (await scenario.api.good("POST", path, body))["member"]
    token = await scenario.saml_token(connection)
    where = {"project_id": scenario.project.project_id, "member_id": member["member_id"]}
    async with scenario.context.store.write() as tx:
        # The deletion has begun and holds the member; the login begins, and has to wait for it.
        assert await tx.members.find(lock=True, **where) is not None
        login = asyncio.create_task(redeem(scenario, token))
        await asyncio.sleep(0.3)
        await tx.sessions.delete(**where)
        await tx.member_emails.delete(**where)
        await tx.registrations.delete(**where)
        await tx.members.change({"status": "deleted"}, **where)
    answer = await login
    assert answer.status == 200
    assert answer.json["member_id"] != member["member_id"]
    async with scenario.context.store.read() as tx:
        old = await tx.members.find(**where)
        assert old is not None
        assert old.status == "deleted"
        assert await tx.sessions.count(**where) == 0


async def test_a_refused_redemption_is_told_in_its_trace(
    scenario: Scenario, connection: Connection
) -> None:
    organization = f"/v1/b2b/organizations/{connection['organization_id']}"
    await scenario.api.good("PUT", organization, {"sso_jit_provisioning": "NOT_ALLOWED"})
    token = await scenario.saml_token(connection)
    (before,) = await traces(scenario)
    assert (before.outcome, before.side) == ("succeeded", "")
    for _ in range(2):
        refused = await scenario.api.bad("POST", PATH, {"sso_token": token})
        assert refused == (400, "invalid_connection_for_jit_provisioning")
    (after,) = await traces(scenario)
    assert after.trace_id == before.trace_id
    assert (after.outcome, after.reason, after.side) == (
        "failed",
        "invalid_connection_for_jit_provisioning",
        "vestibule",
    )
    assert after.steps[:-1] == before.steps
    assert after.steps[-1].name == "invalid_connection_for_jit_provisioning"
    assert not after.steps[-1].passed
    assert (await left(scenario)).members == 0
    # The admin allows it, and the same token works.
    await scenario.api.good("PUT", organization, {"sso_jit_provisioning": "ALL_ALLOWED"})
    await scenario.authenticate(token)
    (mended,) = await traces(scenario)
    assert (mended.outcome, mended.reason, mended.steps) == ("succeeded", "", before.steps)
