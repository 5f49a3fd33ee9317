"""Clients that ask too often or guess, from one address or pretending to be many."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import structlog

from tests.support.asgi import Answer, Api, basic, call
from tests.support.audit import events
from tests.support.context import BASE_URL, open_test_context
from tests.support.counting import CountingStore
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.scenario import Scenario, add_project, open_scenario
from tests.support.server_process import free_port
from vestibule.app import App
from vestibule.clock import MINUTE
from vestibule.counters import Counters, MemoryCounters, open_counters
from vestibule.domain import limits
from vestibule.settings import Settings
from vestibule.store.interface import Store
from vestibule.store.open import open_store

PATH = "/v1/b2b/rbac/policy"
SEARCH = "/v1/b2b/organizations/search"
PROXY = "10.0.0.1"
BEHIND_PROXY = Settings(base_url=BASE_URL, trusted_proxies="10.0.0.0/8")


@pytest.fixture
async def one_store(sqlite_url: str) -> AsyncIterator[Store]:
    store = await open_store(sqlite_url, connections=1)
    yield store
    await store.close()


@pytest.fixture
async def counted(
    one_store: Store, clock: HandClock, entropy: SeededEntropy, counters: Counters
) -> Scenario:
    """Return a scenario that counts in memory, then one that counts on a real server."""
    return await open_scenario(one_store, clock=clock, entropy=entropy, counters=counters)


@pytest.fixture
async def behind_proxy(one_store: Store, clock: HandClock, entropy: SeededEntropy) -> Scenario:
    return await open_scenario(one_store, clock=clock, entropy=entropy, settings=BEHIND_PROXY)


async def guess(
    scenario: Scenario, *, secret: str = "wrong", client: str = "192.0.2.7", forwarded: str = ""
) -> Answer:
    headers = {"authorization": basic(scenario.project.project_id, secret)}
    if forwarded:
        headers["x-forwarded-for"] = forwarded
    return await call(scenario.app, "GET", PATH, headers=headers, client=client)


async def refused(answer: Answer) -> bool:
    """Return whether it is the 429 of a limit; any other answer must be a plain 401."""
    if answer.status == 401:
        assert answer.json["error_type"] == "unauthorized_credentials"
        return False
    assert (answer.status, answer.json["error_type"]) == (429, "too_many_requests")
    assert answer.json["status_code"] == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    return True


def addresses(pattern: str) -> Iterator[str]:
    return (pattern.format(number) for number in range(limits.WRONG_SECRETS.requests + 1))


async def spray(scenario: Scenario, pattern: str, **options: str) -> bool:
    """Guess once more than allowed, from or for many addresses; tell if the last is refused."""
    last = False
    for address in addresses(pattern):
        given = {name: value.format(address) for name, value in options.items()}
        last = await refused(await guess(scenario, **({"client": address} | given)))
    return last


@pytest.mark.case("AD-10")
async def test_an_address_that_guesses_secrets_is_not_told_which_one_is_right(
    counted: Scenario,
) -> None:
    secret = "secret-test-first"
    with structlog.testing.capture_logs() as lines:
        for _ in range(limits.WRONG_SECRETS.requests):
            assert not await refused(await guess(counted))
    assert [(line["event"], line["limit"]) for line in lines] == [
        ("limit reached", "wrong_secrets")
    ]
    assert await refused(await guess(counted))
    assert await refused(await guess(counted, secret=secret))
    elsewhere = await guess(counted, secret=secret, client="192.0.2.8")
    assert elsewhere.status == 200
    counted.clock.advance(MINUTE)
    assert (await guess(counted, secret=secret)).status == 200


@pytest.mark.case("AD-10", verdict="holds")
async def test_guessed_secrets_are_told_of_once_in_a_window(counted: Scenario) -> None:
    before = len(await events(counted))
    for _ in range(2):
        for _ in range(limits.WRONG_SECRETS.requests + 5):
            await guess(counted)
        counted.clock.advance(MINUTE)
    written = (await events(counted, ""))[before:]
    assert [(each.action, each.actor_type, each.address) for each in written] == [
        ("project.refuse_secrets", "visitor", "192.0.2.7")
    ] * 2
    assert all(each.request_id.startswith("request-id-") for each in written)
    # At a project that does not exist there is nothing to tell of.
    for _ in range(limits.WRONG_SECRETS.requests):
        headers = {"authorization": basic("project-test-none", "guess")}
        await call(counted.app, "GET", PATH, headers=headers)
    assert len(await events(counted)) == before + 2


async def test_guesses_at_one_project_do_not_keep_another_one_out(counted: Scenario) -> None:
    other = await add_project(counted.app, counted.context, name="other")
    for _ in range(limits.WRONG_SECRETS.requests):
        await guess(counted)
    assert await refused(await guess(counted))
    assert (await other.api.call("GET", PATH)).status == 200


async def test_right_secrets_are_not_counted_as_guesses(counted: Scenario) -> None:
    for _ in range(2 * limits.WRONG_SECRETS.requests):
        assert (await guess(counted, secret="secret-test-first")).status == 200
    assert not await refused(await guess(counted))


@pytest.mark.case("AD-11")
async def test_invented_forwarded_addresses_change_nothing(counted: Scenario) -> None:
    assert await spray(counted, "198.51.100.{}", client="192.0.2.7", forwarded="{}")


@pytest.mark.case("AD-11")
async def test_walking_through_an_ipv6_network_changes_nothing(counted: Scenario) -> None:
    assert await spray(counted, "2001:db8:1:2:{0:x}::{0:x}")
    assert not await refused(await guess(counted, client="2001:db8:1:3::1"))


@pytest.mark.case("AD-11")
async def test_invented_addresses_before_the_one_a_proxy_saw_change_nothing(
    behind_proxy: Scenario,
) -> None:
    spoofed = "{}, 198.51.100.1"
    assert await spray(behind_proxy, "203.0.113.{}", client=PROXY, forwarded=spoofed)
    other = await guess(behind_proxy, client=PROXY, forwarded="198.51.100.2")
    assert not await refused(other)


async def test_clients_of_a_trusted_proxy_are_told_apart(behind_proxy: Scenario) -> None:
    assert not await spray(behind_proxy, "198.51.100.{}", client=PROXY, forwarded="{}")


@pytest.mark.case("AD-12", verdict="holds", reason="too_many_requests")
async def test_two_nodes_share_the_limit_of_guesses_and_of_requests(
    one_store: Store, clock: HandClock, counting_url: str
) -> None:
    counters = [open_counters(counting_url) for _ in range(2)]
    first = await open_scenario(
        one_store, clock=clock, entropy=SeededEntropy(1), counters=counters[0]
    )
    context = await open_test_context(
        one_store,
        clock=clock,
        entropy=SeededEntropy(2),
        fetch=first.fetch,
        counters=counters[1],
    )
    project_id = first.project.project_id
    second_api = Api(App(context), project_id=project_id, secret="secret-test-first")
    second = Scenario(context, first.project, second_api, public_token=first.public_token)
    both = (first, second)
    searches = [await both[n % 2].api.call("POST", SEARCH, {}) for n in range(100)]
    assert {each.status for each in searches} == {200}
    assert [await each.api.bad("POST", SEARCH, {}) for each in both] == [
        (429, "too_many_requests")
    ] * 2
    wrong = [await guess(both[n % 2]) for n in range(limits.WRONG_SECRETS.requests)]
    assert {each.status for each in wrong} == {401}
    assert [await refused(await guess(each)) for each in both] == [True, True]
    for each in counters:
        await each.close()


@pytest.mark.case("AD-12", verdict="holds", reason="too_many_requests for guesses alone")
async def test_without_the_counting_server_the_api_answers_and_a_guesser_is_shut_out(
    one_store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    counters = open_counters(f"valkey://127.0.0.1:{free_port()}")
    scenario = await open_scenario(one_store, clock=clock, entropy=entropy, counters=counters)
    assert (await scenario.api.call("POST", SEARCH, {})).status == 200
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    assert (await scenario.authenticate(await scenario.saml_token(connection)))["session_token"]
    assert await refused(await guess(scenario, client="198.51.100.1"))
    right = await guess(scenario, secret="secret-test-first", client="198.51.100.1")
    assert await refused(right)
    assert (await scenario.api.call("GET", PATH)).status == 200
    await counters.close()


# Each kind of endpoint --------------------------------------------------------------------------


class Nearly:
    """Counters that have already counted all but the last request of every limit but guesses."""

    def __init__(self) -> None:
        self.by_name = {limit.name: limit.requests for limit in limits.ALL if not limit.guess}
        self.only = ""
        self._counters = MemoryCounters()

    async def add(self, key: str, *, now: int, ends: int) -> int:
        name = key.partition(":")[0]
        before = self.by_name[name] - 1 if name == self.only else 0
        return before + await self._counters.add(key, now=now, ends=ends)

    async def close(self) -> None:
        await self._counters.close()


def use_up(scenario: Scenario, nearly: Nearly, limit: limits.Limit) -> None:
    """Leave one request of `limit`, in a window that nothing has been counted in."""
    nearly.only = limit.name
    scenario.clock.advance(MINUTE)


@pytest.fixture
def nearly() -> Nearly:
    return Nearly()


@pytest.fixture
async def almost(
    one_store: Store, clock: HandClock, entropy: SeededEntropy, nearly: Nearly
) -> Scenario:
    return await open_scenario(one_store, clock=clock, entropy=entropy, counters=nearly)


@pytest.mark.parametrize(
    ("limit", "method", "path"),
    [
        (limits.API, "GET", PATH),
        (limits.ORGANIZATION, "GET", "/v1/b2b/organizations/{organization_id}"),
        (limits.ORGANIZATION_SEARCH, "POST", SEARCH),
        (limits.MEMBER_SEARCH, "POST", "/v1/b2b/organizations/members/search"),
    ],
)
async def test_calls_of_a_project_beyond_a_limit_are_refused(
    almost: Scenario, nearly: Nearly, limit: limits.Limit, method: str, path: str
) -> None:
    organization = await almost.organization()
    target = path.format(**organization)
    body = {"organization_ids": [organization["organization_id"]]} if method == "POST" else None
    use_up(almost, nearly, limit)
    assert (await almost.api.call(method, target, body)).status == 200
    assert await refused(await almost.api.call(method, target, body))


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/b2b/totp/authenticate", {"code": "123456"}),
        ("/v1/b2b/recovery_codes/recover", {"recovery_code": "abcd-efgh-ijkl"}),
    ],
)
async def test_codes_of_second_factors_are_limited_for_each_member(
    counted: Scenario, path: str, code: dict[str, str]
) -> None:
    def guess_of(member: str) -> dict[str, str]:
        token = {"intermediate_session_token": "none"}
        return {"organization_id": "acme", "member_id": member, **token, **code}

    for _ in range(limits.MFA_GUESSES.requests):
        assert await counted.api.bad("POST", path, guess_of("ada")) == (
            404,
            "organization_not_found",
        )
    assert await refused(await counted.api.call("POST", path, guess_of("ada")))
    assert (await counted.api.bad("POST", path, guess_of("grace")))[0] == 404


async def test_organizations_do_not_use_up_each_others_limit(
    almost: Scenario, nearly: Nearly
) -> None:
    first, second = [await almost.organization(name) for name in ("Acme", "Umbrella")]
    use_up(almost, nearly, limits.ORGANIZATION)
    for organization in (first, second):
        path = f"/v1/b2b/organizations/{organization['organization_id']}"
        assert (await almost.api.call("GET", path)).status == 200
        assert await refused(await almost.api.call("GET", path))


async def test_requests_that_cannot_be_read_count_too(almost: Scenario, nearly: Nearly) -> None:
    use_up(almost, nearly, limits.API)
    body = {"cursor": 1}
    assert (await almost.api.bad("POST", SEARCH, body))[0] == 400
    assert await refused(await almost.api.call("POST", SEARCH, body))


async def test_discovery_from_one_address_is_limited_whatever_the_token(
    almost: Scenario, nearly: Nearly
) -> None:
    use_up(almost, nearly, limits.PUBLIC)
    path = "/sdk/v1/b2b/sso/discovery/connections?email_address=ada@acme.test"
    for client in ("192.0.2.7", "192.0.2.8"):
        wrong = {"authorization": basic("public-token-test-none", "x")}
        first = await call(almost.app, "GET", path, headers=wrong, client=client)
        assert not await refused(first)
        assert await refused(await call(almost.app, "GET", path, headers=wrong, client=client))


async def test_pages_of_other_origins_are_limited_before_anything_is_read(
    almost: Scenario, nearly: Nearly
) -> None:
    store = CountingStore(almost.context.store)
    app = App(replace(almost.context, store=store))
    path = "/sdk/v1/b2b/sso/discovery/connections"
    asked = {"origin": "https://app.example.test", "access-control-request-method": "GET"}
    wrong = {"authorization": basic("public-token-test-none", "x")}
    for method in ("OPTIONS", "GET"):
        use_up(almost, nearly, limits.CROSS_ORIGIN)
        assert (await call(app, "OPTIONS", path, headers=asked)).status == 204
        store.taken()
        beyond = await call(app, method, path, headers={**wrong, **asked})
        assert await refused(beyond)
        assert (store.taken(), "access-control-allow-origin" in beyond.headers) == (0, False)
        assert not await refused(await call(app, "GET", path, headers=wrong))
        assert (await call(app, "OPTIONS", path, headers=asked, client="192.0.2.8")).status == 204


def test_a_preflight_before_each_call_takes_no_call_away() -> None:
    assert limits.CROSS_ORIGIN.requests > 2 * limits.PUBLIC.requests


@pytest.mark.parametrize("limit", [limits.PAGES, limits.START, limits.CALLBACK])
async def test_browsers_beyond_a_limit_see_the_plain_page(
    almost: Scenario, nearly: Nearly, limit: limits.Limit
) -> None:
    organization = await almost.organization()
    connection = await almost.saml_connection(organization["organization_id"])
    other = await almost.saml_connection(
        organization["organization_id"], idp_entity_id="https://other.example.com"
    )
    use_up(almost, nearly, limit)
    paths = [
        f"/v1/public/sso/start?connection_id={each['connection_id']}"
        if limit is limits.START
        else f"/v1/b2b/sso/callback/{each['connection_id']}"
        for each in (connection, other)
    ]
    within = 400 if limit is limits.START else 405
    browser = almost.browser()
    assert (await browser.get(paths[0])).status == within
    answer = await browser.get(paths[0])
    assert answer.status == 429
    assert "too_many_requests" in answer.text
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert (await browser.get(paths[1])).status == (429 if limit is limits.PAGES else within)
