"""Letters to an organization's admins about a certificate that expires."""

from typing import Final

from vestibule.clock import DAY, rfc3339
from vestibule.domain import letters, tenancy
from vestibule.domain.context import Context
from vestibule.domain.policy import ADMIN_ROLE
from vestibule.records import Connection, ConnectionKey, Project
from vestibule.store.interface import Transaction

REMEDIES: Final = {
    "verification": "add the identity provider's next one beside it",
    "signing": "start a rotation of the signing key, give the identity provider our new metadata, "
    "and complete the rotation",
    "next_signing": "give the identity provider our metadata and complete the rotation, or cancel "
    "it and start another",
    "encryption": "add another saml_encryption_private_key and give the identity provider our new "
    "metadata",
}
PURPOSES: Final = {
    "verification": "with which we verify the identity provider's answers",
    "signing": "with which the identity provider verifies our requests",
    "next_signing": "with which the identity provider will verify our requests",
    "encryption": "with which the identity provider encrypts its answers",
}
_MOST: Final = 20
_OF_USE: Final = 2 * DAY


async def write_to_admins(
    tx: Transaction,
    context: Context,
    project: Project,
    connection: Connection,
    key: ConnectionKey,
    *,
    days: int,
) -> None:
    """Tell the active members who are admins themselves, at most twenty, in the transaction."""
    own = tenancy.of_organization(key)
    roles = await tx.member_roles.all(**own, role_id=ADMIN_ROLE, limit=_MOST)
    ids = tuple(role.member_id for role in roles)
    for member in await tx.members.all(**own, member_id=ids, status="active"):
        await letters.write(
            tx,
            context,
            project,
            key.organization_id,
            to=member.email_address,
            subject=f"A certificate for single sign-on {_when(days)}",
            text=_text(connection, key, days=days),
            until=context.clock.now() + _OF_USE,
        )


def _when(days: int) -> str:
    if not days:
        return "has expired"
    return "expires within a day" if days == 1 else f"expires within {days} days"


def _text(connection: Connection, key: ConnectionKey, *, days: int) -> str:
    return (
        f"The certificate {PURPOSES[key.purpose]} {_when(days)}.\n\n"
        f"Connection: {connection.connection_id}\n"
        f"Certificate: {key.key_id}\n"
        f"Expires: {rfc3339(key.expires_at)}\n\n"
        f"What to do: {REMEDIES[key.purpose]}.\n"
    )
