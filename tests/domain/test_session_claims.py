from typing import Any

import pytest

from vestibule import errors
from vestibule.domain.session_claims import RESERVED, merge
from vestibule.errors import ErrorType, Failure


def refusal(old: dict[str, Any], given: dict[str, Any]) -> ErrorType:
    with pytest.raises(Failure) as caught:
        merge(old, given)
    return caught.value.error


@pytest.mark.parametrize(
    ("old", "given", "expected"),
    [
        ({}, {}, {}),
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": None}, {}),
        ({"a": 1}, {"b": None}, {"a": 1}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": None, "d": 3}}, {"a": {"c": 2, "d": 3}}),
        ({"a": {"b": 1}}, {"a": 7}, {"a": 7}),
        ({"a": 7}, {"a": {"b": 1, "c": None}}, {"a": {"b": 1}}),
        ({"a": [1]}, {"a": [None]}, {"a": [None]}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": 1}}),
    ],
)
def test_maps_are_merged_and_null_deletes(
    old: dict[str, Any], given: dict[str, Any], expected: dict[str, Any]
) -> None:
    before = repr((old, given))
    assert merge(old, given) == expected
    assert repr((old, given)) == before


@pytest.mark.case("ST-21")
def test_reserved_names_are_ignored_at_the_top_alone() -> None:
    given = {**dict.fromkeys(RESERVED, "evil"), "a": {"iss": "fine"}}
    assert merge({}, given) == {"a": {"iss": "fine"}}


@pytest.mark.case("ST-21")
@pytest.mark.parametrize(
    "name", ["https://stytch.com/session", "https://stytch.com/organization", "https://stytch.com/"]
)
def test_the_vendors_names_are_refused(name: str) -> None:
    assert refusal({}, {name: 1}) is errors.stytch_claims_in_custom_claims
    assert refusal({}, {name: None}) is errors.stytch_claims_in_custom_claims


@pytest.mark.case("ST-21")
def test_all_claims_together_have_4096_bytes() -> None:
    at_most = 4096 - len('{"a":""}')
    assert merge({}, {"a": "x" * at_most})
    assert refusal({}, {"a": "x" * (at_most + 1)}) is errors.custom_claims_too_large
    assert refusal({"a": "x" * at_most}, {"b": 1}) is errors.custom_claims_too_large
    assert merge({"a": "x" * at_most}, {"a": None, "b": 1}) == {"b": 1}


def test_nesting_is_limited() -> None:
    def nested(depth: int) -> dict[str, Any]:
        claims: dict[str, Any] = {}
        for _ in range(depth):
            claims = {"a": claims}
        return claims

    assert merge({}, nested(20)) == nested(20)
    for depth in (21, 500):
        assert refusal({}, nested(depth)) is errors.custom_claims_too_large
