"""The factors of a connection in sessions, which go when the connection goes (semantics 1.4)."""

from typing import Any, Final

from msgspec.structs import replace

from vestibule.domain.factors import without_connection
from vestibule.records import Connection
from vestibule.store.interface import Transaction

_AT_ONCE: Final = 500


async def remove(tx: Transaction, connection: Connection) -> None:
    """Take the factors of a connection that cannot be used any more out of all sessions.

    A session that is left without a primary factor ends. To be called after the connection has
    been written or deleted: a login through it that is under way is then either seen or fails.
    """
    connection_id = connection.connection_id
    of: dict[str, Any] = {
        "project_id": connection.project_id,
        "organization_id": connection.organization_id,
    }
    # The underscore is escaped for LIKE; no value can hold a quotation mark that is not, for JSON.
    holding = {**of, "factors__like": f'%"provider\\_id":"{connection_id}"%'}
    last = ""
    while found := await tx.sessions.all(**holding, session_id__gt=last, lock=True, limit=_AT_ONCE):
        for session in found:
            left = without_connection(session.factors, connection_id)
            if left:
                await tx.sessions.update(replace(session, factors=left))
            else:
                await tx.sessions.delete(**of, session_id=session.session_id)
        last = found[-1].session_id
    last = ""
    while waiting := await tx.intermediate_sessions.all(
        **holding, token_id__gt=last, lock=True, limit=_AT_ONCE
    ):
        for each in waiting:
            left = without_connection(each.factors, connection_id)
            if left:
                await tx.intermediate_sessions.update(replace(each, factors=left))
            else:
                await tx.intermediate_sessions.delete(**of, token_id=each.token_id)
        last = waiting[-1].token_id
