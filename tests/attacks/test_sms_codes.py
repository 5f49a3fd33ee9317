"""Codes by SMS under attack: the cases MF that concern phones, on two nodes of one database."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.asgi import Api
from tests.support.authenticators import AtSecondFactor, at_second_factor, wrong
from tests.support.context import open_test_context
from tests.support.determinism import SeededEntropy
from tests.support.doors import open_door
from tests.support.member_session import SignedIn
from tests.support.phones import (
    AUTHENTICATE,
    OTHER_PHONE,
    PHONE,
    SEND,
    newest_code,
    phone_path,
    texts,
    with_phone,
)
from tests.support.scenario import Scenario
from vestibule.app import App
from vestibule.clock import MINUTE
from vestibule.domain.phone_numbers import SANDBOX
from vestibule.store.open import open_store

WRONG = (401, "unable_to_auth_otp_code")
NO_CODE = (404, "otp_code_not_found")
LIMITED = (429, "too_many_requests")
LOCKED = (429, "user_lock_limit_reached")
NO_FACTOR = (401, "insufficient_factors")


@dataclass(frozen=True)
class Nodes:
    """Ada at the first server, and a second one on the same database with its own counters."""

    ada: AtSecondFactor
    second: Api

    async def at_once(self, path: str, bodies: Iterable[dict[str, Any]]) -> Counter[Any]:
        """Send all of these at the same time, by turns to either; return how often came what."""
        both = (self.ada.door.scenario.api, self.second)
        answers = await asyncio.gather(
            *(
                both[n % 2].call("POST", path, {**self.ada.who, **body})
                for n, body in enumerate(bodies)
            )
        )
        return Counter((each.status, each.json.get("error_type", "")) for each in answers)


@pytest.fixture
async def ada(scenario: Scenario) -> AtSecondFactor:
    return await at_second_factor(await open_door(scenario, "saml"))


@pytest.fixture
async def nodes(ada: AtSecondFactor, database_url: str) -> AsyncIterator[Nodes]:
    scenario = ada.door.scenario
    store = await open_store(database_url, connections=4)
    context = await open_test_context(
        store, clock=scenario.clock, entropy=SeededEntropy(2), fetch=scenario.fetch
    )
    api = Api(App(context), project_id=scenario.project.project_id, secret="secret-test-first")
    yield Nodes(ada, api)
    await store.close()


async def sent_code(ada: AtSecondFactor, **more: str) -> str:
    await ada.good(SEND, **more)
    return await newest_code(ada.door.scenario.context)


@pytest.mark.case("MF-15", reason="otp_code_not_found")
async def test_the_fifth_wrong_guess_is_the_end_of_a_code(ada: AtSecondFactor) -> None:
    session = await ada.session()
    code = await sent_code(ada, mfa_phone_number=PHONE)
    for number in range(5):
        assert await ada.bad(AUTHENTICATE, code=wrong(code, number + 1), **session) == WRONG
    assert await ada.bad(AUTHENTICATE, code=code, **session) == NO_CODE
    # The next code is a new one.
    code = await sent_code(ada)
    await ada.good(AUTHENTICATE, code=code, **session)


@pytest.mark.case("MF-15", reason="unable_to_auth_otp_code")
async def test_the_right_code_counts_after_four_wrong_ones(ada: AtSecondFactor) -> None:
    session = await ada.session()
    code = await sent_code(ada, mfa_phone_number=PHONE)
    for text in (wrong(code), "", code[:5], f"{code}0"):
        assert await ada.bad(AUTHENTICATE, code=text, **session) == WRONG
    await ada.good(AUTHENTICATE, code=code, **session)


@pytest.mark.case("MF-15", reason="unable_to_auth_otp_code")
@pytest.mark.case("MF-05", reason="unable_to_auth_otp_code")
async def test_of_many_guesses_on_two_nodes_five_are_judged(nodes: Nodes) -> None:
    ada = nodes.ada
    session = await ada.session()
    code = await sent_code(ada, mfa_phone_number=PHONE)
    guesses = [{"code": wrong(code, number + 1), **session} for number in range(30)]
    # The right one is among the last: it comes too late.
    guesses.append({"code": code, **session})
    told = await nodes.at_once(AUTHENTICATE, guesses)
    judged = told[WRONG] + told[200, ""]
    assert judged == 5
    assert told.keys() <= {WRONG, NO_CODE, (200, "")}
    assert await ada.bad(AUTHENTICATE, code=code, **session) == NO_CODE


@pytest.mark.case("MF-06", reason="user_lock_limit_reached")
@pytest.mark.case("MF-15", reason="user_lock_limit_reached")
async def test_new_codes_are_no_new_guesses_without_end(ada: AtSecondFactor) -> None:
    session = await ada.session()
    for more in ({"mfa_phone_number": PHONE}, {}):
        code = await sent_code(ada, **more)
        for number in range(5):
            assert await ada.bad(AUTHENTICATE, code=wrong(code, number + 1), **session) == WRONG
    assert await ada.bad(SEND) == LOCKED
    assert await ada.bad(AUTHENTICATE, code=code, **session) == LOCKED
    assert (await ada.member())["is_locked"] is True


@pytest.mark.case("MF-15", reason="too_many_requests")
async def test_of_a_flood_of_requests_on_two_nodes_five_codes_are_sent(nodes: Nodes) -> None:
    ada = nodes.ada
    told = await nodes.at_once(SEND, [{"mfa_phone_number": PHONE}] * 20)
    assert told == {(200, ""): 5, LIMITED: 15}
    sent = await texts(ada.door.scenario.context)
    assert [text.to for text in sent] == [PHONE] * 5
    answer = await nodes.second.call("POST", SEND, ada.who)
    assert 0 < int(answer.headers["retry-after"]) <= 600
    # A login goes on as if nothing had been sent.
    await ada.door.scenario.api.good("PUT", ada.path, {"mfa_enrolled": True})
    logged_in = await ada.door.log_in()
    assert logged_in["mfa_required"]["secondary_auth_initiated"] is None
    ada.door.scenario.clock.advance(10 * MINUTE)
    await ada.good(SEND)


@pytest.mark.case("MF-15", reason="otp_code_not_found")
async def test_a_code_sent_many_times_at_once_counts_once(nodes: Nodes) -> None:
    ada = nodes.ada
    session = await ada.session()
    code = await sent_code(ada, mfa_phone_number=PHONE)
    told = await nodes.at_once(AUTHENTICATE, [{"code": code, **session}] * 10)
    assert told == {(200, ""): 1, NO_CODE: 9}


@pytest.mark.case("MF-15", reason="otp_code_not_found")
async def test_a_code_for_another_phone_proves_nothing(ada: AtSecondFactor) -> None:
    session, scenario = await ada.session(), ada.door.scenario
    code = await sent_code(ada, mfa_phone_number=PHONE)
    await scenario.api.good("DELETE", phone_path(ada))
    await scenario.api.good("PUT", ada.path, {"mfa_phone_number": OTHER_PHONE})
    assert await ada.bad(AUTHENTICATE, code=code, **session) == NO_CODE
    # Nor does it while it is still there, however the number came to be another one.
    await scenario.api.good("DELETE", phone_path(ada))
    code = await sent_code(ada, mfa_phone_number=PHONE)
    async with scenario.context.store.write() as tx:
        await tx.members.change({"mfa_phone_number": OTHER_PHONE}, member_id=ada.member_id)
    assert await ada.bad(AUTHENTICATE, code=code, **session) == NO_CODE
    assert (await ada.member())["mfa_phone_number_verified"] is False


@pytest.mark.case("MF-13", reason="member_session_member_id_mismatch, otp_code_not_found")
@pytest.mark.case("MF-15", reason="member_session_member_id_mismatch, otp_code_not_found")
async def test_a_code_is_one_members(ada: AtSecondFactor) -> None:
    session, door = await ada.session(), ada.door
    logged_in = await door.log_in(subject="bob", email="bob@acme.test")
    bob = AtSecondFactor(door, logged_in["member_id"])
    theirs = {"session_token": logged_in["session_token"]}
    await bob.good(SEND, mfa_phone_number=OTHER_PHONE)
    code = await newest_code(door.scenario.context, OTHER_PHONE)
    assert await ada.bad(AUTHENTICATE, code=code, **session) == NO_CODE
    await ada.good(SEND, mfa_phone_number=PHONE)
    mine = await newest_code(door.scenario.context)
    mismatch = (400, "member_session_member_id_mismatch")
    assert await ada.bad(AUTHENTICATE, code=mine, **theirs) == mismatch
    assert await bob.bad(AUTHENTICATE, code=code, **session) == mismatch
    await bob.good(AUTHENTICATE, code=code, **theirs)
    await ada.good(AUTHENTICATE, code=mine, **session)


@pytest.mark.case("MF-15", reason="otp_code_not_found")
async def test_a_code_lives_for_two_minutes(ada: AtSecondFactor) -> None:
    session = await ada.session()
    code = await sent_code(ada, mfa_phone_number=PHONE)
    ada.door.scenario.clock.advance(2 * MINUTE)
    assert await ada.bad(AUTHENTICATE, code=code, **session) == NO_CODE


@pytest.mark.case("MF-15", reason="invalid_phone_number")
@pytest.mark.parametrize(
    "number", ["+19005551234", "+33899123456", "+447012345678", "+491805123456", "+881612345678"]
)
async def test_numbers_that_earn_from_texts_are_sent_none(ada: AtSecondFactor, number: str) -> None:
    refused = (400, "invalid_phone_number")
    assert await ada.bad(SEND, mfa_phone_number=number) == refused
    # Nor when it came by another door.
    await ada.door.scenario.api.good("PUT", ada.path, {"mfa_phone_number": number})
    assert await ada.bad(SEND) == refused
    assert await texts(ada.door.scenario.context) == []


@pytest.mark.case("MF-15", verdict="holds")
async def test_nothing_readable_of_a_code_is_stored(ada: AtSecondFactor) -> None:
    code = await sent_code(ada, mfa_phone_number=PHONE)
    async with ada.door.scenario.context.store.read() as tx:
        (kept,) = await tx.sms_codes.all()
        stored = repr([kept, await tx.outbox.all(), await tx.audit_events.all()])
    assert code.encode() not in kept.code
    assert "is your code" not in stored


@pytest.mark.case("MF-21")
async def test_a_member_gives_up_its_phone_only_with_its_proof(ada: AtSecondFactor) -> None:
    await with_phone(ada)
    session = await ada.session()
    me = SignedIn(
        ada.door.scenario,
        ada.member_id,
        ada.door.organization_id,
        {"x-stytch-member-session": session["session_token"]},
    )
    assert await me.bad("DELETE", phone_path(ada)) == NO_FACTOR
    # Nor is it changed into another one.
    another = (400, "duplicate_member_phone_number_for_member")
    assert await me.bad("PUT", ada.path, {"mfa_phone_number": OTHER_PHONE}) == another
    await ada.good(AUTHENTICATE, code=await sent_code(ada), **session)
    await me.good("DELETE", phone_path(ada))
    # The proof of the one before is none of the next.
    other = await ada.session()
    await ada.good(SEND, mfa_phone_number=OTHER_PHONE)
    code = await newest_code(ada.door.scenario.context, OTHER_PHONE)
    await ada.good(AUTHENTICATE, code=code, **other)
    assert await me.bad("DELETE", phone_path(ada)) == NO_FACTOR


@pytest.mark.case("MF-21")
async def test_an_intermediate_session_gives_up_no_phone(ada: AtSecondFactor) -> None:
    await with_phone(ada)
    await ada.door.settings(mfa_policy="REQUIRED_FOR_ALL")
    waiting = (await ada.waiting())["intermediate_session_token"]
    headers = {"x-stytch-member-session": waiting}
    refused = await ada.door.scenario.api.bad("DELETE", phone_path(ada), headers=headers)
    assert refused == (404, "session_not_found")
    assert (await ada.member())["mfa_phone_number"] == PHONE


@pytest.mark.case("MF-12", reason="action_available_only_once_primary_authentication_is_met")
async def test_a_phone_is_no_first_factor(ada: AtSecondFactor) -> None:
    await with_phone(ada)
    await ada.door.settings(mfa_policy="REQUIRED_FOR_ALL")
    waiting = await ada.waiting()
    code = await newest_code(ada.door.scenario.context)
    restricted = {"auth_methods": "RESTRICTED", "allowed_auth_methods": ["magic_link"]}
    await ada.door.settings(**restricted)
    too_early = (400, "action_available_only_once_primary_authentication_is_met")
    assert await ada.bad(AUTHENTICATE, code=code, **waiting) == too_early
    assert await ada.bad(SEND, **waiting) == too_early


@pytest.mark.case("MF-15", verdict="holds")
async def test_the_known_code_opens_no_other_phone(ada: AtSecondFactor) -> None:
    session = await ada.session()
    await ada.good(SEND, mfa_phone_number=SANDBOX)
    await ada.door.scenario.api.good("DELETE", phone_path(ada))
    code = await sent_code(ada, mfa_phone_number=PHONE)
    assert code != "000000"
    assert await ada.bad(AUTHENTICATE, code="000000", **session) == WRONG
