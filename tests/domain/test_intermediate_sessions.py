"""Intermediate sessions below the endpoints; tests/flows/test_mfa_sign_in.py goes through them."""

import pytest
from msgspec.structs import replace

from vestibule import errors
from vestibule.clock import MINUTE
from vestibule.domain import intermediate_sessions, members, organizations
from vestibule.domain.context import Context
from vestibule.domain.intermediate_sessions import Waiting
from vestibule.errors import ErrorType, Failure
from vestibule.records import Factor, Member, Organization, Project

FACTOR = Factor(
    type="sso",
    delivery_method="sso_saml",
    details_name="saml_sso_factor",
    details={"provider_id": "c-1"},
    last_authenticated_at=1,
    created_at=1,
    updated_at=1,
)


@pytest.fixture
async def acme(context: Context, project: Project) -> Organization:
    changes = {"organization_name": "Acme"}
    return (await organizations.create(context, project, changes)).organization


@pytest.fixture
async def member(context: Context, project: Project, acme: Organization) -> Member:
    return await add(context, project, acme, "ada@acme.test")


async def add(
    context: Context, project: Project, organization: Organization, address: str
) -> Member:
    async with context.store.write() as tx:
        return await members.add(tx, context, project, organization, email_address=address)


async def start(context: Context, member: Member) -> Waiting:
    async with context.store.write() as tx:
        return await intermediate_sessions.start(tx, context, member, factors=(FACTOR,))


async def find(
    context: Context, organization: Organization, member: Member | None, text: str
) -> Waiting | None:
    async with context.store.write() as tx:
        return await intermediate_sessions.find(tx, context, organization, member, text)


async def refusal(
    context: Context, organization: Organization, member: Member | None, text: str
) -> ErrorType:
    with pytest.raises(Failure) as caught:
        await find(context, organization, member, text)
    return caught.value.error


async def test_it_is_found_by_its_token_for_ten_minutes(
    context: Context, acme: Organization, member: Member
) -> None:
    made = await start(context, member)
    text = made.token
    assert made.record.expires_at == context.clock.now() + 10 * MINUTE
    assert await find(context, acme, member, text) == made
    assert await find(context, acme, member, "") is None
    for other in (text[:-1], text[:32] + "A" * 32, "A" * 64):
        error = await refusal(context, acme, member, other)
        assert error is errors.intermediate_session_not_found


async def test_it_belongs_to_its_member_and_organization(
    context: Context, project: Project, acme: Organization, member: Member
) -> None:
    text = (await start(context, member)).token
    bob = await add(context, project, acme, "bob@acme.test")
    wrong = errors.invalid_intermediate_session_token_for_organization
    assert await refusal(context, acme, bob, text) is wrong
    assert await refusal(context, acme, None, text) is wrong
    assert await refusal(context, acme, None, "A" * 64) is errors.intermediate_session_not_found
    changes = {"organization_name": "Other"}
    other = (await organizations.create(context, project, changes)).organization
    assert await refusal(context, other, member, text) is wrong


async def test_it_holds_what_it_is_told_to_and_ends_when_it_would_have(
    context: Context, acme: Organization, member: Member
) -> None:
    made = await start(context, member)
    again = replace(FACTOR, last_authenticated_at=2)
    async with context.store.write() as tx:
        kept = await intermediate_sessions.keep(tx, made, (again,))
    assert kept.record == replace(made.record, factors=(again,))
    assert await find(context, acme, member, made.token) == kept


async def test_it_is_gone_once_it_is_used(
    context: Context, acme: Organization, member: Member
) -> None:
    made = await start(context, member)
    async with context.store.write() as tx:
        await intermediate_sessions.consume(tx, made)
    gone = await refusal(context, acme, member, made.token)
    assert gone is errors.intermediate_session_not_found


async def test_it_is_moved_to_another_member_with_its_token_and_end(
    context: Context, project: Project, acme: Organization, member: Member
) -> None:
    made = await start(context, member)
    changes = {"organization_name": "Other"}
    other = (await organizations.create(context, project, changes)).organization
    ada = await add(context, project, other, "ada@acme.test")
    again = replace(FACTOR, last_authenticated_at=2)
    async with context.store.write() as tx:
        moved = await intermediate_sessions.move(tx, made, ada, (again,))
    assert moved.token == made.token
    assert moved.record == replace(
        made.record,
        organization_id=other.organization_id,
        member_id=ada.member_id,
        factors=(again,),
    )
    assert await find(context, other, ada, made.token) == moved
    wrong = errors.invalid_intermediate_session_token_for_organization
    assert await refusal(context, acme, member, made.token) is wrong
