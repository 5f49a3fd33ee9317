"""Letters leave once what they tell of has happened, and only while they are of use."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.support.determinism import HandClock
from vestibule.clock import MINUTE, SECOND
from vestibule.domain import letters
from vestibule.domain.context import Context
from vestibule.mail import MailError, MemoryMail, Message
from vestibule.records import Project

SECRET = "https://sso.example.test/open?token=let-me-in"


@dataclass
class Flaky:
    """A mail server that refuses the first messages."""

    refusals: int
    taken: MemoryMail
    tries: int = 0
    ready: bool = True

    async def send(self, message: Message) -> None:
        self.tries += 1
        if self.tries <= self.refusals:
            raise MailError("not now")
        await self.taken.send(message)


@pytest.fixture
def mail(context: Context) -> MemoryMail:
    assert isinstance(context.mail, MemoryMail)
    return context.mail


async def write(context: Context, project: Project, *, fails: bool = False, **changes: Any) -> None:
    """Write a letter in a transaction of its own, which is undone where it `fails`."""
    fields = {"to": "ada@example.com", "subject": "Hello", "text": SECRET, **changes}
    until = context.clock.now() + 5 * MINUTE
    async with context.store.write() as tx:
        await letters.write(tx, context, project, "", **{"until": until, **fields})
        if fails:
            raise ZeroDivisionError


async def test_letter_leaves_as_it_was_written(
    context: Context, project: Project, mail: MemoryMail
) -> None:
    await write(context, project)
    await letters.deliver(context)
    (message,) = mail.messages
    assert (message.to, message.subject, message.text) == ("ada@example.com", "Hello", SECRET)
    assert message.sent_at == context.clock.now()


async def test_delivered_letter_does_not_leave_again(
    context: Context, project: Project, mail: MemoryMail, clock: HandClock
) -> None:
    await write(context, project)
    await letters.deliver(context)
    clock.advance(4 * MINUTE)
    await letters.deliver(context)
    assert len(mail.messages) == 1


async def test_what_was_undone_sends_nothing(
    context: Context, project: Project, mail: MemoryMail
) -> None:
    with pytest.raises(ZeroDivisionError):
        await write(context, project, fails=True)
    await letters.deliver(context)
    assert mail.messages == []


async def test_text_is_sealed_in_the_database(context: Context, project: Project) -> None:
    await write(context, project)
    async with context.store.read() as tx:
        (message,) = await tx.outbox.all()
    assert "let-me-in" not in str(message)


async def test_refused_letter_is_tried_again_later(
    context: Context, project: Project, clock: HandClock
) -> None:
    await write(context, project)
    flaky = Flaky(refusals=2, taken=MemoryMail())
    context = replace(context, mail=flaky)
    await letters.deliver(context)
    await letters.deliver(context)
    assert flaky.tries == 1
    for tries in (2, 3):
        clock.advance(10 * SECOND)
        await letters.deliver(context)
        assert flaky.tries == tries
    (message,) = flaky.taken.messages
    assert message.text == SECRET
    # The receiver can tell that it is the same: when it was written, not when it was sent.
    assert message.sent_at == context.clock.now() - 20 * SECOND


async def test_letter_that_is_of_no_use_any_more_is_given_up(
    context: Context, project: Project, clock: HandClock, mail: MemoryMail
) -> None:
    await write(context, project)
    refusing = Flaky(refusals=99, taken=MemoryMail())
    await letters.deliver(replace(context, mail=refusing))
    clock.advance(5 * MINUTE)
    await letters.deliver(context)
    assert mail.messages == []
    async with context.store.read() as tx:
        (message,) = await tx.outbox.all()
    assert message.delivered_at == context.clock.now()


async def test_one_refused_letter_does_not_hold_up_the_others(
    context: Context, project: Project
) -> None:
    for number in range(25):
        await write(context, project, to=f"m{number}@example.com")
    flaky = Flaky(refusals=1, taken=MemoryMail())
    await letters.deliver(replace(context, mail=flaky))
    assert len(flaky.taken.messages) == 24
