"""The factors of a connection in sessions, which go when the connection goes (semantics 1.4)."""

from typing import Any, Final, TypeVar

from msgspec.structs import replace

from vestibule.domain import tenancy
from vestibule.domain.factors import without_connection
from vestibule.records import Connection, IntermediateSession, Session
from vestibule.store.interface import Transaction
from vestibule.store.table import Rows

_AT_ONCE: Final = 500


Holder = TypeVar("Holder", Session, IntermediateSession)


async def remove(tx: Transaction, connection: Connection) -> None:
    """Take the factors of a connection that cannot be used any more out of all sessions.

    A session that is left without a primary factor ends. To be called after the connection has
    been written or deleted: a login through it that is under way is then either seen or fails.
    """
    await _remove(tx.sessions, "session_id", connection)
    await _remove(tx.intermediate_sessions, "token_id", connection)


async def _remove(rows: Rows[Holder], key: str, connection: Connection) -> None:
    """Go through the rows that hold a factor of `connection`, some at a time."""
    of = tenancy.of_organization(connection)
    # The underscore is escaped for LIKE; no value can hold a quotation mark that is not, for JSON.
    holding = f'%"provider\\_id":"{connection.connection_id}"%'
    beyond: dict[str, Any] = {}
    while found := await rows.all(**of, **beyond, factors__like=holding, lock=True, limit=_AT_ONCE):
        for each in found:
            left = without_connection(each.factors, connection.connection_id)
            if left:
                await rows.update(replace(each, factors=left))
            else:
                await rows.delete(**of, **{key: getattr(each, key)})
        beyond = {f"{key}__gt": getattr(found[-1], key)}
