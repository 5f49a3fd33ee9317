"""Transactions: all or nothing, one winner, and the same errors from both engines."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.full_records import full_record, insert_all, rows
from vestibule import records
from vestibule.store import interface
from vestibule.store.interface import (
    MEMBER,
    ORGANIZATION,
    PROJECT,
    SSO_TOKEN,
    TABLES,
    Conflict,
    ParentMissing,
    Store,
)
from vestibule.store.open import open_store
from vestibule.store.table import Table

AMY = records.Project(project_id="amy", environment="test", name="Amy", created_at=0)
BOB = records.Project(project_id="bob", environment="test", name="Bob", created_at=0)


@pytest.fixture
async def other_store(store: Store, database_url: str) -> AsyncIterator[Store]:
    """Return another node's store on the same database."""
    other = await open_store(database_url, connections=8)
    yield other
    await other.close()


async def add(store: Store, *projects: records.Project) -> None:
    async with store.write() as tx:
        for project in projects:
            await tx.projects.insert(project)


async def everything(store: Store) -> dict[str, int]:
    async with store.read() as tx:
        return {table.name: await rows(tx, table).count() for table in TABLES}


def test_transaction_has_every_table_under_its_name() -> None:
    tables = {
        name: attribute._table.name
        for name, attribute in vars(interface.Transaction).items()
        if isinstance(attribute, interface._In)
    }
    assert tables == {table.name: table.name for table in TABLES}


# All or nothing ------------------------------------------------------------------------------


async def test_block_that_raises_leaves_nothing(store: Store) -> None:
    async def add_and_fail() -> None:
        async with store.write() as tx:
            await tx.projects.insert(AMY)
            assert await tx.projects.count() == 1
            raise KeyError

    with pytest.raises(KeyError):
        await add_and_fail()
    assert await everything(store) == {table.name: 0 for table in TABLES}


async def test_cancelled_block_leaves_nothing_and_the_store_works_on(store: Store) -> None:
    inside = asyncio.Event()

    async def write_and_wait() -> None:
        async with store.write() as tx:
            await tx.projects.insert(AMY)
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(write_and_wait())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with store.write() as tx:
        assert await tx.projects.insert_if_absent(AMY)


async def test_uncommitted_rows_are_nobody_elses(store: Store, other_store: Store) -> None:
    async with store.write() as tx:
        await tx.projects.insert(AMY)
        async with store.read() as reader, other_store.read() as elsewhere:
            assert await reader.projects.count() == 0
            assert await elsewhere.projects.count() == 0
    async with other_store.read() as elsewhere:
        assert await elsewhere.projects.all() == [AMY]


async def test_read_sees_what_is_committed_meanwhile(store: Store) -> None:
    async with store.read() as reader:
        assert await reader.projects.count() == 0
        async with store.write() as tx:
            await tx.projects.insert(AMY)
        assert await reader.projects.count() == 1


async def test_transaction_is_over_after_an_error(store: Store) -> None:
    async def go_on_after_an_error() -> None:
        async with store.write() as tx:
            await tx.projects.insert(AMY)
            with pytest.raises(Conflict):
                await tx.projects.insert(AMY)
            await tx.projects.insert(BOB)

    with pytest.raises(RuntimeError, match="catch errors outside of its block"):
        await go_on_after_an_error()
    assert (await everything(store))["projects"] == 0


async def test_swallowed_error_does_not_commit(store: Store) -> None:
    async def swallow() -> None:
        async with store.write() as tx:
            await tx.projects.insert(AMY)
            with pytest.raises(Conflict):
                await tx.projects.insert(AMY)

    with pytest.raises(RuntimeError, match="catch errors outside of its block"):
        await swallow()
    assert (await everything(store))["projects"] == 0


async def test_store_works_on_after_a_conflict(store: Store) -> None:
    with pytest.raises(Conflict):
        await add(store, AMY, AMY)
    await add(store, AMY)
    assert (await everything(store))["projects"] == 1


KILLED_WRITER = """
import asyncio, os, signal, sys
from vestibule.records import Project
from vestibule.store.open import open_store

async def main():
    store = await open_store(sys.argv[1], connections=1)
    for number in range(1, 4):
        async with store.write() as tx:
            project = Project(project_id=str(number), environment="test", name="", created_at=0)
            await tx.projects.insert(project)
            if number == 3:
                os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_killed_process_leaves_what_it_committed(store: Store, database_url: str) -> None:
    killed = subprocess.run(  # noqa: ASYNC221 - nothing else runs here
        [sys.executable, "-c", KILLED_WRITER, database_url], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    async with store.write() as tx:
        assert [each.project_id for each in await tx.projects.all()] == ["1", "2"]
        await tx.projects.insert(AMY)


# One winner ----------------------------------------------------------------------------------


async def test_one_of_many_consumes_a_one_time_thing(store: Store, other_store: Store) -> None:
    async with store.write() as tx:
        await insert_all(tx, consumed_at=0)
    token_id = full_record(SSO_TOKEN).token_id

    async def consume(at: Store) -> int:
        async with at.write() as tx:
            return len(
                await tx.sso_tokens.change({"consumed_at": 7}, token_id=token_id, consumed_at=0)
            )

    results = await asyncio.gather(*(consume(at) for at in (store, other_store) * 20))
    assert sorted(results) == [0] * 39 + [1]


async def test_one_of_many_inserts(store: Store, other_store: Store) -> None:
    async def insert(at: Store, number: int) -> bool:
        async with at.write() as tx:
            return await tx.projects.insert_if_absent(replace(AMY, name=str(number)))

    stores = enumerate((store, other_store) * 10)
    results = await asyncio.gather(*(insert(at, number) for number, at in stores))
    assert sorted(results) == [False] * 19 + [True]
    async with store.read() as tx:
        (kept,) = await tx.projects.all()
    assert kept.name == str(results.index(True))


async def test_locked_rows_lose_no_update(store: Store, other_store: Store) -> None:
    async with store.write() as tx:
        await tx.projects.insert(AMY)

    async def increment(at: Store) -> None:
        async with at.write() as tx:
            found = await tx.projects.find(project_id="amy", lock=True)
            assert found is not None
            await asyncio.sleep(0)
            await tx.projects.update(replace(found, created_at=found.created_at + 1))

    await asyncio.gather(*(increment(at) for at in (store, other_store) * 10))
    async with store.read() as tx:
        (kept,) = await tx.projects.all()
    assert kept.created_at == 20


CONSUMER = """
import asyncio, json, sys
from vestibule.store.open import open_store

async def consume(store, number):
    async with store.write() as tx:
        return await tx.projects.change({"name": "consumed"}, project_id=str(number), name="fresh")

async def main():
    store = await open_store(sys.argv[1], connections=4)
    print("ready", flush=True)
    sys.stdin.readline()
    changed = await asyncio.gather(*(consume(store, number) for number in range(200)))
    await store.close()
    print(json.dumps([row.project_id for rows in changed for row in rows]))

asyncio.run(main())
"""


async def test_two_processes_share_without_overlap(store: Store, database_url: str) -> None:
    async with store.write() as tx:
        for number in range(200):
            await tx.projects.insert(replace(AMY, project_id=str(number), name="fresh"))
    processes = [
        subprocess.Popen(  # noqa: ASYNC220 - nothing else runs here
            [sys.executable, "-c", CONSUMER, database_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    consumed = [number for output in outputs for number in json.loads(output)]
    assert sorted(map(int, consumed)) == list(range(200))


# Errors --------------------------------------------------------------------------------------


ROOTS = {"projects", "data_keys"}
CONFLICTS: dict[str, tuple[Table[Any], dict[str, object]]] = {
    "projects.project_id": (PROJECT, {}),
    "public_tokens.public_token": (interface.PUBLIC_TOKEN, {}),
    "redirect_urls.url": (interface.REDIRECT_URL, {"login": False}),
    "organizations.organization_id": (
        ORGANIZATION,
        {"organization_slug": "new", "organization_external_id": "new"},
    ),
    "organizations.organization_slug": (
        ORGANIZATION,
        {"organization_id": "new", "organization_external_id": "new"},
    ),
    "organizations.organization_external_id": (
        ORGANIZATION,
        {"organization_id": "new", "organization_slug": "new"},
    ),
    "members.member_id": (MEMBER, {"external_id": "new"}),
    "members.external_id": (MEMBER, {"member_id": "new"}),
    "member_roles.role_id": (interface.MEMBER_ROLE, {}),
    "member_emails.email_id": (interface.MEMBER_EMAIL, {"email_key": "new"}),
    "member_emails.email_key": (interface.MEMBER_EMAIL, {"email_id": "new"}),
    "registrations.connection_id": (
        interface.REGISTRATION,
        {"registration_id": "new", "external_id": "new"},
    ),
    "replays.assertion_id": (interface.REPLAY, {"expires_at": 1}),
    "sso_tokens.token_id": (SSO_TOKEN, {}),
    "sign_ins.sign_in_id": (interface.SIGN_IN, {}),
    "logouts.logout_id": (interface.LOGOUT, {"request_id": "new"}),
    "sessions.token_id": (interface.SESSION, {"session_id": "new"}),
    "connections.connection_id": (interface.CONNECTION, {"external_connection_id": "new"}),
    "connections.external_connection_id": (interface.CONNECTION, {"connection_id": "new"}),
}


@pytest.mark.parametrize("column", CONFLICTS)
async def test_taken_value_is_a_conflict_that_names_its_column(store: Store, column: str) -> None:
    table, changes = CONFLICTS[column]
    async with store.write() as tx:
        await insert_all(tx)
    with pytest.raises(Conflict) as caught:
        async with store.write() as tx:
            await rows(tx, table).insert(full_record(table, **changes))
    assert caught.value.column == column


@pytest.mark.parametrize("column", CONFLICTS)
async def test_taken_value_is_not_inserted_again(store: Store, column: str) -> None:
    table, changes = CONFLICTS[column]
    async with store.write() as tx:
        await insert_all(tx)
        assert not await rows(tx, table).insert_if_absent(full_record(table, **changes))
        assert await rows(tx, table).count() == 1


async def test_same_identity_at_one_connection_is_a_conflict(store: Store) -> None:
    async with store.write() as tx:
        await insert_all(tx)
        await tx.members.insert(full_record(MEMBER, member_id="new", external_id=None))
    with pytest.raises(Conflict) as caught:
        async with store.write() as tx:
            await tx.registrations.insert(
                full_record(interface.REGISTRATION, registration_id="new", member_id="new")
            )
    assert caught.value.column == "registrations.external_id"


async def test_conflict_of_an_update_names_its_column(store: Store) -> None:
    async with store.write() as tx:
        await insert_all(tx)
        await tx.members.insert(full_record(MEMBER, member_id="new", external_id="new"))
    with pytest.raises(Conflict) as caught:
        async with store.write() as tx:
            await tx.members.update(full_record(MEMBER, member_id="new"))
    assert caught.value.column == "members.external_id"


async def test_domain_is_claimed_once_per_project_and_allowed_by_many(store: Store) -> None:
    other = full_record(
        ORGANIZATION, organization_id="o2", organization_slug="o2", organization_external_id=None
    )
    domain = full_record(interface.ORGANIZATION_DOMAIN, kind="allowed")
    async with store.write() as tx:
        await insert_all(tx)
        await tx.organizations.insert(other)
        await tx.organization_domains.insert(domain)
        await tx.organization_domains.insert(replace(domain, organization_id="o2"))
    with pytest.raises(Conflict) as caught:
        async with store.write() as tx:
            await tx.organization_domains.insert(
                replace(domain, organization_id="o2", kind="claimed")
            )
    assert caught.value.column == "organization_domains.domain"


async def test_many_members_have_no_external_id(store: Store) -> None:
    async with store.write() as tx:
        await insert_all(tx)
        for name in ("a", "b"):
            await tx.members.insert(full_record(MEMBER, member_id=name, external_id=None))
        assert await tx.members.count() == 3


@pytest.mark.parametrize(
    "table", [each for each in TABLES if each.name not in ROOTS], ids=lambda each: each.name
)
async def test_row_without_its_parent_is_refused(store: Store, table: Table[Any]) -> None:
    with pytest.raises(ParentMissing):
        async with store.write() as tx:
            await rows(tx, table).insert(full_record(table))


# What goes with what -------------------------------------------------------------------------


async def _left_after(store: Store, noun: str) -> set[str]:
    """Return the tables that still have a row after the one of `noun` has been deleted."""
    async with store.write() as tx:
        await insert_all(tx)
    assert set((await everything(store)).values()) == {1}
    async with store.write() as tx:
        table = next(each for each in TABLES if each.key[-1] == noun)
        assert await rows(tx, table).delete(**{noun: getattr(full_record(table), noun)}) == 1
    return {name for name, count in (await everything(store)).items() if count}


OF_THE_PROJECT = {
    "projects", "project_secrets", "public_tokens", "redirect_urls", "signing_keys", "outbox",
    "audit_events", "audit_heads", "trusted_token_profiles", "trusted_tokens",
    "sms_counts",
}  # fmt: skip


async def test_everything_goes_with_the_project(store: Store) -> None:
    assert await _left_after(store, "project_id") == {"data_keys"}


async def test_everything_of_an_organization_goes_with_it(store: Store) -> None:
    assert await _left_after(store, "organization_id") == {"data_keys", *OF_THE_PROJECT}


async def test_everything_of_a_member_goes_with_it(store: Store) -> None:
    assert await _left_after(store, "member_id") == {
        "data_keys", *OF_THE_PROJECT, "organizations", "organization_domains", "connections",
        "connection_keys", "metadata_feeds", "sign_ins", "sso_tokens", "replays", "traces",
        "logouts",
    }  # fmt: skip


async def test_everything_of_a_connection_but_its_traces_goes_with_it(store: Store) -> None:
    assert await _left_after(store, "connection_id") == {
        "data_keys", *OF_THE_PROJECT, "organizations", "organization_domains", "members",
        "member_roles", "member_emails", "email_updates", "totps", "recovery_codes", "sms_codes",
        "sessions", "intermediate_sessions", "traces", "impersonation_tokens",
    }  # fmt: skip
