"""Logins and exchanges that are under way while what they hang on goes away: ST-14, MT-08."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace as changed

from tests.support.asgi import Answer
from tests.support.doors import Door, open_door, open_external
from tests.support.refusals import Left, left
from tests.support.scenario import Scenario
from tests.support.single_logout import provider

AUTHENTICATE = "/v1/b2b/sso/authenticate"
EXCHANGE = "/v1/b2b/sessions/exchange"


@pytest.fixture
async def door(scenario: Scenario) -> Door:
    return await open_door(scenario, "saml")


async def redeem(door: Door, token: str, **more: Any) -> Answer:
    return await door.scenario.api.call("POST", AUTHENTICATE, {"sso_token": token, **more})


async def exchange(door: Door, session: dict[str, Any]) -> Answer:
    body = {
        "organization_id": door.organization_id,
        "session_token": session["session_token"],
    }
    return await door.scenario.api.call("POST", EXCHANGE, body)


async def delete_connection(door: Door) -> Answer:
    path = f"/v1/b2b/sso/{door.organization_id}/connections/{door.connection_id}"
    return await door.scenario.api.call("DELETE", path)


async def holding(door: Door) -> int:
    """Return how many sessions and intermediate ones have a factor of the door's connection."""
    async with door.scenario.context.store.read() as tx:
        held = [each.factors for each in await tx.sessions.all()]
        held += [each.factors for each in await tx.intermediate_sessions.all()]
    return sum(
        factor.details.get("provider_id") == door.connection_id
        for factors in held
        for factor in factors
    )


@pytest.mark.case("ST-14")
@pytest.mark.parametrize("known", [False, True])
async def test_no_login_outlives_the_deletion_of_its_connection(door: Door, known: bool) -> None:
    second = await door.scenario.oidc_connection(door.organization_id)
    other = Door(door.scenario, "oidc", second)
    if known:
        await other.log_in()
    first = await door.log_in(email="somebody@acme.test", subject="somebody")
    tokens = [await other.token() for _ in range(8)]
    linked = await door.log_in()
    answers = await asyncio.gather(
        *(redeem(other, token) for token in tokens[:4]),
        delete_connection(other),
        *(redeem(other, token, session_token=linked["session_token"]) for token in tokens[4:]),
    )
    assert answers[4].status == 200
    for answer in (*answers[:4], *answers[5:]):
        assert answer.status in {200, 404}, answer.text
        if answer.status == 404:
            assert answer.json["error_type"] == "sso_token_not_found"
    assert await holding(other) == 0
    # What hangs on the other connection alone is there as before.
    path, body = "/v1/b2b/sessions/authenticate", {"session_token": first["session_token"]}
    await door.scenario.api.good("POST", path, body)
    await door.scenario.api.good("POST", path, {"session_token": linked["session_token"]})


@pytest.mark.case("ST-14", "MT-08")
@pytest.mark.parametrize("known", [False, True])
async def test_no_exchange_outlives_the_deletion_of_the_connection_there(
    door: Door, known: bool
) -> None:
    target = await open_external(door)
    await target.add_member()
    first = await door.log_in()
    if known:
        assert (await exchange(target, first)).status == 200
    answers = await asyncio.gather(
        *(exchange(target, first) for _ in range(5)),
        delete_connection(target),
        *(exchange(target, first) for _ in range(5)),
    )
    assert answers[5].status == 200
    for answer in (*answers[:5], *answers[6:]):
        assert answer.status in {200, 400}, answer.text
        if answer.status == 400:
            assert answer.json["error_type"] == "insufficient_factors_for_session_exchange"
    assert await holding(target) == 0
    assert await holding(door) == 1
    assert (await left(door.scenario)).registrations == 1


@pytest.mark.case("ST-14", "MT-08")
@pytest.mark.parametrize("gone", ["connection", "organization"])
async def test_nothing_outlives_the_deletion_of_what_an_external_connection_refers_to(
    door: Door, gone: str
) -> None:
    """Neither a login through it nor an exchange from another organization that shares it."""
    doors = [await open_external(door, name) for name in ("First", "Second")]
    sessions = [await each.log_in() for each in doors]
    tokens = [await doors[0].token() for _ in range(4)]
    deletion = (
        delete_connection(door)
        if gone == "connection"
        else door.scenario.api.call("DELETE", f"/v1/b2b/organizations/{door.organization_id}")
    )
    answers = await asyncio.gather(
        *(redeem(doors[0], token) for token in tokens[:2]),
        *(exchange(doors[0], sessions[1]) for _ in range(2)),
        *(exchange(doors[1], sessions[0]) for _ in range(2)),
        deletion,
        *(redeem(doors[0], token) for token in tokens[2:]),
        *(exchange(doors[0], sessions[1]) for _ in range(2)),
        *(exchange(doors[1], sessions[0]) for _ in range(2)),
    )
    assert answers[6].status == 200
    over = {
        "sso_token_not_found",
        "external_connection_not_active",
        "session_not_found",
        "insufficient_factors_for_session_exchange",
    }
    for answer in answers:
        assert answer.status == 200 or answer.json["error_type"] in over, answer.text
    assert [await holding(each) for each in doors] == [0, 0]
    assert (await left(door.scenario)).sessions == 0


@pytest.mark.case("MT-08")
async def test_deletion_waits_for_a_login_through_an_external_connection(door: Door) -> None:
    target = await open_external(door)
    await target.log_in()
    await target.token()
    async with door.scenario.context.store.write() as tx:
        # The login has begun and holds its token; the deletion begins, and waits for it.
        assert len(await tx.sso_tokens.change({"consumed_at": 1}, consumed_at=0)) == 1
        coming = asyncio.create_task(delete_connection(door))
        await asyncio.sleep(0.3)
        (session,) = await tx.sessions.all()
        await tx.sessions.insert(changed(session, session_id="new", token_id="new"))
    assert (await coming).status == 200
    assert await holding(target) == 0
    assert (await left(door.scenario)).sessions == 0


@pytest.mark.case("MT-08")
async def test_exchange_waits_for_the_end_of_the_connection_it_goes_to(door: Door) -> None:
    target = await open_external(door)
    await target.add_member()
    first = await door.log_in()
    async with door.scenario.context.store.write() as tx:
        # The deletion has begun; the exchange begins, and waits for how it ends.
        severed = {"connection_id": target.connection_id}
        assert len(await tx.connections.change({"status": "pending"}, **severed)) == 1
        coming = asyncio.create_task(exchange(target, first))
        await asyncio.sleep(0.3)
    answer = await coming
    assert answer.status == 400, answer.text
    assert answer.json["error_type"] == "insufficient_factors_for_session_exchange"
    assert await holding(target) == 0


@pytest.mark.case("ST-14")
async def test_no_exchange_revives_a_member_who_is_deleted_meanwhile(door: Door) -> None:
    target = await open_external(door)
    added = await target.add_member()
    first = await door.log_in()
    where = {"project_id": door.scenario.project.project_id, "member_id": added["member_id"]}
    async with door.scenario.context.store.write() as tx:
        # The deletion has begun and holds the member; the exchange begins, and waits for it.
        assert await tx.members.find(lock=True, **where) is not None
        coming = asyncio.create_task(exchange(target, first))
        await asyncio.sleep(0.3)
        await tx.member_emails.delete(**where)
        await tx.members.change({"status": "deleted"}, **where)
    answer = await coming
    assert (answer.status, answer.json["error_type"]) == (404, "member_not_found")
    async with door.scenario.context.store.read() as tx:
        assert await tx.sessions.count(**where) == 0
        assert await tx.registrations.count(**where) == 0


@pytest.mark.case("ST-13")
async def test_a_session_that_is_revoked_meanwhile_is_not_exchanged(door: Door) -> None:
    target = await open_external(door)
    await target.add_member()
    first = await door.log_in()
    session_id = first["member_session"]["member_session_id"]
    async with door.scenario.context.store.write() as tx:
        # The revocation has begun; the exchange begins, and waits for how it ends.
        assert await tx.sessions.find(lock=True, session_id=session_id) is not None
        coming = asyncio.create_task(exchange(target, first))
        await asyncio.sleep(0.3)
        await tx.sessions.delete(session_id=session_id)
    answer = await coming
    assert (answer.status, answer.json["error_type"]) == (404, "session_not_found")
    found = await left(door.scenario)
    assert (found.sessions, found.registrations) == (0, 1)


@pytest.mark.case("ST-13")
async def test_no_exchange_outlives_a_logout_at_the_identity_provider(scenario: Scenario) -> None:
    idp = await provider(scenario)
    door = Door(scenario, "saml", idp.connection)
    target = await open_external(door)
    await target.add_member()
    first = await idp.sign_in()
    assert (await exchange(target, first)).status == 200
    logout = idp.redirect(idp.request())
    *answers, out = await asyncio.gather(*(exchange(target, first) for _ in range(5)), logout)
    assert out.status == 302, out.text
    for answer in answers:
        assert answer.status == 200 or answer.json["error_type"] == "session_not_found"
    assert (await left(scenario)).sessions == 0


async def test_an_exchange_that_is_overtaken_sees_what_the_other_made(door: Door) -> None:
    """A first login there and an exchange register the same identity at once."""
    target = await open_external(door)
    added = await target.add_member()
    first = await door.log_in()
    async with door.scenario.context.store.write() as tx:
        (mine,) = await tx.registrations.all()
        theirs = changed(
            mine,
            registration_id="registration-1",
            organization_id=target.organization_id,
            member_id=added["member_id"],
            connection_id=target.connection_id,
        )
        await tx.registrations.insert(theirs)
        coming = asyncio.create_task(exchange(target, first))
        await asyncio.sleep(0.3)
    answer = await coming
    assert answer.status == 200, answer.text
    (factor,) = answer.json["member_session"]["authentication_factors"]
    assert factor["saml_sso_factor"]["id"] == "registration-1"
    assert (await left(door.scenario)).registrations == 2


@pytest.mark.case("ST-14")
@pytest.mark.parametrize("known", [False, True])
async def test_no_login_outlives_the_deletion_of_its_organization(door: Door, known: bool) -> None:
    if known:
        await door.log_in()
    tokens = [await door.token() for _ in range(6)]
    path = f"/v1/b2b/organizations/{door.organization_id}"
    answers = await asyncio.gather(
        *(redeem(door, token) for token in tokens[:3]),
        door.scenario.api.call("DELETE", path),
        *(redeem(door, token) for token in tokens[3:]),
    )
    assert answers[3].status == 200, answers[3].text
    for answer in (*answers[:3], *answers[4:]):
        assert answer.status in {200, 404}, answer.text
        if answer.status == 404:
            assert answer.json["error_type"] in {"sso_token_not_found", "organization_not_found"}
    assert await left(door.scenario) == Left()
