"""What is in this project's tree: its files, its Python functions, its Markdown pages."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "vestibule"
TESTS = ROOT / "tests"
NOT_OURS = {"build", "data", "dist", "node_modules", "__pycache__"}


class Function(NamedTuple):
    """A function or method and how many lines it takes, decorators not counted."""

    place: str
    lines: int


def files(suffix: str) -> tuple[Path, ...]:
    """Return every file of ours with this suffix, in order."""
    found: list[Path] = []
    for folder, inner, names in os.walk(ROOT):
        inner[:] = [name for name in inner if name not in NOT_OURS and not name.startswith(".")]
        found += [Path(folder, name) for name in names if name.endswith(suffix)]
    return tuple(sorted(found))


def relative(path: Path) -> str:
    """Return the path as people write it: from the root, with slashes."""
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[Function]:
    """Yield every function of a Python file, nested ones too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Function(f"{relative(path)}:{node.lineno} {node.name}", lines)
