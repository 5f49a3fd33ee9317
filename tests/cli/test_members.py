import json
import re

from tests.cli.conftest import Command
from tests.support.asgi import basic


def test_member_roles_says_where_each_role_comes_from(command: Command) -> None:
    made = command.good("project", "create", "Acme")
    headers = {
        "authorization": basic(made["project_id"], made["secret"]),
        "content-type": "application/json",
    }
    assignment = {"domain": "acme.test", "role_id": "stytch_admin"}
    organization = {
        "organization_name": "Acme",
        "rbac_email_implicit_role_assignments": [assignment],
    }
    for path, body in (
        ("/v1/b2b/organizations", organization),
        (
            "/v1/b2b/organizations/acme/members",
            {"email_address": "ada@acme.test", "external_id": "ada", "roles": ["stytch_admin"]},
        ),
    ):
        answer = command.ask("POST", path, headers, json.dumps(body).encode())
        assert answer.status == 200, answer.text
    said = command.run("member", "roles", made["project_id"], "acme", "ada")
    time, who = r"(20\d\d-[0-9T:-]+Z)", r"project_secret secret-test-\S+ request-id-test-\S+"
    given = f"since {time}  given {time} by {who}"
    for line, wanted in zip(
        said.stdout.splitlines(),
        (
            f"stytch_member  direct_assignment  since {time}",
            f"stytch_admin  direct_assignment  {given}",
            f"stytch_admin  email_assignment  email_domain=acme.test  {given}",
        ),
        strict=True,
    ):
        assert re.fullmatch(wanted, line), line
    unknown = command.run("member", "roles", made["project_id"], "acme", "eve")
    assert (unknown.exit_code, unknown.stdout) == (1, "")


def test_member_unlock_says_what_it_did(command: Command) -> None:
    made = command.good("project", "create", "Acme")
    headers = {
        "authorization": basic(made["project_id"], made["secret"]),
        "content-type": "application/json",
    }
    path = "/v1/b2b/organizations"
    command.ask("POST", path, headers, b'{"organization_name": "Acme"}')
    body = b'{"email_address": "ada@acme.test", "external_id": "ada"}'
    command.ask("POST", f"{path}/acme/members", headers, body)
    words = ("member", "unlock", made["project_id"], "acme")
    assert command.run(*words, "ada").stdout == "The member is not locked out.\n"
    unknown = command.run(*words, "eve")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
