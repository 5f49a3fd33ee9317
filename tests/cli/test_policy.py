import json
from pathlib import Path

from tests.cli.conftest import Command
from tests.domain.test_project_policies import POLICY


def test_policy_is_set_and_shown(command: Command, tmp_path: Path) -> None:
    project_id = command.good("project", "create", "Acme")["project_id"]
    nothing = command.run("policy", "show", project_id)
    assert json.loads(nothing.stdout) == {"roles": [], "resources": []}
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(POLICY))
    said = command.run("policy", "set", project_id, str(file))
    assert said.stdout == f"{project_id} has 1 roles of its own.\n"
    shown = command.run("policy", "show", project_id)
    assert json.loads(shown.stdout) == POLICY


def test_file_that_is_no_policy_ends_the_command_with_a_sentence(
    command: Command, tmp_path: Path
) -> None:
    project_id = command.good("project", "create", "Acme")["project_id"]
    file = tmp_path / "policy.json"
    for text, said in (
        ("{", "Error: The policy cannot be read: "),
        ('{"resources": [{"resource_id": "stytch.x", "actions": ["y"]}]}', "Error: resource_id: "),
    ):
        file.write_text(text)
        refused = command.run("policy", "set", project_id, str(file))
        assert refused.exit_code == 1
        assert refused.stderr.startswith(said)
