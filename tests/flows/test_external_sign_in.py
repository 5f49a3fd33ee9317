"""Signing in through another organization's connection (semantics 3.3), by both protocols."""

import re
import zlib
from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.asgi import Answer
from tests.support.doors import Door, open_door, open_external
from tests.support.refusals import assert_refused, left, traces
from tests.support.scenario import CLIENT_ID, ISSUER, LOGIN_URL, MAPPING, SIGNUP_URL, Scenario
from vestibule import errors
from vestibule.clock import SECOND
from vestibule.fetch import FetchResponse

NO_JIT = (400, "invalid_connection_for_jit_provisioning")
NOT_ACTIVE = (400, "external_connection_not_active")


@pytest.fixture(params=["saml", "oidc"])
async def owner(request: pytest.FixtureRequest, scenario: Scenario) -> Door:
    return await open_door(scenario, request.param, "Owner")


@pytest.fixture
async def user(owner: Door) -> Door:
    """Return the door of an organization that uses the owner's connection."""
    owner.scenario.clock.advance(SECOND)
    return await open_external(owner)


async def members(door: Door) -> list[str]:
    """Return the addresses of an organization's members."""
    async with door.scenario.context.store.read() as tx:
        found = await tx.members.all(organization_id=door.organization_id)
    return [member.email_address for member in found]


async def start(door: Door, **locator: str) -> Answer:
    locator = locator or {"connection_id": door.connection_id}
    return await door.scenario.start(door.scenario.browser(), **locator)


async def delete(door: Door) -> None:
    path = f"/v1/b2b/sso/{door.organization_id}/connections/{door.connection_id}"
    await door.scenario.api.good("DELETE", path)


async def come_back_after(door: Door, act: Callable[[], Awaitable[None]]) -> Answer:
    """Sign in at `door`, and let something happen while the person is away."""
    scenario, browser = door.scenario, door.scenario.browser()
    if door.protocol == "saml":
        fields = await scenario.saml_fields(browser, door.connection)
        await act()
        return await scenario.post_callback(browser, door.connection, fields)
    answers, url = scenario.fetch.answers, f"{ISSUER}/token"
    answer = answers[url]

    async def first_that(method: str, url: str, body: bytes) -> FetchResponse:
        await act()
        return await answer(method, url, body)

    answers[url] = first_that
    return await door.come_back(browser=browser)


async def suspend(door: Door) -> None:
    async with door.scenario.context.store.write() as tx:
        await tx.organizations.change({"suspended_at": 1}, organization_id=door.organization_id)


def refusal(answer: Answer) -> tuple[int, str]:
    """Return status and error type of a page."""
    return answer.status, re.findall("<code>([a-z_]+)</code>", answer.text)[0]


async def assign(door: Door, kind: str, **assignments: Any) -> None:
    path = f"/v1/b2b/sso/{kind}/{door.organization_id}/connections/{door.connection_id}"
    changes = {f"{kind}_{name}": value for name, value in assignments.items()}
    await door.scenario.api.good("PUT", path, changes)


# The request -----------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["connection", "organization"])
async def test_identity_provider_is_asked_by_its_own_application(
    owner: Door, user: Door, by: str
) -> None:
    """It knows nothing but the owner's addresses; the sign-in remembers who asked."""
    locator = (
        {"connection_id": user.connection_id}
        if by == "connection"
        else {"organization_id": user.organization_id}
    )
    started = await start(user, **locator)
    assert started.status == 302
    query = parse_qs(urlsplit(started.headers["location"]).query)
    if owner.protocol == "saml":
        data = zlib.decompress(b64decode(query["SAMLRequest"][0]), wbits=-zlib.MAX_WBITS).decode()
        assert f">{owner.connection['audience_uri']}</" in data
        assert f'AssertionConsumerServiceURL="{owner.connection["acs_url"]}"' in data
        assert "Signature" in query
    else:
        assert query["redirect_uri"] == [owner.connection["redirect_url"]]
        assert query["client_id"] == [CLIENT_ID]
    assert user.connection_id not in started.headers["location"]
    async with owner.scenario.context.store.read() as tx:
        (sign_in,) = await tx.sign_ins.all()
    assert sign_in.organization_id == user.organization_id
    assert sign_in.connection_id == owner.connection_id
    assert sign_in.start_connection_id == user.connection_id


# Who logs in where -----------------------------------------------------------------------------


async def test_first_login_makes_a_member_of_the_organization_that_asked(
    owner: Door, user: Door
) -> None:
    answer = await user.come_back()
    assert answer.headers["location"].startswith(SIGNUP_URL)
    result = await user.log_in()
    assert result["organization_id"] == user.organization_id
    assert result["member"]["organization_id"] == user.organization_id
    assert result["member"]["status"] == "active"
    (registration,) = result["member"]["sso_registrations"]
    assert registration["connection_id"] == user.connection_id
    assert registration["external_id"] == "ada"
    prefix = f"{user.protocol}-member-registration-test-"
    assert registration["registration_id"].startswith(prefix)
    (factor,) = result["member_session"]["authentication_factors"]
    assert (factor["type"], factor["delivery_method"]) == ("sso", f"sso_{user.protocol}")
    assert factor[f"{user.protocol}_sso_factor"] == {
        "id": registration["registration_id"],
        "provider_id": user.connection_id,
        "external_id": "ada",
    }
    assert await members(owner) == []
    succeeded = await traces(user.scenario, outcome="succeeded")
    assert {(each.organization_id, each.connection_id) for each in succeeded} == {
        (user.organization_id, user.connection_id)
    }


async def test_second_login_finds_the_same_member(user: Door) -> None:
    first = await user.log_in()
    assert (await user.come_back()).headers["location"].startswith(LOGIN_URL)
    # The registration is the key, also when the address has changed.
    second = await user.log_in(email="lovelace@acme.test")
    assert second["member_id"] == first["member_id"]
    assert second["member"]["email_address"] == "lovelace@acme.test"
    registrations = [result["member"]["sso_registrations"] for result in (first, second)]
    assert registrations[0][0]["registration_id"] == registrations[1][0]["registration_id"]


async def test_member_with_the_address_is_linked(user: Door) -> None:
    added = await user.add_member("ada@acme.test", create_member_as_pending=True)
    await user.settings(sso_jit_provisioning="NOT_ALLOWED")
    result = await user.log_in()
    assert result["member_id"] == added["member_id"]
    assert result["member"]["status"] == "active"
    assert result["member"]["sso_registrations"][0]["connection_id"] == user.connection_id


async def test_one_person_is_another_member_in_each_organization(owner: Door, user: Door) -> None:
    third = await open_external(owner, "Third")
    doors = (owner, user, third)
    results = [await door.log_in() for door in doors]
    assert [each["organization_id"] for each in results] == [d.organization_id for d in doors]
    assert len({each["member_id"] for each in results}) == 3
    again = [await door.log_in() for door in doors]
    assert [each["member_id"] for each in again] == [each["member_id"] for each in results]
    for door, result in zip(doors, again, strict=True):
        (registration,) = result["member"]["sso_registrations"]
        assert registration["connection_id"] == door.connection_id


@pytest.mark.case("MT-15")
async def test_provisioning_is_decided_by_the_organization_that_asked(
    owner: Door, user: Door
) -> None:
    # What the owner allows is the owner's affair.
    await owner.settings(sso_jit_provisioning="NOT_ALLOWED")
    assert (await user.log_in(subject="a", email="a@acme.test"))["member_authenticated"]
    await owner.settings(sso_jit_provisioning="ALL_ALLOWED")
    await user.settings(sso_jit_provisioning="NOT_ALLOWED")
    assert await user.refused(subject="b", email="b@acme.test") == NO_JIT
    other = await user.scenario.saml_connection(user.organization_id)
    await user.settings(
        sso_jit_provisioning="RESTRICTED",
        sso_jit_provisioning_allowed_connections=[other["connection_id"]],
    )
    assert await user.refused(subject="b", email="b@acme.test") == NO_JIT
    await user.settings(sso_jit_provisioning_allowed_connections=[user.connection_id])
    assert (await user.log_in(subject="b", email="b@acme.test"))["member_authenticated"]
    # Its own list names its own connections, not the one that is referred to.
    refused = await user.scenario.api.bad(
        "PUT",
        f"/v1/b2b/organizations/{user.organization_id}",
        {"sso_jit_provisioning_allowed_connections": [owner.connection_id]},
    )
    assert refused == (400, "invalid_restricted_sso_setting")
    assert await members(owner) == []


async def test_second_factor_is_wanted_by_the_organization_that_asked(
    owner: Door, user: Door
) -> None:
    await owner.settings(mfa_policy="REQUIRED_FOR_ALL")
    assert (await user.log_in())["member_authenticated"] is True
    await user.settings(mfa_policy="REQUIRED_FOR_ALL")
    result = await user.log_in()
    assert result["member_authenticated"] is False
    assert result["organization_id"] == user.organization_id


async def test_methods_are_those_of_the_organization_that_asked(owner: Door, user: Door) -> None:
    await owner.settings(auth_methods="RESTRICTED", allowed_auth_methods=["password"])
    assert (await user.log_in())["member_authenticated"] is True
    await user.settings(auth_methods="RESTRICTED", allowed_auth_methods=["password"])
    assert await user.refused() == (400, "operation_restricted_by_organization_auth_methods")


# Roles and attributes --------------------------------------------------------------------------


@pytest.mark.case("MT-09")
async def test_roles_are_given_by_the_organization_that_asked(scenario: Scenario) -> None:
    """What the owner's connection gives its own members, it gives nobody elsewhere."""
    owner = await open_door(scenario, "saml", "Owner")
    user = await open_external(owner)
    admin = [{"role_id": "stytch_admin"}]
    staff = [{"role_id": "stytch_admin", "group": "staff"}]
    await assign(
        owner,
        "saml",
        connection_implicit_role_assignments=admin,
        group_implicit_role_assignments=staff,
    )
    result = await user.log_in(groups=["staff"])
    assert result["member_session"]["roles"] == ["stytch_member"]
    assert [role["role_id"] for role in result["member"]["roles"]] == ["stytch_member"]


async def test_roles_come_and_go_as_in_any_connection(owner: Door, user: Door) -> None:
    staff = [{"role_id": "stytch_admin", "group": "staff"}]
    await assign(user, "external", group_implicit_role_assignments=staff)
    result = await user.log_in(groups=["staff"])
    role = result["member"]["roles"][1]
    details = {"connection_id": user.connection_id, "group": "staff"}
    assert role == {
        "role_id": "stytch_admin",
        "sources": [{"type": "sso_connection_group", "details": details}],
    }
    assert result["member_session"]["roles"] == ["stytch_member", "stytch_admin"]
    result = await user.log_in(groups=["others"])
    assert result["member_session"]["roles"] == ["stytch_member"]
    await assign(
        user, "external", connection_implicit_role_assignments=[{"role_id": "stytch_admin"}]
    )
    result = await user.log_in(groups=["others"])
    assert result["member_session"]["roles"] == ["stytch_member", "stytch_admin"]
    # The owner's members hold nothing by it.
    theirs = await owner.log_in(groups=["staff"])
    assert theirs["member_session"]["roles"] == ["stytch_member"]


async def test_attributes_are_mapped_by_the_owner(owner: Door, user: Door) -> None:
    path = f"/v1/b2b/sso/{owner.protocol}/{owner.organization_id}/connections/"
    mapping = {**MAPPING, "team": "department"} if owner.protocol == "saml" else {"team": "dept"}
    changes = {"attribute_mapping": mapping}
    await owner.scenario.api.good("PUT", path + owner.connection_id, changes)
    name = mapping["team"]
    result = await user.log_in(**{name: "engines"})
    assert result["member"]["trusted_metadata"] == {"team": "engines"}
    assert result["member"]["name"] == "Ada Lovelace"


# What goes away --------------------------------------------------------------------------------


async def test_severing_ends_logins_here_alone(owner: Door, user: Door) -> None:
    third = await open_external(owner, "Third")
    await user.log_in()
    token = await user.token()
    answer_later = user.scenario.browser()
    started = await user.scenario.start(answer_later, connection_id=user.connection_id)
    assert started.status == 302
    await delete(user)
    refused = await user.scenario.api.bad("POST", "/v1/b2b/sso/authenticate", {"sso_token": token})
    assert refused == (404, "sso_token_not_found")
    assert refusal(await start(user)) == (404, "sso_connection_not_found")
    for door in (owner, third):
        assert (await door.log_in())["organization_id"] == door.organization_id


async def test_connection_severed_before_the_callback_is_not_found(user: Door) -> None:
    answer = await come_back_after(user, lambda: delete(user))
    before = await left(user.scenario)
    await assert_refused(
        user.scenario,
        answer,
        error=errors.sso_connection_not_found,
        reason="sso_connection_not_found",
        before=before,
    )
    assert (before.sso_tokens, before.members) == (0, 0)


@pytest.mark.case("MT-08")
@pytest.mark.parametrize("end", ["connection", "organization", "suspension"])
async def test_logins_stop_at_once_when_the_owner_goes(owner: Door, user: Door, end: str) -> None:
    """Whether they have not begun, or wait for the application with a good token."""
    await user.log_in()
    token = await user.token()
    if end == "connection":
        await delete(owner)
    elif end == "organization":
        await owner.scenario.api.good("DELETE", f"/v1/b2b/organizations/{owner.organization_id}")
    else:
        await suspend(owner)
    refused = await user.scenario.api.bad("POST", "/v1/b2b/sso/authenticate", {"sso_token": token})
    # A suspension may end; a token for what is deleted is gone with it.
    gone = (404, "sso_token_not_found")
    assert refused == (NOT_ACTIVE if end == "suspension" else gone)
    assert refusal(await start(user)) == NOT_ACTIVE
    found = await left(user.scenario)
    # Who is in stays in only where the owner may come back.
    assert (found.members, found.sessions) == (1, 1 if end == "suspension" else 0)


@pytest.mark.case("MT-08")
async def test_owner_suspended_before_the_callback_refuses_it(owner: Door, user: Door) -> None:
    answer = await come_back_after(user, lambda: suspend(owner))
    trace = await assert_refused(
        user.scenario,
        answer,
        error=errors.external_connection_not_active,
        reason="external_connection_not_active",
        before=await left(user.scenario),
    )
    assert trace.side == "vestibule"


@pytest.mark.case("MT-08")
async def test_roles_end_with_the_connection_that_gave_them(owner: Door, user: Door) -> None:
    await assign(
        user, "external", connection_implicit_role_assignments=[{"role_id": "stytch_admin"}]
    )
    result = await user.log_in()
    assert "stytch_admin" in result["member_session"]["roles"]
    search = {
        "organization_ids": [user.organization_id],
        "query": {
            "operator": "AND",
            "operands": [{"filter_name": "member_roles", "filter_value": ["stytch_admin"]}],
        },
    }
    path = "/v1/b2b/organizations/members/search"
    found = await user.scenario.api.good("POST", path, search)
    assert [each["member_id"] for each in found["members"]] == [result["member_id"]]
    await delete(owner)
    found = await user.scenario.api.good("POST", path, search)
    assert found["members"] == []
    body = {"session_token": result["session_token"]}
    ended = await user.scenario.api.bad("POST", "/v1/b2b/sessions/authenticate", body)
    assert ended == (404, "session_not_found")
    member = await user.member(result["member_id"])
    assert [role["role_id"] for role in member["roles"]] == ["stytch_member"]


# What went wrong -------------------------------------------------------------------------------


async def test_refused_answer_is_traced_where_it_was_begun(owner: Door, user: Door) -> None:
    """The people it concerns are that organization's, whoever has to mend it."""
    answer = (
        await user.come_back(email="not an address")
        if user.protocol == "saml"
        else await user.come_back(iss="https://other.example.com")
    )
    assert answer.status == 400
    (trace,) = await traces(user.scenario)
    assert (trace.organization_id, trace.connection_id) == (
        user.organization_id,
        user.connection_id,
    )
    assert trace.trace_id in answer.text
    assert trace.sign_in_id


async def test_redemption_that_is_refused_is_told_to_the_same_trace(user: Door) -> None:
    await user.settings(sso_jit_provisioning="NOT_ALLOWED")
    assert await user.refused() == NO_JIT
    (trace,) = await traces(user.scenario)
    assert (trace.outcome, trace.reason) == ("failed", NO_JIT[1])
    assert (trace.organization_id, trace.connection_id) == (
        user.organization_id,
        user.connection_id,
    )


# Beside the way --------------------------------------------------------------------------------


async def test_identity_provider_initiated_login_lands_with_the_owner(scenario: Scenario) -> None:
    owner = await open_door(scenario, "saml", "Owner")
    user = await open_external(owner)
    await user.log_in(subject="ada", email="ada@acme.test")
    unasked = scenario.saml_response(
        owner.connection, in_response_to=None, subject="ada", email="ada@acme.test"
    )
    answer = await scenario.post_callback(
        scenario.browser(), owner.connection, {"SAMLResponse": unasked}
    )
    assert answer.headers["location"].startswith(SIGNUP_URL)
    result = await scenario.authenticate(answer.headers["location"].rpartition("=")[2])
    assert result["organization_id"] == owner.organization_id


async def test_tokens_of_the_provider_are_kept_for_the_member_here(scenario: Scenario) -> None:
    owner = await open_door(scenario, "oidc", "Owner")
    user = await open_external(owner)
    result = await user.log_in()
    path = f"/v1/b2b/organizations/{user.organization_id}/members/{result['member_id']}"
    kept = await scenario.api.good("GET", f"{path}/oidc_providers")
    assert [each["connection_id"] for each in kept["registrations"]] == [user.connection_id]


async def test_external_connection_has_no_callback_of_its_own(user: Door) -> None:
    scenario = user.scenario
    for method in ("GET", "POST"):
        path = f"/v1/b2b/sso/callback/{user.connection_id}"
        browser = scenario.browser()
        answer = await (
            browser.get(path) if method == "GET" else browser.post(path, {"SAMLResponse": "x"})
        )
        assert refusal(answer) == (404, "sso_connection_not_found")
    metadata = await scenario.browser().get(f"/v1/public/sso/metadata/{user.connection_id}")
    assert metadata.status == 404
