import json
from pathlib import Path

from tests.cli.conftest import Command
from tests.domain.test_trusted_tokens import GOOD


def test_profiles_are_added_listed_and_removed(command: Command, tmp_path: Path) -> None:
    project_id = command.good("project", "create", "Acme")["project_id"]
    file = tmp_path / "profile.json"
    file.write_text(json.dumps(GOOD))
    profile_id = command.good("trusted-token", "add", project_id, str(file))["profile_id"]
    listed = command.run("trusted-token", "list", project_id)
    assert listed.stdout == f"{profile_id}  https://tokens.example.com  vestibule  Ours\n"
    removed = command.run("trusted-token", "remove", project_id, profile_id)
    assert removed.stdout == f"{profile_id} is removed.\n"
    again = command.run("trusted-token", "remove", project_id, profile_id)
    assert again.stderr == "Error: No trusted token profile has this profile_id.\n"
    assert command.run("trusted-token", "list", project_id).stdout == ""


def test_file_that_is_no_profile_ends_the_command_with_a_sentence(
    command: Command, tmp_path: Path
) -> None:
    project_id = command.good("project", "create", "Acme")["project_id"]
    file = tmp_path / "profile.json"
    file.write_text(json.dumps({**GOOD, "jwks_url": ""}))
    result = command.run("trusted-token", "add", project_id, str(file))
    assert result.exit_code == 1
    assert result.stderr == "Error: Either jwks_url or public_keys is needed.\n"
    missing = command.run("trusted-token", "add", project_id, str(tmp_path / "none.json"))
    assert missing.exit_code == 2
