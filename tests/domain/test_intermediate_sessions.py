"""Intermediate sessions below the endpoints; tests/flows/test_mfa_sign_in.py goes through them."""

from typing import Any

import pytest

from vestibule import errors
from vestibule.clock import MINUTE
from vestibule.domain import intermediate_sessions, members, organizations
from vestibule.domain.context import Context
from vestibule.errors import ErrorType, Failure
from vestibule.records import Factor, IntermediateSession, Member, Organization, Project

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


async def start(context: Context, member: Member) -> tuple[IntermediateSession, str]:
    async with context.store.write() as tx:
        return await intermediate_sessions.start(tx, context, member, factors=(FACTOR,))


async def find(
    context: Context, organization: Organization, member: Member, text: str
) -> IntermediateSession | None:
    async with context.store.write() as tx:
        return await intermediate_sessions.find(tx, context, organization, member, text)


async def refusal(
    context: Context, organization: Organization, member: Member, text: str
) -> ErrorType:
    with pytest.raises(Failure) as caught:
        await find(context, organization, member, text)
    return caught.value.error


@pytest.mark.parametrize(
    ("policy", "enrolled", "second", "enough"),
    [
        ("OPTIONAL", False, False, True),
        ("OPTIONAL", True, False, False),
        ("OPTIONAL", True, True, True),
        ("REQUIRED_FOR_ALL", False, False, False),
        ("REQUIRED_FOR_ALL", False, True, True),
        ("REQUIRED_FOR_ALL", True, True, True),
    ],
)
def test_who_needs_a_second_factor(policy: str, enrolled: bool, second: bool, enough: bool) -> None:
    common: Any = {"organization_id": "o", "project_id": "p", "created_at": 0, "updated_at": 0}
    organization = Organization(
        **common, organization_name="", organization_slug="", mfa_policy=policy
    )
    member = Member(
        **common, member_id="m", email_address="", status="active", mfa_enrolled=enrolled
    )
    sms = Factor(
        type="otp",
        delivery_method="sms",
        details_name="",
        details={},
        sequence_order="SECONDARY",
        last_authenticated_at=1,
        created_at=1,
        updated_at=1,
    )
    factors = (FACTOR, sms) if second else (FACTOR,)
    assert intermediate_sessions.is_enough(organization, member, factors) is enough


async def test_it_is_found_by_its_token_for_ten_minutes(
    context: Context, acme: Organization, member: Member
) -> None:
    made, text = await start(context, member)
    assert made.expires_at == context.clock.now() + 10 * MINUTE
    assert await find(context, acme, member, text) == made
    assert await find(context, acme, member, "") is None
    for other in (text[:-1], text[:32] + "A" * 32, "A" * 64):
        error = await refusal(context, acme, member, other)
        assert error is errors.intermediate_session_not_found


async def test_it_belongs_to_its_member_and_organization(
    context: Context, project: Project, acme: Organization, member: Member
) -> None:
    _, text = await start(context, member)
    bob = await add(context, project, acme, "bob@acme.test")
    wrong = errors.invalid_intermediate_session_token_for_organization
    assert await refusal(context, acme, bob, text) is wrong
    changes = {"organization_name": "Other"}
    other = (await organizations.create(context, project, changes)).organization
    assert await refusal(context, other, member, text) is wrong


async def test_a_factor_is_added_or_proven_again(
    context: Context, acme: Organization, member: Member
) -> None:
    made, text = await start(context, member)
    async with context.store.write() as tx:
        again = await intermediate_sessions.add_factor(tx, made, FACTOR)
        assert again.factors == (FACTOR,)
    assert await find(context, acme, member, text) == made


async def test_it_is_gone_once_it_is_used(
    context: Context, acme: Organization, member: Member
) -> None:
    made, text = await start(context, member)
    async with context.store.write() as tx:
        await intermediate_sessions.consume(tx, made)
    assert await refusal(context, acme, member, text) is errors.intermediate_session_not_found
