"""The `discovery` endpoints over the whole server, on both databases (semantics 1.6, 8)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.asgi import Api
from tests.support.counting import CountingStore
from tests.support.doors import open_door, open_external
from tests.support.proofs import add_member, factor, prove
from tests.support.refusals import left
from tests.support.scenario import Scenario, add_project
from vestibule.app import App
from vestibule.clock import MINUTE, rfc3339
from vestibule.domain import suspension

LIST = "/v1/b2b/discovery/organizations"
CREATE = "/v1/b2b/discovery/organizations/create"
EXCHANGE = "/v1/b2b/discovery/intermediate_sessions/exchange"
JOINABLE: dict[str, Any] = {
    "email_allowed_domains": ["acme.test"],
    "email_jit_provisioning": "RESTRICTED",
}
NOT_ELIGIBLE = (400, "invalid_email_for_jit_provisioning")


async def listed(scenario: Scenario, token: str, name: str = "intermediate_session_token") -> Any:
    return await scenario.api.good("POST", LIST, {name: token})


async def kinds(scenario: Scenario, token: str) -> list[tuple[str, str]]:
    """Return the names of the discovered organizations, each with what one is there."""
    found = (await listed(scenario, token))["discovered_organizations"]
    return [
        (each["organization"]["organization_name"], each["membership"]["type"]) for each in found
    ]


async def joinable(scenario: Scenario, name: str = "Joinable", **settings: Any) -> dict[str, Any]:
    """Make an organization that everybody in acme.test may join."""
    made = await scenario.organization(name, **{**JOINABLE, **settings})
    member = await add_member(scenario, made, "first@acme.test")
    await verify(scenario, member)
    return made


async def verify(scenario: Scenario, member: dict[str, Any]) -> None:
    async with scenario.context.store.write() as tx:
        await tx.members.change({"email_address_verified": True}, member_id=member["member_id"])


def entering(token: str, organization: dict[str, Any], **more: Any) -> dict[str, Any]:
    organization_id = organization["organization_id"]
    return {"intermediate_session_token": token, "organization_id": organization_id, **more}


async def exchange(
    scenario: Scenario, token: str, organization: dict[str, Any], **more: Any
) -> Any:
    return await scenario.api.good("POST", EXCHANGE, entering(token, organization, **more))


async def refused(
    scenario: Scenario, token: str, organization: dict[str, Any], **more: Any
) -> tuple[int, str]:
    return await scenario.api.bad("POST", EXCHANGE, entering(token, organization, **more))


async def member_of(scenario: Scenario, found: dict[str, Any]) -> dict[str, Any]:
    path = f"/v1/b2b/organizations/{found['organization_id']}/member"
    return dict(
        (await scenario.api.good("GET", f"{path}?member_id={found['member_id']}"))["member"]
    )


# list --------------------------------------------------------------------------------------------


async def test_every_membership_is_listed_and_nothing_is_used_up(scenario: Scenario) -> None:
    token = await prove(scenario)
    scenario.clock.advance(1)
    invited = await scenario.organization("Invited")
    await add_member(scenario, invited, "ADA@acme.test", create_member_as_pending=True)
    await scenario.organization("Stranger")
    scenario.clock.advance(1)
    eligible = await joinable(scenario)
    for _ in range(2):
        answer = await listed(scenario, token)
        assert answer["email_address"] == "ada@acme.test"
        assert answer["organization_id_hint"] is None
        home, second, third = answer["discovered_organizations"]
        assert home["membership"]["type"] == "active_member"
        assert home["membership"]["member"] == await member_of(
            scenario, home["membership"]["member"]
        )
        assert second["membership"]["type"] == "pending_member"
        assert second["membership"]["details"] is None
        assert third["membership"] == {
            "type": "eligible_to_join_by_email_domain",
            "details": {"domain": "acme.test"},
            "member": None,
        }
        assert third["organization"] == eligible
        for each in (home, second, third):
            assert each["member_authenticated"] is True
            assert (each["primary_required"], each["mfa_required"]) == (None, None)


async def test_an_invited_member_is_listed_as_that(scenario: Scenario) -> None:
    token = await prove(scenario)
    invited = await scenario.organization("Invited")
    member = await add_member(scenario, invited)
    async with scenario.context.store.write() as tx:
        await tx.members.change({"status": "invited"}, member_id=member["member_id"])
    expected = {("Home", "active_member"), ("Invited", "invited_member")}
    assert set(await kinds(scenario, token)) == expected


async def test_what_is_missing_is_said_of_each_organization(scenario: Scenario) -> None:
    token = await prove(scenario)
    sso_only = {"auth_methods": "RESTRICTED", "allowed_auth_methods": ["sso"]}
    strict = {"mfa_policy": "REQUIRED_FOR_ALL"}
    enrolled = {"mfa_enrolled": True, "mfa_phone_number": "+12025550162"}
    cases: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("A", strict, {}),
        ("B", {}, enrolled),
        ("C", sso_only, {}),
        ("D", sso_only, {"is_breakglass": True}),
        ("E", {**sso_only, **strict}, {}),
    ]
    for name, settings, fields in cases:
        scenario.clock.advance(1)
        await add_member(scenario, await scenario.organization(name, **settings), **fields)
    await joinable(scenario, "F", mfa_policy="REQUIRED_FOR_ALL")
    _, *rest = (await listed(scenario, token))["discovered_organizations"]
    mfa = {"member_options": None, "secondary_auth_initiated": None}
    phone = {"mfa_phone_number": "+12025550162", "totp_registration_id": ""}
    sso = {"allowed_auth_methods": ["sso"]}
    assert [
        (each["member_authenticated"], each["primary_required"], each["mfa_required"])
        for each in rest
    ] == [
        (False, None, mfa),
        (False, None, {**mfa, "member_options": phone}),
        (False, sso, None),
        (True, None, None),
        (False, sso, None),
        (False, None, mfa),
    ]


async def test_who_is_gone_or_kept_out_is_not_listed(scenario: Scenario) -> None:
    token = await prove(scenario)
    deleted = await scenario.organization("Deleted")
    member = await add_member(scenario, deleted)
    path = f"/v1/b2b/organizations/{deleted['organization_id']}/members/{member['member_id']}"
    await scenario.api.good("DELETE", path)
    retired = await scenario.organization("Retired")
    member = await add_member(scenario, retired)
    path = f"/v1/b2b/organizations/{retired['organization_id']}/members/{member['member_id']}"
    await scenario.api.good("PUT", path, {"email_address": "lovelace@acme.test"})
    closed = await scenario.organization("Closed")
    await add_member(scenario, closed)
    shut = await joinable(scenario, "Shut")
    for each in (closed, shut):
        await suspension.suspend(scenario.context, scenario.project, each["organization_id"])
    assert await kinds(scenario, token) == [("Home", "active_member")]


async def test_only_some_organizations_can_be_joined(scenario: Scenario) -> None:
    token = await prove(scenario)
    await joinable(scenario, "Not Allowed", email_jit_provisioning="NOT_ALLOWED")
    await joinable(scenario, "Elsewhere", email_allowed_domains=["other.test"])
    await joinable(scenario, "By Sso", auth_methods="RESTRICTED", allowed_auth_methods=["sso"])
    nobody = await scenario.organization("Nobody Verified", **JOINABLE)
    await add_member(scenario, nobody, "first@acme.test")
    held = await joinable(scenario, "Held")
    member = await add_member(scenario, held)
    path = f"/v1/b2b/organizations/{held['organization_id']}/members/{member['member_id']}"
    await scenario.api.good("PUT", path, {"email_address": "lovelace@acme.test"})
    assert await kinds(scenario, token) == [("Home", "active_member")]
    await joinable(scenario, "Yes")
    eligible = ("Yes", "eligible_to_join_by_email_domain")
    assert (await kinds(scenario, token))[1:] == [eligible]
    claimed = {"claimed_email_domains": ["acme.test"]}
    await scenario.organization("Claiming", **claimed)
    assert (await kinds(scenario, token))[1:] == []


async def test_a_session_reaches_what_it_can_be_exchanged_for(scenario: Scenario) -> None:
    """An identity provider's word counts where its connection does, and nowhere else."""
    door = await open_door(scenario, "saml", "Owner")
    scenario.clock.advance(1)
    shared = await open_external(door, "Shared")
    await shared.add_member(create_member_as_pending=True)
    stranger = await scenario.organization("Stranger")
    await add_member(scenario, stranger)
    await joinable(scenario)
    first = await door.log_in()
    for name in ("session_token", "session_jwt"):
        answer = await listed(scenario, first[name], name)
        assert answer["email_address"] == "ada@acme.test"
        found = answer["discovered_organizations"]
        assert [each["organization"]["organization_name"] for each in found] == ["Owner", "Shared"]
        assert [each["membership"]["type"] for each in found] == ["active_member", "pending_member"]
        assert [each["member_authenticated"] for each in found] == [True, True]
    target = {"organization_id": found[1]["organization"]["organization_id"]}
    body = {**target, "session_token": first["session_token"]}
    await scenario.api.good("POST", "/v1/b2b/sessions/exchange", body)
    await scenario.api.good(
        "DELETE", f"/v1/b2b/sso/{shared.organization_id}/connections/{shared.connection_id}"
    )
    found = await listed(scenario, first["session_token"], "session_token")
    assert len(found["discovered_organizations"]) == 1


async def test_a_session_with_a_proven_address_reaches_its_memberships(scenario: Scenario) -> None:
    token = await prove(scenario)
    other = await scenario.organization("Other")
    await add_member(scenario, other, mfa_enrolled=True)
    await joinable(scenario)
    session = await exchange(scenario, token, {"organization_id": "home"})
    answer = await listed(scenario, session["session_token"], "session_token")
    assert answer["email_address"] == "ada@acme.test"
    home, second = answer["discovered_organizations"]
    assert (home["member_authenticated"], second["member_authenticated"]) == (True, False)
    assert second["mfa_required"] is not None


async def test_a_second_factor_counts_where_the_phone_is_the_members_too(
    scenario: Scenario,
) -> None:
    phone = factor("otp", "sms", now=scenario.clock.now(), phone_number="+12025550162")
    token = await prove(scenario, "ada@acme.test", phone)
    for name, verified in (("A", True), ("B", False)):
        scenario.clock.advance(1)
        organization = await scenario.organization(name, mfa_policy="REQUIRED_FOR_ALL")
        member = await add_member(scenario, organization, mfa_phone_number="+12025550162")
        async with scenario.context.store.write() as tx:
            values = {"mfa_phone_number_verified": verified}
            await tx.members.change(values, member_id=member["member_id"])
    _, first, second = (await listed(scenario, token))["discovered_organizations"]
    assert (first["member_authenticated"], second["member_authenticated"]) == (True, False)
    waiting = await exchange(scenario, token, second["organization"])
    assert waiting["mfa_required"] is not None
    token = await prove(scenario, "ada@acme.test", phone, home="Home Two")
    done = await exchange(scenario, token, first["organization"])
    factors = done["member_session"]["authentication_factors"]
    assert [each["type"] for each in factors] == ["magic_link", "otp"]


async def test_exactly_one_of_three_is_taken(scenario: Scenario) -> None:
    token = await prove(scenario)
    for body in ({}, {"session_token": ""}, {"session_jwt": None}):
        assert await scenario.api.bad("POST", LIST, body) == (400, "no_session_arguments")
    for other in ("session_token", "session_jwt"):
        body = {"intermediate_session_token": token, other: "x"}
        assert await scenario.api.bad("POST", LIST, body) == (400, "too_many_session_arguments")
    both = {"session_token": "x", "session_jwt": "x"}
    assert await scenario.api.bad("POST", LIST, both) == (400, "too_many_session_arguments")
    body = {"session_token": "x"}
    assert await scenario.api.bad("POST", LIST, body) == (400, "invalid_session_token")


async def test_three_organizations_cost_as_many_queries_as_one(scenario: Scenario) -> None:
    store = CountingStore(scenario.context.store)
    app = App(replace(scenario.context, store=store))
    token = await prove(scenario)
    await joinable(scenario, "Joinable One")
    api = Api(app, project_id=scenario.project.project_id, secret="secret-test-first")
    body = {"intermediate_session_token": token}
    first = await api.good("POST", LIST, body)
    before = store.taken()
    for name in ("Two", "Three"):
        await add_member(scenario, await scenario.organization(name))
        await joinable(scenario, f"Joinable {name}")
    again = await api.good("POST", LIST, body)
    found = [len(each["discovered_organizations"]) for each in (first, again)]
    assert (found, store.taken()) == ([2, 6], before)


# exchange ----------------------------------------------------------------------------------------


async def test_a_member_is_logged_in_and_the_token_is_used_up(scenario: Scenario) -> None:
    token = await prove(scenario)
    organization = await scenario.organization("Pending", organization_external_id="pending-1")
    added = await add_member(scenario, organization, create_member_as_pending=True)
    scenario.clock.advance(MINUTE)
    claims = {"session_custom_claims": {"a": 1}, "session_duration_minutes": 5}
    named = {"organization_id": "pending-1"}
    result = await exchange(scenario, token, named, **claims)
    assert result["member_authenticated"] is True
    assert result["member_id"] == added["member_id"]
    assert (result["member"]["status"], result["member"]["email_address_verified"]) == (
        "active",
        True,
    )
    session = result["member_session"]
    assert session["organization_id"] == organization["organization_id"]
    assert session["expires_at"] == rfc3339(scenario.clock.now() + 5 * MINUTE)
    assert session["custom_claims"] == {"a": 1}
    (used,) = session["authentication_factors"]
    assert (used["type"], used["delivery_method"]) == ("magic_link", "email")
    assert result["intermediate_session_token"] == ""
    path = "/v1/b2b/sessions/authenticate"
    await scenario.api.good("POST", path, {"session_jwt": result["session_jwt"]})
    gone = (404, "intermediate_session_not_found")
    assert await refused(scenario, token, named) == gone
    body = {"intermediate_session_token": token}
    assert await scenario.api.bad("POST", LIST, body) == gone
    assert await scenario.api.bad("POST", CREATE, body) == gone


async def test_somebody_new_joins_by_the_domain(scenario: Scenario) -> None:
    token = await prove(scenario, "Ada@Acme.test")
    organization = await joinable(scenario)
    result = await exchange(scenario, token, organization)
    assert result["member_authenticated"] is True
    member = result["member"]
    assert member == await member_of(scenario, member)
    assert (member["status"], member["email_address"], member["email_address_verified"]) == (
        "active",
        "Ada@Acme.test",
        True,
    )
    assert result["member_session"]["roles"] == ["stytch_member"]
    (used,) = result["member_session"]["authentication_factors"]
    assert used["type"] == "magic_link"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"email_jit_provisioning": "NOT_ALLOWED"}, (400, "email_jit_provisioning_not_allowed")),
        ({"email_allowed_domains": ["other.test"]}, NOT_ELIGIBLE),
        (
            {"auth_methods": "RESTRICTED", "allowed_auth_methods": ["sso", "password"]},
            (400, "operation_restricted_by_organization_auth_methods"),
        ),
    ],
)
async def test_who_may_not_join_is_refused_and_nothing_is_left(
    scenario: Scenario, settings: dict[str, Any], expected: tuple[int, str]
) -> None:
    token = await prove(scenario)
    organization = await joinable(scenario, **settings)
    before = await left(scenario)
    assert await refused(scenario, token, organization) == expected
    assert await left(scenario) == before
    await listed(scenario, token)


async def test_nobody_is_the_first_of_a_domain(scenario: Scenario) -> None:
    """Whoever sets an organization up does not invite people of a domain that is not theirs."""
    token = await prove(scenario)
    organization = await scenario.organization("Bait", **JOINABLE)
    assert await refused(scenario, token, organization) == NOT_ELIGIBLE
    member = await add_member(scenario, organization, "first@acme.test")
    assert await refused(scenario, token, organization) == NOT_ELIGIBLE
    await verify(scenario, member)
    await exchange(scenario, token, organization)


async def test_a_claimed_domain_is_joined_where_it_is_claimed(scenario: Scenario) -> None:
    token = await prove(scenario)
    claiming = await joinable(scenario, "Claiming")
    other = await joinable(scenario, "Other")
    path = f"/v1/b2b/organizations/{claiming['organization_id']}"
    await scenario.api.good("PUT", path, {"claimed_email_domains": ["acme.test"]})
    claimed = (400, "action_not_allowed_email_domain_is_claimed")
    assert await refused(scenario, token, other) == claimed
    await exchange(scenario, token, claiming)


async def test_a_missing_second_factor_keeps_the_same_token(scenario: Scenario) -> None:
    token = await prove(scenario)
    ends = rfc3339(scenario.clock.now() + 10 * MINUTE)
    organization = await scenario.organization("Strict", mfa_policy="REQUIRED_FOR_ALL")
    added = await add_member(scenario, organization, create_member_as_pending=True)
    elsewhere = await scenario.organization("Elsewhere")
    await add_member(scenario, elsewhere)
    scenario.clock.advance(MINUTE)
    result = await exchange(scenario, token, organization)
    assert result["member_authenticated"] is False
    assert (result["session_token"], result["session_jwt"]) == ("", "")
    assert result["member_session"] is None
    assert result["mfa_required"] == {"member_options": None, "secondary_auth_initiated": None}
    assert result["primary_required"] is None
    assert result["intermediate_session_token"] == token
    assert result["intermediate_session_token_expires_at"] == ends
    # The proven address made the invitation an accepted one.
    assert (await member_of(scenario, added))["status"] == "active"
    found = await left(scenario)
    assert (found.sessions, found.intermediate_sessions) == (0, 1)
    async with scenario.context.store.read() as tx:
        (record,) = await tx.intermediate_sessions.all()
    assert (record.organization_id, record.member_id) == (
        organization["organization_id"],
        added["member_id"],
    )
    # It is good for another organization still.
    done = await exchange(scenario, token, elsewhere)
    assert done["member_authenticated"] is True


async def test_a_method_that_is_not_allowed_asks_for_another_one(scenario: Scenario) -> None:
    token = await prove(scenario)
    door = await open_door(scenario, "saml", "Sso Only")
    added = await door.add_member(create_member_as_pending=True)
    await door.settings(auth_methods="RESTRICTED", allowed_auth_methods=["sso"])
    result = await exchange(scenario, token, {"organization_id": door.organization_id})
    assert result["member_authenticated"] is False
    assert result["primary_required"] == {"allowed_auth_methods": ["sso"]}
    assert result["mfa_required"] is None
    assert await door.member(added["member_id"]) == added
    token = result["intermediate_session_token"]
    # The other one finishes it.
    done = await scenario.authenticate(await door.token(), intermediate_session_token=token)
    assert done["member_authenticated"] is True
    assert done["member_id"] == added["member_id"]


async def test_whoever_is_locked_or_suspended_waits(scenario: Scenario) -> None:
    token = await prove(scenario)
    locked, closed = await scenario.organization("Locked"), await scenario.organization("Closed")
    member = await add_member(scenario, locked)
    await add_member(scenario, closed)
    ends = scenario.clock.now() + MINUTE
    async with scenario.context.store.write() as tx:
        await tx.members.change({"lock_expires_at": ends}, member_id=member["member_id"])
    assert await refused(scenario, token, locked) == (429, "user_lock_limit_reached")
    await suspension.suspend(scenario.context, scenario.project, closed["organization_id"])
    assert await refused(scenario, token, closed) == (403, "organization_suspended")
    scenario.clock.advance(MINUTE)
    await exchange(scenario, token, locked)


async def test_a_proof_is_good_for_ten_minutes(scenario: Scenario) -> None:
    token = await prove(scenario)
    scenario.clock.advance(10 * MINUTE)
    named = {"organization_id": "home"}
    assert await refused(scenario, token, named) == (404, "intermediate_session_not_found")
    token = await prove(scenario, home="Again")
    scenario.clock.advance(10 * MINUTE - 1)
    await exchange(scenario, token, {"organization_id": "again"})


async def test_what_is_asked_for_is_checked_first(scenario: Scenario) -> None:
    token = await prove(scenario)
    named = {"organization_id": "home"}
    for more, expected in (
        ({"session_duration_minutes": 4}, "invalid_session_duration_minutes"),
        ({"session_custom_claims": {"a": "x" * 5000}}, "custom_claims_too_large"),
        ({"locale": "klingon"}, "invalid_locale"),
    ):
        assert await refused(scenario, token, named, **more) == (400, expected)
    nobody = {"organization_id": "nobody"}
    assert await refused(scenario, token, nobody) == (404, "organization_not_found")
    await exchange(scenario, token, named, locale="fr", telemetry_id="t-1")


# create ------------------------------------------------------------------------------------------


async def create(scenario: Scenario, token: str, **fields: Any) -> Any:
    return await scenario.api.good("POST", CREATE, {"intermediate_session_token": token, **fields})


async def test_the_creator_is_the_first_admin(scenario: Scenario) -> None:
    token = await prove(scenario)
    result = await create(
        scenario,
        token,
        organization_name="New One",
        organization_slug="new-one",
        session_duration_minutes=10,
        session_custom_claims={"a": 1},
    )
    assert result["member_authenticated"] is True
    organization, member = result["organization"], result["member"]
    assert (organization["organization_name"], organization["organization_slug"]) == (
        "New One",
        "new-one",
    )
    assert (organization["email_invites"], organization["mfa_policy"]) == (
        "ALL_ALLOWED",
        "OPTIONAL",
    )
    assert member["organization_id"] == organization["organization_id"]
    assert (member["email_address"], member["email_address_verified"], member["status"]) == (
        "ada@acme.test",
        True,
        "active",
    )
    assert member["is_admin"] is True
    session = result["member_session"]
    assert session["roles"] == ["stytch_member", "stytch_admin"]
    assert session["expires_at"] == rfc3339(scenario.clock.now() + 10 * MINUTE)
    assert session["custom_claims"] == {"a": 1}
    path = f"/v1/b2b/organizations/{organization['organization_id']}"
    assert (await scenario.api.good("GET", path))["organization"] == organization
    body = {"intermediate_session_token": token}
    refusal = await scenario.api.bad("POST", CREATE, body)
    assert refusal == (404, "intermediate_session_not_found")


@pytest.mark.parametrize(
    ("address", "fields", "expected"),
    [
        ("ada@acme-labs.test", {}, ("acme-labs", "acme-labs")),
        ("ada@mail.acme.co.uk", {}, ("acme", "acme")),
        ("ada.lovelace@gmail.com", {}, ("ada.lovelace", "ada-lovelace")),
        ("ada@cs.mit.edu", {}, ("ada", "ada")),
        ("ada@acme.test", {"organization_name": "Löve & Co"}, ("Löve & Co", "acme")),
        ("ada@acme.test", {"organization_slug": "x.y"}, ("acme", "x.y")),
    ],
)
async def test_a_name_and_slug_are_made_of_the_address(
    scenario: Scenario, address: str, fields: dict[str, Any], expected: tuple[str, str]
) -> None:
    organization = (await create(scenario, await prove(scenario, address), **fields))[
        "organization"
    ]
    assert (organization["organization_name"], organization["organization_slug"]) == expected


async def test_of_two_with_one_domain_the_second_slug_is_another(scenario: Scenario) -> None:
    first = await create(scenario, await prove(scenario))
    second = await create(scenario, await prove(scenario, "bob@acme.test", home="Two"))
    slugs = [each["organization"]["organization_slug"] for each in (first, second)]
    assert slugs[0] == "acme"
    assert slugs[1].startswith("acme-")


async def test_a_creator_needs_what_the_new_organization_wants(scenario: Scenario) -> None:
    token = await prove(scenario)
    result = await create(scenario, token, mfa_policy="REQUIRED_FOR_ALL")
    assert result["member_authenticated"] is False
    assert result["mfa_required"] == {"member_options": None, "secondary_auth_initiated": None}
    assert result["intermediate_session_token"] == token
    assert result["member"]["is_admin"] is True
    restricted = {"auth_methods": "RESTRICTED", "allowed_auth_methods": ["sso"]}
    result = await create(scenario, token, organization_slug="second", **restricted)
    assert result["primary_required"] == {"allowed_auth_methods": ["sso"]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"organization_slug": "home"}, "organization_slug_already_used"),
        ({"organization_slug": "x"}, "invalid_organization_slug"),
        ({"organization_name": " "}, "organization_name_missing"),
        ({"email_allowed_domains": ["gmail.com"]}, "organization_settings_domain_too_common"),
        ({"session_duration_minutes": 0}, "invalid_session_duration_minutes"),
    ],
)
async def test_an_organization_that_cannot_be_leaves_nothing(
    scenario: Scenario, fields: dict[str, Any], expected: str
) -> None:
    token = await prove(scenario)
    before = await left(scenario)
    body = {"intermediate_session_token": token, **fields}
    assert await scenario.api.bad("POST", CREATE, body) == (400, expected)
    assert await left(scenario) == before
    assert await kinds(scenario, token) == [("Home", "active_member")]


async def test_an_address_in_a_claimed_domain_makes_no_organization(scenario: Scenario) -> None:
    token = await prove(scenario)
    await scenario.organization("Claiming", claimed_email_domains=["acme.test"])
    claimed = (400, "action_not_allowed_email_domain_is_claimed")
    body = {"intermediate_session_token": token}
    assert await scenario.api.bad("POST", CREATE, body) == claimed
    assert await kinds(scenario, token) == [("Home", "active_member")]


# What comes from the exchange of a session --------------------------------------------------


async def test_an_exchange_that_waits_goes_on_by_discovery(scenario: Scenario) -> None:
    """The intermediate session of sessions.exchange is good for another organization."""
    home, strict = await scenario.organization("Home"), await scenario.organization("Strict")
    await add_member(scenario, home)
    await add_member(scenario, strict)
    path = f"/v1/b2b/organizations/{strict['organization_id']}"
    await scenario.api.good("PUT", path, {"mfa_policy": "REQUIRED_FOR_ALL"})
    first = await exchange(scenario, await prove(scenario, home="Start"), home)
    target = {"organization_id": strict["organization_id"]}
    body = {**target, "session_token": first["session_token"]}
    waiting = await scenario.api.good("POST", "/v1/b2b/sessions/exchange", body)
    token = waiting["intermediate_session_token"]
    assert {name for name, _ in await kinds(scenario, token)} == {"Home", "Strict", "Start"}
    again = await exchange(scenario, token, home)
    assert again["member_id"] == first["member_id"]
    assert again["session_token"] != first["session_token"]


# Other projects ----------------------------------------------------------------------------------


async def test_another_project_reaches_nothing(scenario: Scenario) -> None:
    token = await prove(scenario)
    other = await add_project(scenario.app, scenario.context, name="second")
    theirs = await other.organization("Theirs")
    await add_member(other, theirs)
    gone = (404, "intermediate_session_not_found")
    body = {"intermediate_session_token": token}
    assert await other.api.bad("POST", LIST, body) == gone
    assert await other.api.bad("POST", CREATE, body) == gone
    assert await refused(other, token, theirs) == gone
    assert await refused(scenario, token, theirs) == (404, "organization_not_found")
    assert await kinds(scenario, token) == [("Home", "active_member")]
