"""Warnings before certificates expire: 60, 30, 14, 7 and 1 days, and when they have."""

from typing import Final

from vestibule.clock import DAY, rfc3339
from vestibule.domain import tenancy
from vestibule.domain.context import Context
from vestibule.domain.upkeep.admin_letters import write_to_admins
from vestibule.domain.upkeep.announcements import announce
from vestibule.records import ConnectionKey

DAYS: Final = (60, 30, 14, 7, 1, 0)
_BATCH: Final = 100


async def warn_due(context: Context) -> None:
    """Announce every certificate that has come one step nearer to its end, each step once.

    Admins of the organization get a letter too. A certificate that comes late, or is new, has only
    its last step told of. Any number of nodes may do it.
    """
    for steps in range(len(DAYS), 0, -1):
        while due := await _due(context, steps):
            for key in due:
                await _warn(context, key, steps)


async def _due(context: Context, steps: int) -> list[ConnectionKey]:
    async with context.store.read() as tx:
        return await tx.connection_keys.all(
            expires_at__gt=0,
            expires_at__le=context.clock.now() + DAYS[steps - 1] * DAY,
            warnings_sent__lt=steps,
            order="expires_at",
            limit=_BATCH,
        )


async def _warn(context: Context, key: ConnectionKey, steps: int) -> None:
    own = tenancy.of_connection(key)
    async with context.store.write() as tx:
        # Another node may have been faster: whoever counts the step up tells of it.
        counted = await tx.connection_keys.change(
            {"warnings_sent": steps}, **own, key_id=key.key_id, warnings_sent=key.warnings_sent
        )
        project = await tx.projects.find(project_id=key.project_id)
        connection = await tx.connections.find(**own)
        if not counted or project is None or connection is None:
            return
        days = DAYS[steps - 1]
        await announce(
            tx,
            context,
            project,
            connection,
            "connection.certificate_expiring",
            certificate_id=key.key_id,
            purpose=key.purpose,
            issuer=key.issuer,
            expires_at=rfc3339(key.expires_at),
            days=days,
        )
        await write_to_admins(tx, context, project, connection, key, days=days)
