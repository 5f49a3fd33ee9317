"""The linter's bans hold: one reader each of time, randomness and the environment."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.meta.source_tree import ROOT

RUFF = Path(sys.executable).with_name("ruff")


def banned(code: str, filename: str) -> list[str]:
    """Return what ruff's TID251 says of this code, were it in that file."""
    result = subprocess.run(
        [RUFF, "check", "--quiet", "--no-cache", "--select", "TID251", "--output-format", "concise",
         "--stdin-filename", filename, "-"],
        input=code, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.stderr == ""
    return result.stdout.splitlines()


CLOCK = "from datetime import datetime as dt, UTC\nNOW = dt.now(UTC)\n"
ENTROPY = "import secrets\nTOKEN = secrets.token_bytes(8)\n"
ENVIRONMENT = "import os\nHOME = os.environ['HOME']\n"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (CLOCK, "only clock.py reads the clock"),
        ("import time\nNOW = time.time()\n", "only clock.py reads the clock"),
        (ENTROPY, "only ids.py reads randomness"),
        ("import os\nTOKEN = os.urandom(8)\n", "only ids.py reads randomness"),
        ("import uuid\nNEW = uuid.uuid4()\n", "only ids.py makes ids"),
        (ENVIRONMENT, "only settings.py reads the environment"),
        ("from xml.etree import ElementTree\n", "is the only XML parser"),
    ],
)
def test_reading_the_outside_is_refused_in_the_domain(code: str, message: str) -> None:
    found = banned(code, "src/vestibule/domain/members.py")
    assert found, code
    assert all(message in line for line in found)


@pytest.mark.parametrize(
    ("code", "door"),
    [(CLOCK, "clock.py"), (ENTROPY, "ids.py"), (ENVIRONMENT, "settings.py")],
)
def test_reading_the_outside_is_allowed_at_its_door(code: str, door: str) -> None:
    assert banned(code, f"src/vestibule/{door}") == []


def test_wall_clock_is_refused_in_tests() -> None:
    assert "wall-clock" in banned(CLOCK, "tests/domain/test_members.py")[0]
