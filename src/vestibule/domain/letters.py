"""E-mail on its way out (`outgoing`)."""

from typing import Final

from vestibule.domain import outgoing
from vestibule.domain.context import Context
from vestibule.domain.outgoing import NotTaken
from vestibule.mail import MailError, Message
from vestibule.records import OutboxMessage, Project
from vestibule.store.interface import Transaction

KIND: Final = "mail"


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
    await outgoing.write(
        tx,
        context,
        project,
        organization_id,
        kind=KIND,
        text=text,
        until=until,
        to=to,
        subject=subject,
    )


async def deliver(context: Context) -> None:
    """Hand over every letter that is due. Raises StoreUnavailable."""

    async def send(letter: OutboxMessage, text: str) -> None:
        message = Message(
            to=letter.payload["to"],
            subject=letter.payload["subject"],
            text=text,
            message_id=letter.message_id,
            sent_at=letter.created_at,
        )
        try:
            await context.mail.send(message)
        except MailError as error:
            raise NotTaken(str(error)) from error

    await outgoing.deliver(context, kind=KIND, hand_over=send)
