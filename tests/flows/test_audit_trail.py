"""Every change writes exactly what the audit log has to say of it, and nothing else writes it."""

from typing import Any

import pytest
from msgspec.structs import asdict

from tests.support.asgi import Answer
from tests.support.audit import checked, events
from tests.support.audited_calls import REFUSED, Event, Prepared, Stage, stage_of
from tests.support.audited_sso_calls import CALLS
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.every_endpoint import (
    READS,
    authorization_of,
    full_body,
    needs_the_secret_alone,
    path_of,
)
from tests.support.hooked_store import HookedStore
from tests.support.scenario import Scenario, open_scenario
from vestibule.api.endpoint import Endpoint
from vestibule.api.groups import endpoints
from vestibule.permissions import Permission
from vestibule.records import AuditEvent
from vestibule.store.interface import TABLES, Store
from vestibule.store.table import Rows

BY_NAME = {endpoint.operation_id: endpoint for endpoint in endpoints()}
FOR_MEMBERS = sorted(
    name
    for name, endpoint in BY_NAME.items()
    if isinstance(endpoint.access, Permission)
    and name in CALLS
    and not needs_the_secret_alone(endpoint)
)
AGENT = "Product/1.0"
# The document is read between two transactions; only the second one changes the connection.
TWO_TRANSACTIONS = {"sso.settings.metadata.refresh"}


@pytest.fixture
def hooked(store: Store) -> HookedStore:
    return HookedStore(store)


@pytest.fixture
async def stage(hooked: HookedStore, clock: HandClock, entropy: SeededEntropy) -> Stage:
    return await stage_of(await open_scenario(hooked, clock=clock, entropy=entropy))


async def send(
    stage: Stage, endpoint: Endpoint, prepared: Prepared, headers: dict[str, str] | None = None
) -> Answer:
    """Make the call, in nobody's name but the application's unless `headers` say so."""
    path = path_of(endpoint, prepared.path)
    if endpoint.operation_id == "sdk.sso.discover_connections":
        path += "?email_address=ada@acme.test"
    body = None if endpoint.method in READS else prepared.body
    credentials = authorization_of(endpoint, stage.scenario)
    sent = {**credentials, "user-agent": AGENT, **(headers or {})}
    return await stage.scenario.api.call(endpoint.method, path, body, headers=sent)


async def everything(store: Store) -> dict[str, list[Any]]:
    """Return all rows of all tables."""
    async with store.read() as tx:
        return {table.name: await Rows(table, tx.executor).all() for table in TABLES}


def told(event: AuditEvent, stage: Stage) -> Event:
    """Return what an event says beside who did it and from where."""
    own = event.organization_id == stage.organization_id
    return Event(
        event.action, event.object_id, event.member_id, "" if own else event.organization_id
    )


def expected(prepared: Prepared, answer: Answer, stage: Stage) -> list[Event]:
    """Return the events that must have been written, in the order of `_order`."""
    found = prepared.events(answer.json)
    own = [
        Event(each.action, each.object_id, each.member_id)
        if each.organization_id == stage.organization_id
        else each
        for each in found
    ]
    return sorted(own, key=_order)


def _order(event: Event) -> tuple[str, ...]:
    return event.organization_id, event.action, event.object_id


async def new_events(stage: Stage, before: list[AuditEvent]) -> list[AuditEvent]:
    known = {(event.organization_id, event.sequence) for event in before}
    return [
        event
        for event in await events(stage.scenario)
        if (event.organization_id, event.sequence) not in known
    ]


@pytest.mark.case("AD-43")
@pytest.mark.parametrize("name", sorted(CALLS))
async def test_endpoint_writes_what_it_changed_and_no_more(
    stage: Stage, hooked: HookedStore, name: str
) -> None:
    endpoint = BY_NAME[name]
    prepared = await CALLS[name](stage)
    before, stored = await events(stage.scenario), await everything(hooked)
    hooked.commits = 0
    answer = await send(stage, endpoint, prepared)
    assert answer.status == 200, answer.text
    commits = hooked.commits
    written = await new_events(stage, before)
    assert sorted((told(event, stage) for event in written), key=_order) == expected(
        prepared, answer, stage
    )
    for event in written:
        by_us = event.action != "connection.sever"
        assert event.actor_type == ("project_secret" if by_us else "system")
        assert event.actor_id == ("secret-id-first" if by_us else "")
        assert event.address == ("192.0.2.7" if by_us else "")
        assert event.user_agent == (AGENT if by_us else "")
        assert event.request_id == answer.json["request_id"]
        assert event.occurred_at == stage.scenario.clock.now()
        assert (await checked(stage.scenario, event.organization_id)).problem == ""
    if written:
        # So the change and its event are one, and none can be without the other.
        assert commits == (2 if name in TWO_TRANSACTIONS else 1)
    elif name != "sessions.authenticate":
        assert await everything(hooked) == stored


@pytest.mark.case("AD-43")
@pytest.mark.parametrize("name", sorted(CALLS))
async def test_failing_commit_leaves_neither_change_nor_event(
    stage: Stage, hooked: HookedStore, name: str
) -> None:
    endpoint = BY_NAME[name]
    prepared = await CALLS[name](stage)
    hooked.commits = 0
    before = await everything(hooked)
    with hooked.refusing_commits():
        answer = await send(stage, endpoint, prepared)
    if hooked.commits:
        assert (answer.status, answer.json["error_type"]) == (503, "server_unavailable")
    else:
        assert answer.status == 200, answer.text
    assert await everything(hooked) == before
    assert (await send(stage, endpoint, prepared)).status == 200
    assert bool(hooked.commits) == (await everything(hooked) != before)


@pytest.mark.case("AD-43")
@pytest.mark.parametrize("name", FOR_MEMBERS)
async def test_event_names_the_member_who_acts(stage: Stage, name: str) -> None:
    token = await stage.door.token(subject="admin", email="admin@acme.test")
    # Some calls are made ready for on the next day.
    admin = await stage.scenario.authenticate(token, session_duration_minutes=3 * 1440)
    path = f"/v1/b2b/organizations/{stage.organization_id}/members/{admin['member_id']}"
    await stage.give(path, roles=["stytch_admin"])
    endpoint = BY_NAME[name]
    prepared = await CALLS[name](stage)
    before = await events(stage.scenario)
    headers = {"x-stytch-member-session": admin["session_token"]}
    answer = await send(stage, endpoint, prepared, headers)
    assert answer.status == 200, answer.text
    written = await new_events(stage, before)
    assert len(written) == len(prepared.events(answer.json))
    for event in written:
        by_admin = event.action != "connection.sever"
        session_id = admin["member_session"]["member_session_id"]
        assert (
            asdict(event).items()
            >= {
                "actor_type": "member_session" if by_admin else "system",
                "actor_id": admin["member_id"] if by_admin else "",
                "actor_session_id": session_id if by_admin else "",
                "request_id": answer.json["request_id"],
            }.items()
        )


@pytest.mark.case("AD-43")
async def test_refused_calls_write_nothing(scenario: Scenario) -> None:
    organization = await scenario.organization()
    before = await events(scenario)
    taken = {"organization_name": "Acme", "organization_slug": organization["organization_slug"]}
    answered = set()
    for name, endpoint in BY_NAME.items():
        body = taken if name == "organizations.create" else full_body(endpoint)
        sent = None if endpoint.method in READS else body
        path = path_of(endpoint, {"organization_id": "none"})
        for headers in ({}, {"authorization": ""}, {"x-stytch-member-session": "none"}):
            with_credentials = {**authorization_of(endpoint, scenario), **headers}
            answer = await scenario.api.call(endpoint.method, path, sent, headers=with_credentials)
            if answer.status == 200:
                answered.add(name)
    assert await events(scenario) == before
    # What says nothing of an organization, or needs no credentials.
    assert answered == {
        "debug.whoami", "organizations.members.search", "organizations.search",
        "project.metrics", "rbac.policy",
    }  # fmt: skip


@pytest.mark.case("AD-43")
async def test_endpoints_of_what_is_not_there_write_nothing(stage: Stage) -> None:
    ada = await stage.ada()
    before = await events(stage.scenario)
    for name in REFUSED:
        answer = await send(stage, BY_NAME[name], Prepared(ada.who, full_body(BY_NAME[name])))
        assert 400 <= answer.status < 500, (name, answer.text)
    assert await events(stage.scenario) == before


def test_every_endpoint_has_its_call() -> None:
    """A new endpoint needs a row: a call that succeeds, and the events that it writes."""
    assert CALLS.keys().isdisjoint(REFUSED)
    assert CALLS.keys() | REFUSED == BY_NAME.keys()
