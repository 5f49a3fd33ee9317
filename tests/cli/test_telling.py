import typing

from vestibule.cli.telling import SIDES, step_lines
from vestibule.records import Trace, TraceStep


def test_step_says_what_was_wanted_and_what_came() -> None:
    step = TraceStep(name="sig.value", expected="this", received="that", passed=False)
    assert list(step_lines(step)) == [
        "FAILED  sig.value",
        "        wanted  this",
        "        got     that",
    ]


def test_step_without_a_word_for_what_was_wanted_has_no_empty_line() -> None:
    step = TraceStep(name="jit", expected="", received="a\x1b[2Jb", passed=False)
    said = list(step_lines(step))
    assert said[0] == "FAILED  jit"
    assert len(said) == 2
    assert "\x1b" not in said[1]


def test_every_side_has_words() -> None:
    sides = set(typing.get_args(typing.get_type_hints(Trace)["side"]))
    assert sides - {""} == SIDES.keys()
