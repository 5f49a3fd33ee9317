"""A code is sent to a phone: what it says, to whom it goes unasked, how many there may be."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as changed
from structlog.testing import capture_logs

from tests.support.determinism import HandClock
from tests.support.phones import OTHER_PHONE, PHONE, code_in, texts, without_sms
from tests.support.second_factors import Arrived
from vestibule import errors
from vestibule.clock import DAY, HOUR, MINUTE
from vestibule.domain.limits import SMS_OF_ORGANIZATION
from vestibule.domain.mfa import sms_sending
from vestibule.domain.phone_numbers import SANDBOX
from vestibule.errors import Failure
from vestibule.records import Member
from vestibule.settings import Settings

FLOOD = errors.too_many_requests


def at(arrived: Arrived, number: str = PHONE, **fields: Any) -> Member:
    """Return Ada with a number that she has proven and is asked to prove by default."""
    settled = {"mfa_phone_number_verified": True, "default_mfa_method": "sms_otp", **fields}
    return changed(arrived.member, mfa_phone_number=number, **settled)


async def send(arrived: Arrived, member: Member, locale: str = "en") -> None:
    async with arrived.context.store.write() as tx:
        await sms_sending.send(tx, arrived.context, arrived.project, member, locale=locale)


async def refused(arrived: Arrived, member: Member) -> Failure:
    with pytest.raises(Failure) as caught:
        await send(arrived, member)
    return caught.value


async def unasked(arrived: Arrived, member: Member) -> bool:
    async with arrived.context.store.write() as tx:
        return await sms_sending.send_unasked(
            tx, arrived.context, arrived.project, arrived.organization, member, "en"
        )


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", "is your code for Test"),
        ("es", "es tu código para Test"),
        ("pt-br", "é o seu código para Test"),
        ("fr", "est votre code pour Test"),
        ("de-DE", "is your code for Test"),
        ("ja", "is your code for Test"),
    ],
)
async def test_a_text_speaks_the_language_that_was_asked_for(
    arrived: Arrived, locale: str, words: str
) -> None:
    await send(arrived, at(arrived), locale)
    [text] = await texts(arrived.context)
    assert text.to == PHONE
    assert words in text.text
    assert "2 " in text.text


async def test_a_text_names_the_project_and_nothing_that_customers_write(arrived: Arrived) -> None:
    named = replace(arrived, project=changed(arrived.project, name="{code} " * 50))
    await send(named, at(arrived))
    [text] = await texts(arrived.context)
    assert len(text.text) < 160
    assert len(code_in(text)) == 6
    assert "Acme" not in text.text


async def test_a_code_takes_the_place_of_the_former(arrived: Arrived, clock: HandClock) -> None:
    member = at(arrived)
    await send(arrived, member)
    clock.advance(MINUTE)
    await send(arrived, member)
    first, second = map(code_in, await texts(arrived.context))
    assert first != second
    async with arrived.context.store.read() as tx:
        (kept,) = await tx.sms_codes.all()
    sealer = arrived.context.sealer
    assert sealer.unseal(kept.code, purpose=sms_sending.purpose(member)) == second.encode()
    assert (kept.created_at, kept.expires_at) == (clock.now(), clock.now() + 2 * MINUTE)
    assert second not in repr(kept)


@pytest.mark.case("MF-15", reason="too_many_requests")
async def test_a_phone_is_sent_five_codes_in_ten_minutes(
    arrived: Arrived, clock: HandClock
) -> None:
    clock.advance(10 * MINUTE - clock.now() % (10 * MINUTE))
    for sent in range(1, 6):
        await send(arrived, at(arrived))
        assert len(await texts(arrived.context)) == sent
        clock.advance(MINUTE)
    failure = await refused(arrived, at(arrived))
    assert failure.error is FLOOD
    assert failure.retry_after == 5 * 60
    # Another phone of the same member has as few left.
    failure = await refused(arrived, at(arrived, OTHER_PHONE))
    assert failure.error is FLOOD
    assert "sms_to_member" in str(failure)
    clock.advance(5 * MINUTE)
    await send(arrived, at(arrived))


@pytest.mark.case("MF-15", reason="too_many_requests")
async def test_a_phone_that_members_share_is_one_phone(arrived: Arrived) -> None:
    for number in range(5):
        async with arrived.context.store.write() as tx:
            other = changed(arrived.member, member_id=f"m{number}", email_address=f"{number}@a.io")
            await tx.members.insert(other)
        shared = changed(other, mfa_phone_number=PHONE, mfa_phone_number_verified=True)
        await send(arrived, shared)
    assert "sms_to_phone" in str(await refused(arrived, at(arrived)))


@pytest.mark.case("MF-15", reason="too_many_requests")
async def test_a_stranger_does_not_use_up_the_texts_of_who_has_proven_the_phone(
    arrived: Arrived, clock: HandClock
) -> None:
    """Otherwise anybody in any organization keeps others from their logins for a day."""
    clock.advance(DAY - clock.now() % DAY)
    async with arrived.context.store.write() as tx:
        mallory = changed(arrived.member, member_id="m-mallory", email_address="m@a.io")
        await tx.members.insert(mallory)
    stranger = changed(mallory, mfa_phone_number=PHONE)
    for _ in range(6):
        for _ in range(5):
            await send(arrived, stranger)
        assert "sms_to_phone)" in str(await refused(arrived, stranger))
        assert await unasked(arrived, at(arrived)) is True
        clock.advance(10 * MINUTE)
    assert "sms_to_phone_daily" in str(await refused(arrived, stranger))
    assert await unasked(arrived, at(arrived)) is True


async def test_what_is_not_sent_unasked_does_not_count(arrived: Arrived) -> None:
    """Of an organization that has used up its texts, each login would use up the member's."""
    await send(arrived, at(arrived))
    async with arrived.context.store.write() as tx:
        counted = {"limit_name": SMS_OF_ORGANIZATION.name}
        await tx.sms_counts.change({"sent": SMS_OF_ORGANIZATION.requests}, **counted)
        before = await tx.sms_counts.all()
    for _ in range(3):
        assert await unasked(arrived, at(arrived)) is False
    async with arrived.context.store.read() as tx:
        assert await tx.sms_counts.all() == before


@pytest.mark.case("MF-15", reason="too_many_requests")
async def test_a_phone_is_sent_thirty_codes_a_day(arrived: Arrived, clock: HandClock) -> None:
    clock.advance(DAY - clock.now() % DAY)
    for _ in range(30):
        await send(arrived, at(arrived))
        clock.advance(10 * MINUTE)
    failure = await refused(arrived, at(arrived))
    assert "sms_to_phone_daily" in str(failure)
    assert failure.retry_after == 19 * 3600
    clock.advance(19 * HOUR)
    await send(arrived, at(arrived))


@pytest.mark.case("MF-15", reason="too_many_requests")
@pytest.mark.parametrize("factor", [1, 3])
async def test_an_organization_is_sent_so_many_an_hour(
    arrived: Arrived, clock: HandClock, factor: int
) -> None:
    settings = Settings(base_url="https://sso.example.test", limits_factor=factor)
    arrived = replace(arrived, context=replace(arrived.context, settings=settings))
    await send(arrived, at(arrived))
    most = SMS_OF_ORGANIZATION.requests * factor
    async with arrived.context.store.write() as tx:
        counted = {"limit_name": SMS_OF_ORGANIZATION.name}
        await tx.sms_counts.change({"sent": most - 1}, **counted)
    await send(arrived, at(arrived))
    failure = await refused(arrived, at(arrived))
    assert "sms_of_organization" in str(failure)
    clock.advance(HOUR)
    await send(arrived, at(arrived))


async def test_what_is_refused_changes_nothing(arrived: Arrived) -> None:
    await send(arrived, at(arrived))
    async with arrived.context.store.read() as tx:
        before = (await tx.sms_codes.all(), await tx.sms_counts.all(), await tx.outbox.all())
    for wrong in ("+19005551234", "+15555555555"):
        failure = await refused(arrived, at(arrived, wrong))
        assert failure.error is errors.invalid_phone_number
    async with arrived.context.store.read() as tx:
        after = (await tx.sms_codes.all(), await tx.sms_counts.all(), await tx.outbox.all())
    assert before == after


async def test_other_countries_than_the_operators_are_sent_nothing(arrived: Arrived) -> None:
    settings = Settings(base_url="https://sso.example.test", sms_countries="US, CA")
    arrived = replace(arrived, context=replace(arrived.context, settings=settings))
    await send(arrived, at(arrived))
    failure = await refused(arrived, at(arrived, "+4915112345678"))
    assert failure.error is errors.invalid_phone_number_country_code


async def test_a_server_without_a_service_says_so(arrived: Arrived) -> None:
    silent = replace(arrived, context=without_sms(arrived.context))
    failure = await refused(silent, at(arrived))
    assert failure.error is errors.unavailable_endpoint
    assert "VESTIBULE_SMS_ACCOUNT" in failure.message
    # The sandbox needs none.
    await send(silent, at(arrived, SANDBOX))


async def test_nothing_leaves_for_the_sandbox_however_often(arrived: Arrived) -> None:
    member = at(arrived, SANDBOX)
    for _ in range(20):
        await send(arrived, member)
    assert await texts(arrived.context) == []
    async with arrived.context.store.read() as tx:
        (kept,) = await tx.sms_codes.all()
    sealer = arrived.context.sealer
    assert sealer.unseal(kept.code, purpose=sms_sending.purpose(member)) == b"000000"


async def test_the_sandbox_is_for_test_projects(arrived: Arrived) -> None:
    live = replace(arrived, project=changed(arrived.project, environment="live"))
    failure = await refused(live, at(arrived, SANDBOX))
    assert failure.error is errors.invalid_phone_number_sandbox


async def test_who_is_to_prove_the_phone_is_sent_a_code_unasked(arrived: Arrived) -> None:
    assert await unasked(arrived, at(arrived)) is True
    assert len(await texts(arrived.context)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"mfa_phone_number_verified": False},
        {"default_mfa_method": "totp"},
        {"default_mfa_method": ""},
        {"status": "pending"},
    ],
)
async def test_nobody_else_is_sent_one_unasked(arrived: Arrived, fields: dict[str, Any]) -> None:
    assert await unasked(arrived, at(arrived, **fields)) is False
    assert await texts(arrived.context) == []


async def test_none_is_sent_unasked_where_the_organization_takes_none(arrived: Arrived) -> None:
    restricted = changed(
        arrived.organization, mfa_methods="RESTRICTED", allowed_mfa_methods=("totp",)
    )
    there = replace(arrived, organization=restricted)
    assert await unasked(there, at(arrived)) is False
    assert await unasked(there, at(arrived, is_breakglass=True)) is True


async def test_what_cannot_be_sent_unasked_keeps_nobody_from_the_login(arrived: Arrived) -> None:
    silent = replace(arrived, context=without_sms(arrived.context))
    with capture_logs() as logs:
        assert await unasked(silent, at(arrived)) is False
    [line] = logs
    assert line["event"] == "no code was sent"
    assert "unavailable_endpoint" in line["detail"]
    assert PHONE not in str(logs)
    for _ in range(5):
        assert await unasked(arrived, at(arrived)) is True
    assert await unasked(arrived, at(arrived)) is False
