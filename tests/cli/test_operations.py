from pathlib import Path

import pytest

from tests.cli.conftest import Command, MakeCommand
from tests.support.asgi import basic
from vestibule.dev import credentials

ORGANIZATION = "/v1/b2b/organizations/acme"


def status(command: Command, project_id: str, secret: str) -> int:
    """Return what the API answers when it is asked for an organization that does not exist."""
    credentials = {"authorization": basic(project_id, secret)}
    return command.ask("GET", ORGANIZATION, credentials).status


def key_ids(command: Command, project_id: str) -> list[str]:
    answer = command.ask("GET", f"/v1/b2b/sessions/jwks/{project_id}")
    return [key["kid"] for key in answer.json["keys"]]


@pytest.mark.case("AD-49")
@pytest.mark.parametrize(("flags", "kind"), [((), "test"), (("--live",), "live")])
def test_project_create_prints_credentials_that_work(
    command: Command, flags: tuple[str, ...], kind: str
) -> None:
    made = command.good("project", "create", "Acme", *flags)
    assert made.keys() == {"project_id", "secret", "public_token"}
    assert made["project_id"].startswith(f"project-{kind}-")
    assert made["public_token"].startswith(f"public-token-{kind}-")
    assert status(command, made["project_id"], made["secret"]) == 404
    assert status(command, made["project_id"], "secret-of-somebody-else") == 401


@pytest.mark.case("AD-49", verdict="holds")
def test_credentials_are_printed_once_and_are_nobody_elses_default(command: Command) -> None:
    first, second = [command.good("project", "create", name) for name in ("Acme", "Beta")]
    assert not set(first.values()) & set(second.values())
    assert len(first["secret"]) >= 43
    project_id, secret = first["project_id"], first["secret"]
    later = [
        command.run(*words).output
        for words in (
            ("settings",),
            ("secret", "rotate", project_id),
            ("key", "rotate", project_id),
            ("redirect-url", "add", project_id, "https://app.example.test/"),
            ("project", "create", "Gamma"),
            ("audit", "verify"),
        )
    ]
    files = [file.read_bytes() for file in command.folder.rglob("*") if file.is_file()]
    assert all(secret not in said for said in later)
    assert all(secret.encode() not in content for content in files)
    # What `vestibule dev` prints for everybody is known to no other server.
    assert status(command, credentials.PROJECT_ID, credentials.SECRET) == 401


def test_secret_rotate_keeps_the_old_secret_until_it_is_ended(command: Command) -> None:
    made = command.good("project", "create", "Acme")
    project_id, old = made["project_id"], made["secret"]
    new = command.good("secret", "rotate", project_id)["secret"]
    assert [status(command, project_id, each) for each in (old, new)] == [404, 404]

    kept = command.run("secret", "keep-only", project_id, typed=f"{new}\n")
    assert kept.exit_code == 0
    assert "1 secrets ended." in kept.stdout
    assert new not in kept.output
    assert [status(command, project_id, each) for each in (old, new)] == [401, 404]


def test_secret_keep_only_refuses_a_secret_that_is_not_one(command: Command) -> None:
    made = command.good("project", "create", "Acme")
    refused = command.run("secret", "keep-only", made["project_id"], typed="wrong\n")
    assert refused.exit_code == 1
    assert status(command, made["project_id"], made["secret"]) == 404


def test_key_rotate_publishes_a_second_key(command: Command) -> None:
    project_id = command.good("project", "create", "Acme")["project_id"]
    before = key_ids(command, project_id)
    rotated = command.run("key", "rotate", project_id)
    after = key_ids(command, project_id)
    assert (len(before), len(after)) == (1, 2)
    (added,) = set(after) - set(before)
    assert rotated.stdout.startswith(f"{added} is published and signs from ")


def test_project_set_says_where_sessions_come_from(command: Command) -> None:
    project_id = command.good("project", "create", "Acme")["project_id"]
    words = ("project", "set", project_id, "--session-migration-url")
    url = "https://legacy.example.com/userinfo"
    assert command.run(*words, url).stdout == f"Sessions are taken over from {url}.\n"
    assert command.run(*words, "").stdout == "No sessions are taken over.\n"
    refused = command.run(*words, "ftp://legacy.example.com")
    assert refused.exit_code == 1
    assert refused.stderr == "Error: session_migration_url: expected an https URL.\n"


def test_impersonate_prints_a_token_where_the_project_allows_it(command: Command) -> None:
    made = command.good("project", "create", "Acme")
    headers = {
        "authorization": basic(made["project_id"], made["secret"]),
        "content-type": "application/json",
    }
    path = "/v1/b2b/organizations"
    command.ask("POST", path, headers, b'{"organization_name": "Acme"}')
    body = b'{"email_address": "ada@acme.test", "external_id": "ada"}'
    command.ask("POST", f"{path}/acme/members", headers, body)
    words = ("impersonate", made["project_id"], "acme", "ada", "--as", "support@example.com")
    refused = command.run(*words, "--reason", "Ticket 7")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: Nobody may be impersonated in this project")
    said = [
        command.run("project", "set", made["project_id"], f"--{switch}impersonation").stdout
        for switch in ("", "no-", "")
    ]
    assert said == [
        "Members may be impersonated.\n",
        "Members may not be impersonated.\n",
        "Members may be impersonated.\n",
    ]
    assert command.run(*words).exit_code == 2
    token = command.good(*words, "--reason", "Ticket 7")["impersonation_token"]
    body = f'{{"impersonation_token": "{token}"}}'.encode()
    answer = command.ask("POST", "/v1/b2b/impersonation/authenticate", headers, body)
    assert answer.status == 200, answer.text


def test_project_set_says_who_may_end_a_lock(command: Command) -> None:
    words = ("project", "set", command.good("project", "create", "Acme")["project_id"])
    said = [command.run(*words, f"--{switch}self-serve-unlock").stdout for switch in ("", "no-")]
    assert said == [
        "Members who are locked out may end that by their letter's link.\n",
        "Members who are locked out may not end that by their letter's link.\n",
    ]


def test_project_set_wants_something_to_change(command: Command) -> None:
    project_id = command.good("project", "create", "Acme")["project_id"]
    refused = command.run("project", "set", project_id)
    assert refused.exit_code == 2
    assert "Give a setting to change." in refused.stderr


def test_organization_suspend_and_resume_say_what_they_did(command: Command) -> None:
    made = command.good("project", "create", "Acme")
    words = [
        command.run("organization", verb, made["project_id"], "acme")
        for verb in ("suspend", "resume")
    ]
    unknown = "Error: No Organization with this id, slug or external id exists.\n"
    assert [each.stderr for each in words] == [unknown, unknown]
    headers = {
        "authorization": basic(made["project_id"], made["secret"]),
        "content-type": "application/json",
    }
    body = b'{"organization_name": "Acme"}'
    answer = command.ask("POST", "/v1/b2b/organizations", headers, body)
    organization_id = answer.json["organization"]["organization_id"]
    suspended = command.run("organization", "suspend", made["project_id"], "acme")
    assert suspended.stdout == (
        f"{organization_id} is suspended; no login and no session of it is accepted.\n"
    )
    resumed = command.run("organization", "resume", made["project_id"], organization_id)
    assert resumed.stdout == f"{organization_id} is open again.\n"


@pytest.mark.parametrize(
    "words",
    [
        ("secret", "rotate"),
        ("organization", "suspend", "acme"),
        ("organization", "resume", "acme"),
        ("key", "rotate"),
        ("project", "set", "--session-migration-url", "https://legacy.example.com/"),
        ("redirect-url", "add", "https://app.example.com/callback"),
    ],
)
def test_unknown_project_ends_the_command_with_a_sentence(
    command: Command, words: tuple[str, ...]
) -> None:
    group, verb, *rest = words
    result = command.run(group, verb, "project-test-unknown", *rest)
    assert (result.exit_code, result.stderr) == (1, "Error: No project has this id.\n")


def test_migrate_makes_the_database_and_may_run_again(
    make_command: MakeCommand, tmp_path: Path
) -> None:
    command = make_command(f"sqlite:{tmp_path / 'new.db'}")
    before = command.run("project", "create", "Acme")
    first, second = command.run("migrate"), command.run("migrate")
    assert "The database is not up to date: run `vestibule migrate`." in before.stderr
    assert {first.stdout, second.stdout} == {"The database is up to date.\n"}
    assert command.run("project", "create", "Acme").exit_code == 0


@pytest.mark.parametrize("words", [("migrate",), ("project", "create", "Acme"), ("serve",)])
def test_unreachable_database_ends_the_command_with_a_sentence(
    make_command: MakeCommand, words: tuple[str, ...]
) -> None:
    # Nothing listens on port 1.
    command = make_command("postgresql://user:hunter2@127.0.0.1:1/vestibule")
    result = command.run(*words)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The database cannot be reached: ")
    assert "hunter2" not in result.output
