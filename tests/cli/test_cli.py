import subprocess
import sys
from importlib.metadata import version

from tests.cli.conftest import Command


def test_help_lists_the_commands(command_on_sqlite: Command) -> None:
    result = command_on_sqlite.run("--help")
    assert result.exit_code == 0
    for name in ("serve", "dev", "demo", "migrate", "project", "settings", "openapi"):
        assert f"\n  {name} " in result.stdout


def test_module_runs_as_the_command() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "vestibule", "--version"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert result.stdout.strip().endswith(version("vestibule"))
