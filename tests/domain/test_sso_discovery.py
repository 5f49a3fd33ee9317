"""Which connections an address can sign in through, by the rules; the wire is in tests/api."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.counting import CountingStore
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.doors import Door, open_door, open_external
from tests.support.scenario import IDP_ENTITY, Scenario, add_project, open_scenario
from vestibule import errors
from vestibule.clock import SECOND
from vestibule.domain import sso_discovery
from vestibule.errors import Failure
from vestibule.store.interface import Store

ADA = "ada@acme.test"
CLOSED = {"sso_jit_provisioning": "NOT_ALLOWED", "email_invites": "ALL_ALLOWED"}
OF_ACME = {"email_allowed_domains": ["acme.test"], "email_invites": "ALL_ALLOWED"}

Open = Callable[..., Awaitable[Door]]


@pytest.fixture
def opened(scenario: Scenario) -> Open:
    """Return what opens an organization with a connection of its own, each a second younger."""

    async def opens(name: str, **settings: Any) -> Door:
        scenario.clock.advance(SECOND)
        return await open_door(scenario, "saml", name, **settings)

    return opens


@pytest.fixture
def refers(scenario: Scenario) -> Open:
    """Return what opens an organization that uses another one's connection."""

    async def opens(owner: Door, name: str, **settings: Any) -> Door:
        scenario.clock.advance(SECOND)
        return await open_external(owner, name, **settings)

    return opens


async def found(scenario: Scenario, address: str = ADA) -> list[str]:
    """Return the ids of the connections that are found."""
    connections = await sso_discovery.run(scenario.context, scenario.project, address)
    return [connection.connection_id for connection in connections]


async def change_member(scenario: Scenario, member: dict[str, Any], **values: Any) -> None:
    async with scenario.context.store.write() as tx:
        await tx.members.change(values, member_id=member["member_id"])


# Members ---------------------------------------------------------------------------------------


async def test_connections_of_members_are_found_oldest_organization_first(
    scenario: Scenario, opened: Open
) -> None:
    doors = [await opened(name, **CLOSED) for name in ("First", "Second", "Third", "Fourth")]
    for door in reversed(doors[1:]):
        await door.add_member()
    scenario.clock.advance(SECOND)
    other = await scenario.oidc_connection(doors[1].organization_id)
    assert await found(scenario) == [
        doors[1].connection_id,
        other["connection_id"],
        doors[2].connection_id,
        doors[3].connection_id,
    ]
    assert await found(scenario, "ADA@ACME.test") == await found(scenario)
    assert await found(scenario, "bob@acme.test") == []


@pytest.mark.parametrize("status", ["active", "pending", "invited", "deleted"])
async def test_only_living_members_count(scenario: Scenario, opened: Open, status: str) -> None:
    door = await opened("First", **CLOSED)
    await change_member(scenario, await door.add_member(), status=status)
    assert await found(scenario) == ([] if status == "deleted" else [door.connection_id])


async def test_retired_address_is_nobodys(scenario: Scenario, opened: Open) -> None:
    door = await opened("First", **CLOSED)
    member = await door.add_member()
    path = f"/v1/b2b/organizations/{door.organization_id}/members/{member['member_id']}"
    await scenario.api.good("PUT", path, {"email_address": "new@acme.test"})
    assert await found(scenario) == []
    assert await found(scenario, "new@acme.test") == [door.connection_id]


async def test_pending_connection_is_not_found(scenario: Scenario, opened: Open) -> None:
    door = await opened("First", **CLOSED)
    await door.add_member()
    await scenario.api.good("POST", f"/v1/b2b/sso/oidc/{door.organization_id}", {})
    assert await found(scenario) == [door.connection_id]


async def test_organization_without_sso_offers_none_but_to_break_glass_members(
    scenario: Scenario, opened: Open
) -> None:
    door = await opened("First", **CLOSED)
    member = await door.add_member()
    await door.settings(auth_methods="RESTRICTED", allowed_auth_methods=["password"])
    assert await found(scenario) == []
    await change_member(scenario, member, is_breakglass=True)
    assert await found(scenario) == [door.connection_id]


async def test_suspended_organization_offers_none(scenario: Scenario, opened: Open) -> None:
    door = await opened("First", **CLOSED)
    await door.add_member()
    async with scenario.context.store.write() as tx:
        await tx.organizations.change({"suspended_at": 1}, organization_id=door.organization_id)
    assert await found(scenario) == []


@pytest.mark.case("MT-26")
async def test_members_of_another_project_are_not_looked_at(
    scenario: Scenario, opened: Open
) -> None:
    other = await add_project(scenario.app, scenario.context, name="other")
    door = await open_door(other, "saml", "Far", **OF_ACME)
    await door.add_member()
    assert await found(scenario) == []
    assert await found(other) == [door.connection_id]


# Provisioning ----------------------------------------------------------------------------------


async def test_who_is_nobodys_member_is_offered_what_names_the_domain(
    scenario: Scenario, opened: Open
) -> None:
    named = await opened("Named", **OF_ACME)
    await opened("Stranger")
    restricted = await opened("Restricted", **OF_ACME)
    other = await scenario.oidc_connection(restricted.organization_id)
    await restricted.settings(
        sso_jit_provisioning="RESTRICTED",
        sso_jit_provisioning_allowed_connections=[other["connection_id"]],
    )
    await opened("Closed", **{**OF_ACME, **CLOSED})
    assert await found(scenario) == [named.connection_id, other["connection_id"]]
    assert await found(scenario, "ada@other.test") == []


async def test_membership_comes_before_provisioning(scenario: Scenario, opened: Open) -> None:
    await opened("Named", **OF_ACME)
    door = await opened("Home", **CLOSED)
    await door.add_member()
    assert await found(scenario) == [door.connection_id]


async def test_membership_without_a_connection_is_as_good_as_none(
    scenario: Scenario, opened: Open
) -> None:
    named = await opened("Named", **OF_ACME)
    await scenario.organization("Without")
    path = "/v1/b2b/organizations/without/members"
    await scenario.api.good("POST", path, {"email_address": ADA})
    assert await found(scenario) == [named.connection_id]


async def test_who_claims_the_domain_is_alone_with_it(scenario: Scenario, opened: Open) -> None:
    """The others could not make a member of the address (semantics 2.6, row 10)."""
    await opened("Named", **OF_ACME)
    claims = await opened("Claims", claimed_email_domains=["acme.test"])
    assert await found(scenario) == [claims.connection_id]


# External connections --------------------------------------------------------------------------


async def test_of_shared_connections_the_owners_is_shown(
    scenario: Scenario, opened: Open, refers: Open
) -> None:
    """Also when another organization is older."""
    older = await scenario.organization("Older")
    owner = await opened("Owner", **CLOSED)
    doors = [owner, await refers(owner, "Young", **CLOSED)]
    path = f"/v1/b2b/sso/external/{older['organization_id']}"
    body = {
        "external_organization_id": owner.organization_id,
        "external_connection_id": owner.connection_id,
    }
    made = (await scenario.api.good("POST", path, body))["connection"]
    doors.append(Door(scenario, "saml", made))
    for door in doors:
        await door.add_member()
    assert await found(scenario) == [owner.connection_id]


async def test_without_the_owner_the_oldest_organizations_is_shown(
    scenario: Scenario, opened: Open, refers: Open
) -> None:
    owner = await opened("Owner")
    doors = [await refers(owner, name, **CLOSED) for name in ("First", "Second", "Third")]
    for door in reversed(doors[1:]):
        await door.add_member()
    assert await found(scenario) == [doors[1].connection_id]
    # Where it says, there it leads.
    assert (await doors[1].log_in())["organization_id"] == doors[1].organization_id


async def test_those_that_would_make_a_member_are_shown_once_too(
    scenario: Scenario, opened: Open, refers: Open
) -> None:
    owner = await opened("Owner", **CLOSED)
    first = await refers(owner, "First", **OF_ACME)
    await refers(owner, "Second", **OF_ACME)
    assert await found(scenario) == [first.connection_id]
    await owner.settings(sso_jit_provisioning="ALL_ALLOWED", email_allowed_domains=["acme.test"])
    assert await found(scenario) == [owner.connection_id]


@pytest.mark.case("MT-08")
async def test_severed_connection_is_not_found(
    scenario: Scenario, opened: Open, refers: Open
) -> None:
    owner = await opened("Owner", **CLOSED)
    user = await refers(owner, "User", **CLOSED)
    await user.add_member()
    assert await found(scenario) == [user.connection_id]
    path = f"/v1/b2b/sso/{owner.organization_id}/connections/{owner.connection_id}"
    await scenario.api.good("DELETE", path)
    assert await found(scenario) == []


# As a list -------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["", "ada", "ada@", "a b@acme.test", "x" * 300 + "@acme.test"])
async def test_what_is_no_address_is_refused(scenario: Scenario, address: str) -> None:
    with pytest.raises(Failure) as caught:
        await found(scenario, address)
    assert caught.value.error is errors.invalid_email


async def test_list_takes_as_many_queries_for_three_as_for_one(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    counting = CountingStore(store)
    scenario = await open_scenario(counting, clock=clock, entropy=entropy)
    costs = []
    for number in range(3):
        organization = await scenario.organization(f"Home {number}")
        connection = await scenario.saml_connection(
            organization["organization_id"], idp_entity_id=f"{IDP_ENTITY}/{number}"
        )
        await Door(scenario, "saml", connection).add_member()
        counting.taken()
        assert len(await found(scenario)) == number + 1
        costs.append(counting.taken())
    assert costs[0] == costs[1] == costs[2] > 0
