"""`vestibule audit`: what it prints, and that it ends with 1 when a chain is not whole."""

import asyncio
import csv
import io
import json
import os
import pwd
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.support.asgi import basic
from vestibule.cli.opened import opened
from vestibule.settings import read
from vestibule.store.interface import Transaction

FORMULA = "=cmd('calc')!A1"


def project(command: Command) -> dict[str, str]:
    return command.good("project", "create", "Acme")


def create(command: Command, made: dict[str, str], *, agent: str = "test") -> str:
    """Create an organization through the API; return its id."""
    headers = {
        "authorization": basic(made["project_id"], made["secret"]),
        "content-type": "application/json",
        "user-agent": agent,
    }
    body = b'{"organization_name": "Acme"}'
    answer = command.ask("POST", "/v1/b2b/organizations", headers, body)
    return str(answer.json["organization"]["organization_id"])


def change(command: Command, work: Callable[[Transaction], Awaitable[object]]) -> None:
    """Do something to the database behind the server's back."""

    async def run() -> None:
        async with (
            opened(read(command.environ), upgrade=False) as context,
            context.store.write() as tx,
        ):
            await work(tx)

    asyncio.run(run())


def cells(command: Command, project_id: str) -> list[dict[str, str]]:
    printed = command.run("audit", "export", project_id)
    assert printed.exit_code == 0, printed.output
    return list(csv.DictReader(io.StringIO(printed.stdout)))


def test_operator_is_named_in_what_a_command_does(command: Command) -> None:
    made = project(command)
    command.good("secret", "rotate", made["project_id"])
    lines = command.run("audit", "list", made["project_id"]).stdout.splitlines()
    name = pwd.getpwuid(os.getuid()).pw_name
    assert [line.split("  ")[1].split()[0] for line in lines] == [
        "project.create",
        "project.add_secret",
    ]
    assert all(line.endswith(f"by operator {name}") for line in lines)


def test_list_says_what_was_changed(command: Command) -> None:
    made = project(command)
    organization_id = create(command, made)
    command.good("organization", "suspend", made["project_id"], organization_id)
    printed = command.run("audit", "list", made["project_id"], "--organization", organization_id)
    first, second = printed.stdout.splitlines()
    wanted = f"organization.create {organization_id} (organization_name, organization_slug)"
    assert f"  {wanted}  by project_secret secret-test-" in first
    assert f"  organization.suspend {organization_id}  by operator " in second


@pytest.mark.case("AD-43")
def test_export_runs_no_formula(command: Command) -> None:
    made = project(command)
    create(command, made, agent=FORMULA)
    rows = cells(command, made["project_id"])
    assert [row["action"] for row in rows] == ["project.create", "organization.create"]
    assert rows[1]["user_agent"] == f"'{FORMULA}"
    assert rows[1]["changed"] == "organization_name organization_slug"


@pytest.mark.case("AD-43")
@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_export_prefixes_every_start_of_a_formula(command_on_sqlite: Command, start: str) -> None:
    made = project(command_on_sqlite)
    create(command_on_sqlite, made, agent=f"{start}1")
    assert cells(command_on_sqlite, made["project_id"])[1]["user_agent"] == f"'{start}1"


def test_export_as_json_has_what_the_hashes_are_made_of(command: Command) -> None:
    made = project(command)
    organization_id = create(command, made, agent=FORMULA)
    printed = command.run(
        "audit", "export", made["project_id"], "--format", "json", "--organization", organization_id
    )
    (event,) = map(json.loads, printed.stdout.splitlines())
    assert (event["action"], event["user_agent"]) == ("organization.create", FORMULA)
    assert {"previous_hash", "hash", "occurred_at", "sequence"} <= event.keys()


def test_verify_prints_where_each_chain_ends(command: Command) -> None:
    made = project(command)
    organization_id = create(command, made)
    result = command.run("audit", "verify")
    assert result.exit_code == 0
    lines = [line.split("  ") for line in result.stdout.splitlines()]
    assert [line[:3] for line in lines] == [
        [made["project_id"], "good", "1"],
        [organization_id, "good", "1"],
    ]
    assert all(len(bytes.fromhex(line[3])) == 32 for line in lines)


@pytest.mark.case("AD-43")
def test_verify_tells_of_a_chain_that_is_not_whole(command: Command) -> None:
    made = project(command)
    organization_id = create(command, made)
    change(
        command,
        lambda tx: tx.audit_events.change(
            {"actor_id": "somebody-else"}, organization_id=organization_id
        ),
    )
    result = command.run("audit", "verify")
    assert result.exit_code == 1
    assert (
        f"{organization_id}  BROKEN at number 1: it is not as it was written"
        in result.stdout.splitlines()
    )
    others = command.run("audit", "verify", "--organization", "")
    assert (others.exit_code, len(others.stdout.splitlines())) == (0, 1)


def commands_of(section: str) -> list[str]:
    """Return the commands of one section of the page for operators."""
    page = (Path(__file__).parents[2] / "docs/operating.md").read_text()
    text = page.partition(f"## {section}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_commands_of_the_operators_page_do_what_it_says(command_on_sqlite: Command) -> None:
    command = command_on_sqlite
    made = project(command)
    organization_id = create(command, made)
    headers = {
        "authorization": basic(made["project_id"], made["secret"]),
        "content-type": "application/json",
    }

    def ask(method: str, path: str, **body: Any) -> dict[str, Any]:
        target = f"/v1/b2b/organizations/{organization_id}/members{path}"
        answer = command.ask(method, target, headers, json.dumps(body).encode())
        assert answer.status == 200, answer.text
        return dict(answer.json)

    member = ask("POST", "", email_address="ada@acme.test", roles=["stytch_admin"])
    ask("PUT", f"/{member['member_id']}", roles=[])
    verified = command.run("audit", "verify", "--organization", organization_id).stdout
    names = {
        "PROJECT_ID": made["project_id"],
        "ORGANIZATION_ID": organization_id,
        "MEMBER_ID": member["member_id"],
        "REQUEST_ID": member["request_id"],
        "HASH": verified.split()[-1],
    }
    found = commands_of("The audit log") + commands_of("Who gave somebody a role")
    assert len(found) == 9
    environ = {
        **os.environ,
        **command.environ,
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
    }
    for line in found:
        words = re.sub(r"\b[A-Z]+(?:_ID)?\b", lambda name: names[name[0]], line)
        ran = subprocess.run(
            ["bash", "-o", "pipefail", "-c", words],
            cwd=command.folder, env=environ, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (ran.returncode, ran.stderr) == (0, ""), (line, ran)
        written = line.partition(" > ")[2]
        assert (command.folder / written).read_text() if written else ran.stdout, line


def test_verify_of_an_unknown_organization_is_an_error(command_on_sqlite: Command) -> None:
    result = command_on_sqlite.run("audit", "verify", "--organization", "organization-none")
    assert result.exit_code == 1
    assert "There is no audit log of organization-none." in result.output


@pytest.mark.case("AD-18")
def test_list_prints_one_line_whatever_an_event_says(command: Command) -> None:
    made = project(command)
    said = "ticket 7\n2026-11-22T00:00:00+00:00  organization.delete x  by nobody \x1b[2J"

    async def write(tx: Transaction) -> None:
        await tx.audit_events.change({"reason": said}, project_id=made["project_id"])

    change(command, write)
    printed = command.run("audit", "list", made["project_id"]).stdout
    (line,) = printed.splitlines()
    assert line.isprintable()
    assert "ticket 7\\n2026" in line
