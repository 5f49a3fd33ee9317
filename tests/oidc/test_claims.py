"""Rules about single claims that others use too; whole tokens are in tests/attacks."""

import pytest

from vestibule.oidc.claims import is_subject


@pytest.mark.parametrize("value", ["a", "x" * 255, "auth0|5f7c", "user@example.com", "a b"])
def test_a_subject_is_printable_ascii(value: str) -> None:
    assert is_subject(value)


@pytest.mark.parametrize("value", ["", "x" * 256, "é", "a\x00", "a\n", 1, None, ["a"], "\x7f"])
def test_anything_else_is_no_subject(value: object) -> None:
    assert not is_subject(value)
