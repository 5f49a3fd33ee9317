import pytest

from vestibule import records
from vestibule.store.interface import Store
from vestibule.store.open import open_store


async def test_opened_store_keeps_what_was_written(store: Store) -> None:
    project = records.Project(project_id="p", environment="test", name="Ünï ✓", created_at=1)
    async with store.write() as tx:
        await tx.projects.insert(project)
    async with store.read() as tx:
        assert await tx.projects.all() == [project]


async def test_address_of_another_kind_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match=r"^expected sqlite:PATH or postgresql:") as caught:
        await open_store("mysql://user:hidden@host/name", connections=1)
    assert "hidden" not in str(caught.value)
