"""What every second factor has in common (semantics 4.1, 4.2), whichever it is."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.determinism import HandClock
from tests.support.second_factors import NOTHING_WANTED, SSO, Arrived
from vestibule import errors
from vestibule.clock import MINUTE
from vestibule.domain import members, organizations
from vestibule.domain.mfa.completion import Tokens
from vestibule.domain.outcome import Wanted
from vestibule.errors import ErrorType, Failure
from vestibule.records import Factor

PASSWORD = replace(SSO, type="password", delivery_method="knowledge", details={})


def orders(factors: tuple[Factor, ...]) -> list[tuple[str, str]]:
    return [(factor.type, factor.sequence_order) for factor in factors]


async def rows(arrived: Arrived) -> tuple[int, int]:
    """Return how many sessions there are, and how many intermediate ones."""
    of = {"project_id": arrived.project.project_id}
    async with arrived.context.store.read() as tx:
        return await tx.sessions.count(**of), await tx.intermediate_sessions.count(**of)


async def test_an_intermediate_session_becomes_a_session_with_both_factors(
    arrived: Arrived, clock: HandClock
) -> None:
    tokens = await arrived.waiting()
    wanted = Wanted(duration_minutes=30, custom_claims={"via": "mfa"})
    seen = await arrived.complete(tokens, wanted=wanted)
    assert orders(seen.session.factors) == [("sso", "PRIMARY"), ("totp", "SECONDARY")]
    assert seen.session.expires_at == clock.now() + 30 * MINUTE
    assert seen.session.custom_claims == {"via": "mfa"}
    assert seen.member.member.member_id == arrived.member.member_id
    assert await rows(arrived) == (1, 0)
    assert await arrived.refusal(tokens) is errors.intermediate_session_not_found


async def test_of_many_completions_at_once_one_makes_a_session(arrived: Arrived) -> None:
    tokens = await arrived.waiting()
    results = await asyncio.gather(
        *(arrived.complete(tokens) for _ in range(12)), return_exceptions=True
    )
    refused = [each for each in results if isinstance(each, Failure)]
    assert len(refused) == 11
    assert {each.error for each in refused} == {errors.intermediate_session_not_found}
    assert await rows(arrived) == (1, 0)


@pytest.mark.parametrize("way", ["session_token", "session_jwt"])
async def test_a_session_gains_the_factor(arrived: Arrived, clock: HandClock, way: str) -> None:
    first = await arrived.complete(await arrived.waiting())
    tokens = {"session_token": first.token, "session_jwt": first.jwt}
    session = await arrived.session()
    if way == "session_jwt":
        session = Tokens(session_jwt=tokens["session_jwt"])
    clock.advance(MINUTE)
    seen = await arrived.complete(session)
    assert orders(seen.session.factors) == [("sso", "PRIMARY"), ("totp", "SECONDARY")]
    assert seen.session.expires_at == clock.now() + 60 * MINUTE
    assert seen.token
    assert seen.session.factors[1].last_authenticated_at == clock.now()
    made = clock.now() - MINUTE if way == "session_jwt" else clock.now()
    assert seen.session.factors[1].created_at == made


async def test_a_session_is_not_shortened_unless_asked(arrived: Arrived, clock: HandClock) -> None:
    tokens = await arrived.session(minutes=120, claims={"kept": 1})
    ends = clock.now() + 120 * MINUTE
    seen = await arrived.complete(tokens)
    assert (seen.session.expires_at, seen.session.custom_claims) == (ends, {"kept": 1})
    wanted = Wanted(duration_minutes=5, custom_claims={"new": 2})
    seen = await arrived.complete(tokens, wanted=wanted)
    assert seen.session.expires_at == clock.now() + 5 * MINUTE
    assert seen.session.custom_claims == {"kept": 1, "new": 2}


@pytest.mark.parametrize(
    ("tokens", "error"),
    [
        (Tokens(), errors.no_session_arguments),
        (Tokens(session_token="a", session_jwt="b"), errors.too_many_session_arguments),
        (
            Tokens(session_token="a", intermediate_session_token="b"),
            errors.too_many_session_arguments,
        ),
        (Tokens(session_token="a"), errors.invalid_session_token),
        (Tokens(session_token="A" * 64), errors.session_not_found),
        (Tokens(session_jwt="a"), errors.unable_to_parse_session_jwt),
        (Tokens(intermediate_session_token="a"), errors.intermediate_session_not_found),
    ],
)
async def test_exactly_one_living_session_is_named(
    arrived: Arrived, tokens: Tokens, error: ErrorType
) -> None:
    assert await arrived.refusal(tokens) is error
    assert (await arrived.now()).failed_attempts == 0


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"set_mfa_enrollment": "yes"}, errors.invalid_set_mfa_enrollment),
        (
            {"wanted": Wanted(duration_minutes=4, custom_claims={})},
            errors.invalid_session_duration_minutes,
        ),
        (
            {"wanted": Wanted(duration_minutes=None, custom_claims={"a": "x" * 5000})},
            errors.custom_claims_too_large,
        ),
        ({"organization_id": "nobody"}, errors.organization_not_found),
        ({"member_id": "nobody"}, errors.member_not_found),
    ],
)
async def test_what_is_asked_must_be_possible(
    arrived: Arrived, fields: dict[str, Any], error: ErrorType
) -> None:
    tokens = await arrived.waiting()
    assert await arrived.refusal(tokens, "wrong", **fields) is error
    assert (await arrived.now()).failed_attempts == 0
    await arrived.complete(tokens)


@pytest.mark.case("MF-13")
async def test_nobody_completes_what_another_member_began(arrived: Arrived) -> None:
    context, project, acme = arrived.context, arrived.project, arrived.organization
    async with context.store.write() as tx:
        bob = await members.add(tx, context, project, acme, email_address="bob@acme.test")
    theirs = Arrived(context, project, acme, bob)
    for tokens in (await theirs.waiting(), await theirs.session()):
        assert await arrived.refusal(tokens) is errors.member_session_member_id_mismatch
        # The code of the one and the session of the other, named the other way round.
        named = await theirs.refusal(tokens, "wrong")
        assert named is errors.unable_to_authenticate_totp
    assert (await arrived.now()).failed_attempts == 0


@pytest.mark.case("MF-13")
async def test_nobody_completes_what_was_begun_in_another_organization(arrived: Arrived) -> None:
    context, project = arrived.context, arrived.project
    made = await organizations.create(context, project, {"organization_name": "Other"})
    other = made.organization
    async with context.store.write() as tx:
        ada = await members.add(tx, context, project, other, email_address="ada@acme.test")
    there = Arrived(context, project, other, ada)
    waiting = await there.waiting()
    wrong = errors.invalid_intermediate_session_token_for_organization
    assert await arrived.refusal(waiting) is wrong
    session = await there.session()
    assert await arrived.refusal(session) is errors.member_session_member_id_mismatch
    where = {"organization_id": other.organization_id}
    assert await arrived.refusal(waiting, **where) is errors.member_not_found
    await there.complete(waiting)


async def test_an_intermediate_session_needs_a_primary_factor_first(arrived: Arrived) -> None:
    wrong = errors.action_available_only_once_primary_authentication_is_met
    alone = replace(SSO, type="totp", delivery_method="authenticator_app", details={})
    assert await arrived.refusal(await arrived.waiting(alone)) is wrong
    restricted = {"auth_methods": "RESTRICTED", "allowed_auth_methods": ("password",)}
    await arrived.change_organization(**restricted)
    assert await arrived.refusal(await arrived.waiting()) is wrong
    await arrived.complete(await arrived.waiting(SSO, PASSWORD))
    # A session has been begun by what was allowed then.
    await arrived.complete(await arrived.session())
    await arrived.change_member(is_breakglass=True)
    await arrived.complete(await arrived.waiting())


@pytest.mark.parametrize("status", ["pending", "invited"])
async def test_only_active_members_use_a_second_factor(arrived: Arrived, status: str) -> None:
    await arrived.change_member(status=status)
    error = errors.action_available_only_for_active_members
    assert await arrived.refusal(await arrived.waiting()) is error
    await arrived.change_member(status="deleted")
    assert await arrived.refusal(await arrived.waiting()) is errors.member_not_found


async def test_nobody_uses_one_in_a_suspended_organization(arrived: Arrived) -> None:
    tokens = await arrived.waiting()
    await arrived.change_organization(suspended_at=1)
    assert await arrived.refusal(tokens) is errors.organization_suspended


async def test_the_organization_says_which_second_factors_there_are(arrived: Arrived) -> None:
    restricted = {"mfa_methods": "RESTRICTED", "allowed_mfa_methods": ("sms_otp",)}
    await arrived.change_organization(**restricted)
    tokens = await arrived.waiting()
    error = errors.operation_restricted_by_organization_mfa_methods
    assert await arrived.refusal(tokens) is error
    await arrived.change_member(is_breakglass=True)
    await arrived.complete(tokens)


@pytest.mark.parametrize(
    ("policy", "before", "asked", "after"),
    [
        ("OPTIONAL", False, "", False),
        ("OPTIONAL", True, "", True),
        ("OPTIONAL", False, "enroll", True),
        ("OPTIONAL", True, "unenroll", False),
        ("REQUIRED_FOR_ALL", False, "", True),
        ("REQUIRED_FOR_ALL", False, "unenroll", True),
        ("REQUIRED_FOR_ALL", True, "unenroll", True),
    ],
)
async def test_who_is_enrolled_afterwards(
    arrived: Arrived, policy: str, before: bool, asked: str, after: bool
) -> None:
    await arrived.change_organization(mfa_policy=policy)
    await arrived.change_member(mfa_enrolled=before)
    seen = await arrived.complete(await arrived.waiting(), set_mfa_enrollment=asked)
    assert seen.member.member.mfa_enrolled is after
    assert (await arrived.now()).mfa_enrolled is after


@pytest.mark.parametrize(
    ("before", "asked", "after"),
    [("", False, "totp"), ("sms_otp", False, "sms_otp"), ("sms_otp", True, "totp")],
)
async def test_the_first_method_is_the_default_until_another_is_asked_for(
    arrived: Arrived, before: str, asked: bool, after: str
) -> None:
    await arrived.change_member(default_mfa_method=before)
    seen = await arrived.complete(await arrived.waiting(), set_default_mfa=asked)
    assert seen.member.member.default_mfa_method == after
    assert (await arrived.now()).default_mfa_method == after


async def test_a_member_is_updated_only_by_what_changes_it(
    arrived: Arrived, clock: HandClock
) -> None:
    await arrived.complete(await arrived.waiting())
    before = await arrived.now()
    assert before.updated_at == clock.now()
    clock.advance(MINUTE)
    await arrived.refusal(await arrived.waiting(), "wrong")
    await arrived.complete(await arrived.waiting())
    assert await arrived.now() == before


async def test_what_is_refused_changes_nothing(arrived: Arrived) -> None:
    await arrived.change_organization(mfa_policy="REQUIRED_FOR_ALL")
    tokens = await arrived.waiting()
    await arrived.refusal(tokens, "wrong", set_default_mfa=True, wanted=NOTHING_WANTED)
    member = await arrived.now()
    assert (member.mfa_enrolled, member.default_mfa_method) == (False, "")
    assert await rows(arrived) == (0, 1)
