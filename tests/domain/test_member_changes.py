"""Members that are changed at the same moment; each rule by itself is tested in tests/api."""

import asyncio
from typing import Any

import pytest

from tests.support.full_records import full_record, rows
from vestibule import errors
from vestibule.domain import member_changes, organizations
from vestibule.domain.context import Context
from vestibule.domain.members import MemberView
from vestibule.errors import Failure
from vestibule.records import Project
from vestibule.store.interface import CONNECTION, TABLES


async def created(context: Context, project: Project, address: str, **fields: Any) -> MemberView:
    view, _ = await member_changes.create(
        context,
        project,
        "acme",
        email_address=address,
        pending=False,
        roles=(),
        fields=fields,
    )
    return view


@pytest.fixture
async def member(context: Context, project: Project) -> MemberView:
    """Return a member of a new organization `acme`."""
    await organizations.create(context, project, {"organization_name": "Acme"})
    return await created(context, project, "ada@example.com")


async def changed(context: Context, project: Project, view: MemberView, **changes: Any) -> Any:
    result = await member_changes.update(
        context, project, "acme", view.member.member_id, changes, preserve_existing_sessions=True
    )
    return result[0]


async def test_updates_at_the_same_moment_both_count(
    context: Context, project: Project, member: MemberView
) -> None:
    await asyncio.gather(
        *(
            changed(context, project, member, untrusted_metadata={str(number): number})
            for number in range(10)
        )
    )
    view, _ = await member_changes.get(
        context, project, "acme", member_locator=member.member.member_id
    )
    assert view.member.untrusted_metadata == {str(number): number for number in range(10)}


async def test_addresses_at_the_same_moment_leave_one_present(
    context: Context, project: Project, member: MemberView
) -> None:
    addresses = [f"ada-{number}@example.com" for number in range(5)]
    await asyncio.gather(
        *(changed(context, project, member, email_address=address) for address in addresses)
    )
    view, _ = await member_changes.get(
        context, project, "acme", member_locator=member.member.member_id
    )
    (present,) = (email for email in view.emails if not email.retired)
    assert present.email_address == view.member.email_address
    assert len(view.emails) == 6


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("external_id", "1", errors.duplicate_member_external_id),
        ("email_address", "new@example.com", errors.duplicate_member_email),
    ],
)
async def test_value_that_several_want_at_once_goes_to_one(
    context: Context, project: Project, member: MemberView, *, field: str, value: str, error: object
) -> None:
    others = [await created(context, project, f"bob-{n}@example.com") for n in range(4)]
    results = await asyncio.gather(
        *(changed(context, project, each, **{field: value}) for each in [member, *others]),
        return_exceptions=True,
    )
    refusals = [each.error for each in results if isinstance(each, Failure)]
    assert refusals == [error] * 4


async def test_deletion_and_update_at_the_same_moment_leave_the_member_deleted(
    context: Context, project: Project, member: MemberView
) -> None:
    member_id = member.member.member_id
    results = await asyncio.gather(
        *(changed(context, project, member, name=str(number)) for number in range(5)),
        member_changes.delete(context, project, "acme", member_id),
        *(changed(context, project, member, external_id=str(number)) for number in range(5)),
        return_exceptions=True,
    )
    refused = [each.error for each in results if isinstance(each, Failure)]
    assert set(refused) <= {errors.member_not_found}
    assert sum(isinstance(each, BaseException) for each in results) == len(refused)
    view, _ = await member_changes.get_anywhere(context, project, member_id, include_deleted=True)
    assert (view.member.status, view.member.external_id, view.emails) == ("deleted", None, ())


# The address and the row itself are looked at below; what happened is not forgotten.
KEPT = {"members", "member_emails", "audit_events"}


async def test_deletion_leaves_nothing_but_the_member(
    context: Context, project: Project, member: MemberView
) -> None:
    organization_id = member.member.organization_id
    own = {
        "project_id": project.project_id,
        "organization_id": organization_id,
        "member_id": member.member.member_id,
    }
    connection = full_record(
        CONNECTION, project_id=project.project_id, organization_id=organization_id
    )
    async with context.store.write() as tx:
        await tx.connections.insert(connection)
        children = [table for table in TABLES if {"member_id", "project_id"} <= set(table.columns)]
        children = [table for table in children if table.name not in KEPT]
        for table in children:
            await rows(tx, table).insert(full_record(table, **own))
    await member_changes.delete(context, project, "acme", own["member_id"])
    async with context.store.read() as tx:
        assert [table.name for table in children if await rows(tx, table).count()] == []
        assert await tx.member_emails.count() == 0
        assert await tx.members.count(status="deleted") == 1
    assert {table.name for table in children} >= {"sessions", "registrations", "member_roles"}
