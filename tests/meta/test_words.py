"""Words that do not belong here: skipped tests, mocks, and silenced tools without a reason."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.meta.source_tree import files, relative


class Rule(NamedTuple):
    """What is forbidden and why, with a line that it has to catch and one that it has to pass."""

    reason: str
    pattern: str
    bad: str
    good: str


RULES = (
    Rule(
        "a test is run or it is not there",
        r"pytest\.(mark\.)?(skip|xfail|importorskip)|skipif",
        "@pytest.mark.skip",
        "@pytest.mark.case('XP-01')",
    ),
    Rule(
        "tests run real parts; clock, entropy, fetch and mail are passed in",
        r"unittest\.mock|MagicMock|monkeypatch\.setattr|\bmocker\b",
        "from unittest.mock import patch",
        "from tests.support import clock",
    ),
    Rule(
        "a silenced rule carries its reason",
        r"#\s*noqa(?!: [A-Z0-9, ]+[-#] \S)",
        "x = 1  # noqa: E501",
        "x = 1  # noqa: E501 - a URL",
    ),
    Rule(
        "a silenced type carries its reason",
        r"#\s*type:\s*ignore(?!\[[a-z, -]+\]\s*# \S)",
        "x = y  # type: ignore[no-any-return]",
        "x = y  # type: ignore[no-any-return] # lxml",
    ),
    Rule(
        "an uncovered line carries its reason",
        r"#\s*pragma: no (cover|branch)(?! - \S)",
        "x = 1  # pragma: no cover",
        "x = 1  # pragma: no cover - runs in the child process",
    ),
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.reason)
def test_forbidden_words_are_absent(rule: Rule) -> None:
    found = [
        f"{relative(path)}:{number}: {line.strip()}"
        for path in files(".py")
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(rule.pattern, line)
    ]
    assert found == [], rule.reason


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.reason)
def test_rule_catches_the_bad_line_only(rule: Rule) -> None:
    assert re.search(rule.pattern, rule.bad)
    assert not re.search(rule.pattern, rule.good)
