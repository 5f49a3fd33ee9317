"""From a session in one organization to a session in another (semantics 3.4)."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as changed

from tests.support.doors import Door, open_door, open_external
from tests.support.refusals import Left, left
from tests.support.scenario import Scenario, add_project
from vestibule.clock import MINUTE, rfc3339
from vestibule.domain import suspension
from vestibule.ids import read_token
from vestibule.records import Factor

PATH = "/v1/b2b/sessions/exchange"
AUTHENTICATE = "/v1/b2b/sessions/authenticate"
NO_FACTOR = (400, "insufficient_factors_for_session_exchange")
NO_MEMBER = (404, "member_not_found")


@pytest.fixture(params=["saml", "oidc"])
async def owner(request: pytest.FixtureRequest, scenario: Scenario) -> Door:
    """Return the connection that other organizations may share."""
    return await open_door(scenario, request.param, "Owner")


async def plain(owner: Door, name: str = "Other") -> Door:
    """Make an organization without a connection."""
    organization = await owner.scenario.organization(name)
    return replace(owner, connection={**organization, "connection_id": ""})


async def delete_connection(door: Door) -> None:
    path = f"/v1/b2b/sso/{door.organization_id}/connections/{door.connection_id}"
    await door.scenario.api.good("DELETE", path)


async def exchange(session: dict[str, Any], target: Door, **options: Any) -> Any:
    body = {
        "organization_id": target.organization_id,
        "session_token": session["session_token"],
        **options,
    }
    return await target.scenario.api.good("POST", PATH, body)


async def refused(session: dict[str, Any], target: Door, **options: Any) -> tuple[int, str]:
    body = {
        "organization_id": target.organization_id,
        "session_token": session["session_token"],
        **options,
    }
    return await target.scenario.api.bad("POST", PATH, body)


async def change_factors(
    scenario: Scenario, session: dict[str, Any], change: Callable[[Factor], tuple[Factor, ...]]
) -> None:
    """Put other factors in the place of a session's only one."""
    token = read_token(session["session_token"])
    assert token is not None
    async with scenario.context.store.write() as tx:
        found = await tx.sessions.find(token_id=token.token_id)
        assert found is not None
        await tx.sessions.update(changed(found, factors=change(found.factors[0])))


def proof(of: Factor, kind: str, delivery_method: str, **details: str) -> Factor:
    return changed(
        of, type=kind, delivery_method=delivery_method, details_name="detail", details=details
    )


def sms(of: Factor, number: str = "+12025550162") -> Factor:
    made = proof(of, "otp", "sms", phone_id="phone-number-1", phone_number=number)
    return changed(made, sequence_order="SECONDARY", details_name="phone_number_factor")


# The same connection ---------------------------------------------------------------------------


async def test_from_the_owner_to_who_shares_its_connection(owner: Door) -> None:
    scenario = owner.scenario
    role = {"external_connection_implicit_role_assignments": [{"role_id": "stytch_admin"}]}
    target = await open_external(owner)
    path = f"/v1/b2b/sso/external/{target.organization_id}/connections/{target.connection_id}"
    await scenario.api.good("PUT", path, role)
    added = await target.add_member(create_member_as_pending=True)
    first = await owner.log_in()
    proven_at = rfc3339(scenario.clock.now())
    scenario.clock.advance(10 * MINUTE)
    result = await exchange(first, target)
    assert result["member_authenticated"] is True
    assert result["member_id"] == added["member_id"]
    assert result["organization"]["organization_id"] == target.organization_id
    nothing = ("mfa_required", "primary_required", "intermediate_session_token_expires_at")
    assert [result[name] for name in nothing] == [None] * 3
    assert result["intermediate_session_token"] == ""
    session = result["member_session"]
    assert session["member_session_id"] != first["member_session"]["member_session_id"]
    assert session["organization_id"] == target.organization_id
    assert session["expires_at"] == rfc3339(scenario.clock.now() + 60 * MINUTE)
    assert "stytch_admin" in session["roles"]
    (factor,) = session["authentication_factors"]
    (registration,) = result["member"]["sso_registrations"]
    assert factor[f"{owner.protocol}_sso_factor"] == {
        "id": registration["registration_id"],
        "provider_id": target.connection_id,
        "external_id": "ada",
    }
    assert registration["connection_id"] == target.connection_id
    (registered,) = first["member"]["sso_registrations"]
    assert registration["sso_attributes"] == registered["sso_attributes"]
    assert factor["last_authenticated_at"] == proven_at
    assert factor["created_at"] == rfc3339(scenario.clock.now())
    assert factor["delivery_method"] == f"sso_{owner.protocol}"
    assert (result["member"]["status"], result["member"]["email_address_verified"]) == (
        "active",
        True,
    )
    # The new session is one, and the old one stays.
    for each in (first, result):
        for name in ("session_token", "session_jwt"):
            await scenario.api.good("POST", AUTHENTICATE, {name: each[name]})


async def test_back_to_the_owner_and_on_to_a_third(owner: Door) -> None:
    there, third = await open_external(owner), await open_external(owner, "Third")
    await there.add_member()
    await third.add_member()
    first = await owner.log_in()
    second = await exchange(first, there)
    back = await exchange(second, owner)
    assert back["member_id"] == first["member_id"]
    (factor,) = back["member_session"]["authentication_factors"]
    (before,) = first["member_session"]["authentication_factors"]
    assert factor[f"{owner.protocol}_sso_factor"] == before[f"{owner.protocol}_sso_factor"]
    on = await exchange(second, third, session_token=None, session_jwt=second["session_jwt"])
    (factor,) = on["member_session"]["authentication_factors"]
    assert factor[f"{owner.protocol}_sso_factor"]["provider_id"] == third.connection_id
    assert (await left(owner.scenario)).registrations == 3


async def test_within_one_organization_it_is_another_session(owner: Door) -> None:
    first = await owner.log_in()
    again = await exchange(first, owner)
    assert again["member_id"] == first["member_id"]
    assert again["session_token"] != first["session_token"]


async def test_groups_give_the_roles_of_the_target(scenario: Scenario) -> None:
    owner = await open_door(scenario, "saml", "Owner")
    target = await open_external(owner)
    path = f"/v1/b2b/sso/external/{target.organization_id}/connections/{target.connection_id}"
    assignment = {"role_id": "stytch_admin", "group": "staff"}
    body = {"external_group_implicit_role_assignments": [assignment]}
    await scenario.api.good("PUT", path, body)
    await target.add_member()
    for groups, roles in ((["staff"], 2), (["guests"], 1), (["staff"], 2)):
        first = await owner.log_in(groups=groups)
        result = await exchange(first, target)
        assert len(result["member_session"]["roles"]) == roles


async def test_who_was_there_before_is_known_by_the_identity(owner: Door) -> None:
    """Also when the address there is another one by now; it is not touched."""
    target = await open_external(owner)
    added = await target.add_member()
    await exchange(await owner.log_in(), target)
    path = f"/v1/b2b/organizations/{target.organization_id}/members/{added['member_id']}"
    await owner.scenario.api.good("PUT", path, {"email_address": "lovelace@acme.test"})
    other = await target.add_member("countess@acme.test")
    result = await exchange(await owner.log_in(email="countess@acme.test"), target)
    assert result["member_id"] == added["member_id"] != other["member_id"]
    assert result["member"]["email_address"] == "lovelace@acme.test"
    assert result["member"]["email_address_verified"] is False
    assert (await target.member(other["member_id"]))["sso_registrations"] == []


@pytest.mark.parametrize("how", ["nobody", "deleted", "retired address", "another address"])
async def test_nobody_is_created(owner: Door, how: str) -> None:
    target = await open_external(owner)
    await target.settings(sso_jit_provisioning="ALL_ALLOWED")
    if how != "nobody":
        email = "somebody@acme.test" if how == "another address" else "ada@acme.test"
        added = await target.add_member(email)
        path = f"/v1/b2b/organizations/{target.organization_id}/members/{added['member_id']}"
        if how == "deleted":
            await owner.scenario.api.good("DELETE", path)
        if how == "retired address":
            await owner.scenario.api.good("PUT", path, {"email_address": "lovelace@acme.test"})
    first = await owner.log_in()
    before = await left(owner.scenario)
    assert await refused(first, target) == NO_MEMBER
    assert await left(owner.scenario) == before


async def test_a_member_with_another_account_of_the_provider_is_not_taken_over(
    owner: Door,
) -> None:
    target = await open_external(owner)
    await target.add_member()
    await exchange(await owner.log_in(subject="ada"), target)
    await owner.log_in(subject="ada", email="lovelace@acme.test")
    path = f"/v1/b2b/organizations/{owner.organization_id}/members"
    found = (await owner.log_in(subject="ada", email="lovelace@acme.test"))["member_id"]
    await owner.scenario.api.good("DELETE", f"{path}/{found}")
    other = await owner.log_in(subject="recreated", email="ada@acme.test")
    assert await refused(other, target) == (400, "duplicate_member_email")


async def test_ten_at_once_make_one_registration(owner: Door) -> None:
    target = await open_external(owner)
    added = await target.add_member()
    first = await owner.log_in()
    results = await asyncio.gather(*(exchange(first, target) for _ in range(10)))
    assert {result["member_id"] for result in results} == {added["member_id"]}
    found = await left(owner.scenario)
    assert (found.registrations, found.sessions) == (2, 11)


# What is not shared ----------------------------------------------------------------------------


@pytest.mark.case("MT-05")
async def test_a_login_of_one_organization_is_nothing_in_another(owner: Door) -> None:
    """Also where both use the same identity provider, each by a connection of its own."""
    without = await plain(owner)
    alike = await open_door(owner.scenario, owner.protocol, "Alike")
    other = await open_door(owner.scenario, "saml", "Somebody Else")
    elsewhere = await open_external(other, "Elsewhere")
    await without.add_member()
    await alike.add_member()
    await elsewhere.add_member()
    first = await owner.log_in()
    before = await left(owner.scenario)
    for target in (without, alike, elsewhere):
        assert await refused(first, target) == NO_FACTOR
    assert await left(owner.scenario) == before


@pytest.mark.case("MT-05")
async def test_what_is_shared_no_more_is_nothing(owner: Door) -> None:
    target, second = await open_external(owner), await open_external(owner, "Second")
    await target.add_member()
    await second.add_member()
    first = await owner.log_in()
    there, kept = await exchange(first, target), await exchange(first, second)
    await delete_connection(target)
    assert await refused(first, target) == NO_FACTOR
    assert await refused(there, owner) == (404, "session_not_found")
    # The owner's connection goes: nothing that hangs on it is left.
    await delete_connection(owner)
    for session in (first, kept):
        assert await refused(session, second) == (404, "session_not_found")


@pytest.mark.parametrize("table", ["registrations", "connections"])
async def test_a_factor_of_what_is_just_being_deleted_is_nothing(owner: Door, table: str) -> None:
    target = await open_external(owner)
    await target.add_member()
    first = await owner.log_in()
    async with owner.scenario.context.store.write() as tx:
        await getattr(tx, table).delete(connection_id=owner.connection_id)
    assert await refused(first, target) == NO_FACTOR


async def test_nothing_is_shared_while_the_owner_is_suspended(owner: Door) -> None:
    """Nobody could log in through its connection now, in either of the two others."""
    target, third = await open_external(owner), await open_external(owner, "Third")
    await target.add_member()
    await third.add_member()
    there = await exchange(await owner.log_in(), target)
    context, project = owner.scenario.context, owner.scenario.project
    await suspension.suspend(context, project, owner.organization_id)
    assert await refused(there, third) == NO_FACTOR
    await suspension.resume(context, project, owner.organization_id)
    await exchange(there, third)


@pytest.mark.case("MT-05")
async def test_an_admin_of_one_organization_names_nobody_in_another(owner: Door) -> None:
    """What counts is what the shared identity provider said, not what the profile says."""
    target = await open_external(owner)
    victim = await target.add_member("victim@acme.test")
    first = await owner.log_in(subject="mallory", email="mallory@acme.test")
    path = f"/v1/b2b/organizations/{owner.organization_id}/members/{first['member_id']}"
    await owner.scenario.api.good("PUT", path, {"email_address": "victim@acme.test"})
    assert await refused(first, target) == NO_MEMBER
    # Nor does it help to have another identity provider, one's own, say so.
    own = Door(
        owner.scenario,
        "saml",
        await owner.scenario.saml_connection(
            owner.organization_id, idp_entity_id="https://own.example.com"
        ),
    )
    assert (await own.member(first["member_id"]))["email_address"] == "victim@acme.test"
    async with owner.scenario.context.store.write() as tx:
        where = {"member_id": first["member_id"]}
        await tx.members.change({"email_address_verified": True}, **where)
    assert await refused(first, target) == NO_MEMBER
    assert (await target.member(victim["member_id"]))["sso_registrations"] == []


@pytest.mark.parametrize(
    ("kind", "delivery_method"),
    [
        ("password", "knowledge"),
        ("totp", "authenticator_app"),
        ("recovery_codes", "recovery_code"),
        ("impersonated", "impersonation"),
    ],
)
async def test_factors_that_stay_where_they_are(
    owner: Door, kind: str, delivery_method: str
) -> None:
    target = await open_external(owner)
    await target.add_member()
    first = await owner.log_in()
    await change_factors(
        owner.scenario, first, lambda each: (proof(each, kind, delivery_method), sms(each))
    )
    assert await refused(first, target) == NO_FACTOR


# The proof of an address -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "method"), [("magic_link", "magic_link"), ("email_otp", "email_otp")]
)
async def test_a_proven_address_counts_anywhere(owner: Door, kind: str, method: str) -> None:
    target = await plain(owner)
    added = await target.add_member("Ada@Acme.test", create_member_as_pending=True)
    await target.settings(auth_methods="RESTRICTED", allowed_auth_methods=[method])
    first = await owner.log_in()
    address = {"email_id": "email-of-the-owner", "email_address": "ada@acme.test"}

    def by_email(each: Factor) -> tuple[Factor, ...]:
        return each, changed(proof(each, kind, "email", **address), details_name="email_factor")

    await change_factors(owner.scenario, first, by_email)
    result = await exchange(first, target)
    assert result["member_id"] == added["member_id"]
    assert (result["member"]["status"], result["member"]["email_address_verified"]) == (
        "active",
        True,
    )
    (factor,) = result["member_session"]["authentication_factors"]
    assert factor["type"] == kind
    assert factor["email_factor"]["email_address"] == "Ada@Acme.test"
    assert factor["email_factor"]["email_id"].startswith("email-test-")
    nobody = await plain(owner, "Nobody")
    await nobody.add_member("bob@acme.test")
    assert await refused(first, nobody) == NO_MEMBER


async def test_factors_of_two_people_are_not_mixed(owner: Door) -> None:
    """The identity says who it is; a link that was sent to somebody else stays behind."""
    target = await open_external(owner)
    ada, bob = await target.add_member(), await target.add_member("bob@acme.test")
    await exchange(await owner.log_in(), target)
    first = await owner.log_in()

    def with_link(each: Factor) -> tuple[Factor, ...]:
        return proof(each, "magic_link", "email", email_address="bob@acme.test"), each

    await change_factors(owner.scenario, first, with_link)
    result = await exchange(first, target)
    assert result["member_id"] == ada["member_id"] != bob["member_id"]
    (factor,) = result["member_session"]["authentication_factors"]
    assert factor["type"] == "sso"


# What the target demands -----------------------------------------------------------------------


async def test_a_method_that_the_target_does_not_allow_is_not_enough(owner: Door) -> None:
    target = await open_external(owner)
    added = await target.add_member(create_member_as_pending=True)
    await target.settings(auth_methods="RESTRICTED", allowed_auth_methods=["password", "email_otp"])
    first = await owner.log_in()
    claims = {"session_custom_claims": {"a": 1}, "session_duration_minutes": 5}
    result = await exchange(first, target, **claims)
    assert result["member_authenticated"] is False
    assert (result["session_token"], result["session_jwt"]) == ("", "")
    assert result["member_session"] is None
    assert result["primary_required"] == {"allowed_auth_methods": ["password", "email_otp"]}
    assert result["mfa_required"] is None
    ends = rfc3339(owner.scenario.clock.now() + 10 * MINUTE)
    assert result["intermediate_session_token_expires_at"] == ends
    # Nothing was proven there: the member is as before, and the login goes on once it may.
    assert (await target.member(added["member_id"])) == added
    waiting = {"intermediate_session_token": result["intermediate_session_token"]}
    found = await left(owner.scenario)
    assert (found.sessions, found.intermediate_sessions, found.registrations) == (1, 1, 1)
    own = await owner.scenario.oidc_connection(target.organization_id)
    door = Door(owner.scenario, "oidc", own)
    again = await owner.scenario.authenticate(await door.token(subject="ada-there"), **waiting)
    assert again["member_authenticated"] is False
    assert again["primary_required"] == result["primary_required"]
    assert again["intermediate_session_token"] == waiting["intermediate_session_token"]
    await target.settings(auth_methods="ALL_ALLOWED")
    done = await owner.scenario.authenticate(await door.token(subject="ada-there"), **waiting)
    assert done["member_authenticated"] is True
    assert done["member_id"] == added["member_id"]
    (factor,) = done["member_session"]["authentication_factors"]
    assert factor["oidc_sso_factor"]["provider_id"] == own["connection_id"]
    assert done["member_session"]["custom_claims"] == {}


async def test_a_break_glass_member_may_use_any_method(owner: Door) -> None:
    target = await open_external(owner)
    await target.add_member(is_breakglass=True)
    await target.settings(auth_methods="RESTRICTED", allowed_auth_methods=["password"])
    assert (await exchange(await owner.log_in(), target))["member_authenticated"] is True


@pytest.mark.parametrize("by", ["organization", "member"])
async def test_a_second_factor_is_asked_for(owner: Door, by: str) -> None:
    target = await open_external(owner)
    await target.add_member(mfa_enrolled=by == "member", mfa_phone_number="+12025550162")
    if by == "organization":
        await target.settings(mfa_policy="REQUIRED_FOR_ALL")
    first = await owner.log_in()
    result = await exchange(first, target, session_custom_claims={"a": 1})
    assert result["member_authenticated"] is False
    options = {"mfa_phone_number": "+12025550162", "totp_registration_id": ""}
    assert result["mfa_required"]["member_options"] == options
    assert result["primary_required"] is None
    assert len(result["intermediate_session_token"]) == 64
    # The first factor is proven: the member is registered.
    assert len(result["member"]["sso_registrations"]) == 1
    found = await left(owner.scenario)
    assert (found.sessions, found.intermediate_sessions) == (1, 1)


@pytest.mark.parametrize(
    ("number", "verified", "methods", "enough"),
    [
        ("+12025550162", True, None, True),
        ("+12025550162", True, ["sms_otp"], True),
        ("+12025550162", True, ["totp"], False),
        ("+12025550162", False, None, False),
        ("+12025550199", True, None, False),
    ],
)
async def test_a_proven_phone_counts_where_it_is_the_members(
    owner: Door, number: str, verified: bool, methods: list[str] | None, enough: bool
) -> None:
    target = await open_external(owner)
    added = await target.add_member(mfa_phone_number=number)
    restriction = {"mfa_methods": "RESTRICTED", "allowed_mfa_methods": methods} if methods else {}
    await target.settings(mfa_policy="REQUIRED_FOR_ALL", **restriction)
    async with owner.scenario.context.store.write() as tx:
        values = {"mfa_phone_number_verified": verified}
        await tx.members.change(values, member_id=added["member_id"])
    first = await owner.log_in()
    await change_factors(owner.scenario, first, lambda each: (each, sms(each)))
    result = await exchange(first, target)
    assert result["member_authenticated"] is enough
    if enough:
        factors = result["member_session"]["authentication_factors"]
        assert [each["type"] for each in factors] == ["sso", "otp"]


async def test_who_may_not_log_in_there_may_not_come_from_elsewhere(owner: Door) -> None:
    target = await open_external(owner)
    added = await target.add_member()
    first = await owner.log_in()
    context, project = owner.scenario.context, owner.scenario.project
    lock = context.clock.now() + MINUTE
    async with context.store.write() as tx:
        await tx.members.change({"lock_expires_at": lock}, member_id=added["member_id"])
    assert await refused(first, target) == (429, "user_lock_limit_reached")
    owner.scenario.clock.advance(MINUTE)
    await exchange(first, target)
    suspended = (403, "organization_suspended")
    await suspension.suspend(context, project, target.organization_id)
    assert await refused(first, target) == suspended
    await suspension.resume(context, project, target.organization_id)
    await suspension.suspend(context, project, owner.organization_id)
    assert await refused(first, target) == suspended


# What is asked ---------------------------------------------------------------------------------


async def test_the_session_is_as_it_was_asked_for(owner: Door) -> None:
    target = await open_external(owner)
    await target.add_member()
    first = await owner.scenario.authenticate(
        await owner.token(), session_custom_claims={"old": True}
    )
    result = await exchange(
        first,
        target,
        organization_id="user",
        session_duration_minutes=30,
        session_custom_claims={"new": True, "iss": "evil"},
        locale="pt-br",
        telemetry_id="telemetry-1",
    )
    assert result["member_session"]["custom_claims"] == {"new": True}
    ends = rfc3339(owner.scenario.clock.now() + 30 * MINUTE)
    assert result["member_session"]["expires_at"] == ends


async def test_what_cannot_be_is_refused_by_name(scenario: Scenario) -> None:
    owner = await open_door(scenario, "saml", "Owner")
    target = await open_external(owner)
    await target.add_member()
    first = await owner.log_in()
    other = await add_project(scenario.app, scenario.context, name="second")
    foreign = (await other.organization())["organization_id"]
    jwt = first["session_jwt"]
    before = await left(scenario)
    for options, error in (
        ({"session_token": None}, (400, "no_session_arguments")),
        ({"session_jwt": jwt}, (400, "too_many_session_arguments")),
        ({"session_token": "x"}, (400, "invalid_session_token")),
        ({"session_token": "A" * 64}, (404, "session_not_found")),
        ({"session_token": None, "session_jwt": "x"}, (400, "unable_to_parse_session_jwt")),
        ({"session_duration_minutes": 4}, (400, "invalid_session_duration_minutes")),
        ({"session_custom_claims": {"a": "x" * 4100}}, (400, "custom_claims_too_large")),
        ({"locale": "xx"}, (400, "invalid_locale")),
        ({"organization_id": "nobody"}, (404, "organization_not_found")),
        ({"organization_id": foreign}, (404, "organization_not_found")),
        ({"organization_id": None}, (400, "bad_request")),
        ({"session_duration_minutes": "5"}, (400, "bad_request")),
    ):
        assert await refused(first, target, **options) == error
    body = {"organization_id": target.organization_id, "session_token": first["session_token"]}
    assert await other.api.bad("POST", PATH, body) == (404, "session_not_found")
    await scenario.api.good("POST", "/v1/b2b/sessions/revoke", {"session_jwt": jwt})
    for options in ({}, {"session_token": None, "session_jwt": jwt}):
        assert await refused(first, target, **options) == (404, "session_not_found")
    after = await left(scenario)
    assert after == Left(**{**vars(before), "sessions": 0})
