"""SMS on their way out (`outgoing`)."""

from typing import Final

from vestibule.domain import outgoing
from vestibule.domain.context import Context
from vestibule.domain.outgoing import NotTaken
from vestibule.records import Member, OutboxMessage, Project
from vestibule.sms import SmsError, TextMessage
from vestibule.store.interface import Transaction

KIND: Final = "sms"


async def write(
    tx: Transaction, context: Context, project: Project, member: Member, text: str, *, until: int
) -> None:
    """Put a text to the member's phone into the outbox; it leaves as letters do."""
    await outgoing.write(
        tx,
        context,
        project,
        member.organization_id,
        kind=KIND,
        text=text,
        until=until,
        to=member.mfa_phone_number,
    )


async def deliver(context: Context) -> None:
    """Hand over every text that is due. Raises StoreUnavailable."""

    async def send(message: OutboxMessage, text: str) -> None:
        try:
            await context.sms.send(
                TextMessage(to=message.payload["to"], text=text, sent_at=message.created_at)
            )
        except SmsError as error:
            raise NotTaken(str(error), final=error.final) from error

    await outgoing.deliver(context, kind=KIND, hand_over=send)
