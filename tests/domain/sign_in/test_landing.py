"""Where a login lands of a person who is no member where it was begun (semantics 3.5)."""

from collections.abc import Awaitable, Callable

import pytest

from tests.support.doors import Door, open_door, open_external
from tests.support.refusals import traces
from tests.support.scenario import LOGIN_URL, SIGNUP_URL, Scenario
from vestibule.clock import SECOND

NO_JIT = (400, "invalid_connection_for_jit_provisioning")
CLOSED = {"sso_jit_provisioning": "NOT_ALLOWED", "email_invites": "ALL_ALLOWED"}

Open = Callable[[str], Awaitable[Door]]


@pytest.fixture(params=["saml", "oidc"])
async def owner(request: pytest.FixtureRequest, scenario: Scenario) -> Door:
    """Return the owner's door; nobody is let in who is no member."""
    return await open_door(scenario, request.param, "Owner", **CLOSED)


@pytest.fixture
def sharing(owner: Door) -> Open:
    """Return what opens an organization that shares the connection, each a second younger."""

    async def opened(name: str) -> Door:
        owner.scenario.clock.advance(SECOND)
        return await open_external(owner, name, **CLOSED)

    return opened


async def landed(door: Door) -> str:
    """Sign in at `door` and return the organization that was entered."""
    answer = await door.come_back()
    assert answer.headers["location"].startswith(LOGIN_URL)
    return str((await door.log_in())["organization_id"])


async def make_older(door: Door) -> None:
    """Let an organization have been there before all others."""
    async with door.scenario.context.store.write() as tx:
        await tx.organizations.change({"created_at": 1}, organization_id=door.organization_id)


async def test_who_is_a_member_where_the_login_was_begun_stays_there(
    owner: Door, sharing: Open
) -> None:
    first, second = await sharing("First"), await sharing("Second")
    for door in (owner, first, second):
        await door.add_member()
    for door in (second, first, owner):
        assert await landed(door) == door.organization_id


async def test_who_may_become_a_member_stays_where_the_login_was_begun(
    owner: Door, sharing: Open
) -> None:
    """Each organization goes on deciding by itself who is provisioned in it."""
    first, second = await sharing("First"), await sharing("Second")
    await owner.add_member()
    await first.add_member()
    await second.settings(sso_jit_provisioning="ALL_ALLOWED")
    answer = await second.come_back()
    assert answer.headers["location"].startswith(SIGNUP_URL)
    assert (await second.log_in())["organization_id"] == second.organization_id


async def test_owner_comes_before_all_others(owner: Door, sharing: Open) -> None:
    older, begun = await sharing("Older"), await sharing("Begun")
    await make_older(older)
    await older.add_member()
    assert await landed(begun) == older.organization_id
    added = await owner.add_member()
    assert await landed(begun) == owner.organization_id
    result = await begun.log_in()
    assert result["member_id"] == added["member_id"]
    (registration,) = result["member"]["sso_registrations"]
    assert registration["connection_id"] == owner.connection_id


async def test_oldest_of_the_others_is_entered(owner: Door, sharing: Open) -> None:
    doors = [await sharing(name) for name in ("First", "Second", "Third")]
    for door in reversed(doors[1:]):
        await door.add_member()
    for begun in (owner, doors[0]):
        assert await landed(begun) == doors[1].organization_id
    written = await traces(owner.scenario, connection_id=doors[1].connection_id)
    steps = [trace.steps[-1] for trace in written]
    assert {(step.name, step.passed) for step in steps} == {("landing", True)}
    assert {step.expected for step in steps} == {
        f"a member of {begun.organization_id}" for begun in (owner, doors[0])
    }
    assert {step.received for step in steps} == {f"a member of {doors[1].organization_id}"}
    result = await owner.log_in()
    (factor,) = result["member_session"]["authentication_factors"]
    detail = factor[f"{owner.protocol}_sso_factor"]
    assert detail["provider_id"] == doors[1].connection_id


async def test_active_members_come_before_those_who_wait(owner: Door, sharing: Open) -> None:
    begun, older, younger = [await sharing(name) for name in ("Begun", "Older", "Younger")]
    await owner.add_member(create_member_as_pending=True)
    await older.add_member(create_member_as_pending=True)
    assert await landed(begun) == owner.organization_id
    async with owner.scenario.context.store.write() as tx:
        await tx.members.change({"status": "invited"}, organization_id=owner.organization_id)
    await younger.add_member()
    assert await landed(begun) == younger.organization_id


async def test_registration_makes_a_member_known_by_another_address(
    owner: Door, sharing: Open
) -> None:
    begun, other = await sharing("Begun"), await sharing("Other")
    added = await other.add_member("old@acme.test")
    await other.log_in(subject="ada", email="old@acme.test")
    result = await begun.log_in(subject="ada", email="new@acme.test")
    assert result["member_id"] == added["member_id"]
    assert result["member"]["email_address"] == "new@acme.test"


@pytest.mark.parametrize(
    "hindrance", ["deleted member", "other connection", "method", "suspended", "severed"]
)
async def test_organization_that_cannot_be_entered_is_passed_by(
    owner: Door, sharing: Open, hindrance: str
) -> None:
    begun, passed, taken = [await sharing(name) for name in ("Begun", "Passed", "Taken")]
    if hindrance == "other connection":
        passed = await open_door(owner.scenario, owner.protocol, "Stranger", **CLOSED)
        await make_older(passed)
    added = await passed.add_member()
    await taken.add_member()
    path = f"/v1/b2b/organizations/{passed.organization_id}"
    if hindrance == "deleted member":
        await owner.scenario.api.good("DELETE", f"{path}/members/{added['member_id']}")
    elif hindrance == "method":
        await passed.settings(auth_methods="RESTRICTED", allowed_auth_methods=["password"])
    elif hindrance == "suspended":
        async with owner.scenario.context.store.write() as tx:
            await tx.organizations.change(
                {"suspended_at": 1}, organization_id=passed.organization_id
            )
    elif hindrance == "severed":
        severed = f"/v1/b2b/sso/{passed.organization_id}/connections/{passed.connection_id}"
        await owner.scenario.api.good("DELETE", severed)
    assert await landed(begun) == taken.organization_id
    assert await landed(owner) == taken.organization_id


async def test_break_glass_member_enters_whatever_the_methods_are(
    owner: Door, sharing: Open
) -> None:
    begun = await sharing("Begun")
    await owner.add_member(is_breakglass=True)
    await owner.settings(auth_methods="RESTRICTED", allowed_auth_methods=["password"])
    assert await landed(begun) == owner.organization_id


async def test_who_is_nobodys_member_is_refused_where_the_login_was_begun(
    owner: Door, sharing: Open
) -> None:
    begun = await sharing("Begun")
    for door in (begun, owner):
        answer = await door.come_back()
        assert answer.headers["location"].startswith(SIGNUP_URL)
        assert await door.refused() == NO_JIT
        (trace,) = await traces(door.scenario, reason=NO_JIT[1], connection_id=door.connection_id)
        assert trace.organization_id == door.organization_id


async def test_suspended_owner_leads_nowhere_else(owner: Door, sharing: Open) -> None:
    other = await sharing("Other")
    await other.add_member()
    async with owner.scenario.context.store.write() as tx:
        await tx.organizations.change({"suspended_at": 1}, organization_id=owner.organization_id)
    assert await owner.refused() == (403, "organization_suspended")


async def test_members_are_looked_for_in_one_project(owner: Door, sharing: Open) -> None:
    """Also when no other shares the connection: those of strangers are none of it."""
    stranger = await open_door(owner.scenario, owner.protocol, "Stranger")
    await stranger.add_member()
    await stranger.log_in(subject="ada")
    assert await owner.refused(subject="ada") == NO_JIT
