"""Small pieces: functions of 70 lines at most (50 where SAML is verified), files of 400."""

from pathlib import Path

from tests.meta.source_tree import PACKAGE, files, functions, relative

LONGER_FILES = {
    "src/vestibule/errors.py": "one list of every error a caller can see",
    "src/vestibule/records.py": "one list of every noun",
}


def limit(path: Path) -> int:
    return 50 if path.is_relative_to(PACKAGE / "saml") else 70


def test_function_length_stays_within_the_limit() -> None:
    measured = [(limit(path), each) for path in files(".py") for each in functions(path)]
    assert len(measured) > 50
    assert [each for allowed, each in measured if each.lines > allowed] == []


def test_source_file_length_stays_within_the_limit() -> None:
    lengths = {
        relative(path): len(path.read_text().splitlines())
        for path in files(".py")
        if path.is_relative_to(PACKAGE)
    }
    longer = {name: lines for name, lines in lengths.items() if lines > 400}
    assert longer.keys() == LONGER_FILES.keys(), longer
