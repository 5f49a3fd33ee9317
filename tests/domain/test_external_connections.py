"""What happens at the same time; all else is asked over HTTP in tests/api/test_sso_external.py."""

import asyncio
from typing import Any

import pytest

from vestibule.domain import connection_lifecycle, external_connections, organizations
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.records import Connection, OidcConfiguration, Project

NAMED = {
    "external_organization_id": "owner",
    "external_connection_id": "oidc-connection-test-owned",
}


@pytest.fixture
async def owned(context: Context, project: Project) -> Connection:
    """Return an active connection of one organization; another one is there to refer to it."""
    await organizations.create(context, project, {"organization_name": "User"})
    owner = await organizations.create(context, project, {"organization_name": "Owner"})
    connection = Connection(
        connection_id=NAMED["external_connection_id"],
        project_id=project.project_id,
        organization_id=owner.organization.organization_id,
        protocol="oidc",
        display_name="",
        status="active",
        oidc=OidcConfiguration(),
        created_at=1,
        updated_at=1,
    )
    async with context.store.write() as tx:
        await tx.connections.insert(connection)
    return connection


async def outcome(work: Any) -> Any:
    """Return what `work` returns, or the name of the error it ends with."""
    try:
        return await work
    except Failure as failure:
        return failure.error.name


async def test_only_one_of_several_is_made(
    context: Context, project: Project, owned: Connection
) -> None:
    results = await asyncio.gather(
        *(outcome(external_connections.create(context, project, "user", NAMED)) for _ in range(6))
    )
    made = [each for each in results if isinstance(each, Connection)]
    assert [each.external_connection_id for each in made] == [owned.connection_id]
    assert results.count("duplicate_external_sso_connection") == 5


@pytest.mark.case("MT-08")
@pytest.mark.parametrize("first", ["create", "update", "delete"])
async def test_none_is_active_after_its_connection_was_deleted_meanwhile(
    context: Context, project: Project, owned: Connection, first: str
) -> None:
    """Several organizations make or change one while the owner deletes the connection."""
    names = [f"user-{number}" for number in range(4)]
    for name in names:
        await organizations.create(context, project, {"organization_name": name})
    made = [await external_connections.create(context, project, name, NAMED) for name in names[:2]]
    work = [
        *(external_connections.create(context, project, name, NAMED) for name in names[2:]),
        *(
            external_connections.update(
                context, project, name, each.connection_id, {"display_name": "New"}
            )
            for name, each in zip(names[:2], made, strict=True)
        ),
    ]
    deletion = connection_lifecycle.delete(context, project, "owner", owned.connection_id)
    order = {"create": [*work, deletion], "update": [*work[::-1], deletion]}
    results = await asyncio.gather(*(outcome(each) for each in order.get(first, [deletion, *work])))
    assert owned.connection_id in results
    errors = {each for each in results if isinstance(each, str)} - {owned.connection_id}
    assert errors <= {"external_connection_id_not_found"}
    async with context.store.read() as tx:
        left = await tx.connections.all(project_id=project.project_id)
    assert len(left) >= 2
    assert {each.status for each in left} == {"pending"}
