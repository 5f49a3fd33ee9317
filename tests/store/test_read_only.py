"""`store.read()` neither writes nor locks; trying to is a mistake that the first test finds."""

from collections.abc import Awaitable, Callable

import pytest

from tests.support.full_records import full_record
from vestibule.store.interface import PROJECT, Store, Transaction

MISTAKES: dict[str, Callable[[Transaction], Awaitable[object]]] = {
    "insert": lambda tx: tx.projects.insert(full_record(PROJECT)),
    "insert_if_absent": lambda tx: tx.projects.insert_if_absent(full_record(PROJECT)),
    "update": lambda tx: tx.projects.update(full_record(PROJECT)),
    "change": lambda tx: tx.projects.change({"name": ""}),
    "delete": lambda tx: tx.projects.delete(name="x"),
    "fetch": lambda tx: tx.fetch("DELETE FROM projects"),
    "lock": lambda tx: tx.projects.find(name="x", lock=True),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_writing_and_locking_are_refused(store: Store, mistake: str) -> None:
    async with store.write() as tx:
        await tx.data_keys.count()
    with pytest.raises(RuntimeError, match=r"^store\.read\(\) neither writes nor locks"):
        async with store.read() as tx:
            await MISTAKES[mistake](tx)


async def test_common_table_expression_is_a_read(store: Store) -> None:
    async with store.read() as tx:
        (row,) = await tx.fetch("WITH one AS (SELECT 1 AS n) SELECT n FROM one")
    assert tuple(row) == (1,)
