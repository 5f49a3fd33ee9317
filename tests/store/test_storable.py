"""What no column can hold is refused alike by both engines, before it reaches them."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.full_records import full_record
from vestibule.store.interface import PROJECT, Store, Unstorable
from vestibule.store.storable import require_storable

AMY = full_record(PROJECT)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a\0b", "text with a NUL character"),
        ("\ud83d", "text with half a surrogate pair"),
        ("é\udc00", "text with half a surrogate pair"),
        (2**63, "a number of more than 64 bits"),
        (-(2**63) - 1, "a number of more than 64 bits"),
    ],
)
async def test_value_is_refused_when_written_and_when_looked_for(
    store: Store, value: str | int, words: str
) -> None:
    changes: dict[str, Any] = {"name" if isinstance(value, str) else "created_at": value}
    with pytest.raises(Unstorable, match=f"^{words}$"):
        async with store.write() as tx:
            await tx.projects.insert(replace(AMY, **changes))
    with pytest.raises(Unstorable, match=f"^{words}$"):
        async with store.read() as tx:
            await tx.projects.all(**changes)
    async with store.read() as tx:
        assert await tx.projects.count() == 0


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 0, True])
async def test_number_at_the_edge_is_kept(store: Store, value: int) -> None:
    async with store.write() as tx:
        await tx.projects.insert(replace(AMY, created_at=value))
    async with store.read() as tx:
        assert await tx.projects.all(created_at=value) == [replace(AMY, created_at=int(value))]


def test_everything_else_may_pass() -> None:
    require_storable(("", "🛂", b"\0\xff", None, False, -1))
