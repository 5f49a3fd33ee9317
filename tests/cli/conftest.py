"""The command `vestibule` as an operator runs it: in a folder, with an environment."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.asgi import Answer, call
from vestibule.app import App
from vestibule.cli import main
from vestibule.cli.opened import opened
from vestibule.settings import read

VESTIBULE = str(Path(sys.executable).with_name("vestibule"))


Process = subprocess.Popen[str]


class Command:
    """Runs `vestibule` with a database and a master key of the test's own."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        self.environ = {
            "VESTIBULE_DATABASE": database,
            "VESTIBULE_MASTER_KEY_FILE": str(folder / "master.key"),
        }

    def run(self, *words: str, typed: str = "", environ: Mapping[str, str] | None = None) -> Result:
        """Run it in this process, with what a person types."""
        given = {**self.environ, **(environ or {})}
        return CliRunner().invoke(main, words, input=typed, env=given)

    def good(self, *words: str, typed: str = "") -> dict[str, str]:
        """Run what must succeed; return the lines it prints as names and values."""
        result = self.run(*words, typed=typed)
        assert result.exit_code == 0, result.output
        return dict(line.split(maxsplit=1) for line in result.stdout.splitlines() if " " in line)

    def process(self, *words: str, environ: Mapping[str, str] | None = None) -> Process:
        """Start it as a process of its own; standard output and standard error are pipes."""
        return subprocess.Popen(
            [VESTIBULE, *words],
            cwd=self.folder,
            env={**os.environ, **self.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Send one request to a server on this database, in this process."""

        async def work() -> Answer:
            async with opened(read(self.environ), upgrade=False) as context:
                return await call(App(context), method, target, headers=headers, body=body)

        return asyncio.run(work())


MakeCommand = Callable[[str], Command]


@pytest.fixture
def make_command(tmp_path: Path) -> MakeCommand:
    return lambda database: Command(tmp_path, database)


@pytest.fixture
def command(make_command: MakeCommand, database_url: str) -> Command:
    """On a migrated, empty database, one engine after the other."""
    return make_command(database_url)


@pytest.fixture
def command_on_sqlite(make_command: MakeCommand, sqlite_url: str) -> Command:
    return make_command(sqlite_url)
