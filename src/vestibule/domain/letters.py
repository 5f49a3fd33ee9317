"""E-mail on its way out: written in the transaction that it tells of, delivered after it.

What a letter says may let somebody in (a link, a code), so the outbox keeps its text sealed. It is
delivered at least once while it is of use, and never after that.
"""

from base64 import b64decode, b64encode
from typing import Final

from vestibule.clock import HOUR, SECOND
from vestibule.domain.context import Context
from vestibule.log import logger
from vestibule.mail import MailError, Message
from vestibule.records import OutboxMessage, Project
from vestibule.store import outbox
from vestibule.store.interface import Transaction

KIND: Final = "mail"
PURPOSE: Final = "letter"
_FIRST_WAIT: Final = 2 * SECOND


async def write(
    tx: Transaction,
    context: Context,
    project: Project,
    organization_id: str,
    *,
    to: str,
    subject: str,
    text: str,
    until: int,
) -> None:
    """Put a letter into the outbox; it leaves if the transaction commits, and before `until`."""
    now = context.clock.now()
    sealed = context.sealer.seal(text.encode(), purpose=PURPOSE)
    await tx.outbox.insert(
        OutboxMessage(
            message_id=context.new_id("message", project),
            project_id=project.project_id,
            organization_id=organization_id,
            kind=KIND,
            payload={
                "to": to,
                "subject": subject,
                "sealed": b64encode(sealed).decode(),
                "until": until,
            },
            created_at=now,
            deliver_at=now,
        )
    )


async def deliver(context: Context) -> None:
    """Hand over every letter that is due. Raises StoreUnavailable."""
    while letters := await outbox.claim(context.store, kind=KIND, now=context.clock.now()):
        for letter in letters:
            await _deliver(context, letter)


async def _deliver(context: Context, letter: OutboxMessage) -> None:
    now = context.clock.now()
    if now >= letter.payload["until"]:
        logger().error("letter given up", message_id=letter.message_id, attempts=letter.attempts)
        await outbox.delivered(context.store, letter, now=now)
        return
    try:
        await context.mail.send(_message(context, letter))
    except MailError as error:
        wait = min(_FIRST_WAIT << min(letter.attempts, 20), HOUR)
        logger().warning("letter put off", message_id=letter.message_id, detail=str(error))
        await outbox.postpone(context.store, letter, until=context.clock.now() + wait)
    else:
        await outbox.delivered(context.store, letter, now=context.clock.now())


def _message(context: Context, letter: OutboxMessage) -> Message:
    sealed = b64decode(letter.payload["sealed"])
    return Message(
        to=letter.payload["to"],
        subject=letter.payload["subject"],
        text=context.sealer.unseal(sealed, purpose=PURPOSE).decode(),
        message_id=letter.message_id,
        sent_at=letter.created_at,
    )
