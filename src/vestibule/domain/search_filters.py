"""The operands of a search request: which filters there are and what their values may be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from vestibule import errors
from vestibule.errors import ErrorType, Failure
from vestibule.store.search import Filter

# 20 operands of 1,000 values stay below the number of values that one statement may have.
MAX_OPERANDS: Final = 20
MAX_VALUES: Final = 1000
_MAX_CHARS: Final = 1000
_SHORTEST_FUZZY: Final = 3


@dataclass(frozen=True)
class SearchErrors:
    """The errors of one search: each search has names of its own for the same mistakes."""

    missing_name: ErrorType
    name_not_string: ErrorType
    name_unknown: ErrorType
    missing_value: ErrorType
    expected_strings: ErrorType
    expected_string: ErrorType
    expected_boolean: ErrorType


@dataclass(frozen=True)
class Kind:
    """What the value of a filter is, and how it becomes a condition.

    `too_short` is set for fuzzy filters: their text has at least 3 characters.
    """

    value: Literal["strings", "string", "boolean"]
    condition: Callable[[Any], Filter]
    too_short: ErrorType | None = None


def read_filters(
    operands: Sequence[Mapping[str, Any]], kinds: Mapping[str, Kind], names: SearchErrors
) -> list[Filter]:
    """Return the conditions that `operands` ask for. Raises Failure naming the filter."""
    if len(operands) > MAX_OPERANDS:
        raise Failure(
            errors.bad_request, f"query.operands: expected at most {MAX_OPERANDS} operands."
        )
    return [_read(operand, kinds, names) for operand in operands]


def _read(operand: Mapping[str, Any], kinds: Mapping[str, Kind], names: SearchErrors) -> Filter:
    name = operand.get("filter_name")
    if name is None:
        raise Failure(names.missing_name)
    if not isinstance(name, str):
        raise Failure(names.name_not_string)
    kind = kinds.get(name)
    if kind is None:
        raise Failure(names.name_unknown, f"filter_name: {name[:100]!r} is not known.")
    value = operand.get("filter_value")
    if value is None:
        raise Failure(names.missing_value, f"{name}: an operand needs a filter_value.")
    _check(name, kind, value, names)
    return kind.condition(value)


def _check(name: str, kind: Kind, value: object, names: SearchErrors) -> None:
    if kind.value == "boolean" and not isinstance(value, bool):
        raise Failure(names.expected_boolean, f"{name}: expected true or false.")
    if kind.value == "string":
        if not isinstance(value, str):
            raise Failure(names.expected_string, f"{name}: expected a string.")
        if len(value) > _MAX_CHARS:
            raise Failure(errors.bad_request, f"{name}: expected at most {_MAX_CHARS} characters.")
    if kind.value == "strings":
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise Failure(names.expected_strings, f"{name}: expected a list of strings.")
        if len(value) > MAX_VALUES:
            raise Failure(errors.bad_request, f"{name}: expected at most {MAX_VALUES} values.")
    if kind.too_short is not None and len(str(value)) < _SHORTEST_FUZZY:
        raise Failure(kind.too_short)
