from typing import Any

import pytest
from stytch.b2b.models.sso import DeleteConnectionResponse, GetConnectionsResponse

from tests.support.counting import CountingStore
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.doors import Door, Protocol
from tests.support.member_session import sign_in
from tests.support.saml_keys import signer
from tests.support.scenario import IDP_ENTITY, Scenario, open_scenario
from vestibule.clock import SECOND
from vestibule.records import Connection, ExternalConfiguration
from vestibule.store.interface import Store

PATH = "/v1/b2b/sso/acme"


def path_of(connection: dict[str, Any]) -> str:
    return f"{PATH}/connections/{connection['connection_id']}"


async def saml(scenario: Scenario, number: int = 1) -> dict[str, Any]:
    """Make an active SAML connection to an identity provider of its own."""
    scenario.clock.advance(SECOND)
    return await scenario.saml_connection("acme", idp_entity_id=f"{IDP_ENTITY}/{number}")


async def organization(scenario: Scenario) -> dict[str, Any]:
    return dict((await scenario.api.good("GET", "/v1/b2b/organizations/acme"))["organization"])


# Lists -----------------------------------------------------------------------------------------


async def test_connections_are_listed_by_kind_oldest_first(scenario: Scenario) -> None:
    await scenario.organization()
    empty = await scenario.api.good("GET", PATH)
    kinds = ("saml_connections", "oidc_connections", "external_connections")
    assert {kind: empty[kind] for kind in kinds} == {kind: [] for kind in kinds}
    made = [await saml(scenario, number) for number in range(3)]
    oidc = await scenario.oidc_connection("acme")
    listed = await scenario.api.good("GET", PATH)
    GetConnectionsResponse.model_validate(listed)
    assert listed["saml_connections"] == made
    assert listed["oidc_connections"] == [oidc]


async def test_external_connection_is_listed_as_what_it_is(scenario: Scenario) -> None:
    owner = await scenario.organization()
    async with scenario.context.store.write() as tx:
        await tx.connections.insert(
            Connection(
                connection_id="external-connection-test-1",
                project_id=scenario.project.project_id,
                organization_id=owner["organization_id"],
                protocol="external",
                display_name="Theirs",
                external=ExternalConfiguration(
                    external_organization_id="organization-test-2",
                    external_connection_id="saml-connection-test-2",
                    connection_roles=("stytch_admin",),
                ),
                created_at=1,
                updated_at=1,
            )
        )
    listed = await scenario.api.good("GET", PATH)
    GetConnectionsResponse.model_validate(listed)
    assert listed["external_connections"] == [
        {
            "organization_id": owner["organization_id"],
            "connection_id": "external-connection-test-1",
            "external_organization_id": "organization-test-2",
            "external_connection_id": "saml-connection-test-2",
            "display_name": "Theirs",
            "status": "pending",
            "external_connection_implicit_role_assignments": [{"role_id": "stytch_admin"}],
            "external_group_implicit_role_assignments": [],
        }
    ]


async def test_list_takes_as_many_queries_for_three_as_for_one(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    counting = CountingStore(store)
    scenario = await open_scenario(counting, clock=clock, entropy=entropy)
    await scenario.organization()
    costs = []
    for number in range(3):
        await saml(scenario, number)
        await scenario.oidc_connection("acme")
        counting.taken()
        await scenario.api.good("GET", PATH)
        costs.append(counting.taken())
    assert costs[0] == costs[1] == costs[2] > 0


@pytest.mark.case("AD-31")
async def test_list_shows_no_private_key(scenario: Scenario) -> None:
    await scenario.organization()
    await saml(scenario)
    answer = await scenario.api.call("GET", PATH)
    assert "PRIVATE" not in answer.text


# Deletion --------------------------------------------------------------------------------------


async def test_connection_of_any_kind_is_deleted_once(scenario: Scenario) -> None:
    await scenario.organization()
    first = await saml(scenario)
    for connection in (await scenario.oidc_connection("acme"), await saml(scenario, 2), first):
        gone = await scenario.api.good("DELETE", path_of(connection))
        DeleteConnectionResponse.model_validate(gone)
        assert gone["connection_id"] == connection["connection_id"]
        refused = await scenario.api.bad("DELETE", path_of(connection))
        assert refused == (404, "sso_connection_not_found")
    listed = await scenario.api.good("GET", PATH)
    assert listed["saml_connections"] == listed["oidc_connections"] == []
    async with scenario.context.store.read() as tx:
        assert await tx.connection_keys.count() == 0


@pytest.mark.case("AD-32")
async def test_default_connection_stays_while_another_is_active(scenario: Scenario) -> None:
    await scenario.organization()
    default, other = await saml(scenario), await saml(scenario, 2)
    pending = (await scenario.api.good("POST", "/v1/b2b/sso/saml/acme", {}))["connection"]
    refused = await scenario.api.bad("DELETE", path_of(default))
    assert refused == (400, "cannot_delete_default_sso_connection")
    assert (await organization(scenario))["sso_default_connection_id"] == default["connection_id"]
    await scenario.api.good("DELETE", path_of(other))
    await scenario.api.good("DELETE", path_of(default))
    assert (await organization(scenario))["sso_default_connection_id"] is None
    await scenario.api.good(
        "PUT",
        f"/v1/b2b/sso/saml/acme/connections/{pending['connection_id']}",
        {
            "idp_entity_id": IDP_ENTITY,
            "idp_sso_url": "https://idp.example.com/sso",
            "x509_certificate": signer("idp").pem,
            "attribute_mapping": {"email": "e", "full_name": "n"},
        },
    )
    now_default = (await organization(scenario))["sso_default_connection_id"]
    assert now_default == pending["connection_id"]


async def test_new_default_frees_the_old_one(scenario: Scenario) -> None:
    await scenario.organization()
    default, other = await saml(scenario), await saml(scenario, 2)
    await scenario.api.good(
        "PUT",
        "/v1/b2b/organizations/acme",
        {"sso_default_connection_id": other["connection_id"]},
    )
    await scenario.api.good("DELETE", path_of(default))
    assert (await organization(scenario))["sso_default_connection_id"] == other["connection_id"]


async def test_deleted_connection_leaves_the_list_of_those_that_may_provision(
    scenario: Scenario,
) -> None:
    await scenario.organization()
    connections = [await saml(scenario, number) for number in range(3)]
    _, second, third = [each["connection_id"] for each in connections]
    await scenario.api.good(
        "PUT",
        "/v1/b2b/organizations/acme",
        {
            "sso_jit_provisioning": "RESTRICTED",
            "sso_jit_provisioning_allowed_connections": [second, third],
        },
    )
    await scenario.api.good("DELETE", path_of(connections[1]))
    left = await organization(scenario)
    assert left["sso_jit_provisioning_allowed_connections"] == [third]
    assert left["sso_jit_provisioning"] == "RESTRICTED"
    await scenario.api.good("DELETE", path_of(connections[2]))
    emptied = await organization(scenario)
    assert emptied["sso_jit_provisioning_allowed_connections"] == []
    assert emptied["sso_jit_provisioning"] == "NOT_ALLOWED"


async def test_deletion_ends_logins_and_sessions_but_not_the_member(scenario: Scenario) -> None:
    caller = await sign_in(scenario, await scenario.organization())
    (connection,) = (await scenario.api.good("GET", PATH))["saml_connections"]
    await scenario.api.good(
        "PUT",
        f"/v1/b2b/sso/saml/acme/connections/{connection['connection_id']}",
        {"saml_connection_implicit_role_assignments": [{"role_id": "stytch_admin"}]},
    )
    await caller.good("GET", PATH)
    browser = scenario.browser()
    fields = await scenario.saml_fields(browser, connection)
    await scenario.api.good("DELETE", path_of(connection))
    # The session had no other factor: nothing proves any more who that is (ST-14).
    assert await caller.bad("GET", PATH) == (404, "session_not_found")
    assert (await scenario.post_callback(browser, connection, fields)).status == 404
    got = await scenario.api.good(
        "GET", f"/v1/b2b/organizations/acme/member?member_id={caller.member_id}"
    )
    assert got["member"]["sso_registrations"] == []


@pytest.mark.parametrize("kind", ["saml", "oidc"])
async def test_hundred_connections_are_the_most(scenario: Scenario, kind: str) -> None:
    owner = await scenario.organization()
    async with scenario.context.store.write() as tx:
        for number in range(100):
            await tx.connections.insert(
                Connection(
                    connection_id=f"external-connection-test-{number}",
                    project_id=scenario.project.project_id,
                    organization_id=owner["organization_id"],
                    protocol="external",
                    display_name="",
                    created_at=1,
                    updated_at=1,
                )
            )
    refused = await scenario.api.bad("POST", f"/v1/b2b/sso/{kind}/acme", {})
    assert refused == (400, "too_many_sso_connections")
    gone = f"{PATH}/connections/external-connection-test-7"
    await scenario.api.good("DELETE", gone)
    await scenario.api.good("POST", f"/v1/b2b/sso/{kind}/acme", {})


@pytest.mark.parametrize("protocols", [("saml", "oidc"), ("oidc", "saml")])
async def test_organization_and_member_show_the_oldest_connection_first(
    scenario: Scenario, protocols: tuple[Protocol, Protocol]
) -> None:
    made = await scenario.organization()
    doors = []
    for protocol in protocols:
        scenario.clock.advance(SECOND)
        make = scenario.saml_connection if protocol == "saml" else scenario.oidc_connection
        doors.append(Door(scenario, protocol, await make(made["organization_id"])))
    active = (await organization(scenario))["sso_active_connections"]
    assert [each["connection_id"] for each in active] == [door.connection_id for door in doors]
    # The second connection is used first.
    for door in reversed(doors):
        scenario.clock.advance(SECOND)
        result = await door.log_in()
    registrations = result["member"]["sso_registrations"]
    ids = [door.connection_id for door in reversed(doors)]
    assert [each["connection_id"] for each in registrations] == ids
