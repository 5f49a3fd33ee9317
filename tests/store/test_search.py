"""The text of searches runs on both engines; what each filter finds is tested in tests/api."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.full_records import full_record, insert_all
from vestibule.store import search
from vestibule.store.interface import MEMBER, ORGANIZATION, PROJECT, Store
from vestibule.store.search import Filter, Operator, Page, Term, containing, ending_with

FULL = full_record(ORGANIZATION)
AWKWARD = "'\"!%_\\$1{0}{all}🛂"


async def organizations(
    store: Store,
    *,
    filters: Sequence[Filter] = (),
    operator: Operator = "AND",
    after: str = "",
    limit: int = 10,
) -> Page[Any]:
    async with store.read() as tx:
        return await search.organizations(
            tx, FULL.project_id, filters=filters, operator=operator, after=after, limit=limit
        )


async def members(
    store: Store,
    *,
    within: Sequence[str] = (FULL.organization_id,),
    filters: Sequence[Filter] = (),
    after: tuple[str, str] = ("", ""),
    limit: int = 10,
) -> Page[Any]:
    async with store.read() as tx:
        return await search.members(
            tx,
            FULL.project_id,
            within,
            filters=filters,
            operator="AND",
            with_deleted=True,
            after=after,
            limit=limit,
        )


@pytest.mark.case("AD-23")
@pytest.mark.parametrize(
    ("text", "escaped"),
    [("abc", "abc"), ("100%", "100!%"), ("a_b", "a!_b"), ("wow!", "wow!!"), ("\\", "\\")],
)
def test_pattern_takes_every_character_literally(text: str, escaped: str) -> None:
    assert containing(text) == f"%{escaped}%"
    assert ending_with(text) == f"%{escaped}"


# The terms that a full record fits without regard to the text.
FITTING = {"active_connection", "breakglass", "all"}


@pytest.mark.case("AD-22")
@pytest.mark.parametrize("name", sorted(search._ORGANIZATION_TERMS))
async def test_every_organization_term_runs_with_any_text(store: Store, name: str) -> None:
    async with store.write() as tx:
        await insert_all(tx)
    page = await organizations(store, filters=[[Term(name, (AWKWARD,) * _holes(name))]])
    assert [row.organization_id for row in page.rows] == [FULL.organization_id] * (name in FITTING)
    assert page.total == len(page.rows)


@pytest.mark.case("AD-22")
@pytest.mark.parametrize("name", sorted(search._MEMBER_TERMS))
async def test_every_member_term_runs_with_any_text(store: Store, name: str) -> None:
    async with store.write() as tx:
        await insert_all(tx)
    page = await members(store, filters=[[Term(name, (AWKWARD,) * _holes(name))]])
    assert [row.organization_id for row in page.rows] == [FULL.organization_id] * (name in FITTING)
    assert page.total == len(page.rows)


def _holes(name: str) -> int:
    """Return how many values a term can have; PostgreSQL refuses a value that is not used."""
    text = {**search._ORGANIZATION_TERMS, **search._MEMBER_TERMS}[name]
    return 2 if "{1}" in text else int("{0}" in text or "{all}" in text)


LISTS = sorted(name for name, text in search._MEMBER_TERMS.items() if "{all}" in text)


@pytest.mark.parametrize("name", LISTS)
async def test_term_without_values_finds_nothing(store: Store, name: str) -> None:
    async with store.write() as tx:
        await insert_all(tx)
    assert (await members(store, filters=[[Term(name)]])).rows == []


async def test_page_begins_after_its_start_and_counts_what_is_before_it_too(store: Store) -> None:
    async with store.write() as tx:
        await tx.projects.insert(full_record(PROJECT))
        for number in range(5):
            values = {"organization_slug": str(number), "organization_external_id": None}
            await tx.organizations.insert(
                full_record(ORGANIZATION, organization_id=f"id-{number}", **values)
            )
    for start in range(5):
        for limit in range(1, 6):
            page = await organizations(store, after=f"id-{start}", limit=limit)
            rest = [f"id-{number}" for number in range(start + 1, 5)]
            assert [row.organization_id for row in page.rows] == rest[:limit]
            assert page.more == (len(rest) > limit)
            assert page.total == 5


async def test_members_page_over_the_edge_of_an_organization(store: Store) -> None:
    ids = [("org-1", "member-3"), ("org-2", "member-1"), ("org-2", "member-2")]
    async with store.write() as tx:
        await tx.projects.insert(full_record(PROJECT))
        for organization_id in ("org-1", "org-2"):
            names = {"organization_slug": organization_id, "organization_external_id": None}
            await tx.organizations.insert(
                full_record(ORGANIZATION, organization_id=organization_id, **names)
            )
        for organization_id, member_id in ids:
            record = full_record(
                MEMBER, organization_id=organization_id, member_id=member_id, external_id=None
            )
            await tx.members.insert(record)
    seen = []
    after = ("", "")
    for _ in ids:
        page = await members(store, within=("org-1", "org-2"), after=after, limit=1)
        after = (page.rows[0].organization_id, page.rows[0].member_id)
        seen.append(after)
        assert page.total == 3
    assert seen == ids
    assert not page.more
