"""Every query of the product as its source states it: which table, and which columns it names."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tests.meta.source_tree import PACKAGE
from vestibule.store.interface import TABLES

_METHODS: Final = {"all", "change", "count", "delete", "find", "select"}
_OPTIONS: Final = {"order", "descending", "limit", "lock"}
_TABLES: Final = {table.name: frozenset(table.columns) for table in TABLES}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Query:
    """One query: where it stands, its table, and the columns of its conditions."""

    place: str
    table: str
    named: frozenset[str]

    def lacks(self, column: str) -> bool:
        """Tell whether the table has the column, and the query does not name it."""
        return column in _TABLES[self.table] and column not in self.named


def queries() -> list[Query]:
    """Return every query in the package."""
    return [query for path in sorted(PACKAGE.rglob("*.py")) for query in queries_of(path)]


def queries_of(path: Path) -> Iterator[Query]:
    """Yield the queries of a file, those outside functions too."""
    tree = _tree(path)
    inside: dict[ast.AST, Function] = {}
    for function in ast.walk(tree):
        if isinstance(function, Function):
            inside |= dict.fromkeys(ast.walk(function), function)
    place = path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else path.name
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (table := _table(node)):
            scope = inside.get(node, tree)
            name = scope.name if isinstance(scope, Function) else ""
            named: set[str] = set()
            for keyword in node.keywords:
                named |= {keyword.arg} if keyword.arg else _keys(path, scope, keyword.value)
            yield Query(f"{place} {name}".strip(), table, frozenset(named - _OPTIONS))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _table(call: ast.Call) -> str:
    """Return the table of `tx.<table>.<method>(...)`, '' for any other call."""
    called = call.func
    if (
        isinstance(called, ast.Attribute)
        and called.attr in _METHODS
        and isinstance(called.value, ast.Attribute)
        and called.value.attr in _TABLES
    ):
        return called.value.attr
    return ""


def _keys(path: Path, scope: ast.AST, value: ast.expr) -> set[str]:
    """Return the keys of `**value`: a dict, a name for one, or a call of what returns one."""
    if isinstance(value, ast.Dict):
        found: set[str] = set()
        for key, inner in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant):
                found.add(str(key.value))
            elif key is None:
                found |= _keys(path, scope, inner)
        return found
    if isinstance(value, ast.Name):
        return _keys_of_name(path, scope, value.id)
    if isinstance(value, ast.Call):
        return _keys_of_call(path, value.func)
    return set()


def _keys_of_name(path: Path, scope: ast.AST, name: str) -> set[str]:
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                return _keys(path, scope, node.value)
    return set()


def _keys_of_call(path: Path, called: ast.expr) -> set[str]:
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
        path, name = _imported(path, called.value.id), called.attr
    elif isinstance(called, ast.Name):
        name = called.id
    else:
        return set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, Function) and node.name == name:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and inner.value is not None:
                    return _keys(path, node, inner.value)
    return set()


def _imported(path: Path, name: str) -> Path:
    """Return the file of a module of ours that a file imports by name, or the file itself."""
    for node in _tree(path).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                parts = node.module.split(".")[1:]
                file = PACKAGE.joinpath(*parts, f"{alias.name}.py")
                if name in {alias.name, alias.asname} and file.is_file():
                    return file
    return path
