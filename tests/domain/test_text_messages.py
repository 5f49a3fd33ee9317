"""Texts leave by the SMS door as they were written."""

from dataclasses import dataclass, replace

from tests.support.determinism import HandClock
from tests.support.phones import PHONE, texts
from vestibule.clock import MINUTE
from vestibule.domain import text_messages
from vestibule.domain.context import Context
from vestibule.records import Member, Project
from vestibule.sms import SmsError, TextMessage


@dataclass
class Refusing:
    """A service that takes nothing."""

    final: bool
    tries: int = 0
    ready: bool = True

    async def send(self, message: TextMessage) -> None:
        self.tries += 1
        raise SmsError(f"not {len(message.text)}", final=self.final)


async def write(context: Context, project: Project) -> None:
    member = Member(
        member_id="m",
        project_id=project.project_id,
        organization_id="o",
        email_address="ada@acme.test",
        status="active",
        mfa_phone_number=PHONE,
        created_at=0,
        updated_at=0,
    )
    until = context.clock.now() + 2 * MINUTE
    async with context.store.write() as tx:
        await text_messages.write(tx, context, project, member, "Zoë: 123456", until=until)


async def test_a_text_leaves_once(context: Context, project: Project, clock: HandClock) -> None:
    await write(context, project)
    message = TextMessage(to=PHONE, text="Zoë: 123456", sent_at=clock.now())
    assert await texts(context) == [message]
    clock.advance(MINUTE)
    assert await texts(context) == [message]


async def test_a_refused_text_is_tried_again_unless_that_is_for_good(
    context: Context, project: Project, clock: HandClock
) -> None:
    for final, tries in ((True, 1), (False, 2)):
        await write(context, project)
        service = Refusing(final=final)
        for _ in range(2):
            await text_messages.deliver(replace(context, sms=service))
            clock.advance(10_000_000)
        assert service.tries == tries
