"""External connections: another organization's connection, trusted in this one (semantics 3).

Nothing is asked of the owner: who knows both of its ids may refer to it, and takes the risk of its
identity provider alone. The owner loses nothing, and its settings count for nothing here.
"""

from collections.abc import Collection, Mapping
from typing import Any

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import (
    audit,
    connection_fields,
    connection_lifecycle,
    connections,
    organizations,
    role_ledger,
)
from vestibule.domain.context import Context
from vestibule.domain.policy import project_policy, roles_of
from vestibule.errors import Failure
from vestibule.records import Connection, ExternalConfiguration, Organization, Project
from vestibule.store.interface import Transaction


async def create(
    context: Context, project: Project, locator: str, changes: Mapping[str, Any]
) -> Connection:
    """Refer to another organization's active connection and return what was made, active.

    Raises Failure naming the field; a connection of any other organization than the one named is
    answered as an unknown one (MT-07), and so is an external one (MT-10).
    """
    now = context.clock.now()
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator, lock=True)
        owned = await _named(tx, project, organization, changes)
        await _require_new(tx, organization, owned)
        await connection_lifecycle.require_room(tx, organization)
        external = ExternalConfiguration(
            external_organization_id=owned.organization_id,
            external_connection_id=owned.connection_id,
            protocol=owned.protocol,
        )
        connection = Connection(
            connection_id=context.new_id("external-connection", project),
            project_id=project.project_id,
            organization_id=organization.organization_id,
            protocol="external",
            display_name="",
            identity_provider=owned.identity_provider,
            external=external,
            external_connection_id=owned.connection_id,
            created_at=now,
            updated_at=now,
        )
        known_roles = roles_of(project_policy(project), organization)
        blank = connection
        connection = _apply(known_roles, connection, external, owned, changes)
        connection = role_ledger.of_connection(context, blank, connection)
        await tx.connections.insert(connection)
        shown = await connection_lifecycle.settle(tx, context, organization, connection)
        await audit.record(tx, context, "connection.create", connection, connection.connection_id)
    return shown.connection


async def update(
    context: Context,
    project: Project,
    locator: str,
    connection_id: str,
    changes: Mapping[str, Any],
) -> Connection:
    """Change the fields that were sent and return the connection as it now is.

    Raises Failure naming the field.
    """
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator, lock=True)
        # The owner may be severing it at this moment.
        connection = await connections.load(tx, organization, connection_id, lock=True)
        if connection.external is None:
            raise Failure(errors.sso_connection_not_found)
        external = connection.external
        owned = await connections.underlying(tx, external, project_id=project.project_id)
        known_roles = roles_of(project_policy(project), organization)
        changed = _apply(known_roles, connection, external, owned, changes)
        changed = role_ledger.of_connection(context, connection, changed)
        changed = replace(changed, updated_at=context.clock.now())
        await tx.connections.update(changed)
        names = audit.differing(connection, changed)
        await audit.record(tx, context, "connection.update", changed, connection_id, changed=names)
    return changed


async def _named(
    tx: Transaction, project: Project, organization: Organization, changes: Mapping[str, Any]
) -> Connection:
    """Return the connection that is to be used, which then cannot be deleted meanwhile."""
    unknown = errors.external_connection_id_not_found
    try:
        owner = await organizations.load(tx, project, changes["external_organization_id"])
    except Failure:
        raise Failure(unknown) from None
    if owner.organization_id == organization.organization_id:
        raise Failure(errors.external_organization_id_same_as_organization_id)
    named = changes["external_connection_id"]
    owned = await connections.load(tx, owner, named, error=unknown, lock=True)
    if owned.external is not None:
        raise Failure(unknown)
    if owned.status != "active":
        raise Failure(errors.external_connection_not_active)
    return owned


async def _require_new(tx: Transaction, organization: Organization, owned: Connection) -> None:
    same = await tx.connections.find(
        project_id=organization.project_id,
        organization_id=organization.organization_id,
        external_connection_id=owned.connection_id,
    )
    if same is not None:
        raise Failure(errors.duplicate_external_sso_connection)


def _apply(
    known_roles: Collection[str],
    connection: Connection,
    external: ExternalConfiguration,
    owned: Connection | None,
    changes: Mapping[str, Any],
) -> Connection:
    """Return the connection with what was sent; the roles are those of its own organization."""
    values = connection_fields.role_assignments(known_roles, external, changes)
    if values.get("group_roles"):
        _require_groups(owned)
    name = connection_fields.display_name(changes.get("display_name", connection.display_name))
    return replace(connection, display_name=name, external=replace(external, **values))


def _require_groups(owned: Connection | None) -> None:
    """A SAML connection tells groups only where its owner has mapped them."""
    if owned is None:
        raise Failure(errors.external_connection_not_active)
    if owned.saml is not None:
        connection_fields.require_groups_mapped(
            owned.saml,
            "The external Organization's connection has no groups in its attribute_mapping.",
        )
