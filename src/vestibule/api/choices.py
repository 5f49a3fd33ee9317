"""The values that a field of a request may have, where these are few, for who sent another one."""

import re
from typing import Final

import msgspec
from msgspec import inspect

_STEP: Final = re.compile(r"\.?(\w+)|\[[^]]*\]")


def choices(request: type[msgspec.Struct], path: str) -> tuple[str, ...]:
    """Return what the field at `path` (`a.b[0].c`) of `request` may be; () where that is open."""
    found: list[inspect.Type] = [inspect.type_info(request)]
    for step in _STEP.finditer(path):
        found = [inner for each in found for inner in _inside(each, step[1])]
    values = [value for each in found for value in _values(each)]
    return tuple(value for value in values if isinstance(value, str) and value)


def _inside(each: inspect.Type, name: str | None) -> list[inspect.Type]:
    """Return the types of the field `name`, or of the items where it is None."""
    inner: list[inspect.Type] = []
    for kind in _kinds(each):
        if name is None and isinstance(kind, inspect.CollectionType):
            inner.append(kind.item_type)
        elif isinstance(kind, inspect.StructType):
            inner += [field.type for field in kind.fields if field.encode_name == name]
    return inner


def _values(each: inspect.Type) -> list[object]:
    return [
        value
        for kind in _kinds(each)
        if isinstance(kind, inspect.LiteralType)
        for value in kind.values
    ]


def _kinds(each: inspect.Type) -> list[inspect.Type]:
    """Return the members of a union, and what annotations are about."""
    if isinstance(each, inspect.Metadata):
        return _kinds(each.type)
    if isinstance(each, inspect.UnionType):
        return [kind for member in each.types for kind in _kinds(member)]
    return [each]
