"""Wrong codes are counted, and the last that is allowed locks the member (semantics 4.6)."""

import asyncio
from dataclasses import replace

import pytest

from tests.support.determinism import HandClock
from tests.support.second_factors import Arrived
from vestibule import errors
from vestibule.clock import HOUR, SECOND, rfc3339
from vestibule.domain import letters
from vestibule.errors import Failure
from vestibule.mail import MemoryMail, NoMail
from vestibule.settings import Settings

WRONG = errors.unable_to_authenticate_totp
LOCKED = errors.user_lock_limit_reached


@pytest.mark.case("MF-06")
async def test_the_tenth_wrong_code_locks_until_the_time_is_over(
    arrived: Arrived, clock: HandClock
) -> None:
    tokens = await arrived.session(minutes=24 * 60)
    for failed in range(1, 10):
        assert await arrived.refusal(tokens, "wrong") is WRONG
        assert (await arrived.now()).failed_attempts == failed
    assert await arrived.refusal(tokens, "wrong") is WRONG
    member = await arrived.now()
    assert (member.lock_created_at, member.lock_expires_at) == (clock.now(), clock.now() + HOUR)
    assert await arrived.refusal(tokens, "wrong") is LOCKED
    assert await arrived.refusal(tokens) is LOCKED
    clock.advance(HOUR - 1)
    assert await arrived.refusal(tokens) is LOCKED
    clock.advance(1)
    await arrived.complete(tokens)
    # The count began anew with the lock.
    for _ in range(9):
        assert await arrived.refusal(tokens, "wrong") is WRONG
    await arrived.complete(tokens)


@pytest.mark.case("MF-06")
async def test_the_member_is_told_by_mail(arrived: Arrived, clock: HandClock) -> None:
    tokens = await arrived.waiting()
    for _ in range(10):
        await arrived.refusal(tokens, "wrong")
    await letters.deliver(arrived.context)
    mail = arrived.context.mail
    assert isinstance(mail, MemoryMail)
    (letter,) = mail.messages
    assert letter.to == "ada@acme.test"
    assert "Acme" in letter.text
    assert rfc3339(clock.now() + HOUR) in letter.text


async def test_a_server_without_mail_locks_all_the_same(arrived: Arrived) -> None:
    silent = replace(arrived, context=replace(arrived.context, mail=NoMail()))
    tokens = await silent.waiting()
    for _ in range(10):
        await silent.refusal(tokens, "wrong")
    assert await silent.refusal(tokens) is LOCKED
    async with arrived.context.store.read() as tx:
        assert await tx.outbox.count() == 0


async def test_a_right_code_starts_the_count_anew(arrived: Arrived) -> None:
    tokens = await arrived.session()
    for _ in range(3):
        for _ in range(9):
            assert await arrived.refusal(tokens, "wrong") is WRONG
        await arrived.complete(tokens)
        assert (await arrived.now()).failed_attempts == 0


async def test_threshold_and_duration_are_settings(arrived: Arrived, clock: HandClock) -> None:
    settings = Settings(user_lock_threshold=1, user_lock_seconds=7)
    strict = replace(arrived, context=replace(arrived.context, settings=settings))
    tokens = await strict.session()
    assert await strict.refusal(tokens, "wrong") is WRONG
    assert await strict.refusal(tokens) is LOCKED
    clock.advance(7 * SECOND)
    await strict.complete(tokens)


@pytest.mark.case("MF-05")
async def test_of_fifty_guesses_at_once_ten_are_judged(arrived: Arrived) -> None:
    tokens = [await arrived.waiting() for _ in range(3)]
    results = await asyncio.gather(
        *(arrived.complete(tokens[n % 3], f"guess {n}") for n in range(50)),
        return_exceptions=True,
    )
    refused = [each.error for each in results if isinstance(each, Failure)]
    assert len(refused) == 50
    assert refused.count(WRONG) == 10
    assert refused.count(LOCKED) == 40
