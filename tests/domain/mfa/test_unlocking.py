"""A lock ends before its time by the member's own link, or by an operator (semantics 4.6)."""

import asyncio
import re
from dataclasses import replace

import pytest
from msgspec.structs import replace as with_fields

from tests.support.determinism import HandClock
from tests.support.second_factors import Arrived
from vestibule import errors
from vestibule.clock import HOUR, MINUTE
from vestibule.domain import letters, member_changes, members, projects, sealed_texts
from vestibule.domain.mfa import unlocking
from vestibule.errors import Failure
from vestibule.mail import MemoryMail
from vestibule.records import Member

WRONG = errors.unable_to_authenticate_totp
LOCKED = errors.user_lock_limit_reached
REFUSED = errors.unable_to_auth_magic_link


@pytest.fixture
async def ada(arrived: Arrived) -> Arrived:
    """Return a member with a proven address, in a project that lets members unlock themselves."""
    await unlocking.allow(arrived.context, arrived.project, allowed=True)
    await arrived.change_member(email_address_verified=True)
    project = await projects.get(arrived.context, arrived.project.project_id)
    return replace(arrived, project=project)


async def lock_out(ada: Arrived) -> None:
    tokens = await ada.session(minutes=24 * 60)
    for _ in range(10):
        assert await ada.refusal(tokens, "wrong") is WRONG
    assert await ada.refusal(tokens) is LOCKED


async def newest(ada: Arrived) -> str:
    """Return the text of the newest letter."""
    await letters.deliver(ada.context)
    assert isinstance(ada.context.mail, MemoryMail)
    return ada.context.mail.messages[-1].text


async def token(ada: Arrived) -> str:
    """Return the token in the newest letter."""
    base = re.escape(ada.context.settings.base_url)
    (found,) = re.findall(
        rf"^{base}/v1/public/member_unlock\?token=(\S+)$", await newest(ada), re.MULTILINE
    )
    return str(found)


async def refused(ada: Arrived, text: str) -> None:
    """Neither look nor use is possible, and nothing changes."""
    before = await ada.now()
    for step in (unlocking.waiting, unlocking.confirm):
        with pytest.raises(Failure) as caught:
            await step(ada.context, text)
        assert caught.value.error is REFUSED
    assert await ada.now() == before


async def actions(ada: Arrived) -> list[str]:
    async with ada.context.store.read() as tx:
        return [event.action for event in await tx.audit_events.all(order="sequence")]


async def test_link_ends_the_lock_once(ada: Arrived, clock: HandClock) -> None:
    await lock_out(ada)
    text = await token(ada)
    for _ in range(2):  # looking uses nothing up
        found = await unlocking.waiting(ada.context, text)
        assert found == unlocking.Locked("ada@acme.test", "Acme")
    assert await ada.refusal(await ada.session()) is LOCKED
    clock.advance(MINUTE)
    await unlocking.confirm(ada.context, text)
    await ada.complete(await ada.session())
    await refused(ada, text)
    written = await actions(ada)
    assert written.count("member.unlock") == written.count("member.lock") == 1
    assert written.count("project.set_self_serve_unlock") == 1


async def test_of_twenty_uses_at_once_one_counts(ada: Arrived) -> None:
    await lock_out(ada)
    text = await token(ada)
    results = await asyncio.gather(
        *(unlocking.confirm(ada.context, text) for _ in range(20)), return_exceptions=True
    )
    assert results.count(None) == 1
    assert [each.error for each in results if isinstance(each, Failure)] == [REFUSED] * 19


async def test_link_ends_with_its_lock(ada: Arrived, clock: HandClock) -> None:
    await lock_out(ada)
    text = await token(ada)
    clock.advance(HOUR - 1)
    await unlocking.waiting(ada.context, text)
    clock.advance(1)
    await refused(ada, text)
    clock.advance(HOUR)
    await lock_out(ada)  # another lock, another link
    await refused(ada, text)
    await unlocking.confirm(ada.context, await token(ada))


async def test_link_of_another_member_leaves_this_one_locked(ada: Arrived) -> None:
    async with ada.context.store.write() as tx:
        bob = await members.add(
            tx, ada.context, ada.project, ada.organization, email_address="bob@acme.test",
            email_verified=True,
        )  # fmt: skip
    await lock_out(ada)
    own = await token(ada)
    await lock_out(replace(ada, member=bob))
    await unlocking.confirm(ada.context, await token(ada))
    assert (await unlocking.waiting(ada.context, own)).email_address == "ada@acme.test"
    assert await ada.refusal(await ada.session()) is LOCKED


async def test_a_text_that_is_no_link_is_refused(ada: Arrived) -> None:
    await lock_out(ada)
    text, member = await token(ada), await ada.now()
    changed = [text[:-1], text + "A", text[::-1], "", "x", "ä", "A" * 2000]
    lock = (
        member.project_id,
        member.organization_id,
        member.member_id,
        str(member.lock_created_at),
        member.email_address,
    )
    changed.append(sealed_texts.write(ada.context, lock, purpose="cursor"))
    for each in changed:
        await refused(ada, each)
    await unlocking.confirm(ada.context, text)


async def test_a_member_gets_one_link_in_the_time_of_a_lock(ada: Arrived, clock: HandClock) -> None:
    await lock_out(ada)
    await unlocking.confirm(ada.context, await token(ada))
    clock.advance(10 * MINUTE)
    await lock_out(ada)
    assert "member_unlock" not in await newest(ada)
    clock.advance(HOUR)
    await lock_out(ada)
    await unlocking.confirm(ada.context, await token(ada))


async def test_a_link_is_for_a_proven_address_and_where_the_project_allows_it(
    ada: Arrived, clock: HandClock
) -> None:
    forbidding = replace(ada, project=with_fields(ada.project, user_lock_self_serve=False))
    await lock_out(forbidding)
    assert "member_unlock" not in await newest(ada)
    clock.advance(HOUR)
    await ada.change_member(email_address_verified=False)
    await lock_out(ada)
    assert "member_unlock" not in await newest(ada)


async def test_link_of_a_member_who_is_gone_is_refused(ada: Arrived) -> None:
    await lock_out(ada)
    text = await token(ada)
    of, who = ada.organization.organization_id, ada.member.member_id
    await member_changes.delete(ada.context, ada.project, of, who)
    await refused(ada, text)


async def test_link_in_a_mailbox_that_is_not_the_members_any_more_does_not_help(
    ada: Arrived,
) -> None:
    """An admin who sees the lock may move the member away from a mailbox that others read."""
    await lock_out(ada)
    text = await token(ada)
    await member_changes.update(
        ada.context,
        ada.project,
        ada.organization.organization_id,
        ada.member.member_id,
        {"email_address": "ada@new.acme.test"},
        preserve_existing_sessions=True,
        unlink_email=False,
    )
    await refused(ada, text)


async def test_an_operator_ends_a_lock(ada: Arrived, clock: HandClock) -> None:
    of, who = ada.organization.organization_id, ada.member.member_id

    async def release() -> bool:
        return await unlocking.release(ada.context, ada.project, of, who)

    assert not await release()
    await lock_out(ada)
    text = await token(ada)
    assert await release()
    assert not await release()
    assert (await actions(ada)).count("member.unlock") == 1
    await refused(ada, text)
    await ada.complete(await ada.session())
    clock.advance(MINUTE)
    await lock_out(ada)
    await unlocking.confirm(ada.context, await token(ada))
    released: Member = await ada.now()
    assert released.failed_attempts == 0
