"""All that a database holds, as somebody who got hold of it would read it."""

from typing import Any

from tests.support.scenario import Scenario
from vestibule.store.interface import TABLES

Dump = dict[str, list[dict[str, Any]]]


async def dump(scenario: Scenario) -> Dump:
    """Return the rows of each table by name, in an order that does not depend on the engine."""
    held: Dump = {}
    async with scenario.context.store.read() as tx:
        for table in TABLES:
            names = table.column_list.split(", ")
            rows = await tx.fetch(f"SELECT {table.column_list} FROM {table.name}")  # noqa: S608 - our own names
            held[table.name] = sorted((dict(zip(names, row, strict=True)) for row in rows), key=str)
    return held


async def dumped_bytes(scenario: Scenario) -> bytes:
    """Return every value of every row, bytes as they are and all else as text."""
    values = [
        value for rows in (await dump(scenario)).values() for row in rows for value in row.values()
    ]
    return b"\n".join(each if isinstance(each, bytes) else str(each).encode() for each in values)
