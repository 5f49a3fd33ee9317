"""Documentation that cannot lag: generated pages, dependencies, commands and links."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.meta.source_tree import ROOT, files, relative
from vestibule.api.sso_settings import UpdateRequest

PAGES = files(".md")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def test_generated_pages_are_up_to_date() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    wanted = [*project["project"]["dependencies"], *(each for g in groups.values() for each in g)]
    names = sorted({re.split(r"[\[><=~!; ]", each, maxsplit=1)[0] for each in wanted})
    rows = re.findall(
        r"^\| `([a-z0-9-]+)` \| \S.* \|$", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE
    )
    assert sorted(rows) == names


def test_every_setting_of_a_connection_is_explained() -> None:
    fields = {*UpdateRequest.__struct_fields__} - {"organization_id", "connection_id"}
    rows = re.findall(r"^\| ([^|]*) \|", (ROOT / "docs/connections.md").read_text(), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == fields


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text())
    assert [each for each in targets if not (page.parent / each).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_named_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert (
        set(re.findall(r"(?:`|^|\s)make ([a-z-]+)`?$", page.read_text(), re.MULTILINE)) <= targets
    )


def test_changelog_fragments_have_a_known_kind() -> None:
    kinds = {"added", "changed", "fixed", "removed", "security"}
    names = [path.name for path in (ROOT / "changes").glob("*.md") if path.name != "README.md"]
    assert [name for name in names if name.split(".")[-2] not in kinds] == []
