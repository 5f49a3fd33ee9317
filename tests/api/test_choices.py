from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from vestibule.api.choices import choices

Color = Literal["red", "green"]


class Item(msgspec.Struct):
    color: Color
    name: str


class Ask(msgspec.Struct):
    plain: Color
    unset: Literal["", "post"] | UnsetType = UNSET
    none: Annotated[Color | None, msgspec.Meta(description="x")] = None
    items: list[Item] | None = None
    many: list[Color] = []
    open: str = ""


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("plain", ("green", "red")),
        ("unset", ("post",)),
        ("none", ("green", "red")),
        ("items[...].color", ("green", "red")),
        ("items[0].color", ("green", "red")),
        ("many[1]", ("green", "red")),
        ("items[0].name", ()),
        ("open", ()),
        ("unknown.more", ()),
        ("", ()),
    ],
)
def test_few_values_are_found_wherever_a_field_is(path: str, known: tuple[str, ...]) -> None:
    assert choices(Ask, path) == known
