"""Which members an identity is, in the organizations that share a connection."""

from typing import Any

import pytest

from tests.support.full_records import full_record
from vestibule.store import interface, sharing
from vestibule.store.interface import Store, Transaction

OWNED = "connection-owned"
PROJECT = "project-1"


@pytest.fixture
async def tx(store: Store) -> Any:
    """Give a transaction in which an owner and two others share a connection, a fourth does not."""
    async with store.write() as opened:
        for project in (PROJECT, "project-2"):
            await opened.projects.insert(full_record(interface.PROJECT, project_id=project))
            for name in ("owner", "first", "second", "stranger"):
                await add_organization(opened, project, name)
        yield opened


async def add_organization(tx: Transaction, project: str, name: str) -> None:
    of: dict[str, Any] = {"project_id": project, "organization_id": name}
    await tx.organizations.insert(
        full_record(
            interface.ORGANIZATION, **of, organization_slug=name, organization_external_id=None
        )
    )
    refers = OWNED if name in {"first", "second"} else None
    await tx.connections.insert(
        full_record(
            interface.CONNECTION,
            **of,
            connection_id=OWNED if name == "owner" else f"connection-{name}",
            external_connection_id=refers,
            status="active",
        )
    )


async def add_member(
    tx: Transaction,
    organization: str,
    member_id: str,
    *,
    project: str = PROJECT,
    status: str = "active",
    external_id: str = "",
    retired: bool = False,
) -> None:
    of: dict[str, Any] = {
        "project_id": project,
        "organization_id": organization,
        "member_id": member_id,
    }
    await tx.members.insert(full_record(interface.MEMBER, **of, status=status, external_id=None))
    if external_id:
        connection_id = OWNED if organization == "owner" else f"connection-{organization}"
        await tx.registrations.insert(
            full_record(
                interface.REGISTRATION,
                **of,
                registration_id=f"registration-{member_id}",
                connection_id=connection_id,
                external_id=external_id,
            )
        )
    else:
        await tx.member_emails.insert(
            full_record(
                interface.MEMBER_EMAIL,
                **of,
                email_id=f"email-{member_id}",
                email_key="ada@acme.test",
                retired=retired,
            )
        )


async def found(tx: Transaction, connection_id: str = OWNED) -> list[str]:
    members = await sharing.members(
        tx, PROJECT, connection_id, external_id="ada", email_key="ada@acme.test"
    )
    return [member.member_id for member in members]


async def test_members_are_found_by_registration_and_by_address(tx: Transaction) -> None:
    await add_member(tx, "owner", "m1", external_id="ada")
    await add_member(tx, "first", "m2", external_id="ada")
    await add_member(tx, "second", "m3", status="invited")
    assert await found(tx) == ["m1", "m2", "m3"]


async def test_member_who_is_both_is_found_once(tx: Transaction) -> None:
    await add_member(tx, "first", "m1", external_id="ada")
    await tx.member_emails.insert(
        full_record(
            interface.MEMBER_EMAIL,
            project_id=PROJECT,
            organization_id="first",
            member_id="m1",
            email_key="ada@acme.test",
            retired=False,
        )
    )
    assert await found(tx) == ["m1"]


async def test_others_are_not_found(tx: Transaction) -> None:
    await add_member(tx, "stranger", "m1")
    await add_member(tx, "stranger", "m2", external_id="ada")
    await add_member(tx, "first", "m3", project="project-2")
    await add_member(tx, "second", "m4", project="project-2", external_id="ada")
    await add_member(tx, "first", "m5", status="deleted")
    await add_member(tx, "second", "m6", retired=True)
    await add_member(tx, "owner", "m7", external_id="somebody else")
    assert await found(tx) == []


async def test_severed_connections_lead_nowhere(tx: Transaction) -> None:
    await add_member(tx, "first", "m1")
    await add_member(tx, "second", "m2", external_id="ada")
    assert await found(tx) == ["m1", "m2"]
    await tx.connections.change({"status": "pending"}, external_connection_id=OWNED)
    assert await found(tx) == []
