"""One record of every table with every field filled, made from the record types themselves.

A value depends on its field's name only, so rows refer to each other as the foreign keys want.
"""

import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from vestibule.records import Record
from vestibule.store.interface import TABLES, Transaction
from vestibule.store.table import Rows, Table

R = TypeVar("R", bound=Record)

AWKWARD_TEXT = 'Zoë\'s "quoted" 🛂 \\ %_ \n\t null'
AWKWARD_JSON = {"text": AWKWARD_TEXT, "nul": "a\0b", "number": 2**63 + 1, "list": [1.5, None, True]}


def full_record(table: Table[R], **changes: object) -> R:
    """Return a record of `table` in which no field has its default, except for `changes`."""
    hints = typing.get_type_hints(table.record)
    values = {column: _filled(column, hints[column]) for column in table.columns}
    return table.record(**{**values, **changes})


def rows(tx: Transaction, table: Table[R]) -> Rows[R]:
    return Rows(table, tx.executor)


async def insert_all(tx: Transaction, **changes: object) -> None:
    """Add one full record to every table; `changes` apply where a table has such a column."""
    for table in in_order():
        mine = {name: value for name, value in changes.items() if name in table.columns}
        await rows(tx, table).insert(full_record(table, **mine))


def in_order() -> list[Table[Any]]:
    """Return all tables, each after those it refers to."""
    names = [table.name for table in TABLES]
    names.remove("registrations")
    names.insert(names.index("connections") + 1, "registrations")
    by_name = {table.name: table for table in TABLES}
    return [by_name[name] for name in names]


def _filled(name: str, hint: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return arguments[-1]
    if origin in (typing.Union, types.UnionType):
        return _filled(name, next(each for each in arguments if each is not types.NoneType))
    if origin is tuple:
        return (_filled(name, arguments[0]), _filled(f"{name} too", arguments[0]))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        hints = typing.get_type_hints(hint)
        return hint(**{field: _filled(field, each) for field, each in hints.items()})
    if origin is not None and issubclass(origin, Mapping):
        value = arguments[-1]
        return AWKWARD_JSON if value is typing.Any else {AWKWARD_TEXT: _filled(name, value)}
    return {
        str: f"{name} {AWKWARD_TEXT}",
        bytes: b"\0\xff" + name.encode(),
        int: 2**62 + len(name),
        bool: True,
    }[hint]
