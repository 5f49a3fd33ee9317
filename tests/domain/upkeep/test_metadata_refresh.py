"""Metadata in the background: offered, taken where a connection says so, and never lost."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from tests.support.determinism import HandClock, SeededEntropy
from tests.support.metadata_host import FedConnection, MetadataHost, fed_connection
from tests.support.saml_keys import signer
from tests.support.saml_metadata import ENTITY_ID, REDIRECT_SSO
from tests.support.scenario import Scenario, open_scenario
from vestibule.clock import DAY, HOUR, MINUTE
from vestibule.domain.upkeep.metadata_refresh import refresh_due
from vestibule.store.open import open_store

OLD, NEW, THIRD = (signer(name).pem for name in ("idp", "idp2", "idp3"))


@pytest.fixture
async def fed(scenario: Scenario) -> FedConnection:
    return await fed_connection(scenario, MetadataHost(scenario.fetch))


async def trusting(fed: FedConnection) -> FedConnection:
    await fed.put_settings(trust_metadata_certificates=True)
    return fed


async def test_unchanged_metadata_is_asked_for_by_its_version(fed: FedConnection) -> None:
    shown = await fed.refresh()
    assert fed.host.sent == [200, 304]
    assert fed.scenario.fetch.tenants[-1] == fed.organization_id
    assert (shown["url"], shown["last_error"], shown["offer"]) == (fed.host.url, "", None)
    assert await fed.announced() == []


async def test_nothing_is_read_before_it_is_due(fed: FedConnection) -> None:
    for wait in (0, HOUR, 3 * HOUR):
        fed.scenario.clock.advance(wait)
        await refresh_due(fed.scenario.context)
    assert fed.host.asked == 1
    fed.scenario.clock.advance(3 * HOUR)
    await refresh_due(fed.scenario.context)
    assert fed.host.asked == 2
    await refresh_due(fed.scenario.context)
    assert fed.host.asked == 2


# Offers --------------------------------------------------------------------------------------


@pytest.mark.case("OP-15", verdict="holds")
async def test_new_certificate_is_offered_and_not_trusted(fed: FedConnection) -> None:
    fed.host.publish("idp", "idp2")
    offer = (await fed.refresh())["offer"]
    assert [each["certificate"] for each in offer["certificates_added"]] == [NEW]
    assert (offer["changes"], offer["certificates_removed"], offer["caution"]) == ([], [], [])
    assert await fed.certificates() == [OLD]
    assert await fed.announced() == [
        (
            "connection.metadata_offered",
            {
                "connection_id": fed.connection_id,
                "url": fed.host.url,
                "digest": offer["digest"],
                "fields": [],
                "added": 1,
                "removed": 0,
            },
        )
    ]


async def test_offer_is_announced_once(fed: FedConnection) -> None:
    for month in ("10", "11", "12"):
        # Another version of the document, with the same certificates.
        fed.host.publish("idp", "idp2", attributes=f' validUntil="2026-{month}-01T00:00:00Z"')
        await fed.refresh()
    assert fed.host.sent == [200] * 4
    assert len(await fed.announced()) == 1
    fed.host.publish("idp", "idp2", "idp3")
    await fed.refresh()
    assert len(await fed.announced()) == 2


@pytest.mark.case("SP-68", verdict="refused", reason="entity_id, sso_host")
async def test_other_entity_and_address_are_held_with_a_caution(fed: FedConnection) -> None:
    await trusting(fed)
    fed.host.publish("idp", entity_id="https://evil.test", sso_url="https://evil.test/sso")
    offer = (await fed.refresh())["offer"]
    assert offer["changes"] == [
        {"field": "idp_entity_id", "current": ENTITY_ID, "offered": "https://evil.test"},
        {"field": "idp_sso_url", "current": REDIRECT_SSO, "offered": "https://evil.test/sso"},
    ]
    assert offer["caution"] == ["entity_id", "sso_host"]
    connection = await fed.connection()
    assert (connection["idp_entity_id"], connection["idp_sso_url"]) == (ENTITY_ID, REDIRECT_SSO)


@pytest.mark.case("SP-68", verdict="refused", reason="all_signing_keys")
async def test_certificates_replaced_all_at_once_are_held(fed: FedConnection) -> None:
    await trusting(fed)
    fed.host.publish("idp2")
    offer = (await fed.refresh())["offer"]
    assert offer["caution"] == ["all_signing_keys"]
    assert [each["certificate"] for each in offer["certificates_removed"]] == [OLD]
    assert await fed.certificates() == [OLD]


@pytest.mark.case("OP-14", verdict="refused", reason="metadata")
async def test_metadata_that_lost_its_keys_is_a_failure(fed: FedConnection) -> None:
    await trusting(fed)
    fed.host.publish()
    shown = await fed.refresh()
    assert shown["last_error"] == "The metadata has no signing certificate any more."
    assert shown["offer"] is None
    assert await fed.certificates() == [OLD]


async def test_what_a_person_entered_since_is_not_offered_back(fed: FedConnection) -> None:
    path = f"/v1/b2b/sso/saml/{fed.organization_id}/connections/{fed.connection_id}"
    await fed.scenario.api.good("PUT", path, {"idp_sso_url": "https://proxy.example.com/sso"})
    assert (await fed.refresh())["offer"] is None
    fed.host.publish("idp", "idp2")
    offer = (await fed.refresh())["offer"]
    assert (offer["changes"], len(offer["certificates_added"])) == ([], 1)


async def test_other_entity_entered_by_hand_ends_the_feed(fed: FedConnection) -> None:
    path = f"/v1/b2b/sso/saml/{fed.organization_id}/connections/{fed.connection_id}"
    await fed.scenario.api.good("PUT", path, {"idp_entity_id": "https://other.example.com"})
    assert (await fed.scenario.api.good("GET", fed.path))["metadata"] is None
    fed.scenario.clock.advance(DAY)
    await refresh_due(fed.scenario.context)
    assert fed.host.asked == 1


# Taken without asking ------------------------------------------------------------------------


@pytest.mark.case("OP-15", verdict="accepted")
async def test_trusted_metadata_rolls_a_certificate_over(fed: FedConnection) -> None:
    await trusting(fed)
    fed.host.publish("idp", "idp2")
    assert (await fed.refresh())["offer"] is None
    assert await fed.certificates() == [OLD, NEW]
    fed.host.publish("idp2")
    assert (await fed.refresh())["offer"] is None
    assert await fed.certificates() == [NEW]
    assert [(kind, said["added"], said["removed"]) for kind, said in await fed.announced()] == [
        ("connection.metadata_applied", 1, 0),
        ("connection.metadata_applied", 0, 1),
    ]


async def test_certificate_added_by_hand_is_not_removed(fed: FedConnection) -> None:
    await trusting(fed)
    path = f"/v1/b2b/sso/saml/{fed.organization_id}/connections/{fed.connection_id}"
    await fed.scenario.api.good("PUT", path, {"x509_certificate": THIRD})
    fed.host.publish("idp", "idp2")
    await fed.refresh()
    fed.host.publish("idp2")
    await fed.refresh()
    assert await fed.certificates() == [THIRD, NEW]


async def test_trusted_metadata_does_not_move_the_login_page(fed: FedConnection) -> None:
    await trusting(fed)
    moved = "https://idp.example.com/sso/new"
    fed.host.publish("idp", "idp2", sso_url=moved)
    offer = (await fed.refresh())["offer"]
    assert [each["offered"] for each in offer["changes"]] == [moved]
    assert (await fed.connection())["idp_sso_url"] == REDIRECT_SSO
    assert await fed.certificates() == [OLD, NEW]


async def test_sixth_certificate_waits_for_a_person(fed: FedConnection) -> None:
    await trusting(fed)
    fed.host.publish("idp", *(f"idp{number}" for number in range(2, 7)))
    offer = (await fed.refresh())["offer"]
    assert len(offer["certificates_added"]) == 5
    assert await fed.certificates() == [OLD]
    path = f"{fed.path}/metadata/accept"
    answer = await fed.scenario.api.call("POST", path, {"digest": offer["digest"]})
    assert answer.json["error_type"] == "too_many_sso_verification_certificates"
    key_id = (await fed.connection())["verification_certificates"][0]["certificate_id"]
    assert answer.json["error_message"] == (
        "A connection has at most 5 certificates: remove 1 of these first, the one that expires "
        f"first is named first: {key_id}."
    )
    assert await fed.certificates() == [OLD]


# Failures ------------------------------------------------------------------------------------


def break_host(host: MetadataHost, how: str) -> None:
    match how:
        case "gone":
            host.gone = True
        case "500":
            host.status = 500
        case "html":
            host.body = b"<html><body>Log in</body></html>"
        case "empty":
            host.body = b""
        case "old":
            host.publish("idp", attributes=' validUntil="2020-01-01T00:00:00Z"')


@pytest.mark.case("OP-13", verdict="holds")
@pytest.mark.parametrize("how", ["gone", "500", "html", "empty", "old"])
async def test_failure_keeps_what_was_taken_last(fed: FedConnection, how: str) -> None:
    await trusting(fed)
    before = await fed.connection()
    good = await fed.shown()
    break_host(fed.host, how)
    for _ in range(4):
        shown = await fed.refresh()
        assert shown["last_error"]
        assert shown["last_fetched_at"] == good["last_fetched_at"]
    assert await fed.connection() == before
    ((kind, said),) = await fed.announced()
    assert (kind, said["failures"]) == ("connection.metadata_failing", 4)
    assert (said["error"], said["last_fetched_at"]) == (
        shown["last_error"],
        good["last_fetched_at"],
    )
    fed.host.gone, fed.host.status = False, 200
    fed.host.publish("idp")
    shown = await fed.refresh()
    assert (shown["last_error"], shown["last_fetched_at"]) == ("", shown["last_tried_at"])


@pytest.mark.case("OP-13", verdict="holds")
async def test_failing_host_is_asked_less_and_less(fed: FedConnection) -> None:
    fed.host.gone = True
    tries: list[int] = []
    for quarter in range(4 * 48):
        fed.scenario.clock.advance(15 * MINUTE)
        before = fed.host.asked
        await refresh_due(fed.scenario.context)
        tries += [quarter] * (fed.host.asked - before)
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert gaps == sorted(gaps)
    assert gaps[0] <= 2
    assert gaps[-1] >= 4 * 12


@pytest.mark.case("SP-67", verdict="holds")
async def test_metadata_that_runs_out_keeps_its_keys_and_says_so(scenario: Scenario) -> None:
    host = MetadataHost(scenario.fetch)
    host.publish("idp", attributes=' validUntil="2026-03-06T12:00:00Z"')
    fed = await fed_connection(scenario, host)
    assert (await fed.shown())["valid_until"] == "2026-03-06T12:00:00Z"
    shown = await fed.refresh()
    # The version is the same as ever, yet it is asked for whole: unchanged is not valid again.
    assert host.sent == [200, 200]
    assert "expected a validUntil in the future" in shown["last_error"]
    assert await fed.certificates() == [OLD]


async def test_deleted_connection_takes_its_feed_along(fed: FedConnection) -> None:
    await fed.scenario.api.good(
        "DELETE", f"/v1/b2b/sso/{fed.organization_id}/connections/{fed.connection_id}"
    )
    fed.scenario.clock.advance(DAY)
    await refresh_due(fed.scenario.context)
    assert fed.host.asked == 1


async def test_connection_changed_while_its_metadata_is_read_wins(fed: FedConnection) -> None:
    await trusting(fed)
    host, other = fed.host, MetadataHost(fed.scenario.fetch, url="https://other.example.com/m.xml")
    path = f"/v1/b2b/sso/saml/{fed.organization_id}/connections/{fed.connection_id}"
    answer = fed.scenario.fetch.answers[host.url]

    async def slowly(method: str, url: str, body: bytes) -> Any:
        await fed.scenario.api.good("PUT", f"{path}/url", {"metadata_url": other.url})
        return await answer(method, url, body)

    fed.scenario.fetch.answers[host.url] = slowly
    host.publish("idp", "idp2")
    shown = await fed.refresh()
    assert (shown["url"], shown["offer"]) == (other.url, None)
    assert await fed.certificates() == [OLD]


# Many ----------------------------------------------------------------------------------------


@pytest.mark.case("SR-15", verdict="holds")
async def test_many_feeds_spread_out_and_are_read_a_few_at_a_time(scenario: Scenario) -> None:
    organization_id = (await scenario.organization())["organization_id"]
    hosts = []
    at_once = most = 0
    for number in range(20):
        host = MetadataHost(scenario.fetch, url=f"https://idp{number}.example.com/m.xml")
        host.publish("idp", entity_id=f"https://idp{number}.example.com")
        hosts.append(host)
        await fed_connection(scenario, host, organization_id=organization_id)
        answer = scenario.fetch.answers[host.url]

        async def counted(method: str, url: str, body: bytes, *, answer: Any = answer) -> Any:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0)
            at_once -= 1
            return await answer(method, url, body)

        scenario.fetch.answers[host.url] = counted
    async with scenario.context.store.read() as tx:
        due = [feed.due_at for feed in await tx.metadata_feeds.all()]
    assert len(set(due)) == 20
    assert max(due) - min(due) > 30 * MINUTE
    scenario.clock.advance(DAY)
    await refresh_due(scenario.context)
    assert {host.asked for host in hosts} == {2}
    assert 1 < most <= 8


async def test_two_nodes_read_each_document_once(
    scenario: Scenario, database_url: str, clock: HandClock
) -> None:
    organization_id = (await scenario.organization())["organization_id"]
    hosts = [
        MetadataHost(scenario.fetch, url=f"https://idp{number}.example.com/m.xml")
        for number in range(10)
    ]
    fed = []
    for number, host in enumerate(hosts):
        host.publish("idp", entity_id=f"https://idp{number}.example.com")
        fed.append(await fed_connection(scenario, host, organization_id=organization_id))
        host.publish("idp", "idp2", entity_id=f"https://idp{number}.example.com")
    store = await open_store(database_url, connections=8)
    other = await open_scenario(store, clock=clock, entropy=SeededEntropy(1), name="other")
    other.fetch.answers = scenario.fetch.answers
    other.fetch.headers = scenario.fetch.headers
    clock.advance(DAY)
    await asyncio.gather(refresh_due(scenario.context), refresh_due(other.context))
    await store.close()
    assert [host.asked for host in hosts] == [2] * 10
    assert len(await fed[0].announced()) == 10


async def test_one_bad_document_does_not_hold_up_the_others(scenario: Scenario) -> None:
    organization_id = (await scenario.organization())["organization_id"]
    bad = MetadataHost(scenario.fetch)
    await fed_connection(scenario, bad, organization_id=organization_id)
    hosts = []
    for number in range(18):
        host = MetadataHost(scenario.fetch, url=f"https://idp{number}.example.com/m.xml")
        host.publish("idp", entity_id=f"https://idp{number}.example.com")
        hosts.append(host)
        await fed_connection(scenario, host, organization_id=organization_id)

    async def fault(_method: str, _url: str, _body: bytes) -> Any:
        raise ZeroDivisionError

    scenario.fetch.answers[bad.url] = fault
    scenario.clock.advance(DAY)
    with pytest.raises(ZeroDivisionError):
        await refresh_due(scenario.context)
    assert {host.asked for host in hosts} == {2}
