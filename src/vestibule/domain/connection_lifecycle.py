"""A connection's life: made pending, active once complete, listed, deleted (semantics 1.4)."""

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import audit, connection_factors, connections, organizations, tenancy
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.records import Connection, ConnectionKey, Organization, Project
from vestibule.store.interface import Transaction

_MOST: Final = 100


@dataclass(frozen=True)
class ConnectionView:
    """A connection with its certificates and keys, in the order they were added."""

    connection: Connection
    keys: tuple[ConnectionKey, ...]

    def of_purpose(self, purpose: str) -> tuple[ConnectionKey, ...]:
        """Return the keys of one purpose."""
        return tuple(key for key in self.keys if key.purpose == purpose)


async def all_of(context: Context, project: Project, locator: str) -> list[ConnectionView]:
    """Return the connections of an organization, oldest first, with two queries for all.

    Raises Failure organization_not_found.
    """
    async with context.store.read() as tx:
        organization = await organizations.load(tx, project, locator)
        within = tenancy.of_organization(organization)
        found = await tx.connections.all(**within)
        keys = await tx.connection_keys.all(**within)
    return [
        ConnectionView(item, tuple(k for k in keys if k.connection_id == item.connection_id))
        for item in found
    ]


async def view(tx: Transaction, connection: Connection) -> ConnectionView:
    """Return one connection with its keys."""
    keys = await tx.connection_keys.all(
        project_id=connection.project_id,
        organization_id=connection.organization_id,
        connection_id=connection.connection_id,
    )
    return ConnectionView(connection, tuple(keys))


async def require_room(tx: Transaction, organization: Organization) -> None:
    """Pass when the organization may have one more. Raises Failure too_many_sso_connections."""
    count = await tx.connections.count(
        project_id=organization.project_id, organization_id=organization.organization_id
    )
    if count >= _MOST:
        raise Failure(errors.too_many_sso_connections)


async def settle(
    tx: Transaction, context: Context, organization: Organization, connection: Connection
) -> ConnectionView:
    """Write a changed connection, make it active once nothing is missing, and return it.

    It never goes back to pending. The first active one becomes the organization's default.
    """
    shown = await view(tx, connection)
    missing = connections.missing(
        connection, has_certificate=bool(shown.of_purpose("verification"))
    )
    becomes_active = connection.status == "pending" and not missing
    changed = replace(
        connection,
        status="active" if becomes_active else connection.status,
        updated_at=context.clock.now(),
    )
    await tx.connections.update(changed)
    if becomes_active:
        await tx.organizations.change(
            {"sso_default_connection_id": connection.connection_id},
            project_id=organization.project_id,
            organization_id=organization.organization_id,
            sso_default_connection_id=None,
        )
    return ConnectionView(changed, shown.keys)


async def delete(context: Context, project: Project, locator: str, connection_id: str) -> str:
    """Remove a connection of any kind with its keys and registrations, and return its id.

    Its factors go out of all sessions; one that held no other primary factor ends.
    External connections that refer to it lead nowhere from now on. Raises Failure
    sso_connection_not_found, or cannot_delete_default_sso_connection while the organization has
    others.
    """
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator)
        within = tenancy.of_organization(organization)
        # A login that is under way holds its token, and will want what is locked here next.
        await tx.sso_tokens.delete(**within, connection_id=connection_id)
        organization = await organizations.load(
            tx, project, organization.organization_id, lock=True
        )
        connection = await connections.load(tx, organization, connection_id, lock=True)
        is_default = organization.sso_default_connection_id == connection.connection_id
        if is_default and await tx.connections.count(**within, status="active") > 1:
            raise Failure(errors.cannot_delete_default_sso_connection)
        severed = await connections.sever(tx, [connection], now=context.clock.now())
        await tx.connections.delete(**within, connection_id=connection.connection_id)
        await connection_factors.remove(tx, connection)
        await tx.organizations.update(_without(organization, connection.connection_id))
        await audit.record_deletion(
            tx,
            context,
            "connection.delete",
            connection,
            connection.connection_id,
            severed=severed,
        )
    return connection.connection_id


def _without(organization: Organization, connection_id: str) -> Organization:
    """Return the organization without a mention of a connection that is gone.

    RESTRICTED with nothing left on its list is NOT_ALLOWED, as the list may not be empty.
    """
    allowed = tuple(
        item
        for item in organization.sso_jit_provisioning_allowed_connections
        if item != connection_id
    )
    emptied = organization.sso_jit_provisioning == "RESTRICTED" and not allowed
    is_default = organization.sso_default_connection_id == connection_id
    return replace(
        organization,
        sso_jit_provisioning_allowed_connections=allowed,
        sso_jit_provisioning="NOT_ALLOWED" if emptied else organization.sso_jit_provisioning,
        sso_default_connection_id=None if is_default else organization.sso_default_connection_id,
    )
