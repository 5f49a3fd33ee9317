import asyncio

import pytest
from msgspec.structs import replace

from tests.support.determinism import HandClock
from tests.support.saml_keys import signer
from vestibule import errors
from vestibule.clock import SECOND
from vestibule.domain import (
    connection_lifecycle,
    oidc_connections,
    organizations,
    saml_connections,
)
from vestibule.domain.connection_lifecycle import ConnectionView
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.records import Connection, Organization, Project

OIDC = {
    "issuer": "https://op.test",
    "client_id": "c",
    "client_secret": "s",
    "authorization_url": "https://op.test/a",
    "token_url": "https://op.test/t",
    "userinfo_url": "https://op.test/u",
    "jwks_url": "https://op.test/j",
}


@pytest.fixture
async def organization(context: Context, project: Project) -> Organization:
    made = await organizations.create(context, project, {"organization_name": "Acme"})
    return made.organization


async def oidc(context: Context, project: Project) -> Connection:
    return (await oidc_connections.create(context, project, "acme", {})).connection


async def activate(context: Context, project: Project, connection: Connection) -> ConnectionView:
    updated = await oidc_connections.update(
        context, project, "acme", connection.connection_id, OIDC
    )
    return updated.view


async def default_of(context: Context, project: Project) -> str | None:
    found = await organizations.get(context, project, "acme")
    return found.sso_default_connection_id


async def test_views_hold_the_keys_of_their_own_connection(
    context: Context, project: Project, organization: Organization
) -> None:
    first = await saml_connections.create(context, project, "acme", {})
    second = await saml_connections.create(context, project, "acme", {})
    changes = {"x509_certificate": signer("idp").pem}
    await saml_connections.update(
        context, project, "acme", second.connection.connection_id, changes
    )
    shown = {
        view.connection.connection_id: view
        for view in await connection_lifecycle.all_of(context, project, "acme")
    }
    assert shown[first.connection.connection_id] == first
    view = shown[second.connection.connection_id]
    assert [len(view.of_purpose(p)) for p in ("signing", "verification", "encryption")] == [1, 1, 0]
    assert view.of_purpose("signing") == second.keys


async def test_connections_of_an_unknown_organization_are_not_found(
    context: Context, project: Project
) -> None:
    with pytest.raises(Failure) as caught:
        await connection_lifecycle.all_of(context, project, "nobody")
    assert caught.value.error is errors.organization_not_found


async def test_change_is_dated(
    context: Context, project: Project, organization: Organization, clock: HandClock
) -> None:
    made = await oidc(context, project)
    clock.advance(SECOND)
    changed = (await activate(context, project, made)).connection
    assert changed.updated_at == made.updated_at + SECOND
    assert changed.created_at == made.created_at


async def test_two_that_become_active_at_once_leave_one_default(
    context: Context, project: Project, organization: Organization
) -> None:
    made = [await oidc(context, project) for _ in range(2)]
    views = await asyncio.gather(*(activate(context, project, each) for each in made))
    assert {view.connection.status for view in views} == {"active"}
    assert await default_of(context, project) in {each.connection_id for each in made}


async def test_cap_holds_for_simultaneous_creations(
    context: Context, project: Project, organization: Organization
) -> None:
    first = await oidc(context, project)
    async with context.store.write() as tx:
        for number in range(97):
            await tx.connections.insert(replace(first, connection_id=f"connection-{number}"))
    results = await asyncio.gather(
        *(oidc_connections.create(context, project, "acme", {}) for _ in range(6)),
        return_exceptions=True,
    )
    refusals = [each for each in results if isinstance(each, Failure)]
    assert [each.error for each in refusals] == [errors.too_many_sso_connections] * 4
    assert len(await connection_lifecycle.all_of(context, project, "acme")) == 100


async def test_one_of_two_simultaneous_deletions_finds_the_connection(
    context: Context, project: Project, organization: Organization
) -> None:
    made = await oidc(context, project)
    delete = connection_lifecycle.delete
    results = await asyncio.gather(
        *(delete(context, project, "acme", made.connection_id) for _ in range(4)),
        return_exceptions=True,
    )
    refusals = [each for each in results if isinstance(each, Failure)]
    assert [each.error for each in refusals] == [errors.sso_connection_not_found] * 3
    assert made.connection_id in results


async def test_default_cannot_be_deleted_while_another_becomes_active(
    context: Context, project: Project, organization: Organization
) -> None:
    default, other = await oidc(context, project), await oidc(context, project)
    await activate(context, project, default)
    results = await asyncio.gather(
        connection_lifecycle.delete(context, project, "acme", default.connection_id),
        activate(context, project, other),
        return_exceptions=True,
    )
    left = await default_of(context, project)
    if isinstance(results[0], Failure):
        assert results[0].error is errors.cannot_delete_default_sso_connection
        assert left == default.connection_id
    else:
        assert left == other.connection_id
