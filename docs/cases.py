"""Reads from the tests which attack or rule they prove, with what verdict and for what reason.

Nothing here is written by hand: the verdict and the reason of a case are those that its test
asserts, found in the test's source. A test that says them in no way that can be read there says
so in its mark: `@pytest.mark.case("XP-24", reason="http.size")`.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import ascii_lowercase
from typing import Final, TypeGuard

from vestibule import errors
from vestibule.fetch import Reason as FetchReason
from vestibule.oidc.errors import Reason as OidcReason
from vestibule.saml.errors import Reason as SamlReason
from vestibule.totp import Reason as TotpReason

ROOT: Final = Path(__file__).parents[1]
TESTS: Final = ROOT / "tests"
CATALOGUE: Final = Path(__file__).parent / "security/catalogue.txt"

ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
HOLDS: Final = "holds"
"""The verdict of a test that refuses and accepts nothing by itself: what its name says is so."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.Assign | ast.AnnAssign

_REASONS: Final = {
    "vestibule.saml.errors": SamlReason,
    "vestibule.oidc.errors": OidcReason,
    "vestibule.fetch": FetchReason,
    "vestibule.totp": TotpReason,
}
_INTERNAL: Final = {each.value for reasons in _REASONS.values() for each in reasons}
_DOTTED: Final = re.compile(r"http\.[a-z]+|" + "|".join(re.escape(each) for each in _INTERNAL))
_WIRE: Final = {each.name for each in errors.all_errors()}
_ACCEPTING: Final = {"accepted"}
_ACCEPTED_STATUS: Final = {302, 303}


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A test that proves a case; `reasons` are what it sees refused with, sorted."""

    case: str
    test: str
    path: Path
    verdicts: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Module:
    """A test file: its tree, what it defines, and from where it has the names it imports."""

    path: Path
    tree: ast.Module
    definitions: dict[str, Definition]
    imported: dict[str, str]


def proofs() -> list[Proof]:
    """Return every proof in the tests, ordered by case, file and place."""
    found = [
        proof for path in sorted(TESTS.rglob("test_*.py")) for proof in proofs_of(_module(path))
    ]
    return sorted(found, key=lambda proof: case_order(proof.case))


def catalogued() -> list[str]:
    """Return the ids of the catalogue: the cases that have to be proven."""
    lines = CATALOGUE.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def read_module(path: Path) -> Module:
    """Return a test file as this module reads it."""
    tree = ast.parse(path.read_text())
    definitions: dict[str, Definition] = {}
    imported: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, Function):
            definitions[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            definitions |= {each.id: node for each in targets if isinstance(each, ast.Name)}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported |= {alias.asname or alias.name: node.module for alias in node.names}
    return Module(path, tree, definitions, imported)


_module = cache(read_module)


def proofs_of(module: Module) -> Iterator[Proof]:
    """Yield what each test of a file proves, by the marks on it and on its parameters."""
    for test in module.tree.body:
        if not isinstance(test, Function):
            continue
        for mark, place in _marks(test):
            stated = {str(word.arg): ast.literal_eval(word.value) for word in mark.keywords}
            reasons = _stated(stated, "reason") or _reasons(module, place)
            if place is not test and not reasons:
                reasons = _reasons(module, test)
            accepted = [ACCEPTED] if _accepts(test) else []
            refused = [REFUSED] if reasons else []
            for case in mark.args:
                yield Proof(
                    case=ast.literal_eval(case),
                    test=test.name,
                    path=module.path,
                    verdicts=_stated(stated, "verdict") or tuple(accepted + refused) or (HOLDS,),
                    reasons=reasons,
                )


def case_order(case: str) -> tuple[str, int, str]:
    """Return what sorts XP-9 before XP-16, and XP-16 before XP-16b."""
    family, number = case.split("-")
    digits = number.rstrip(ascii_lowercase)
    return family, int(digits), number


def _marks(test: Function) -> Iterator[tuple[ast.Call, ast.AST]]:
    """The case marks of a test, each with the code it is about: the test, or one parameter."""
    for decorator in test.decorator_list:
        for node in ast.walk(decorator):
            if _is_call(node, "pytest.param"):
                parts = ast.walk(node)
                yield from ((each, node) for each in parts if _is_call(each, "pytest.mark.case"))
        if _is_call(decorator, "pytest.mark.case"):
            yield decorator, test


def _is_call(node: ast.AST, name: str) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == name


def _stated(keywords: dict[str, str], name: str) -> tuple[str, ...]:
    return tuple(keywords[name].split(", ")) if name in keywords else ()


def _reasons(module: Module, place: ast.AST) -> tuple[str, ...]:
    """The reasons that a piece of code names: the internal ones, or else those of the wire."""
    internal: set[str] = set()
    wire: set[str] = set()
    for where, node in _reached(module, place):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            known = _REASONS.get(where.imported.get("Reason", ""))
            if node.value.id == "Reason" and known is not None:
                internal.add(known[node.attr].value)
            elif node.value.id == "errors":
                error = getattr(errors, node.attr, None)
                wire |= {error.name} if isinstance(error, errors.ErrorType) else set()
        elif isinstance(node, ast.Constant) and _is_reason(node.value):
            internal.add(node.value)
        elif isinstance(node, ast.Constant) and _is_wire_error(node.value):
            wire.add(node.value)
    return tuple(sorted(internal or wire))


def _is_reason(value: object) -> TypeGuard[str]:
    """Whether a constant can only be a reason: one without a dot is a word like any other."""
    return isinstance(value, str) and "." in value and _DOTTED.fullmatch(value) is not None


def _is_wire_error(value: object) -> TypeGuard[str]:
    """Whether a constant can only be an error's name: one of several words."""
    return isinstance(value, str) and "_" in value and value in _WIRE


def _reached(module: Module, place: ast.AST) -> Iterator[tuple[Module, ast.AST]]:
    """Every node of `place`, and of what it names: its file's definitions, imported tables."""
    waiting: list[tuple[Module, ast.AST]] = [(module, place)]
    seen: set[int] = set()
    while waiting:
        where, piece = waiting.pop()
        if id(piece) in seen:
            continue
        seen.add(id(piece))
        for node in ast.walk(piece):
            yield where, node
            if isinstance(node, ast.Name) and (found := _defined(where, node.id)):
                waiting.append(found)


def _defined(module: Module, name: str) -> tuple[Module, ast.AST] | None:
    if name in module.definitions:
        return module, module.definitions[name]
    source = module.imported.get(name, "")
    if not source.startswith("tests.support."):
        return None
    other = _module(ROOT / f"{source.replace('.', '/')}.py")
    found = other.definitions.get(name)
    # Of support code only the tables of reasons: what a builder can refuse with, no test asks.
    if isinstance(found, Function):
        told = found.returns is not None and "Reason" in ast.unparse(found.returns)
        return (other, found) if told else None
    return (other, found) if found is not None else None


def _accepts(test: Function) -> bool:
    for node in ast.walk(test):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in _ACCEPTING:
                return True
        elif isinstance(node, ast.Constant) and node.value in _ACCEPTED_STATUS:
            return True
    return False
