"""How much a search for members costs; what it finds is in tests/api."""

import dataclasses
from typing import Any

import pytest

from tests.support.counting import CountingStore
from tests.support.full_records import full_record
from vestibule.domain import member_changes, member_search, organizations
from vestibule.domain.context import Context
from vestibule.records import Organization, Project, SamlConfiguration
from vestibule.store.interface import CONNECTION, REGISTRATION


async def made(context: Context, project: Project, slug: str) -> Organization:
    """Make an organization with a connection that everybody is registered at."""
    view = await organizations.create(context, project, {"organization_name": slug})
    connection = full_record(
        CONNECTION,
        connection_id=slug,
        project_id=project.project_id,
        organization_id=view.organization.organization_id,
        saml=SamlConfiguration(connection_roles=("stytch_admin",)),
    )
    async with context.store.write() as tx:
        await tx.connections.insert(connection)
    return view.organization


async def add(context: Context, project: Project, organization: Organization, number: int) -> None:
    view, _ = await member_changes.create(
        context,
        project,
        organization.organization_id,
        email_address=f"member-{number}@example.com",
        pending=False,
        roles=["stytch_admin"],
        fields={},
    )
    member = view.member
    registration = full_record(
        REGISTRATION,
        registration_id=member.member_id,
        project_id=project.project_id,
        organization_id=member.organization_id,
        member_id=member.member_id,
        connection_id=organization.organization_slug,
        external_id=member.member_id,
    )
    async with context.store.write() as tx:
        await tx.registrations.insert(registration)


@pytest.mark.parametrize(
    ("operands", "statements"),
    [
        ([], 7),
        ([{"filter_name": "member_email_fuzzy", "filter_value": "member"}], 7),
        ([{"filter_name": "member_roles", "filter_value": ["stytch_admin"]}], 8),
    ],
)
async def test_search_takes_as_many_statements_for_three_as_for_one(
    context: Context, project: Project, operands: list[dict[str, Any]], statements: int
) -> None:
    within = [await made(context, project, slug) for slug in ("first", "second", "third")]
    store = CountingStore(context.store)
    counting = dataclasses.replace(context, store=store)
    counts = set()
    for number, organization in enumerate(within, 1):
        await add(context, project, organization, number)
        for limit in (1, 100):
            found = await member_search.run(
                counting,
                project,
                within=within,
                operands=operands,
                operator="AND",
                after="",
                limit=limit,
            )
            assert len(found.members) == len(found.organizations) == min(number, limit)
            assert found.total == number
            counts.add(store.taken())
    assert counts == {statements}
