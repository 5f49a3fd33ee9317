"""One table of the database as records: builds the SQL text once per shape and runs it.

This is the one place that writes predicates. Text is the same for both engines, with `$n`
parameters; names come from records and keyword arguments in our own code, values never enter text.
"""

import itertools
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec

from vestibule.records import Record

R = TypeVar("R", bound=Record)
Row = Sequence[Any]

# The escape sign is spelled out: SQLite has none of its own, PostgreSQL's default is this one.
_CONDITIONS: Final = {
    "": "{} = {}",
    "gt": "{} > {}",
    "ge": "{} >= {}",
    "lt": "{} < {}",
    "le": "{} <= {}",
    "like": "{} LIKE {} ESCAPE '\\'",
}
_PLAIN: Final = (str, int, bytes, bool)
# What stands in the shape of a predicate instead of a number of values: IS NULL, and one value.
_ABSENT: Final = -1
_ONE: Final = -2


class Executor(Protocol):
    """Runs statements inside one transaction; each engine has one."""

    @property
    def row_lock(self) -> str:
        """What a SELECT ends with to hold its rows until the transaction ends."""
        ...

    async def fetch(self, sql: str, values: Sequence[object]) -> Sequence[Row]:
        """Run `sql` and return its rows. Raises Conflict on a broken uniqueness."""
        ...

    async def execute(self, sql: str, values: Sequence[object]) -> int:
        """Run `sql` and return the number of rows touched. Raises Conflict."""
        ...


class Table(Generic[R]):
    """How a record type is laid out in its table: same names, JSON text where not a plain value."""

    def __init__(self, name: str, record: type[R], *, key: tuple[str, ...]) -> None:
        self.name = name
        self.record = record
        self.key = key
        hints = typing.get_type_hints(record)
        self.columns = tuple(field.name for field in msgspec.structs.fields(record))
        self.json = frozenset(c for c in self.columns if not _is_plain(hints[c]))
        self.column_list = ", ".join(self.columns)
        self.key_of_row = itemgetter(*(self.columns.index(column) for column in key))
        self._readers = self._make_readers(hints)

    def _make_readers(self, hints: Mapping[str, Any]) -> dict[str, Callable[[Any], object]]:
        # SQLite has no booleans, only 0 and 1.
        readers: dict[str, Callable[[Any], object]] = {
            c: bool for c, h in hints.items() if h is bool
        }
        return readers | {c: msgspec.json.Decoder(hints[c]).decode for c in self.json}

    def values(self, record: R) -> list[object]:
        """Return the record's column values, in the order of `columns`."""
        return [self.value(column, getattr(record, column)) for column in self.columns]

    def value(self, column: str, value: object) -> object:
        """Return `value` as the database keeps it."""
        if value is None or column not in self.json:
            return value
        return msgspec.json.encode(value, order="deterministic").decode()

    def read(self, row: Row) -> R:
        """Return the record of a row whose columns are in the order of `columns`."""
        values = dict(zip(self.columns, row, strict=True))
        for column, reader in self._readers.items():
            if (value := values[column]) is not None:
                values[column] = reader(value)
        return self.record(**values)


def _is_plain(hint: object) -> bool:
    """True for str, int, bytes, bool, a Literal of str, and any of these or None."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return all(arg is types.NoneType or _is_plain(arg) for arg in typing.get_args(hint))
    return hint in _PLAIN or origin is typing.Literal


class Rows(Generic[R]):
    """The rows of one table inside one transaction.

    Conditions are keywords: `organization_id="…"`, `member_id=("a", "b")` for any of several,
    `external_id=None` for absence, `expires_at__gt=now` with gt, ge, lt, le or like (which tells
    capitals apart and takes a backslash before `%`, `_` and itself as escape).
    """

    def __init__(self, table: Table[R], executor: Executor) -> None:
        self.table = table
        self._executor = executor

    async def insert(self, record: R) -> None:
        """Add `record`. Raises Conflict when a unique value is taken."""
        await self._executor.execute(_insert(self.table), self.table.values(record))

    async def insert_if_absent(self, record: R) -> bool:
        """Add `record` unless a unique value is taken; return whether it was added."""
        sql = f"{_insert(self.table)} ON CONFLICT DO NOTHING"
        return await self._executor.execute(sql, self.table.values(record)) == 1

    async def update(self, record: R) -> bool:
        """Write all columns of `record` to the row with its key; False when there is none."""
        table = self.table
        return await self._executor.execute(_update(table), table.values(record)) == 1

    async def find(self, *, lock: bool = False, **where: Any) -> R | None:
        """Return a record that fits, or None. `lock` is as in `all`."""
        predicate, values = self._predicate(where)
        sql = f"{_select(self.table)}{predicate} LIMIT 1{self._lock(lock=lock)}"
        found = await self._executor.fetch(sql, values)
        return self.table.read(found[0]) if found else None

    async def all(
        self,
        *,
        order: str = "",
        descending: bool = False,
        limit: int = 0,
        lock: bool = False,
        **where: Any,
    ) -> list[R]:
        """Return the records that fit, ordered by column `order` and then by the key.

        `lock` keeps other transactions from changing the rows until this one ends. Ask for it
        when what is read here decides what `update` writes; only `write()` can give it.
        """
        table = self.table
        predicate, values = self._predicate(where)
        if order and order not in table.columns:
            raise TypeError(f"{table.name} has no column {order}")
        sql = f"{_select(table)}{predicate}"
        # SQLite, which keeps no statistics unless told to, would rather walk through all rows of a
        # project in the order of a key than look some up and sort them.
        ordered = order or limit or lock
        if ordered:
            columns = (order, *table.key) if order else table.key
            direction = " DESC" if descending else ""
            sql += " ORDER BY " + ", ".join(column + direction for column in columns)
        if limit:
            values.append(limit)
            sql += f" LIMIT ${len(values)}"
        rows = await self._executor.fetch(sql + self._lock(lock=lock), values)
        if not ordered:
            rows = sorted(rows, key=table.key_of_row, reverse=descending)
        return [table.read(row) for row in rows]

    async def count(self, **where: Any) -> int:
        """Return how many rows fit."""
        predicate, values = self._predicate(where)
        sql = f"SELECT count(*) FROM {self.table.name}{predicate}"
        return int((await self._executor.fetch(sql, values))[0][0])

    async def change(self, values: Mapping[str, object], **where: Any) -> list[R]:
        """Set columns of the rows that fit, in one statement, and return them as they now are.

        This is how one-time things are consumed: the condition and the change are one statement.
        """
        table = self.table
        predicate, arguments = self._predicate(where)
        assignments = []
        for column, value in values.items():
            arguments.append(table.value(column, value))
            assignments.append(f"{column} = ${len(arguments)}")
        sql = (
            f"UPDATE {table.name} SET {', '.join(assignments)}{predicate} "
            f"RETURNING {table.column_list}"
        )
        return [table.read(row) for row in await self._executor.fetch(sql, arguments)]

    async def delete(self, *, limit: int = 0, **where: Any) -> int:
        """Remove the rows that fit, or `limit` of them, and return how many there were.

        A condition is required.
        """
        if not where:
            raise TypeError("delete needs a condition")
        name = self.table.name
        predicate, values = self._predicate(where)
        if limit:
            values.append(limit)
            key = ", ".join(self.table.key)
            some = f"SELECT {key} FROM {name}{predicate} LIMIT ${len(values)}"
            predicate = f" WHERE ({key}) IN ({some})"
        return await self._executor.execute(f"DELETE FROM {name}{predicate}", values)

    async def select(self, sql: str, *values: object) -> list[R]:
        """Return the records of a hand-written tail (`WHERE … ORDER BY …`) of this table."""
        text = f"SELECT {self.table.column_list} FROM {self.table.name} {sql}"
        return [self.table.read(row) for row in await self._executor.fetch(text, values)]

    def _lock(self, *, lock: bool) -> str:
        return self._executor.row_lock if lock else ""

    def _predicate(self, where: Mapping[str, object]) -> tuple[str, list[object]]:
        values: list[object] = []
        shape: list[tuple[str, int]] = []
        for name, value in where.items():
            if value is None:
                shape.append((name, _ABSENT))
            elif isinstance(value, (tuple, list, set, frozenset)):
                shape.append((name, len(value)))
                values.extend(value)
            else:
                shape.append((name, _ONE))
                values.append(value)
        return _where(self.table, tuple(shape)), values


@lru_cache(maxsize=2_000)
def _where(table: Table[Any], shape: tuple[tuple[str, int], ...]) -> str:
    """The predicate of conditions by their names and how many values each has."""
    parts: list[str] = []
    marks = (f"${n}" for n in itertools.count(1))
    for name, size in shape:
        column, _, suffix = name.partition("__")
        if column not in table.columns or suffix not in _CONDITIONS:
            raise TypeError(f"{table.name} has no condition {name}")
        if size == _ABSENT:
            parts.append(f"{column} IS NULL")
        elif size == _ONE:
            parts.append(_CONDITIONS[suffix].format(column, next(marks)))
        else:
            # An empty IN () is not SQL for PostgreSQL; nothing is in an empty list.
            several = ", ".join(itertools.islice(marks, size))
            parts.append(f"{column} IN ({several})" if size else "1 = 0")
    return f" WHERE {' AND '.join(parts)}" if parts else ""


@cache
def _select(table: Table[Any]) -> str:
    return f"SELECT {table.column_list} FROM {table.name}"


@cache
def _insert(table: Table[Any]) -> str:
    marks = ", ".join(f"${n}" for n in range(1, len(table.columns) + 1))
    return f"INSERT INTO {table.name} ({table.column_list}) VALUES ({marks})"


@cache
def _update(table: Table[Any]) -> str:
    numbered = {column: n for n, column in enumerate(table.columns, 1)}
    assignments = ", ".join(f"{c} = ${n}" for c, n in numbered.items() if c not in table.key)
    keys = " AND ".join(f"{c} = ${numbered[c]}" for c in table.key)
    return f"UPDATE {table.name} SET {assignments} WHERE {keys}"
