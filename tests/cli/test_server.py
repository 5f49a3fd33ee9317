import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from tests.cli.conftest import Command, Process
from tests.support.scenario import Scenario
from vestibule.cli.server import listen, run

READY_SECONDS = 30.0


@contextmanager
def serving(command: Command) -> Iterator[tuple[Process, int]]:
    """Run `vestibule serve` on a free port until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = command.process("serve", environ={"VESTIBULE_PORT": str(port)})
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not answers(port) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        yield process, port
    finally:
        process.kill()
        process.communicate()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def test_serve_answers_and_has_nothing_of_development(command: Command) -> None:
    with serving(command) as (_, port):
        unauthorized = get(port, "/v1/b2b/organizations/acme")
        development = [
            get(port, f"/dev/{name}") for name in ("app", "idp", "mailbox", "clock", "sign-ins")
        ]
    assert (unauthorized[0], json.loads(unauthorized[1])["error_type"]) == (
        401,
        "unauthorized_credentials",
    )
    assert [(status, json.loads(body)["error_type"]) for status, body in development] == [
        (404, "route_not_found")
    ] * 5


def test_serve_ends_in_order_on_a_signal(command_on_sqlite: Command) -> None:
    with serving(command_on_sqlite) as (process, port):
        assert answers(port)
        os.kill(process.pid, signal.SIGTERM)
        _, written = process.communicate(timeout=READY_SECONDS)
    # 0: it came to its own end, with the database closed; not -SIGTERM.
    assert (process.returncode, written) == (0, "")


async def test_signal_while_getting_ready_ends_the_server(scenario: Scenario) -> None:
    async def ready() -> bool:
        os.kill(os.getpid(), signal.SIGTERM)
        return True

    before = signal.getsignal(signal.SIGTERM)
    async with asyncio.timeout(READY_SECONDS):
        await run(scenario.app, listen("127.0.0.1", 0), ready=ready)
    assert signal.getsignal(signal.SIGTERM) == before


def test_answers_are_not_held_back() -> None:
    listening = listen("127.0.0.1", 0)
    with listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_taken_address_ends_the_command_with_a_sentence(command_on_sqlite: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = command_on_sqlite.run("serve", environ={"VESTIBULE_PORT": str(port)})
    assert result.exit_code == 1
    assert result.stderr.startswith(
        f"Error: Cannot listen on 127.0.0.1:{port}: Address already in use"
    )
