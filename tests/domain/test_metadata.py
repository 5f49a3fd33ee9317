from typing import Any

import pytest

from vestibule import errors
from vestibule.domain.metadata import merge, merge_within_limits
from vestibule.errors import Failure


@pytest.mark.parametrize(
    ("old", "update", "merged"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({}, {"a": None}, {}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 3}}, {"a": {"x": 3}}),
        ({"a": {"x": 1}}, {"a": {"x": None}}, {"a": {"x": None}}),
    ],
)
def test_update_is_merged_at_the_top_level(
    old: dict[str, Any], update: dict[str, Any], merged: dict[str, Any]
) -> None:
    assert merge(old, update) == merged


@pytest.mark.case("AD-26")
def test_twenty_keys_are_the_most() -> None:
    twenty = {str(number): number for number in range(20)}
    assert merge({}, twenty) == twenty
    assert merge(twenty, {"0": None, "20": 20}).keys() == {str(n) for n in range(1, 21)}
    with pytest.raises(Failure) as caught:
        merge(twenty, {"20": 20})
    assert caught.value.error is errors.metadata_too_many_keys


@pytest.mark.case("AD-26")
def test_4096_bytes_are_the_most() -> None:
    # {"a":"…"} adds eight bytes; an é takes two.
    assert merge({}, {"a": "é" * 2044}) == {"a": "é" * 2044}
    with pytest.raises(Failure) as caught:
        merge({}, {"a": "é" * 2044 + "x"})
    assert caught.value.error is errors.metadata_too_large


def test_merge_within_limits_leaves_out_what_does_not_fit() -> None:
    merged = merge_within_limits({"a": 1}, {"big": "x" * 5000, "b": 2, "c": None})
    assert merged == {"a": 1, "b": 2}
