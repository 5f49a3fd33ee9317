"""What leaves for people: written in the transaction that it tells of, handed over after it.

What it says may let somebody in (a link, a code), so the outbox keeps its text sealed. It is handed
over at least once while it is of use, and never after that.
"""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from typing import Final

from vestibule.clock import HOUR, SECOND
from vestibule.domain.context import Context
from vestibule.log import logger
from vestibule.records import OutboxMessage, Project
from vestibule.store import outbox
from vestibule.store.interface import Transaction
from vestibule.store.sealing import SealError

_FIRST_WAIT: Final = 2 * SECOND
_PURPOSE: Final = "letter"


class NotTaken(Exception):
    """Nobody took it; the text is for the log. `final`: nobody would take it later either."""

    def __init__(self, why: str, *, final: bool = False) -> None:
        super().__init__(why)
        self.final = final


HandOver = Callable[[OutboxMessage, str], Awaitable[None]]


async def write(
    tx: Transaction,
    context: Context,
    project: Project,
    organization_id: str,
    *,
    kind: str,
    text: str,
    until: int,
    **envelope: str,
) -> None:
    """Put a text into the outbox; it leaves if the transaction commits, and before `until`.

    What stands on the `envelope` is not sealed.
    """
    now = context.clock.now()
    sealed = context.sealer.seal(text.encode(), purpose=_PURPOSE)
    await tx.outbox.insert(
        OutboxMessage(
            message_id=context.new_id("message", project),
            project_id=project.project_id,
            organization_id=organization_id,
            kind=kind,
            payload={**envelope, "sealed": b64encode(sealed).decode(), "until": until},
            created_at=now,
            deliver_at=now,
        )
    )


async def deliver(context: Context, *, kind: str, hand_over: HandOver) -> None:
    """Hand over everything of `kind` that is due, some of it at once.

    `hand_over` is given the message and its text, and raises NotTaken. Raises StoreUnavailable.
    """
    while messages := await outbox.claim(context.store, kind=kind, now=context.clock.now()):
        handed_over = (_deliver(context, each, hand_over) for each in messages)
        # When one fails the others are waited for all the same.
        for end in await asyncio.gather(*handed_over, return_exceptions=True):
            if end is not None:
                raise end


async def _deliver(context: Context, message: OutboxMessage, hand_over: HandOver) -> None:
    known = {"kind": message.kind, "message_id": message.message_id, "attempts": message.attempts}
    now = context.clock.now()
    if now >= message.payload["until"]:
        logger().error("message given up", **known)
        await outbox.delivered(context.store, message, now=now)
        return
    try:
        await hand_over(message, _text(context, message))
    except NotTaken as refusal:
        if refusal.final:
            logger().error("message refused", **known, detail=str(refusal))
            await outbox.delivered(context.store, message, now=context.clock.now())
            return
        wait = min(_FIRST_WAIT << min(message.attempts, 20), HOUR)
        logger().warning("message put off", **known, detail=str(refusal))
        await outbox.postpone(context.store, message, until=context.clock.now() + wait)
    else:
        await outbox.delivered(context.store, message, now=context.clock.now())


def _text(context: Context, message: OutboxMessage) -> str:
    try:
        sealed = b64decode(message.payload["sealed"])
        return context.sealer.unseal(sealed, purpose=_PURPOSE).decode()
    except SealError as error:
        # Its key is gone: trying again would not bring it back.
        raise NotTaken("it cannot be unsealed", final=True) from error
