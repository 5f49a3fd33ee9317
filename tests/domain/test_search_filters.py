from typing import Any

import pytest

from vestibule import errors
from vestibule.domain.search_filters import Kind, SearchErrors, read_filters
from vestibule.errors import ErrorType, Failure
from vestibule.store.search import Filter, Term

ERRORS = SearchErrors(
    missing_name=errors.member_search_missing_filter_name,
    name_not_string=errors.member_search_filter_name_must_be_string,
    name_unknown=errors.member_search_filter_name_not_recognized,
    missing_value=errors.member_search_missing_filter_value,
    expected_strings=errors.member_search_expected_array_of_strings,
    expected_string=errors.member_search_expected_string,
    expected_boolean=errors.member_search_expected_boolean,
)


def shown(value: Any) -> Filter:
    return [Term("shown", (value,))]


KINDS = {
    "many": Kind("strings", lambda values: [Term("shown", tuple(values))]),
    "one": Kind("string", shown),
    "fuzzy": Kind("string", shown, errors.member_search_member_email_fuzzy_too_short),
    "yes": Kind("boolean", shown),
}


def operand(name: object, value: object) -> dict[str, object]:
    return {"filter_name": name, "filter_value": value}


def test_operands_become_conditions_in_their_order() -> None:
    operands = [
        operand("many", ["a", "b"]),
        operand("many", []),
        operand("one", "c"),
        operand("fuzzy", "abc"),
        operand("yes", value=False),
    ]
    assert read_filters(operands, KINDS, ERRORS) == [
        [Term("shown", ("a", "b"))],
        [Term("shown", ())],
        [Term("shown", ("c",))],
        [Term("shown", ("abc",))],
        [Term("shown", (False,))],
    ]


@pytest.mark.parametrize(
    ("operand", "error"),
    [
        ({}, errors.member_search_missing_filter_name),
        ({"filter_value": "a"}, errors.member_search_missing_filter_name),
        (operand(None, "a"), errors.member_search_missing_filter_name),
        (operand(7, "a"), errors.member_search_filter_name_must_be_string),
        (operand(["one"], "a"), errors.member_search_filter_name_must_be_string),
        (operand("other", "a"), errors.member_search_filter_name_not_recognized),
        (operand("", "a"), errors.member_search_filter_name_not_recognized),
        ({"filter_name": "one"}, errors.member_search_missing_filter_value),
        (operand("one", None), errors.member_search_missing_filter_value),
        (operand("one", ["a"]), errors.member_search_expected_string),
        (operand("one", 7), errors.member_search_expected_string),
        (operand("many", "a"), errors.member_search_expected_array_of_strings),
        (operand("many", ["a", 7]), errors.member_search_expected_array_of_strings),
        (operand("many", {"a": "b"}), errors.member_search_expected_array_of_strings),
        (operand("yes", "true"), errors.member_search_expected_boolean),
        (operand("yes", 1), errors.member_search_expected_boolean),
        (operand("fuzzy", "ab"), errors.member_search_member_email_fuzzy_too_short),
        (operand("one", "x" * 1001), errors.bad_request),
        (operand("many", ["x"] * 1001), errors.bad_request),
    ],
)
def test_operand_that_cannot_be_used_is_refused(
    operand: dict[str, object], error: ErrorType
) -> None:
    with pytest.raises(Failure) as caught:
        read_filters([operand], KINDS, ERRORS)
    assert caught.value.error is error


def test_twenty_operands_are_the_most() -> None:
    operands = [operand("yes", value=True)] * 20
    assert len(read_filters(operands, KINDS, ERRORS)) == 20
    with pytest.raises(Failure) as caught:
        read_filters([*operands, operands[0]], KINDS, ERRORS)
    assert caught.value.error is errors.bad_request
