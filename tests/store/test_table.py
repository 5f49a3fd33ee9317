"""Records go in and come out as they were, on both engines, and conditions choose the same rows."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.support.full_records import full_record, in_order, insert_all, rows
from vestibule import records
from vestibule.store.interface import MEMBER, ORGANIZATION, PROJECT, TABLES, Store
from vestibule.store.table import Table

TABLE_NAMES = [table.name for table in TABLES]


def project(name: str, **changes: Any) -> records.Project:
    values: dict[str, Any] = {"environment": "test", "name": name, "created_at": 1}
    return records.Project(**{"project_id": name, **values, **changes})


async def add_projects(store: Store, *names: str) -> None:
    async with store.write() as tx:
        for number, name in enumerate(names):
            await tx.projects.insert(project(name, created_at=number))


async def names(store: Store, **where: Any) -> list[str]:
    async with store.read() as tx:
        return [each.name for each in await tx.projects.all(**where)]


@pytest.mark.parametrize("table", TABLES, ids=TABLE_NAMES)
async def test_full_record_is_read_as_it_was_written(store: Store, table: Table[Any]) -> None:
    async with store.write() as tx:
        await insert_all(tx)
    async with store.read() as tx:
        found = await rows(tx, table).all()
    assert found == [full_record(table)]
    # True is not 1, though they are equal.
    spelled = msgspec.json.encode(full_record(table), order="deterministic")
    assert msgspec.json.encode(found[0], order="deterministic") == spelled


@pytest.mark.parametrize("table", TABLES, ids=TABLE_NAMES)
async def test_record_is_found_by_its_key(store: Store, table: Table[Any]) -> None:
    async with store.write() as tx:
        await insert_all(tx)
    record = full_record(table)
    key = {column: getattr(record, column) for column in table.key}
    async with store.read() as tx:
        assert await rows(tx, table).find(**key) == record
        another: object = 1 if isinstance(key[table.key[-1]], int) else "another"
        assert await rows(tx, table).find(**{**key, table.key[-1]: another}) is None


@pytest.mark.parametrize(
    "table",
    [table for table in TABLES if set(table.columns) > set(table.key)],
    ids=lambda each: each.name,
)
async def test_update_writes_every_column_but_the_key(store: Store, table: Table[Any]) -> None:
    changed = _other_values(table)
    async with store.write() as tx:
        await insert_all(tx)
        assert await rows(tx, table).update(changed)
    async with store.read() as tx:
        assert await rows(tx, table).all() == [changed]


def _other_values(table: Table[Any]) -> Any:
    """Return the full record with every value changed that may be."""
    record = full_record(table)
    fixed = {*table.key, *(f"{noun}_id" for noun in ("project", "organization", "member"))}
    changes: dict[str, object] = {}
    for column in table.columns:
        value = getattr(record, column)
        if column in fixed or column == "connection_id":
            continue
        if isinstance(value, bool):
            changes[column] = not value
        elif isinstance(value, int):
            changes[column] = -value
        elif isinstance(value, str | bytes):
            changes[column] = value[:3]
        elif isinstance(value, tuple):
            changes[column] = ()
        else:
            changes[column] = value if isinstance(value, records.Record) else {}
    return replace(record, **{**changes, **_absent(table)})


def _absent(table: Table[Any]) -> dict[str, None]:
    optional = {"saml", "oidc", "external", "groups", "external_id", "allowed_oauth_tenants"}
    if table.name == "registrations":
        optional.remove("external_id")
    return dict.fromkeys(optional & set(table.columns))


async def test_update_of_an_absent_record_says_so(store: Store) -> None:
    await add_projects(store, "a")
    async with store.write() as tx:
        assert not await tx.projects.update(project("b"))
    assert await names(store) == ["a"]


@pytest.mark.parametrize("text", ["null", "true", "1", "", " ", "NULL", "🛂", "a\\b", "'; --"])
async def test_text_is_no_other_value(store: Store, text: str) -> None:
    async with store.write() as tx:
        await insert_all(tx)
        await tx.members.update(full_record(MEMBER, external_id=text, name=text))
    async with store.read() as tx:
        found = await tx.members.find(external_id=text, name=text)
    assert found is not None
    assert (found.external_id, found.name) == (text, text)


async def test_insert_if_absent_tells_whether_it_did(store: Store) -> None:
    async with store.write() as tx:
        assert await tx.projects.insert_if_absent(project("a"))
        assert not await tx.projects.insert_if_absent(project("a", environment="live"))
    assert await names(store) == ["a"]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, ["A", "a", "b", "Ä", "🛂"]),
        ({"name": "a"}, ["a"]),
        ({"name": "a", "project_id": "b"}, []),
        ({"name": ("b", "🛂", "x")}, ["b", "🛂"]),
        ({"name": ["a"]}, ["a"]),
        ({"name": ()}, []),
        ({"name": set()}, []),
        ({"created_at": frozenset({1, 2})}, ["a", "b"]),
        ({"created_at__gt": 1, "created_at__lt": 4}, ["b", "Ä"]),
        ({"created_at__ge": 3}, ["Ä", "🛂"]),
        ({"created_at__le": 0}, ["A"]),
        ({"name__gt": "a"}, ["b", "Ä", "🛂"]),
        ({"name__like": "a"}, ["a"]),
        ({"name__like": "%"}, ["A", "a", "b", "Ä", "🛂"]),
        ({"name__like": "_"}, ["A", "a", "b", "Ä", "🛂"]),
        ({"name__like": r"\_"}, []),
        ({"order": "created_at", "descending": True}, ["🛂", "Ä", "b", "a", "A"]),
        ({"descending": True, "limit": 2}, ["🛂", "Ä"]),
        ({"limit": 1}, ["A"]),
        ({"descending": True}, ["🛂", "Ä", "b", "a", "A"]),
        ({"order": "environment"}, ["A", "a", "b", "Ä", "🛂"]),
        ({"order": "environment", "descending": True}, ["🛂", "Ä", "b", "a", "A"]),
    ],
    ids=str,
)
async def test_conditions_choose(store: Store, where: dict[str, Any], expected: list[str]) -> None:
    await add_projects(store, "A", "a", "b", "Ä", "🛂")
    assert await names(store, **where) == expected


async def test_none_chooses_rows_without_a_value(store: Store) -> None:
    async with store.write() as tx:
        await insert_all(tx, external_id="given")
        member = full_record(MEMBER, member_id="other", external_id=None)
        await tx.members.insert(member)
        assert await tx.members.all(external_id=None) == [member]


async def test_like_takes_its_wildcards_literally_after_a_backslash(store: Store) -> None:
    await add_projects(store, "50%", "500", r"5\0")
    assert await names(store, name__like=r"50\%") == ["50%"]
    assert await names(store, name__like="50%") == ["50%", "500"]
    assert await names(store, name__like=r"5\\%") == [r"5\0"]


async def test_count_counts_what_fits(store: Store) -> None:
    await add_projects(store, "a", "b", "c")
    async with store.read() as tx:
        assert await tx.projects.count() == 3
        assert await tx.projects.count(name__gt="a") == 2
        assert await tx.projects.count(name="x") == 0


async def test_change_returns_the_rows_as_they_now_are(store: Store) -> None:
    await add_projects(store, "a", "b", "c")
    async with store.write() as tx:
        changed = await tx.projects.change({"environment": "live"}, name=("a", "c"))
        assert sorted(each.name for each in changed) == ["a", "c"]
        assert {each.environment for each in changed} == {"live"}
        assert await tx.projects.change({"environment": "live"}, name="x") == []
    assert await names(store, environment="live") == ["a", "c"]


async def test_change_writes_structured_values(store: Store) -> None:
    async with store.write() as tx:
        await insert_all(tx)
        (changed,) = await tx.organizations.change(
            {"trusted_metadata": {"a": ["ü"]}, "custom_roles": (), "allowed_oauth_tenants": None}
        )
    assert changed == full_record(
        ORGANIZATION, trusted_metadata={"a": ["ü"]}, custom_roles=(), allowed_oauth_tenants=None
    )


async def test_delete_returns_how_many_there_were(store: Store) -> None:
    await add_projects(store, "a", "b", "c")
    async with store.write() as tx:
        assert await tx.projects.delete(created_at__lt=2) == 2
        assert await tx.projects.delete(created_at__lt=2) == 0
    assert await names(store) == ["c"]


async def test_delete_without_a_condition_is_refused(store: Store) -> None:
    await add_projects(store, "a")
    async with store.write() as tx:
        with pytest.raises(TypeError, match="delete needs a condition"):
            await tx.projects.delete()
    assert await names(store) == ["a"]


async def test_select_takes_a_hand_written_tail(store: Store) -> None:
    await add_projects(store, "a", "b", "c")
    async with store.read() as tx:
        found = await tx.projects.select(
            "WHERE name = $2 OR created_at = $1 OR name = $2 ORDER BY name DESC", 0, "c"
        )
    assert [each.name for each in found] == ["c", "a"]


async def test_fetch_takes_a_hand_written_query(store: Store) -> None:
    await add_projects(store, "a", "b", "c")
    async with store.read() as tx:
        found = await tx.fetch("SELECT max(name), count(*) FROM projects WHERE name < $1", "c")
    assert [tuple(row) for row in found] == [("b", 2)]


@pytest.mark.parametrize("name", ["nme", "name__near", "name__gt__lt", "name) OR (1=1"])
async def test_unknown_condition_is_refused(store: Store, name: str) -> None:
    where: dict[str, Any] = {name: "x"}
    async with store.read() as tx:
        with pytest.raises(TypeError, match=r"^projects has no condition"):
            await tx.projects.all(**where)


async def test_unknown_order_is_refused(store: Store) -> None:
    async with store.read() as tx:
        with pytest.raises(TypeError, match=r"^projects has no column name;"):
            await tx.projects.all(order="name; DROP TABLE projects")


def test_columns_that_are_no_plain_value_are_json() -> None:
    assert PROJECT.json == {"rbac_policy"}
    assert {table.name: set(table.json) for table in TABLES}["registrations"] == {
        "sso_attributes",
        "groups",
        "groups_since",
    }


def test_every_table_is_in_the_order_of_the_full_records() -> None:
    assert {table.name for table in in_order()} == {table.name for table in TABLES}
