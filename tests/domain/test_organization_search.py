"""How much a search for organizations costs; what it finds is in tests/api."""

import dataclasses
from typing import Any

from tests.support.counting import CountingStore
from vestibule.domain import organization_search, organizations
from vestibule.domain.context import Context
from vestibule.records import Project

OPERANDS: list[list[dict[str, Any]]] = [
    [],
    [{"filter_name": "organization_name_fuzzy", "filter_value": "acme"}],
    [{"filter_name": "has_active_sso_connection", "filter_value": False}],
]


async def test_search_takes_as_many_statements_for_three_as_for_one(
    context: Context, project: Project
) -> None:
    store = CountingStore(context.store)
    counting = dataclasses.replace(context, store=store)
    counts = set()
    for number in range(1, 4):
        await organizations.create(context, project, {"organization_name": f"Acme {number}"})
        for operands in OPERANDS:
            for limit in (1, 100):
                found = await organization_search.run(
                    counting, project, operands=operands, operator="AND", after="", limit=limit
                )
                assert len(found.organizations) == min(number, limit)
                assert found.total == number
                assert (found.next_cursor is None) == (number <= limit)
                counts.add(store.taken())
    assert counts == {3}
