"""Sign-ins across organizations, and sessions in the wrong hands: the cases MT."""

import pytest

from tests.support.doors import Door, Protocol, open_door
from tests.support.refusals import left
from tests.support.scenario import MAPPING, Scenario, add_project

PATH = "/v1/b2b/sso/authenticate"


@pytest.fixture(params=["saml", "oidc"])
async def doors(request: pytest.FixtureRequest, scenario: Scenario) -> tuple[Door, Door]:
    """Return the doors of two organizations; the second one's identity provider is hostile."""
    first = await open_door(scenario, request.param, "First")
    second = await open_door(scenario, request.param, "Second")
    return first, second


@pytest.mark.case("MT-01")
async def test_an_address_of_another_organizations_member_makes_no_session_there(
    doors: tuple[Door, Door],
) -> None:
    first, second = doors
    victim = await first.add_member("victim@first.test")
    result = await second.log_in(subject="attacker", email="victim@first.test")
    assert result["organization_id"] == second.organization_id
    assert result["member"]["organization_id"] == second.organization_id
    assert result["member_session"]["organization_id"] == second.organization_id
    assert result["member_id"] != victim["member_id"]
    untouched = await first.member(victim["member_id"])
    assert untouched == victim
    where = f"organization_id={first.organization_id}&member_id={victim['member_id']}"
    sessions = await first.scenario.api.good("GET", f"/v1/b2b/sessions?{where}")
    assert sessions["member_sessions"] == []


@pytest.mark.case("MT-03")
async def test_an_external_id_belongs_to_its_connection(doors: tuple[Door, Door]) -> None:
    first, second = doors
    victim = await first.log_in(subject="shared-id", email="victim@first.test")
    attacker = await second.log_in(subject="shared-id", email="attacker@second.test")
    assert attacker["member_id"] != victim["member_id"]
    assert attacker["organization_id"] == second.organization_id
    again = await first.log_in(subject="shared-id", email="victim@first.test")
    assert again["member_id"] == victim["member_id"]
    assert again["member"]["email_address"] == "victim@first.test"


@pytest.mark.case("MT-04")
@pytest.mark.parametrize("proof", ["session_token", "session_jwt"])
async def test_the_session_of_another_organization_is_not_linked(
    doors: tuple[Door, Door], proof: str
) -> None:
    first, second = doors
    there = await second.log_in(email="ada@acme.test")
    result = await first.scenario.authenticate(
        await first.token(email="ada@acme.test"), **{proof: there[proof]}
    )
    assert result["organization_id"] == first.organization_id
    assert result["session_token"] != there["session_token"]
    assert len(result["member_session"]["authentication_factors"]) == 1
    untouched = await first.scenario.api.good(
        "POST", "/v1/b2b/sessions/authenticate", {"session_token": there["session_token"]}
    )
    before, after = there["member_session"], untouched["member_session"]
    assert after["authentication_factors"] == before["authentication_factors"]
    assert after["expires_at"] == before["expires_at"]


@pytest.mark.case("MT-04")
async def test_an_intermediate_session_of_another_organization_is_refused(
    doors: tuple[Door, Door],
) -> None:
    first, second = doors
    for door in doors:
        await door.settings(mfa_policy="REQUIRED_FOR_ALL")
    there = await second.log_in(email="ada@acme.test")
    before = await left(first.scenario)
    body = {
        "sso_token": await first.token(email="ada@acme.test"),
        "intermediate_session_token": there["intermediate_session_token"],
    }
    refused = await first.scenario.api.bad("POST", PATH, body)
    assert refused == (400, "invalid_intermediate_session_token_for_organization")
    after = await left(first.scenario)
    assert (after.members, after.sessions) == (before.members, before.sessions)


@pytest.mark.case("ST-05", "MT-26")
async def test_the_session_of_another_project_is_unknown(doors: tuple[Door, Door]) -> None:
    door = doors[0]
    other = await add_project(door.scenario.app, door.scenario.context, name="second")
    result = await door.log_in()
    token, jwt = {"session_token": result["session_token"]}, {"session_jwt": result["session_jwt"]}
    path = "/v1/b2b/sessions/authenticate"
    assert await other.api.bad("POST", path, token) == (404, "session_not_found")
    assert await other.api.bad("POST", path, jwt) == (400, "unable_to_parse_session_jwt")
    revoke = "/v1/b2b/sessions/revoke"
    await other.api.good("POST", revoke, token)
    session_id = result["member_session"]["member_session_id"]
    await other.api.good("POST", revoke, {"member_session_id": session_id})
    refused = await other.api.bad("POST", revoke, {"member_id": result["member_id"]})
    assert refused == (404, "member_not_found")
    await door.scenario.api.good("POST", path, token)


GROUPS = [
    "stytch_admin",
    "Admins",
    "ADMINS",
    "admins ",
    "/admins",
    "\uff41dmins",
    "adm\u0131ns",
    "ad\u200bmins",
    "admins\u0301",
    "admins,staff",
]


@pytest.mark.case("MT-27")
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("protocol", ["saml", "oidc"])
async def test_a_group_gives_only_the_role_that_is_mapped_to_exactly_it(
    scenario: Scenario, protocol: Protocol, group: str
) -> None:
    door = await open_door(scenario, protocol)
    where = f"/v1/b2b/sso/{door.organization_id}/connections/{door.connection_id}/settings"
    if protocol == "saml":
        mapping = {"attribute_mapping": {**MAPPING, "groups": "groups"}}
        path = f"/v1/b2b/sso/saml/{door.organization_id}/connections/{door.connection_id}"
        await scenario.api.good("PUT", path, mapping)
    admins = [{"role_id": "stytch_admin", "group": "admins"}]
    await scenario.api.good("PUT", where, {"group_implicit_role_assignments": admins})
    result = await door.log_in(groups=[group])
    assert result["member_session"]["roles"] == ["stytch_member"]
    assert result["member"]["is_admin"] is False
    result = await door.log_in(groups=[group, "admins"])
    assert set(result["member_session"]["roles"]) == {"stytch_member", "stytch_admin"}


@pytest.mark.case("MT-27")
async def test_a_group_by_the_name_of_a_role_gives_no_role(doors: tuple[Door, Door]) -> None:
    result = await doors[0].log_in(groups=["stytch_admin"], roles=["stytch_admin"])
    assert result["member_session"]["roles"] == ["stytch_member"]
    assert result["member"]["is_admin"] is False


@pytest.mark.case("MT-29")
@pytest.mark.parametrize(
    "email", ["operator@vestibule.test", "victim@first.test", "root@vestibule.test"]
)
async def test_an_identity_provider_can_name_anybody_and_makes_only_its_own_members(
    doors: tuple[Door, Door], email: str
) -> None:
    """Operators have no account here that an address could take over: they hold secrets."""
    first, second = doors
    await first.add_member("victim@first.test", roles=["stytch_admin"])
    result = await second.log_in(subject="attacker", email=email)
    assert result["organization_id"] == second.organization_id
    assert result["member"]["is_admin"] is False
    assert result["member_session"]["roles"] == ["stytch_member"]
    session = {"x-stytch-member-session": result["session_token"]}
    api = second.scenario.api
    for method, path, body in (
        ("DELETE", f"/v1/b2b/organizations/{first.organization_id}", None),
        ("PUT", f"/v1/b2b/organizations/{first.organization_id}", {"organization_name": "Mine"}),
        ("GET", f"/v1/b2b/sso/{first.organization_id}", None),
    ):
        refused = await api.bad(method, path, body, headers=session)
        assert refused == (403, "session_authorization_tenancy_error")
    own = f"/v1/b2b/organizations/{second.organization_id}"
    refused = await api.bad("PUT", own, {"organization_name": "Mine"}, headers=session)
    assert refused == (403, "session_authorization_error")
