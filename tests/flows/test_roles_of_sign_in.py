"""Roles that a connection gives, to everybody or to a group, through SAML and OpenID Connect.

They are what the connection's assignments and the groups of the newest login say (semantics 2.6,
5.4): computed anew at each login and each authenticate, each with its sources apart.
"""

from typing import Any

import pytest

from tests.support.doors import Door, Protocol, open_door
from tests.support.pitfalls import change
from tests.support.refusals import assert_refused, left, traces
from tests.support.scenario import MAPPING, Scenario
from vestibule import errors

GROUP_ID = "07dd8a60-bf6d-4e17-8844-230b77145381"


@pytest.fixture(params=["saml", "oidc"])
async def door(request: pytest.FixtureRequest, scenario: Scenario) -> Door:
    protocol: Protocol = request.param
    return await open_door(scenario, protocol)


async def assign(door: Door, **assignments: Any) -> None:
    path = f"/v1/b2b/sso/{door.organization_id}/connections/{door.connection_id}/settings"
    await door.scenario.api.good("PUT", path, assignments)


def admin(group: str, **more: str) -> dict[str, str]:
    return {"role_id": "stytch_admin", "group": group, **more}


def sources(result: dict[str, Any], role_id: str = "stytch_admin") -> list[tuple[str, str]]:
    """Return (type, group or '') of every source of a member's role."""
    return [
        (source["type"], source["details"].get("group", ""))
        for role in result["member"]["roles"]
        if role["role_id"] == role_id
        for source in role["sources"]
    ]


def is_admin(result: dict[str, Any]) -> bool:
    return "stytch_admin" in result["member_session"]["roles"]


async def session_of(door: Door, result: dict[str, Any]) -> dict[str, Any]:
    """Authenticate the session anew."""
    body = {"session_token": result["session_token"]}
    return dict(await door.scenario.api.good("POST", "/v1/b2b/sessions/authenticate", body))


async def test_a_role_for_everybody_who_signs_in(door: Door) -> None:
    await assign(door, implicit_role_assignments=[{"role_id": "stytch_admin"}])
    result = await door.log_in()
    assert sources(result) == [("sso_connection", "")]
    assert is_admin(result)
    await assign(door, implicit_role_assignments=[])
    assert not is_admin(await session_of(door, result))
    assert sources(await door.log_in()) == []


async def test_roles_follow_the_groups_of_the_newest_login(door: Door) -> None:
    await assign(door, group_implicit_role_assignments=[admin("ops"), admin("root")])
    for groups, expected in (
        ({"groups": ["staff"]}, []),
        ({"groups": ["staff", "ops"]}, ["ops"]),
        ({}, ["ops"]),  # no groups sent is not zero groups
        ({"groups": ["root", "ops"]}, ["ops", "root"]),
        ({"groups": ["root"]}, ["root"]),
        ({"groups": []}, []),
    ):
        result = await door.log_in(**groups)
        assert sources(result) == [("sso_connection_group", group) for group in expected]
        assert is_admin(result) is bool(expected)


async def test_absent_groups_are_none_where_a_connection_says_so(door: Door) -> None:
    """Okta and LemonLDAP::NG leave the groups out for somebody who is in none."""
    await assign(door, group_implicit_role_assignments=[admin("ops")], absent_groups_mean_none=True)
    for groups, expected in (({"groups": ["ops"]}, True), ({}, False), ({"groups": "ops"}, True)):
        assert is_admin(await door.log_in(**groups)) is expected
    await assign(door, absent_groups_mean_none=False)
    assert is_admin(await door.log_in())


async def test_a_role_that_goes_takes_effect_at_the_next_authenticate(door: Door) -> None:
    await assign(door, group_implicit_role_assignments=[admin("ops")])
    first = await door.log_in(groups=["ops"])
    assert is_admin(first)
    # The person signs in elsewhere and is no longer in the group.
    await door.log_in(groups=[])
    again = await session_of(door, first)
    assert not is_admin(again)
    assert sources(again) == []
    # Back in the group, and now the assignment goes.
    second = await door.log_in(groups=["ops"])
    assert is_admin(await session_of(door, second))
    await assign(door, group_implicit_role_assignments=[])
    assert not is_admin(await session_of(door, second))


async def test_every_source_of_a_role_stands_for_itself(door: Door) -> None:
    member = await door.add_member(roles=["stytch_admin"])
    await assign(
        door,
        implicit_role_assignments=[{"role_id": "stytch_admin"}],
        group_implicit_role_assignments=[admin("ops")],
    )
    by_domain = {"domain": "acme.test", "role_id": "stytch_admin"}
    await door.settings(rbac_email_implicit_role_assignments=[by_domain])
    result = await door.log_in(groups=["ops"])
    assert result["member_id"] == member["member_id"]
    all_of_them = [
        ("direct_assignment", ""),
        ("email_assignment", ""),
        ("sso_connection", ""),
        ("sso_connection_group", "ops"),
    ]
    assert sources(result) == all_of_them
    await door.settings(rbac_email_implicit_role_assignments=[])
    path = f"/v1/b2b/organizations/{door.organization_id}/members/{member['member_id']}"
    # Taking the direct one away leaves the others.
    body = {"roles": [], "preserve_existing_sessions": True}
    await door.scenario.api.good("PUT", path, body)
    again = await session_of(door, result)
    assert sources(again) == all_of_them[2:]
    assert is_admin(again)


async def test_groups_are_compared_as_they_are(door: Door) -> None:
    """An object id is one, whatever people call it; a path begins with its slash."""
    await assign(
        door,
        group_implicit_role_assignments=[
            admin(GROUP_ID, display_name="Engineering"),
            admin("/staff/ops"),
        ],
    )
    for groups in (["Engineering"], [GROUP_ID.upper()], ["staff/ops"], ["/staff"], ["/staff/ops/"]):
        assert not is_admin(await door.log_in(groups=groups)), groups
    for group in (GROUP_ID, "/staff/ops"):
        result = await door.log_in(groups=["others", group])
        assert sources(result) == [("sso_connection_group", group)]


async def test_members_are_found_by_roles_of_their_connection(door: Door) -> None:
    await assign(door, group_implicit_role_assignments=[admin("ops")])
    result = await door.log_in(groups=["ops"])
    await door.log_in(subject="bob", email="bob@acme.test", groups=["staff"])
    query = {
        "operator": "AND",
        "operands": [{"filter_name": "member_roles", "filter_value": ["stytch_admin"]}],
    }
    body = {"organization_ids": [door.organization_id], "query": query}
    found = await door.scenario.api.good("POST", "/v1/b2b/organizations/members/search", body)
    assert [member["member_id"] for member in found["members"]] == [result["member_id"]]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"ops": True}, "an object"),
        (7, "a number"),
        (["ops", 7], "a list with something else than texts"),
    ],
)
async def test_groups_that_cannot_be_read_are_refused_where_roles_hang_on_them(
    scenario: Scenario, value: object, kind: str
) -> None:
    door = await open_door(scenario, "oidc")
    # Nothing hangs on them: they are a claim like others.
    result = await door.log_in(groups=value)
    assert result["member"]["sso_registrations"][0]["sso_attributes"]["groups"] == value
    await assign(door, group_implicit_role_assignments=[admin("ops")])
    before = await left(scenario)
    answer = await door.come_back(groups=value)
    trace = await assert_refused(
        scenario,
        answer,
        error=errors.oidc_invalid_userinfo,
        reason="oidc_invalid_userinfo",
        before=type(before)(**{**vars(before), "consumed_sign_ins": before.consumed_sign_ins + 1}),
        traces_before=1,
    )
    assert trace.side == "identity_provider"
    assert trace.steps[-1].received == (
        f"The claim groups (groups) is {kind}; expected a list of texts."
    )


async def test_another_claim_can_hold_the_groups(scenario: Scenario) -> None:
    door = await open_door(scenario, "oidc")
    await change(door, attribute_mapping={"groups": "https://acme.test/roles"})
    await assign(door, group_implicit_role_assignments=[admin("ops")])
    assert not is_admin(await door.log_in(groups=["ops"]))
    result = await door.log_in(**{"https://acme.test/roles": ["ops"]})
    assert is_admin(result)
    # The mapped claim is for roles; it is not copied into the metadata.
    assert result["member"]["trusted_metadata"] == {}


async def test_entras_overage_is_told_and_leaves_the_roles_as_they_were(
    scenario: Scenario,
) -> None:
    """Above 200 groups Entra sends a distributed claim, or `hasgroups`, in their place.

    https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    """
    door = await open_door(scenario, "oidc")
    await change(door, identity_provider="microsoft-entra")
    await assign(door, group_implicit_role_assignments=[admin(GROUP_ID)])
    assert is_admin(await door.log_in(groups=[GROUP_ID]))
    source = {"endpoint": "https://graph.microsoft.com/v1.0/users/u/getMemberObjects"}
    hints: list[dict[str, Any]] = [
        {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": source}},
        {"hasgroups": True},
    ]
    for number, hint in enumerate(hints, 1):
        assert is_admin(await door.log_in(**hint))
        notes = [
            (trace.outcome, step)
            for trace in await traces(scenario)
            for step in trace.steps
            if step.pitfall
        ]
        assert len(notes) == number
        outcome, note = notes[-1]
        assert (outcome, note.name, note.passed) == ("succeeded", "groups", True)
        assert note.pitfall == "too-many-groups"
        assert note.received == "only a hint that there are too many; they count as not sent"
        assert note.fix == (
            "Microsoft Entra ID: the person is in too many groups, so none were sent: send only "
            "those that this application needs (Token configuration > groups claim > Groups "
            "assigned to the application)."
        )
    # Groups that are sent count, whatever else is said.
    assert not is_admin(await door.log_in(groups=[], hasgroups=True))


async def test_saml_groups_cannot_lose_their_mapping_while_roles_hang_on_them(
    scenario: Scenario,
) -> None:
    door = await open_door(scenario, "saml")
    await assign(door, group_implicit_role_assignments=[admin("ops")])
    path = f"/v1/b2b/sso/saml/{door.organization_id}/connections/{door.connection_id}"
    without = {key: name for key, name in MAPPING.items() if key != "groups"}
    assert await scenario.api.bad("PUT", path, {"attribute_mapping": without}) == (
        400,
        "saml_connection_attribute_mapping_missing_groups_key",
    )
