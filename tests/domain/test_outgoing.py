"""What leaves for people: kept sealed, handed over while of use, given up when refused for good."""

import asyncio
from base64 import b64encode
from dataclasses import dataclass, field, replace

import pytest
from structlog.testing import capture_logs

from tests.support.determinism import HandClock
from tests.support.hooked_store import HookedStore
from vestibule.clock import MINUTE
from vestibule.domain import outgoing
from vestibule.domain.context import Context
from vestibule.domain.outgoing import NotTaken
from vestibule.records import OutboxMessage, Project
from vestibule.store.interface import StoreUnavailable

SECRET = "let-me-in"


@dataclass
class Door:
    """Takes messages, after it has refused some of them."""

    refusals: list[NotTaken] = field(default_factory=list)
    tries: int = 0
    taken: list[str] = field(default_factory=list)

    async def __call__(self, _message: OutboxMessage, text: str) -> None:
        self.tries += 1
        if self.refusals:
            raise self.refusals.pop()
        self.taken.append(text)


async def write(context: Context, project: Project, *, kind: str = "sms", text: str = "") -> None:
    until = context.clock.now() + 5 * MINUTE
    async with context.store.write() as tx:
        await outgoing.write(
            tx, context, project, "", kind=kind, text=text or SECRET, until=until, to="+12025550162"
        )


async def test_what_is_refused_for_good_is_not_tried_again(
    context: Context, project: Project, clock: HandClock
) -> None:
    await write(context, project)
    door = Door([NotTaken("status 400, code 21211", final=True)])
    with capture_logs() as logs:
        await outgoing.deliver(context, kind="sms", hand_over=door)
    clock.advance(MINUTE)
    await outgoing.deliver(context, kind="sms", hand_over=door)
    assert (door.tries, door.taken) == (1, [])
    [line] = logs
    assert (line["event"], line["detail"]) == ("message refused", "status 400, code 21211")
    assert SECRET not in str(logs)
    assert "+1202" not in str(logs)


async def test_what_is_not_taken_now_is_tried_later(
    context: Context, project: Project, clock: HandClock
) -> None:
    await write(context, project)
    door = Door([NotTaken("busy"), NotTaken("busy")])
    for _ in range(3):
        await outgoing.deliver(context, kind="sms", hand_over=door)
        clock.advance(10_000_000)
    assert (door.tries, door.taken) == (3, [SECRET])


async def test_what_is_of_no_use_any_more_is_given_up(
    context: Context, project: Project, clock: HandClock
) -> None:
    await write(context, project)
    clock.advance(5 * MINUTE)
    door = Door()
    with capture_logs() as logs:
        await outgoing.deliver(context, kind="sms", hand_over=door)
    assert door.tries == 0
    assert [line["event"] for line in logs] == ["message given up"]


async def test_each_kind_has_its_own_door(context: Context, project: Project) -> None:
    await write(context, project, kind="mail", text="a letter")
    await write(context, project, kind="sms", text="a text")
    for kind, text in (("mail", "a letter"), ("sms", "a text")):
        door = Door()
        await outgoing.deliver(context, kind=kind, hand_over=door)
        assert door.taken == [text]


async def test_one_that_is_slow_does_not_hold_up_the_next(
    context: Context, project: Project
) -> None:
    for name in ("slow", "quick"):
        await write(context, project, text=name)
    quick_is_through = asyncio.Event()

    async def hand_over(_message: OutboxMessage, text: str) -> None:
        if text == "slow":
            await quick_is_through.wait()
        else:
            quick_is_through.set()

    async with asyncio.timeout(10):
        await outgoing.deliver(context, kind="sms", hand_over=hand_over)


async def test_one_whose_end_cannot_be_written_leaves_no_other_behind(
    context: Context, project: Project
) -> None:
    hooked = HookedStore(context.store)
    for name in ("slow", "quick"):
        await write(context, project, text=name)
    through: list[str] = []

    async def hand_over(_message: OutboxMessage, text: str) -> None:
        if text == "slow":
            while not hooked.fired:
                await asyncio.sleep(0)
            await asyncio.sleep(0.05)
        through.append(text)

    hooked.fail(2)  # 1 claims them
    async with asyncio.timeout(10):
        with pytest.raises(StoreUnavailable):
            await outgoing.deliver(replace(context, store=hooked), kind="sms", hand_over=hand_over)
    assert through == ["quick", "slow"]


@pytest.mark.parametrize("kind", ["mail", "sms"])
async def test_text_is_sealed_in_the_database(
    context: Context, project: Project, kind: str
) -> None:
    await write(context, project, kind=kind)
    async with context.store.read() as tx:
        (message,) = await tx.outbox.all()
    assert SECRET not in str(message)


async def put(context: Context, project: Project, sealed: bytes) -> None:
    """Put a letter into the outbox as it stands there, whoever sealed it."""
    now = context.clock.now()
    until = now + 5 * MINUTE
    payload = {"to": "", "subject": "", "sealed": b64encode(sealed).decode(), "until": until}
    async with context.store.write() as tx:
        await tx.outbox.insert(
            OutboxMessage(
                message_id=context.new_id("message", project),
                project_id=project.project_id,
                organization_id="",
                kind="mail",
                payload=payload,
                created_at=now,
                deliver_at=now,
            )
        )


async def test_letters_from_before_texts_were_sent_leave_after_an_upgrade(
    context: Context, project: Project
) -> None:
    await put(context, project, context.sealer.seal(SECRET.encode(), purpose="letter"))
    door = Door()
    await outgoing.deliver(context, kind="mail", hand_over=door)
    assert door.taken == [SECRET]


async def test_what_cannot_be_unsealed_is_given_up_and_holds_up_nothing(
    context: Context, project: Project, clock: HandClock
) -> None:
    await put(context, project, b"sealed by nobody")
    await write(context, project, kind="mail")
    door = Door()
    with capture_logs() as logs:
        await outgoing.deliver(context, kind="mail", hand_over=door)
        clock.advance(3 * MINUTE)
        await outgoing.deliver(context, kind="mail", hand_over=door)
    assert door.taken == [SECRET]
    assert [(line["event"], line["detail"]) for line in logs] == [
        ("message refused", "it cannot be unsealed")
    ]
