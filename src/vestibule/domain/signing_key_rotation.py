"""A new key for signing what a SAML connection sends, without a moment in which none fits.

The next key is published beside the present one (security.md OP-16) and used for nothing, so that
the identity provider can learn it first; completing puts it in the present one's place.
"""

from vestibule import errors
from vestibule.domain import audit, connection_lifecycle, connections, organizations, saml_keys
from vestibule.domain.connection_lifecycle import ConnectionView
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.records import Connection, Organization, Project
from vestibule.store.interface import Transaction


async def get(
    context: Context, project: Project, locator: str, connection_id: str
) -> ConnectionView:
    """Return the connection with its keys. Raises Failure when it is no SAML connection."""
    async with context.store.read() as tx:
        organization = await organizations.load(tx, project, locator)
        connection = await _load(tx, organization, connection_id)
        return await connection_lifecycle.view(tx, connection)


async def start(
    context: Context, project: Project, locator: str, connection_id: str
) -> ConnectionView:
    """Publish a next key, unless one waits already, and return the connection. Raises Failure."""
    found = await get(context, project, locator, connection_id)
    made = await saml_keys.new_signing_key(
        context, project, found.connection, purpose="next_signing"
    )
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator, lock=True)
        connection = await _load(tx, organization, connection_id)
        if not await saml_keys.of_purpose(tx, connection, "next_signing"):
            await tx.connection_keys.insert(made)
            await audit.record(
                tx, context, "connection.start_key_rotation", connection, connection_id
            )
        return await connection_lifecycle.view(tx, connection)


async def complete(
    context: Context, project: Project, locator: str, connection_id: str
) -> ConnectionView:
    """Sign with the next key from now on, and forget the present one; return the connection.

    Raises Failure bad_request when no next key waits.
    """
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator, lock=True)
        connection = await _load(tx, organization, connection_id)
        waiting = await saml_keys.of_purpose(tx, connection, "next_signing")
        if not waiting:
            raise Failure(errors.bad_request, "No next signing key waits: start a rotation first.")
        for old in await saml_keys.of_purpose(tx, connection, "signing"):
            await saml_keys.remove(tx, connection, old.key_id)
        await saml_keys.promote(tx, connection, waiting[0].key_id, now=context.clock.now())
        await audit.record(
            tx, context, "connection.complete_key_rotation", connection, connection_id
        )
        return await connection_lifecycle.view(tx, connection)


async def cancel(
    context: Context, project: Project, locator: str, connection_id: str
) -> ConnectionView:
    """Forget the next key, if one waits, and return the connection. Raises Failure."""
    async with context.store.write() as tx:
        organization = await organizations.load(tx, project, locator, lock=True)
        connection = await _load(tx, organization, connection_id)
        waiting = await saml_keys.of_purpose(tx, connection, "next_signing")
        for each in waiting:
            await saml_keys.remove(tx, connection, each.key_id)
        if waiting:
            await audit.record(
                tx, context, "connection.cancel_key_rotation", connection, connection_id
            )
        return await connection_lifecycle.view(tx, connection)


async def _load(tx: Transaction, organization: Organization, connection_id: str) -> Connection:
    error = errors.saml_connection_not_found
    connection = await connections.load(tx, organization, connection_id, error=error)
    if connection.saml is None:
        raise Failure(error)
    return connection
