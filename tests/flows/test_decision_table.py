"""Who logs in: each row of the decision table (semantics 2.6), through both protocols.

The member may be known by its registration (connection and external id), by its address, or not.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.doors import Door, open_door
from tests.support.refusals import Left, assert_page, left, traces
from tests.support.scenario import LOGIN_URL, SIGNUP_URL, Scenario
from vestibule import errors
from vestibule.clock import MINUTE, rfc3339
from vestibule.domain import intermediate_sessions, suspension
from vestibule.records import Factor

RETIRED = (400, "retired_member_email")
DUPLICATE = (400, "duplicate_member_email")
NO_JIT = (400, "invalid_connection_for_jit_provisioning")
NO_SSO = (400, "operation_restricted_by_organization_auth_methods")
AUTHENTICATE = "/v1/b2b/sso/authenticate"
LOCKED = (429, "user_lock_limit_reached")
SUSPENDED = (403, "organization_suspended")
CLAIMED = (400, "action_not_allowed_email_domain_is_claimed")


@pytest.fixture(params=["saml", "oidc"])
async def door(request: pytest.FixtureRequest, scenario: Scenario) -> Door:
    return await open_door(scenario, request.param)


async def only_members(scenario: Scenario) -> int:
    return (await left(scenario)).members


async def set_status(door: Door, member_id: str, status: str) -> None:
    async with door.scenario.context.store.write() as tx:
        await tx.members.change({"status": status}, member_id=member_id)


async def second_door(door: Door) -> Door:
    """Open a door of the other protocol in the same organization."""
    if door.protocol == "saml":
        return Door(
            door.scenario, "oidc", await door.scenario.oidc_connection(door.organization_id)
        )
    return Door(door.scenario, "saml", await door.scenario.saml_connection(door.organization_id))


async def refused_without_a_trace_in_members(
    door: Door, error: tuple[int, str], **person: Any
) -> None:
    """Nothing but the token and what belongs to it is left by a refused redemption."""
    before = await left(door.scenario)
    assert await door.refused(**person) == error
    after = await left(door.scenario)
    kept = ("members", "registrations", "sessions", "intermediate_sessions")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    failed = await traces(door.scenario, outcome="failed")
    assert [trace.reason for trace in failed] == [error[1]]


# Row 1: the registration is known -------------------------------------------------------------


async def test_row_1_a_registered_member_logs_in_and_keeps_its_name(door: Door) -> None:
    first = await door.log_in()
    again = await door.come_back(first="Augusta", last="King")
    assert again.headers["location"].startswith(LOGIN_URL)
    second = await door.log_in(first="Augusta", last="King", team="engines")
    assert second["member_id"] == first["member_id"]
    assert second["member"]["name"] == "Ada Lovelace"
    (registration,) = second["member"]["sso_registrations"]
    assert registration["external_id"] == "ada"
    team = registration["sso_attributes"]["team"]
    assert team == (["engines"] if door.protocol == "saml" else "engines")
    (before,) = first["member"]["sso_registrations"]
    assert registration["registration_id"] == before["registration_id"]
    assert await only_members(door.scenario) == 1


async def test_row_1_an_empty_name_is_filled(door: Door) -> None:
    first = await door.log_in(first="", last="")
    assert first["member"]["name"] == ""
    assert (await door.log_in())["member"]["name"] == "Ada Lovelace"


# Row 2: the registration is known, the address is another one ---------------------------------


async def test_row_2_a_new_address_becomes_the_primary_one(door: Door) -> None:
    first = await door.log_in(email="ada@acme.test")
    answer = await door.come_back(email="lovelace@acme.test")
    assert answer.headers["location"].startswith(LOGIN_URL)
    second = await door.log_in(email="lovelace@acme.test")
    assert second["member_id"] == first["member_id"]
    assert second["member"]["email_address"] == "lovelace@acme.test"
    assert second["member"]["email_address_verified"] is True
    (retired,) = second["member"]["retired_email_addresses"]
    assert retired["email_address"] == "ada@acme.test"
    back = await door.log_in(email="ada@acme.test")
    assert back["member"]["email_address"] == "ada@acme.test"
    (retired,) = back["member"]["retired_email_addresses"]
    assert retired["email_address"] == "lovelace@acme.test"


async def test_row_2_case_alone_is_no_new_address(door: Door) -> None:
    first = await door.log_in(email="ada@acme.test")
    second = await door.log_in(email="Ada@ACME.test")
    assert second["member_id"] == first["member_id"]
    assert second["member"]["retired_email_addresses"] == []


async def test_row_2_the_address_of_another_member_is_refused(door: Door) -> None:
    await door.log_in(subject="ada", email="ada@acme.test")
    await door.log_in(subject="bob", email="bob@acme.test")
    await refused_without_a_trace_in_members(door, DUPLICATE, subject="bob", email="ada@acme.test")


async def test_row_2_a_retired_address_of_another_member_is_refused(door: Door) -> None:
    await door.log_in(subject="ada", email="ada@acme.test")
    await door.log_in(subject="ada", email="lovelace@acme.test")
    await door.log_in(subject="bob", email="bob@acme.test")
    await refused_without_a_trace_in_members(door, RETIRED, subject="bob", email="ada@acme.test")


# Row 3: the address is known, the registration is not -----------------------------------------


@pytest.mark.case("MT-18")
@pytest.mark.parametrize("status", ["active", "pending", "invited"])
async def test_row_3_a_member_with_the_address_is_linked(door: Door, status: str) -> None:
    added = await door.add_member("Ada@acme.test", create_member_as_pending=status != "active")
    await set_status(door, added["member_id"], status)
    assert added["email_address_verified"] is False
    assert (await door.come_back()).headers["location"].startswith(LOGIN_URL)
    result = await door.log_in()
    assert result["member_id"] == added["member_id"]
    assert result["member"]["status"] == "active"
    assert result["member"]["email_address"] == "Ada@acme.test"
    assert result["member"]["email_address_verified"] is True
    assert result["member"]["name"] == "Ada Lovelace"
    (registration,) = result["member"]["sso_registrations"]
    assert registration["external_id"] == "ada"
    assert registration["connection_id"] == door.connection_id
    assert registration["registration_id"].startswith(f"{door.protocol}-member-registration-test-")
    assert await only_members(door.scenario) == 1


@pytest.mark.parametrize("provisioning", ["NOT_ALLOWED", "RESTRICTED"])
async def test_row_3_existing_members_need_no_provisioning(door: Door, provisioning: str) -> None:
    added = await door.add_member()
    other = await door.scenario.saml_connection(
        door.organization_id, idp_entity_id="https://other.example.com"
    )
    await door.settings(
        sso_jit_provisioning=provisioning,
        sso_jit_provisioning_allowed_connections=[other["connection_id"]],
    )
    assert (await door.log_in())["member_id"] == added["member_id"]


async def test_row_3_a_retired_address_names_nobody(door: Door) -> None:
    added = await door.add_member("ada@acme.test")
    path = f"/v1/b2b/organizations/{door.organization_id}/members/{added['member_id']}"
    await door.scenario.api.good("PUT", path, {"email_address": "lovelace@acme.test"})
    await refused_without_a_trace_in_members(door, RETIRED, email="ada@acme.test")


# Row 4: the member is tied to another identity of the same connection --------------------------


@pytest.mark.case("MT-19")
async def test_row_4_a_second_identity_for_one_member_is_refused(door: Door) -> None:
    first = await door.log_in(subject="ada")
    await refused_without_a_trace_in_members(door, DUPLICATE, subject="ada-recreated")
    (trace,) = await traces(door.scenario, outcome="failed")
    assert trace.side == "vestibule"
    assert "another account of this identity provider" in trace.steps[-1].received
    member = await door.member(first["member_id"])
    assert [item["external_id"] for item in member["sso_registrations"]] == ["ada"]
    # The admin deletes the member; the person behind the new identity comes as a new one.
    path = f"/v1/b2b/organizations/{door.organization_id}/members/{first['member_id']}"
    await door.scenario.api.good("DELETE", path)
    assert (await door.log_in(subject="ada-recreated"))["member_id"] != first["member_id"]


async def test_row_4_one_member_may_have_identities_at_two_connections(door: Door) -> None:
    second = await second_door(door)
    first = await door.log_in(subject="ada")
    result = await second.log_in(subject="lovelace")
    assert result["member_id"] == first["member_id"]
    identities = {
        item["connection_id"]: item["external_id"] for item in result["member"]["sso_registrations"]
    }
    assert identities == {door.connection_id: "ada", second.connection_id: "lovelace"}


# Rows 5 to 7: nobody is known; provisioning just in time ---------------------------------------


@pytest.mark.case("MT-14")
async def test_row_5_a_new_member_is_created(door: Door) -> None:
    assert (await door.settings())["sso_jit_provisioning"] == "ALL_ALLOWED"
    answer = await door.come_back()
    assert answer.headers["location"].startswith(SIGNUP_URL)
    assert await only_members(door.scenario) == 0
    result = await door.log_in()
    member = result["member"]
    assert member["status"] == "active"
    assert member["email_address"] == "ada@acme.test"
    assert member["email_address_verified"] is True
    assert member["name"] == "Ada Lovelace"
    assert [role["role_id"] for role in member["roles"]] == ["stytch_member"]
    assert result["member_authenticated"] is True
    assert result["member_session"]["roles"] == ["stytch_member"]


@pytest.mark.case("MT-14")
async def test_row_6_restricted_provisioning_is_for_the_listed_connections(door: Door) -> None:
    other = await door.scenario.saml_connection(
        door.organization_id, idp_entity_id="https://other.example.com"
    )
    await door.settings(
        sso_jit_provisioning="RESTRICTED",
        sso_jit_provisioning_allowed_connections=[other["connection_id"]],
    )
    await refused_without_a_trace_in_members(door, NO_JIT)
    both = [other["connection_id"], door.connection_id]
    await door.settings(sso_jit_provisioning_allowed_connections=both)
    assert (await door.log_in())["member"]["status"] == "active"


@pytest.mark.case("MT-14")
async def test_row_7_without_provisioning_nobody_is_created(door: Door) -> None:
    await door.settings(sso_jit_provisioning="NOT_ALLOWED")
    await refused_without_a_trace_in_members(door, NO_JIT)


# Row 8: only a deleted member matches ----------------------------------------------------------


@pytest.mark.case("MT-17")
@pytest.mark.parametrize("by", ["registration and address", "registration", "address"])
async def test_row_8_a_deleted_member_is_never_matched(door: Door, by: str) -> None:
    first = await door.log_in(subject="ada", email="ada@acme.test")
    path = f"/v1/b2b/organizations/{door.organization_id}/members/{first['member_id']}"
    await door.scenario.api.good("DELETE", path)
    person: Any = {
        "registration and address": {"subject": "ada", "email": "ada@acme.test"},
        "registration": {"subject": "ada", "email": "lovelace@acme.test"},
        "address": {"subject": "lovelace", "email": "ada@acme.test"},
    }[by]
    await door.settings(sso_jit_provisioning="NOT_ALLOWED")
    await refused_without_a_trace_in_members(door, NO_JIT, **person)
    await door.settings(sso_jit_provisioning="ALL_ALLOWED")
    answer = await door.come_back(**person)
    assert answer.headers["location"].startswith(SIGNUP_URL)
    second = await door.log_in(**person)
    assert second["member_id"] != first["member_id"]
    path = f"/v1/b2b/organizations/members/dangerously_get/{first['member_id']}"
    old = await door.scenario.api.good("GET", f"{path}?include_deleted=true")
    assert old["member"]["status"] == "deleted"


@pytest.mark.case("MT-17")
async def test_row_8_a_registration_left_by_a_deactivated_member_means_nothing(door: Door) -> None:
    """As SCIM will leave it: the member is deleted, its rows are still there."""
    first = await door.log_in()
    await set_status(door, first["member_id"], "deleted")
    async with door.scenario.context.store.write() as tx:
        await tx.member_emails.delete(member_id=first["member_id"])
    again = await door.add_member("ada@acme.test")
    assert (await door.come_back()).headers["location"].startswith(LOGIN_URL)
    result = await door.log_in()
    assert result["member_id"] == again["member_id"] != first["member_id"]


# Row 9: domains of invitations are no domains of SSO -------------------------------------------


async def test_row_9_the_domains_of_invitations_mean_nothing_to_sso(door: Door) -> None:
    await door.settings(
        email_allowed_domains=["acme.test"],
        email_invites="RESTRICTED",
        email_jit_provisioning="RESTRICTED",
    )
    result = await door.log_in(subject="guest", email="guest@elsewhere.test")
    assert result["member"]["status"] == "active"
    again = await door.log_in(subject="guest", email="guest@third.test")
    assert again["member"]["email_address"] == "guest@third.test"


# Row 10 and 11: claimed domains ----------------------------------------------------------------


@pytest.mark.case("MT-02")
async def test_row_10_a_domain_that_another_organization_claims_is_refused(door: Door) -> None:
    existing = await door.log_in(subject="old", email="old@claimed.test")
    await door.log_in(subject="bob", email="bob@acme.test")
    await door.scenario.organization("Owner", claimed_email_domains=["claimed.test"])
    await refused_without_a_trace_in_members(door, CLAIMED, subject="new", email="new@claimed.test")
    assert await door.refused(subject="bob", email="bob@claimed.test") == CLAIMED
    result = await door.log_in(subject="old", email="old@claimed.test")
    assert result["member_id"] == existing["member_id"]


@pytest.mark.case("MT-02")
async def test_row_10_who_is_a_member_already_keeps_working(door: Door) -> None:
    """By the registration, and by the address on the first login through this connection."""
    known = await door.log_in(subject="old", email="old@claimed.test")
    added = await door.add_member("added@claimed.test")
    await door.scenario.organization("Owner", claimed_email_domains=["claimed.test"])
    again = await door.log_in(subject="old", email="old@claimed.test")
    assert again["member_id"] == known["member_id"]
    linked = await door.log_in(subject="added", email="added@claimed.test")
    assert linked["member_id"] == added["member_id"]


async def test_row_10_the_api_moves_nobody_into_a_claimed_domain(door: Door) -> None:
    result = await door.log_in()
    await door.scenario.organization("Owner", claimed_email_domains=["claimed.test"])
    path = f"/v1/b2b/organizations/{door.organization_id}/members"
    body = {"email_address": "ada@claimed.test"}
    update = await door.scenario.api.bad("PUT", f"{path}/{result['member_id']}", body)
    create = await door.scenario.api.bad("POST", path, body)
    assert [update, create] == [CLAIMED, CLAIMED]


async def test_row_11_a_domain_of_ones_own_changes_nothing(door: Door) -> None:
    await door.settings(claimed_email_domains=["acme.test"])
    assert (await door.log_in())["member"]["email_address"] == "ada@acme.test"


# Rows 12 to 14: allowed methods ----------------------------------------------------------------


@pytest.mark.case("MT-20")
async def test_row_12_sso_must_be_among_the_allowed_methods(door: Door) -> None:
    await door.log_in(subject="ada")
    await door.settings(auth_methods="RESTRICTED", allowed_auth_methods=["magic_link"])
    await refused_without_a_trace_in_members(door, NO_SSO, subject="ada")
    assert await door.refused(subject="new", email="new@acme.test") == NO_SSO


async def test_row_12_a_session_is_not_linked_to_what_is_not_allowed(door: Door) -> None:
    first = await door.log_in()
    await door.settings(auth_methods="RESTRICTED", allowed_auth_methods=["magic_link"])
    body = {"sso_token": await door.token(), "session_token": first["session_token"]}
    assert await door.scenario.api.bad("POST", AUTHENTICATE, body) == NO_SSO


async def waiting(door: Door, member_id: str) -> str:
    """Return the token of an intermediate session of who has followed a link in an e-mail."""
    scenario, now = door.scenario, door.scenario.clock.now()
    link = Factor(
        type="magic_link",
        delivery_method="email",
        details_name="email_factor",
        details={"email_id": "email-1", "email_address": "ada@acme.test"},
        last_authenticated_at=now,
        created_at=now,
        updated_at=now,
    )
    async with scenario.context.store.write() as tx:
        member = await tx.members.find(member_id=member_id)
        assert member is not None
        made = await intermediate_sessions.start(tx, scenario.context, member, factors=(link,))
    return made.token


async def test_row_12_a_login_that_waits_goes_on_waiting_for_an_allowed_method(door: Door) -> None:
    """Nothing of the SSO login is kept: neither factor nor registration, address or name."""
    added = await door.add_member(create_member_as_pending=True)
    await door.settings(auth_methods="RESTRICTED", allowed_auth_methods=["password"])
    token = await waiting(door, added["member_id"])
    before = await left(door.scenario)
    result = await door.scenario.authenticate(
        await door.token(),
        intermediate_session_token=token,
        session_duration_minutes=5,
        session_custom_claims={"ignored": True},
    )
    assert result["member_authenticated"] is False
    assert result["primary_required"] == {"allowed_auth_methods": ["password"]}
    assert result["mfa_required"] is None
    assert result["intermediate_session_token"] == token
    assert (result["session_token"], result["session_jwt"]) == ("", "")
    assert result["member"] == added
    after = await left(door.scenario)
    kept = ("members", "registrations", "sessions", "intermediate_sessions")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    # The other method is allowed again: it alone makes the session.
    await door.settings(allowed_auth_methods=["magic_link"])
    done = await door.scenario.authenticate(await door.token(), intermediate_session_token=token)
    assert done["member_authenticated"] is True
    factors = done["member_session"]["authentication_factors"]
    assert [factor["type"] for factor in factors] == ["magic_link"]
    assert done["member_session"]["custom_claims"] == {}
    body = {"sso_token": await door.token(), "intermediate_session_token": token}
    refused = await door.scenario.api.bad("POST", AUTHENTICATE, body)
    assert refused == (404, "intermediate_session_not_found")


async def test_row_12_nobody_waits_for_somebody_else(door: Door) -> None:
    bob = await door.add_member("bob@acme.test")
    token = await waiting(door, bob["member_id"])
    await door.settings(auth_methods="RESTRICTED", allowed_auth_methods=["password"])
    for _ in range(2):  # nobody is known, then somebody is
        body = {"sso_token": await door.token(), "intermediate_session_token": token}
        refused = await door.scenario.api.bad("POST", AUTHENTICATE, body)
        assert refused == (400, "invalid_intermediate_session_token_for_organization")
        if (await left(door.scenario)).members == 1:
            await door.add_member()


async def test_row_13_what_waits_by_another_method_is_enough_with_sso(door: Door) -> None:
    added = await door.add_member()
    await door.settings(auth_methods="RESTRICTED", allowed_auth_methods=["sso"])
    token = await waiting(door, added["member_id"])
    result = await door.scenario.authenticate(await door.token(), intermediate_session_token=token)
    assert result["member_authenticated"] is True
    factors = result["member_session"]["authentication_factors"]
    assert [factor["type"] for factor in factors] == ["magic_link", "sso"]
    assert (await left(door.scenario)).intermediate_sessions == 0


async def test_row_13_sso_alone_may_be_allowed(door: Door) -> None:
    await door.settings(auth_methods="RESTRICTED", allowed_auth_methods=["sso"])
    assert (await door.log_in())["member_authenticated"] is True


@pytest.mark.case("MT-17")
async def test_row_14_break_glass_members_may_use_any_method(door: Door) -> None:
    added = await door.add_member("ada@acme.test", is_breakglass=True)
    await door.settings(auth_methods="RESTRICTED", allowed_auth_methods=["password"])
    result = await door.log_in()
    assert result["member_id"] == added["member_id"]
    assert result["member_authenticated"] is True
    await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    assert (await door.log_in())["member_authenticated"] is False


# Rows 15 to 17: what is gone, locked or suspended ----------------------------------------------


async def delete_connection(door: Door) -> None:
    path = f"/v1/b2b/sso/{door.organization_id}/connections/{door.connection_id}"
    await door.scenario.api.good("DELETE", path)


async def delete_organization(door: Door) -> None:
    await door.scenario.api.good("DELETE", f"/v1/b2b/organizations/{door.organization_id}")


@pytest.mark.parametrize("delete", [delete_connection, delete_organization])
async def test_row_15_what_is_deleted_between_start_and_callback_is_not_found(
    door: Door, delete: Callable[[Door], Awaitable[None]]
) -> None:
    answer = await door.come_back(between=lambda: delete(door))
    assert_page(answer, errors.sso_connection_not_found)
    assert await left(door.scenario) == Left()


@pytest.mark.parametrize("delete", [delete_connection, delete_organization])
async def test_row_15_what_is_deleted_before_the_token_is_redeemed_takes_it_along(
    door: Door, delete: Callable[[Door], Awaitable[None]]
) -> None:
    token = await door.token()
    await delete(door)
    refused = await door.scenario.api.bad("POST", AUTHENTICATE, {"sso_token": token})
    assert refused == (404, "sso_token_not_found")
    assert await left(door.scenario) == Left()


@pytest.mark.parametrize("known_by", ["registration", "address"])
async def test_row_16_a_locked_member_waits_until_the_lock_is_over(
    door: Door, known_by: str
) -> None:
    member = await (door.add_member() if known_by == "address" else door.log_in())
    now = door.scenario.clock.now()
    lock = {"lock_created_at": now, "lock_expires_at": now + MINUTE}
    async with door.scenario.context.store.write() as tx:
        await tx.members.change(lock, member_id=member["member_id"])
    await refused_without_a_trace_in_members(door, LOCKED)
    answer = await door.scenario.api.call("POST", AUTHENTICATE, {"sso_token": await door.token()})
    assert answer.headers["retry-after"] == "61"
    assert rfc3339(now + MINUTE) in answer.json["error_message"]
    # The sign-in is not used up, and somebody else is not locked.
    token = await door.token()
    await door.log_in(subject="bob", email="bob@acme.test")
    door.scenario.clock.advance(MINUTE)
    assert (await door.scenario.authenticate(token))["member_id"] == member["member_id"]


async def test_row_16_break_glass_is_no_way_around_a_lock(door: Door) -> None:
    added = await door.add_member(is_breakglass=True)
    lock = {"lock_expires_at": door.scenario.clock.now() + MINUTE}
    async with door.scenario.context.store.write() as tx:
        await tx.members.change(lock, member_id=added["member_id"])
    assert await door.refused() == LOCKED


@pytest.mark.parametrize("known", [True, False])
async def test_row_17_nobody_logs_in_to_a_suspended_organization(door: Door, known: bool) -> None:
    if known:
        await door.add_member(is_breakglass=True)
    scenario = door.scenario
    await suspension.suspend(scenario.context, scenario.project, door.organization_id)
    await refused_without_a_trace_in_members(door, SUSPENDED)
    (trace,) = await traces(scenario, outcome="failed")
    assert trace.side == "vestibule"
    await suspension.resume(scenario.context, scenario.project, door.organization_id)
    assert (await door.log_in())["member_authenticated"] is True


# Row 18: addresses of any domain ---------------------------------------------------------------


async def test_row_18_an_address_of_any_domain_is_accepted(door: Door) -> None:
    """The identity provider is trusted for its own organization, and makes members there only."""
    await door.settings(claimed_email_domains=["acme.test"])
    result = await door.log_in(subject="guest", email="guest@gmail.com")
    assert result["member"]["email_address"] == "guest@gmail.com"
    assert result["organization_id"] == door.organization_id


# At the same time ------------------------------------------------------------------------------


@pytest.mark.case("MT-16")
async def test_twenty_first_logins_at_once_make_one_member(door: Door) -> None:
    tokens = [await door.token() for _ in range(20)]
    results = await asyncio.gather(*(door.scenario.authenticate(token) for token in tokens))
    assert len({result["member_id"] for result in results}) == 1
    assert len({result["session_token"] for result in results}) == 20
    found = await left(door.scenario)
    assert (found.members, found.registrations, found.sessions) == (1, 1, 20)
    assert await traces(door.scenario, outcome="failed") == []


@pytest.mark.case("MT-16")
async def test_first_logins_at_once_at_two_connections_make_one_member(door: Door) -> None:
    other = await second_door(door)
    tokens = [await each.token() for each in (door, other) for _ in range(8)]
    results = await asyncio.gather(*(door.scenario.authenticate(token) for token in tokens))
    assert len({result["member_id"] for result in results}) == 1
    found = await left(door.scenario)
    assert (found.members, found.registrations, found.sessions) == (1, 2, 16)


@pytest.mark.case("MT-16")
async def test_linking_an_existing_member_at_once_makes_one_registration(door: Door) -> None:
    added = await door.add_member()
    tokens = [await door.token() for _ in range(20)]
    results = await asyncio.gather(*(door.scenario.authenticate(token) for token in tokens))
    assert {result["member_id"] for result in results} == {added["member_id"]}
    found = await left(door.scenario)
    assert (found.members, found.registrations, found.sessions) == (1, 1, 20)


async def test_nothing_is_decided_before_the_token_is_redeemed(door: Door) -> None:
    """The callback is free of effects but for the token (semantics 2.6)."""
    await door.token()
    used = 1 if door.protocol == "saml" else 0
    assert await left(door.scenario) == Left(sso_tokens=1, replays=used, consumed_sign_ins=1)
