"""The import contracts hold, and each of them notices a breach."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.meta.source_tree import PACKAGE, ROOT

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

# What is wrong, and in which contract it has to be noticed.
BREACHES = [
    ("utils.py", "", "A module imports only from the layers below it"),
    ("domain/breach.py", "import vestibule.web", "A module imports only from the layers below it"),
    ("oidc/breach.py", "import vestibule.saml", "A module imports only from the layers below it"),
    ("dev/breach.py", "import vestibule.app", "A module imports only from the layers below it"),
    ("saml/breach.py", "import asyncio", "Protocol code does no I/O"),
    ("oidc/breach.py", "import vestibule.settings", "Protocol code does no I/O"),
    ("dev/breach.py", "import lxml.etree", "Only saml parses XML"),
    ("domain/breach.py", "import sqlite3", "Only store speaks to a database engine"),
    ("domain/breach.py", "import vestibule.store.sqlite", "Only app and cli choose"),
    ("api/breach.py", "import vestibule.api.sso", "Endpoint groups do not import one another"),
]


def lint_imports(source: Path) -> tuple[int, str]:
    """Run import-linter on a source folder; return its exit status and its words."""
    result = subprocess.run(
        [LINT_IMPORTS, "--no-cache", "--config", str(ROOT / ".importlinter")],
        cwd=source, env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return result.returncode, result.stdout + result.stderr


def test_contracts_hold() -> None:
    status, words = lint_imports(PACKAGE.parent)
    assert status == 0, words


@pytest.mark.parametrize(("module", "code", "contract"), BREACHES)
def test_breach_is_noticed(tmp_path: Path, module: str, code: str, contract: str) -> None:
    shutil.copytree(PACKAGE, tmp_path / "vestibule")
    (tmp_path / "vestibule" / module).write_text(code)
    status, words = lint_imports(tmp_path)
    assert status == 1
    assert any(line.startswith(contract) and "BROKEN" in line for line in words.splitlines()), words
