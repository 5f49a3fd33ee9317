"""Events for whoever looks after a connection: a message in the outbox and a line in the log.

The payload of each kind, which names the `connection_id` too; times are RFC 3339:

- `connection.certificate_expiring`: `certificate_id`, `purpose`, `issuer`, `expires_at`, `days`
  (that are left; 0 when it has expired).
- `connection.metadata_offered`: `url`, `digest`, `fields` (names), `added` and `removed` (how many
  certificates).
- `connection.metadata_applied`: `url`, `fields`, `added`, `removed`.
- `connection.metadata_failing`: `url`, `error`, `failures` (in a row), `last_fetched_at`.
"""

from typing import Literal

from vestibule.domain.context import Context
from vestibule.log import logger
from vestibule.records import Connection, Json, OutboxMessage, Project
from vestibule.store.interface import Transaction

Kind = Literal[
    "connection.certificate_expiring",
    "connection.metadata_offered",
    "connection.metadata_applied",
    "connection.metadata_failing",
]


async def announce(
    tx: Transaction,
    context: Context,
    project: Project,
    connection: Connection,
    kind: Kind,
    **more: object,
) -> None:
    """Write an event of `connection` into the outbox; it leaves if the transaction commits."""
    now = context.clock.now()
    payload: Json = {"connection_id": connection.connection_id, **more}
    await tx.outbox.insert(
        OutboxMessage(
            message_id=context.new_id("event", project),
            project_id=project.project_id,
            organization_id=connection.organization_id,
            kind=kind,
            payload=payload,
            created_at=now,
            deliver_at=now,
        )
    )
    logger().warning(kind, organization_id=connection.organization_id, **payload)
