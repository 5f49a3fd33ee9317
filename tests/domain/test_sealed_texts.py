import string

import pytest

from vestibule.domain import sealed_texts
from vestibule.domain.context import Context

VALUES = ("organization-test-1", "ä", "")


async def test_text_gives_back_its_values_for_its_purpose(context: Context) -> None:
    text = sealed_texts.write(context, VALUES, purpose="a")
    assert sealed_texts.read(context, text, purpose="a") == VALUES
    assert sealed_texts.read(context, text, purpose="b") is None
    assert set(text) <= {*string.ascii_letters, *string.digits, *"-_="}
    assert sealed_texts.write(context, VALUES, purpose="a") != text


@pytest.mark.parametrize("text", ["", "x", "ä", "\0", "AAAA", "A" * 400, "A" * 100_000, "[]"])
async def test_any_other_text_gives_nothing(context: Context, text: str) -> None:
    assert sealed_texts.read(context, text, purpose="a") is None
