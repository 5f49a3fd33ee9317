"""Every command that changes something writes what it did, in the operator's name."""

import json
import os
import pwd
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from tests.cli.conftest import Command
from tests.domain.test_project_policies import POLICY
from tests.domain.test_trusted_tokens import GOOD
from tests.support.asgi import basic
from vestibule.cli import main

URL = "https://app.example.test/authenticate"
OTHER_URL = "https://app.example.test/other"
OF_PROJECT, OF_ORGANIZATION = ("PROJECT",), ("PROJECT", "ORGANIZATION")
OF_MEMBER = (*OF_ORGANIZATION, "MEMBER")
AS = ("--as", "support@vestibule.test", "--reason", "Ticket 7")

# Each command with its arguments, in an order in which all of them succeed, and its events.
COMMANDS: dict[tuple[str, ...], list[tuple[tuple[str, ...], list[str]]]] = {
    ("redirect-url", "add"): [
        ((*OF_PROJECT, URL), ["project.add_redirect_url"]),
        ((*OF_PROJECT, OTHER_URL), ["project.add_redirect_url"]),
    ],
    ("redirect-url", "list"): [(OF_PROJECT, [])],
    ("redirect-url", "default"): [((*OF_PROJECT, OTHER_URL), ["project.set_default_redirect_url"])],
    ("redirect-url", "remove"): [((*OF_PROJECT, URL), ["project.remove_redirect_url"])],
    ("project", "set"): [
        ((*OF_PROJECT, "--impersonation"), ["project.set_impersonation"]),
        ((*OF_PROJECT, "--self-serve-unlock"), ["project.set_self_serve_unlock"]),
        (
            (*OF_PROJECT, "--session-migration-url", "https://legacy.example.com/userinfo"),
            ["project.set_session_migration"],
        ),
    ],
    ("organization", "suspend"): [(OF_ORGANIZATION, ["organization.suspend"])],
    ("organization", "resume"): [(OF_ORGANIZATION, ["organization.resume"])],
    ("secret", "rotate"): [(OF_PROJECT, ["project.add_secret"])],
    ("secret", "keep-only"): [
        ((*OF_PROJECT, "--secret", "SECRET"), ["project.remove_secret"]),
        ((*OF_PROJECT, "--secret", "SECRET"), []),
    ],
    ("key", "rotate"): [(OF_PROJECT, ["project.rotate_key"])],
    ("impersonate",): [((*OF_MEMBER, *AS), ["member.impersonate"])],
    ("member", "roles"): [(OF_MEMBER, [])],
    ("member", "unlock"): [(OF_MEMBER, [])],
    ("policy", "set"): [((*OF_PROJECT, "POLICY"), ["project.set_policy"])],
    ("policy", "show"): [(OF_PROJECT, [])],
    ("trusted-token", "add"): [((*OF_PROJECT, "PROFILE"), ["project.add_trusted_tokens"])],
    ("trusted-token", "list"): [(OF_PROJECT, [])],
    ("trusted-token", "remove"): [((*OF_PROJECT, "PROFILE_ID"), ["project.remove_trusted_tokens"])],
    ("trace", "list"): [(OF_ORGANIZATION, [])],
    ("audit", "verify"): [((), [])],
    ("audit", "list"): [(OF_PROJECT, [])],
    ("audit", "export"): [(OF_PROJECT, [])],
    ("migrate",): [((), [])],
    ("settings",): [((), [])],
    ("openapi",): [((), [])],
    ("project", "create"): [(("Another",), ["project.create"])],
}
# They run servers, read a file of the operator's, or need a sign-in; what happens in a server is
# told of by `tests/flows/test_audit_trail.py`.
ELSEWHERE = {
    ("serve",), ("dev",), ("demo",), ("saml", "explain"), ("saml", "lint"), ("trace", "show"),
}  # fmt: skip


def names(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command."""
    for name, each in group.commands.items():
        if isinstance(each, click.Group):
            yield from names(each, (*before, name))
        else:
            yield (*before, name)


def log(command: Command, known: Mapping[str, str]) -> list[str]:
    """Return action and actor of every event of all projects there are."""
    lines = []
    for project_id in {*known.values()}:
        if project_id.startswith("project-"):
            lines += command.run("audit", "list", project_id).stdout.splitlines()
    return lines


@pytest.mark.case("AD-43")
def test_each_command_writes_what_it_changed(command: Command, tmp_path: Path) -> None:
    made = command.good("project", "create", "Acme")
    headers = {
        "authorization": basic(made["project_id"], made["secret"]),
        "content-type": "application/json",
    }
    for path, body in (
        ("/v1/b2b/organizations", {"organization_name": "Acme"}),
        (
            "/v1/b2b/organizations/acme/members",
            {"email_address": "ada@acme.test", "external_id": "ada"},
        ),
    ):
        answer = command.ask("POST", path, headers, json.dumps(body).encode())
        assert answer.status == 200, answer.text
    member_id = answer.json["member_id"]
    known = {"PROJECT": made["project_id"], "ORGANIZATION": "acme", "MEMBER": member_id}
    for name, content in (("POLICY", POLICY), ("PROFILE", GOOD)):
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(content))
        known[name] = str(file)
    operator = f"by operator {pwd.getpwuid(os.getuid()).pw_name}"
    for words, runs in COMMANDS.items():
        for arguments, actions in runs:
            before = log(command, known)
            result = command.run(*words, *(known.get(each, each) for each in arguments))
            assert result.exit_code == 0, (words, result.output)
            for line in result.stdout.splitlines():
                name, _, value = line.partition("  ")
                known |= {name.upper(): value.strip()} if name in {"secret", "profile_id"} else {}
                known |= {"OTHER": value.strip()} if name == "project_id" else {}
            after = log(command, known)
            new = [line for line in after if line not in before]
            assert [line.split("  ")[1].split()[0] for line in new] == actions, words
            assert all(line.endswith(operator) for line in new), new


def test_every_command_is_in_the_table() -> None:
    assert {*names(main)} == COMMANDS.keys() | ELSEWHERE
