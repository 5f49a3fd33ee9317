import typing

from vestibule.cli.telling import SIDES, plain, step_lines
from vestibule.records import Trace, TraceStep


def test_step_says_what_was_wanted_and_what_came() -> None:
    step = TraceStep(name="sig.value", expected="this", received="that", passed=False)
    assert list(step_lines(step)) == [
        "FAILED  sig.value",
        "        wanted  this",
        "        got     that",
    ]


def test_text_of_a_stranger_moves_no_cursor() -> None:
    assert plain("a\x1b[2Jb\nc\u202e") == "a\\x1b[2Jb\\nc\\u202e"


def test_every_side_has_words() -> None:
    sides = set(typing.get_args(typing.get_type_hints(Trace)["side"]))
    assert sides - {""} == SIDES.keys()
