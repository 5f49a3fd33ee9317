"""Who is known in any of the organizations that share one connection."""

from typing import Final

from vestibule.records import Member
from vestibule.store.interface import Transaction

# $2 is a connection's id: those that share it are the connection and all that refer to it.
_SHARING: Final = (
    "FROM connections WHERE project_id = $1 AND status = 'active' "
    "AND (connection_id = $2 OR external_connection_id = $2)"
)
# One list of ids, so that the members are looked up by it.
_MEMBERS: Final = (
    "WHERE project_id = $1 AND status <> 'deleted' AND member_id IN ("  # noqa: S608 - text of this file
    "SELECT member_id FROM registrations WHERE project_id = $1 AND external_id = $3 "
    f"AND connection_id IN (SELECT connection_id {_SHARING}) "
    "UNION SELECT member_id FROM member_emails WHERE project_id = $1 AND email_key = $4 "
    f"AND NOT retired AND organization_id IN (SELECT organization_id {_SHARING})) "
    "ORDER BY member_id"
)


async def members(
    tx: Transaction, project_id: str, connection_id: str, *, external_id: str, email_key: str
) -> list[Member]:
    """Return the members that an identity of a connection is, wherever it is shared.

    They are known by their registration (a sharing connection, `external_id`) or by their present
    address.
    """
    return await tx.members.select(_MEMBERS, project_id, connection_id, external_id, email_key)
