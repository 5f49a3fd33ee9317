"""Who gave this person this role, and when: of each source, also of a role that comes back."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.audit import events
from tests.support.determinism import NOW
from tests.support.doors import Door, Protocol, open_door, open_external
from tests.support.member_session import SignedIn
from tests.support.scenario import Scenario
from vestibule.clock import HOUR, SECOND
from vestibule.domain import members, organizations, role_ledger
from vestibule.domain.roles import Source
from vestibule.records import Connection

ADMIN = "stytch_admin"
ASSIGNED = [{"role_id": ADMIN}]
SECRET = ("project_secret", "secret-id-first")


@pytest.fixture(params=["saml", "oidc"])
async def door(request: pytest.FixtureRequest, scenario: Scenario) -> Door:
    protocol: Protocol = request.param
    return await open_door(scenario, protocol)


async def assign(door: Door, **assignments: Any) -> None:
    path = f"/v1/b2b/sso/{door.organization_id}/connections/{door.connection_id}/settings"
    await door.scenario.api.good("PUT", path, assignments)


async def give(door: Door, member_id: str, *role_ids: str) -> None:
    """Make these the member's direct roles."""
    path = f"/v1/b2b/organizations/{door.organization_id}/members/{member_id}"
    await door.scenario.api.good("PUT", path, {"roles": list(role_ids)})


async def ledger(door: Door, member_id: str, role_id: str = ADMIN) -> list[Source]:
    """Return the sources of a member's role."""
    scenario = door.scenario
    async with scenario.context.store.read() as tx:
        organization = await organizations.load(tx, scenario.project, door.organization_id)
        member = await members.load(tx, organization, member_id)
        view = await members.view(tx, scenario.project, organization, member)
    return [each for grant in view.grants if grant.role_id == role_id for each in grant.sources]


async def only(door: Door, member_id: str) -> Source:
    (source,) = await ledger(door, member_id)
    return source


def by(source: Source) -> tuple[str, str]:
    return source.given.actor_type, source.given.actor_id


async def request_of(door: Door, action: str) -> str:
    """Return the request of the newest event with this action."""
    written = await events(door.scenario, door.organization_id)
    return [each.request_id for each in written if each.action == action][-1]


async def test_direct_role_says_who_gave_it_and_when(scenario: Scenario) -> None:
    door = await open_door(scenario, "saml")
    ada = (await door.add_member(roles=[ADMIN]))["member_id"]
    source = await only(door, ada)
    assert (source.type, source.since, by(source)) == ("direct_assignment", NOW, SECRET)
    assert source.given.request_id == await request_of(door, "member.create")
    scenario.clock.advance(HOUR)
    await give(door, ada, ADMIN)
    # It was held already: nobody gave it a second time.
    assert await only(door, ada) == source
    assert (await only(door, ada)).since == NOW


async def test_direct_role_that_comes_back_was_given_again(scenario: Scenario) -> None:
    door = await open_door(scenario, "saml")
    ada = (await door.add_member(roles=[ADMIN]))["member_id"]
    await give(door, ada)
    assert await ledger(door, ada) == []
    scenario.clock.advance(HOUR)
    boss = await door.log_in(subject="boss", email="boss@acme.test")
    await give(door, boss["member_id"], ADMIN)
    caller = SignedIn(
        scenario,
        boss["member_id"],
        door.organization_id,
        {"x-stytch-member-session": boss["session_token"]},
    )
    path = f"/v1/b2b/organizations/{door.organization_id}/members/{ada}"
    await caller.good("PUT", path, {"roles": [ADMIN]})
    source = await only(door, ada)
    assert (source.since, by(source)) == (NOW + HOUR, ("member_session", boss["member_id"]))
    written = [each for each in await events(scenario) if each.object_id == ada]
    assert [each.reason for each in written] == [
        f"given: {ADMIN}",
        f"taken away: {ADMIN}",
        f"given: {ADMIN}",
    ]


async def test_role_of_a_deleted_member_is_not_given_by_bringing_it_back(
    scenario: Scenario,
) -> None:
    door = await open_door(scenario, "saml")
    ada = (await door.log_in())["member_id"]
    await give(door, ada, ADMIN)
    path = f"/v1/b2b/organizations/{door.organization_id}/members/{ada}"
    await scenario.api.good("DELETE", path)
    await scenario.api.good("PUT", f"{path}/reactivate")
    assert await ledger(door, ada) == []


async def test_role_of_a_domain_follows_assignment_and_address(scenario: Scenario) -> None:
    door = await open_door(scenario, "saml")
    ada = (await door.add_member())["member_id"]
    scenario.clock.advance(HOUR)
    assignment = {"domain": "acme.test", "role_id": ADMIN}
    await door.settings(rbac_email_implicit_role_assignments=[assignment])
    source = await only(door, ada)
    assert (source.type, source.since, by(source)) == ("email_assignment", NOW + HOUR, SECRET)
    assert source.given.request_id == await request_of(door, "organization.update")
    # Another assignment beside it, and any other change, is none of this one.
    scenario.clock.advance(HOUR)
    other = {"domain": "other.test", "role_id": ADMIN}
    await door.settings(
        rbac_email_implicit_role_assignments=[other, assignment], mfa_policy="OPTIONAL"
    )
    assert (await only(door, ada)).since == NOW + HOUR
    path = f"/v1/b2b/organizations/{door.organization_id}/members/{ada}"
    for address, since in (
        ("ADA@acme.test", HOUR),  # no other address
        ("ada@other.test", 3 * HOUR),
        ("ada@acme.test", 4 * HOUR),  # it comes back
    ):
        scenario.clock.advance(HOUR if since > HOUR else 0)
        await scenario.api.good("PUT", path, {"email_address": address})
        source = await only(door, ada)
        assert source.details["email_domain"] == address.rpartition("@")[2]
        assert source.since == NOW + since
        given = HOUR if address.endswith("acme.test") else 2 * HOUR
        assert source.given.given_at == NOW + given
    await door.settings(rbac_email_implicit_role_assignments=[])
    scenario.clock.advance(HOUR)
    await door.settings(rbac_email_implicit_role_assignments=[assignment])
    assert (await only(door, ada)).given.given_at == NOW + 5 * HOUR


async def test_client_cannot_say_who_gave_a_role(scenario: Scenario) -> None:
    door = await open_door(scenario, "saml")
    ada = (await door.add_member())["member_id"]
    forged = {"domain": "acme.test", "role_id": ADMIN, "given": {"given_at": 7, "actor_id": "eve"}}
    await door.settings(rbac_email_implicit_role_assignments=[forged])
    assert by(await only(door, ada)) == SECRET
    shown = await door.settings()
    assert shown["rbac_email_implicit_role_assignments"] == [
        {"domain": "acme.test", "role_id": ADMIN}
    ]


async def test_role_of_a_connection_follows_assignment_and_first_login(door: Door) -> None:
    clock = door.scenario.clock
    ada = (await door.log_in())["member_id"]
    clock.advance(HOUR)
    await assign(door, implicit_role_assignments=ASSIGNED)
    clock.advance(HOUR)
    eve = (await door.log_in(subject="eve", email="eve@acme.test"))["member_id"]
    await door.log_in()
    for member_id, since in ((ada, HOUR), (eve, 2 * HOUR)):
        source = await only(door, member_id)
        assert (source.type, by(source)) == ("sso_connection", SECRET)
        assert source.details == {"connection_id": door.connection_id}
        assert (source.given.given_at, source.since) == (NOW + HOUR, NOW + since)
        assert source.given.request_id == await request_of(door, "connection.update_settings")
    await assign(door, implicit_role_assignments=[])
    await assign(door, implicit_role_assignments=ASSIGNED)
    for member_id in (ada, eve):
        assert (await only(door, member_id)).since == NOW + 2 * HOUR


async def test_role_of_a_group_follows_assignment_and_group(door: Door) -> None:
    clock = door.scenario.clock
    group = {"role_id": ADMIN, "group": "ops"}
    await assign(door, group_implicit_role_assignments=[group])
    for hour, groups in enumerate((["ops"], ["ops", "all"], ["all"], ["all", "ops"])):
        ada = (await door.log_in(groups=groups))["member_id"]
        sources = await ledger(door, ada)
        since = {0: 0, 1: 0, 3: 3 * HOUR}.get(hour)
        assert [each.since - NOW for each in sources] == ([] if since is None else [since])
        clock.advance(HOUR)
    await door.log_in()  # it tells no groups: that is not to tell that there are none
    await assign(door, group_implicit_role_assignments=[{**group, "display_name": "Operations"}])
    source = await only(door, ada)
    assert (source.type, by(source)) == ("sso_connection_group", SECRET)
    assert (source.given.given_at, source.since) == (NOW, NOW + 3 * HOUR)
    clock.advance(SECOND)
    await assign(door, group_implicit_role_assignments=[])
    await assign(door, group_implicit_role_assignments=[group])
    source = await only(door, ada)
    assert source.given.given_at == source.since == NOW + 4 * HOUR + SECOND


async def test_each_source_of_one_role_has_its_own_giving(scenario: Scenario) -> None:
    door = await open_door(scenario, "saml")
    group = {"role_id": ADMIN, "group": "ops"}
    saml = f"/v1/b2b/sso/saml/{door.organization_id}/connections/{door.connection_id}"
    body = {
        "saml_connection_implicit_role_assignments": ASSIGNED,
        "saml_group_implicit_role_assignments": [group],
    }
    await scenario.api.good("PUT", saml, body)
    ada = (await door.log_in(groups=["ops"]))["member_id"]
    scenario.clock.advance(HOUR)
    await door.settings(
        rbac_email_implicit_role_assignments=[{"domain": "acme.test", "role_id": ADMIN}]
    )
    scenario.clock.advance(HOUR)
    await give(door, ada, ADMIN)
    # What changes elsewhere in the connection leaves them as they were.
    await scenario.api.good("PUT", saml, {"display_name": "New", **body})
    assert [(each.type, each.since - NOW) for each in await ledger(door, ada)] == [
        ("direct_assignment", 2 * HOUR),
        ("email_assignment", HOUR),
        ("sso_connection", 0),
        ("sso_connection_group", 0),
    ]


async def test_role_of_an_external_connection_is_given_by_its_own_organization(
    scenario: Scenario,
) -> None:
    owner = await open_door(scenario, "saml", "Owner")
    user = await open_external(owner)
    path = f"/v1/b2b/sso/external/{user.organization_id}/connections/{user.connection_id}"
    body = {"external_connection_implicit_role_assignments": ASSIGNED}
    await scenario.api.good("PUT", path, body)
    scenario.clock.advance(HOUR)
    ada = (await user.log_in())["member_id"]
    source = await only(user, ada)
    assert (source.given.given_at, source.since, by(source)) == (NOW, NOW + HOUR, SECRET)


async def test_roles_that_are_held_are_not_given_twice(scenario: Scenario) -> None:
    door = await open_door(scenario, "saml")
    ada = (await door.add_member())["member_id"]
    context = scenario.context.acting_for(
        replace(scenario.context.origin, actor_type="operator", actor_id="root")
    )
    async with context.store.write() as tx:
        organization = await organizations.load(tx, scenario.project, door.organization_id)
        member = await members.load(tx, organization, ada)
        assert await members.assign_roles(tx, context, member, [ADMIN]) == f"given: {ADMIN}"
        assert await members.assign_roles(tx, context, member, [ADMIN]) == ""
    assert by(await only(door, ada)) == ("operator", "root")


def test_connection_without_a_configuration_has_no_ledger(scenario: Scenario) -> None:
    bare = Connection(
        connection_id="c-1",
        project_id="p",
        organization_id="o",
        protocol="saml",
        display_name="",
        created_at=0,
        updated_at=0,
    )
    with pytest.raises(TypeError, match="c-1 has no configuration"):
        role_ledger.of_connection(scenario.context, bare, bare)
