import json
import os
import signal
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPSConnection
from urllib.parse import urlsplit

from tests.cli.conftest import Command, MakeCommand, Process
from tests.support.asgi import basic

PLACES = {
    "base_url",
    "project_id",
    "secret",
    "public_token",
    "dashboard_url",
    "test_idp_url",
    "demo_url",
    "mailbox_url",
    "ca_file",
}
START_CPU_SECONDS = 3.0


@contextmanager
def developing(command: Command, *words: str) -> Iterator[tuple[Process, dict[str, str]]]:
    """Run `vestibule dev --tls --json --port 0` until the block ends; give its one line."""
    process = command.process("dev", "--tls", "--json", "--port", "0", *words)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield process, json.loads(line)
    finally:
        process.kill()
        process.communicate()


def get(url: str, places: dict[str, str]) -> tuple[int, bytes]:
    """Visit a page over https, trusting only the authority that `dev` made."""
    parts = urlsplit(url)
    context = ssl.create_default_context(cafile=places["ca_file"])
    connection = HTTPSConnection(parts.hostname or "", parts.port, context=context, timeout=10)
    credentials = basic(places["project_id"], places["secret"])
    connection.request("GET", parts.path, headers={"Authorization": credentials})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def test_dev_prints_one_line_and_serves_what_it_names(
    make_command: MakeCommand, sqlite_url: str
) -> None:
    with developing(make_command(sqlite_url)) as (process, places):
        assert places.keys() == PLACES
        names = ("demo_url", "test_idp_url", "mailbox_url", "dashboard_url")
        assert {name: get(places[name], places)[0] for name in names} == dict.fromkeys(names, 200)
        status, body = get(f"{places['base_url']}/v1/b2b/organizations/acme", places)
        assert (status, json.loads(body)["organization"]["organization_slug"]) == (200, "acme")
        os.kill(process.pid, signal.SIGTERM)
        rest, written = process.communicate(timeout=30)
    assert (rest, "Traceback" in written) == ("", False)


def test_dev_starts_again_on_what_it_left(make_command: MakeCommand, sqlite_url: str) -> None:
    command = make_command(sqlite_url)
    url = "{base_url}/v1/b2b/sso/acme"
    with developing(command) as (_, places):
        first = json.loads(get(url.format(**places), places)[1])
    with developing(command) as (_, again):
        second = json.loads(get(url.format(**again), again)[1])
    fixed = ("project_id", "secret", "public_token", "ca_file")
    assert [places[name] for name in fixed] == [again[name] for name in fixed]
    assert len(first["saml_connections"]) == len(second["saml_connections"]) == 1


def test_dev_sends_browsers_to_ones_own_application(
    make_command: MakeCommand, sqlite_url: str
) -> None:
    command = make_command(sqlite_url)
    mine = "http://localhost:3000/authenticate"
    own = ("--redirect-url", "com.example.app://callback", "--redirect-url", mine)
    for _ in range(2):
        with developing(command, *own) as (_, places):
            pass
    key = {"VESTIBULE_MASTER_KEY_FILE": str(command.folder / "data" / "dev" / "master.key")}
    listed = command.run("redirect-url", "list", places["project_id"], environ=key)
    said = listed.stdout.splitlines()
    kinds = "login (default) signup (default) logout (default)"
    assert f"{mine}  {kinds}" in said
    assert "com.example.app://callback  login signup logout" in said
    assert sum("(default)" in line for line in said) == 1


def test_dev_says_what_is_wrong_with_a_redirect_url(
    make_command: MakeCommand, sqlite_url: str
) -> None:
    command = make_command(sqlite_url)
    process = command.process("dev", "--port", "0", "--redirect-url", "myapp://callback")
    told, complained = process.communicate(timeout=60)
    assert (process.returncode, told) == (1, "")
    assert "myapp://callback: Expected https, or for an application on a device" in complained


def test_dev_is_ready_with_little_work(make_command: MakeCommand, sqlite_url: str) -> None:
    # Ready within 3 s on a quiet machine; CPU seconds, as this one runs other tests beside.
    command = make_command(sqlite_url)
    process = command.process("dev", "--tls", "--json", "--port", "0")
    assert process.stdout is not None
    try:
        assert process.stdout.readline()
    finally:
        process.kill()
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = -signal.SIGKILL
        process.communicate()
    assert usage.ru_utime + usage.ru_stime < START_CPU_SECONDS


def test_demo_signs_in_twice_and_ends(command: Command) -> None:
    process = command.process("demo", environ={"DEMO_ONCE": "1"})
    told, complained = process.communicate(timeout=60)
    assert process.returncode == 0, complained
    steps = ("GET  /v1/public/sso/start", "POST /v1/b2b/sso/authenticate")
    assert [told.count(step) for step in steps] == [2, 2]
    assert told.count("Alice Adams <alice@example.com>") == 2
    assert ("SAML: " in told, "OpenID Connect: " in told) == (True, True)
