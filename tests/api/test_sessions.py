"""The `sessions` endpoints over the whole server, on both databases (semantics 6)."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from tests.support.asgi import call
from tests.support.counting import CountingStore
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.doors import Door, open_door
from tests.support.refusals import left
from tests.support.scenario import Scenario, open_scenario
from vestibule.clock import DAY, MINUTE, SECOND, rfc3339
from vestibule.store.interface import Store

AUTHENTICATE = "/v1/b2b/sessions/authenticate"
REVOKE = "/v1/b2b/sessions/revoke"
GONE = (404, "session_not_found")


@pytest.fixture
async def door(scenario: Scenario) -> Door:
    return await open_door(scenario, "saml", organization_external_id="acme-1")


@pytest.fixture
async def signed_in(door: Door) -> dict[str, Any]:
    return await door.log_in()


async def authenticate(door: Door, **body: Any) -> dict[str, Any]:
    return dict(await door.scenario.api.good("POST", AUTHENTICATE, body))


async def refused(door: Door, **body: Any) -> tuple[int, str]:
    return await door.scenario.api.bad("POST", AUTHENTICATE, body)


# authenticate ----------------------------------------------------------------------------------


async def test_a_session_is_what_was_signed_in(door: Door, signed_in: dict[str, Any]) -> None:
    now = rfc3339(door.scenario.clock.now())
    (registration,) = signed_in["member"]["sso_registrations"]
    assert signed_in["member_session"] == {
        "member_session_id": signed_in["member_session"]["member_session_id"],
        "member_id": signed_in["member_id"],
        "organization_id": door.organization_id,
        "organization_slug": "acme",
        "started_at": now,
        "last_accessed_at": now,
        "expires_at": rfc3339(door.scenario.clock.now() + 60 * MINUTE),
        "authentication_factors": [
            {
                "type": "sso",
                "delivery_method": "sso_saml",
                "sequence_order": "PRIMARY",
                "last_authenticated_at": now,
                "created_at": now,
                "updated_at": now,
                "saml_sso_factor": {
                    "id": registration["registration_id"],
                    "provider_id": door.connection_id,
                    "external_id": "ada",
                },
            }
        ],
        "roles": ["stytch_member"],
        "custom_claims": {},
    }
    result = await authenticate(door, session_token=signed_in["session_token"])
    assert result.keys() == {
        "status_code",
        "request_id",
        "member_session",
        "session_token",
        "session_jwt",
        "member",
        "organization",
        "verdict",
    }
    for same in ("member_session", "session_token", "member", "organization"):
        assert result[same] == signed_in[same]
    assert result["verdict"] is None


@pytest.mark.parametrize("proof", ["session_token", "session_jwt"])
async def test_each_call_gives_the_same_token_and_a_new_jwt(
    door: Door, signed_in: dict[str, Any], proof: str
) -> None:
    door.scenario.clock.advance(10 * SECOND)
    result = await authenticate(door, **{proof: signed_in[proof]})
    assert result["session_token"] == signed_in["session_token"]
    assert result["session_jwt"] != signed_in["session_jwt"]
    now = rfc3339(door.scenario.clock.now())
    assert result["member_session"]["last_accessed_at"] == now
    before = signed_in["member_session"]
    assert result["member_session"]["expires_at"] == before["expires_at"]
    assert result["member_session"]["started_at"] == before["started_at"]


async def test_a_call_takes_eleven_statements_one_of_the_project(
    store: Store, clock: HandClock, entropy: SeededEntropy
) -> None:
    counting = CountingStore(store)
    door = await open_door(await open_scenario(counting, clock=clock, entropy=entropy), "saml")
    token = (await door.log_in())["session_token"]
    await authenticate(door, session_token=token)
    counting.statements.clear()
    await authenticate(door, session_token=token)
    of_projects = [sql for sql in counting.statements if " FROM projects " in sql]
    assert len(of_projects) == 1
    assert counting.taken() == 11


async def test_a_use_is_remembered(door: Door, signed_in: dict[str, Any]) -> None:
    where = f"organization_id={door.organization_id}&member_id={signed_in['member_id']}"
    for minutes in (1, 7):
        door.scenario.clock.advance(minutes * MINUTE)
        await authenticate(door, session_token=signed_in["session_token"])
        listed = await door.scenario.api.good("GET", f"/v1/b2b/sessions?{where}")
        (session,) = listed["member_sessions"]
        assert session["last_accessed_at"] == rfc3339(door.scenario.clock.now())


@pytest.mark.parametrize("minutes", [5, 30, 60, 527_040])
async def test_a_duration_counts_from_now(
    door: Door, signed_in: dict[str, Any], minutes: int
) -> None:
    door.scenario.clock.advance(MINUTE)
    token = signed_in["session_token"]
    result = await authenticate(door, session_token=token, session_duration_minutes=minutes)
    ends = door.scenario.clock.now() + minutes * MINUTE
    assert result["member_session"]["expires_at"] == rfc3339(ends)
    door.scenario.clock.advance(minutes * MINUTE - 1)
    await authenticate(door, session_token=token)
    door.scenario.clock.advance(1)
    assert await refused(door, session_token=token) == GONE


@pytest.mark.case("ST-11")
@pytest.mark.parametrize("minutes", [0, -1, 4, 527_041, 2**31, 2**63, -(2**63), 10**30])
async def test_a_duration_out_of_bounds_is_refused(
    door: Door, signed_in: dict[str, Any], minutes: int
) -> None:
    token = {"session_token": signed_in["session_token"]}
    refusal = await refused(door, **token, session_duration_minutes=minutes)
    assert refusal in {(400, "invalid_session_duration_minutes"), (400, "bad_request")}
    body = {"sso_token": await door.token(), "session_duration_minutes": minutes}
    path = "/v1/b2b/sso/authenticate"
    assert await door.scenario.api.bad("POST", path, body) == refusal
    result = await authenticate(door, **token)
    assert result["member_session"]["expires_at"] == signed_in["member_session"]["expires_at"]


@pytest.mark.case("ST-11")
@pytest.mark.parametrize("minutes", ["60", 60.5, True, [60], {}])
async def test_a_duration_of_another_type_is_refused(
    door: Door, signed_in: dict[str, Any], minutes: object
) -> None:
    token = {"session_token": signed_in["session_token"]}
    refusal = await refused(door, **token, session_duration_minutes=minutes)
    assert refusal == (400, "bad_request")


@pytest.mark.case("ST-12")
async def test_a_session_ends_to_the_microsecond(door: Door) -> None:
    first = await door.scenario.authenticate(await door.token(), session_duration_minutes=5)
    proofs = {"session_token": first["session_token"]}, {"session_jwt": first["session_jwt"]}
    door.scenario.clock.advance(5 * MINUTE - 1)
    for proof in proofs:
        await authenticate(door, **proof)
    door.scenario.clock.advance(1)
    for proof in proofs:
        assert await refused(door, **proof) == GONE
        extended = await refused(door, **proof, session_duration_minutes=60)
        assert extended == GONE


async def test_claims_are_merged_deeply_and_null_deletes(
    door: Door, signed_in: dict[str, Any]
) -> None:
    token, listed = signed_in["session_token"], [1, {"x": None}]
    for given, expected in (
        ({"a": 1, "b": {"c": 2, "d": listed}}, {"a": 1, "b": {"c": 2, "d": listed}}),
        ({"b": {"c": None, "e": "\u00e9"}}, {"a": 1, "b": {"d": listed, "e": "\u00e9"}}),
        ({"a": None, "b": 7}, {"b": 7}),
        ({"b": {"deep": {"er": 1}}}, {"b": {"deep": {"er": 1}}}),
        ({"b": None, "unknown": None}, {}),
    ):
        result = await authenticate(door, session_token=token, session_custom_claims=given)
        assert result["member_session"]["custom_claims"] == expected


@pytest.mark.case("ST-21")
async def test_reserved_claims_are_ignored_and_vendor_claims_refused(
    door: Door, signed_in: dict[str, Any]
) -> None:
    token = {"session_token": signed_in["session_token"]}
    reserved = dict.fromkeys(("iss", "sub", "aud", "exp", "nbf", "iat", "jti"), "evil")
    result = await authenticate(door, **token, session_custom_claims={**reserved, "a": 1})
    assert result["member_session"]["custom_claims"] == {"a": 1}
    vendor = {"https://stytch.com/session": {"id": "evil"}}
    refusal = await refused(door, **token, session_custom_claims=vendor)
    assert refusal == (400, "stytch_claims_in_custom_claims")


@pytest.mark.case("ST-21")
async def test_claims_are_limited(door: Door, signed_in: dict[str, Any]) -> None:
    token = {"session_token": signed_in["session_token"]}
    await authenticate(door, **token, session_custom_claims={"a": "x" * 4000})
    nested: dict[str, Any] = {}
    for _ in range(200):
        nested = {"n": nested}
    for claims in ({"b": "x" * 100}, {"a": "\u00e9" * 2048}, {"b": nested}):
        refusal = await refused(door, **token, session_custom_claims=claims)
        assert refusal == (400, "custom_claims_too_large")
    result = await authenticate(door, **token)
    assert result["member_session"]["custom_claims"] == {"a": "x" * 4000}
    body = {"sso_token": await door.token(), "session_custom_claims": {"a": "x" * 5000}}
    refusal = await door.scenario.api.bad("POST", "/v1/b2b/sso/authenticate", body)
    assert refusal == (400, "custom_claims_too_large")


async def test_a_session_is_named_in_exactly_one_way(door: Door, signed_in: dict[str, Any]) -> None:
    assert await refused(door) == (400, "no_session_arguments")
    assert await refused(door, session_token="") == (400, "no_session_arguments")
    assert await refused(door, session_token=None) == (400, "no_session_arguments")
    both = {name: signed_in[name] for name in ("session_token", "session_jwt")}
    assert await refused(door, **both) == (400, "too_many_session_arguments")


@pytest.mark.case("ST-07")
async def test_a_token_is_one_exact_text(door: Door, signed_in: dict[str, Any]) -> None:
    token = signed_in["session_token"]
    garbled = (400, "invalid_session_token")
    for text, refusal in (
        (token[:-1], garbled),
        (token + "A", garbled),
        (token[:-1] + "=", garbled),
        (token[:-1] + "\n", garbled),
        (token[:-1] + "\u00e9", garbled),
        ("\uff21" * 64, garbled),
        ("x" * 100_000, garbled),
        (token[:32] + "A" * 32, GONE),
        (token.swapcase(), GONE),
        ("A" * 64, GONE),
    ):
        assert await refused(door, session_token=text) == refusal


@pytest.mark.case("ST-14")
async def test_a_session_ends_with_its_member_and_its_organization(door: Door) -> None:
    one, two = await door.log_in(), await door.log_in(subject="bob", email="bob@acme.test")
    organization = f"/v1/b2b/organizations/{door.organization_id}"
    await door.scenario.api.good("DELETE", f"{organization}/members/{one['member_id']}")
    for proof in ("session_token", "session_jwt"):
        assert await refused(door, **{proof: one[proof]}) == GONE
    await authenticate(door, session_token=two["session_token"])
    await door.scenario.api.good("DELETE", organization)
    for proof in ("session_token", "session_jwt"):
        assert await refused(door, **{proof: two[proof]}) == GONE
    assert (await left(door.scenario)).sessions == 0


async def test_a_role_that_the_connection_stops_giving_is_gone_at_the_next_look(door: Door) -> None:
    path = f"/v1/b2b/sso/saml/{door.organization_id}/connections/{door.connection_id}"
    field = "saml_connection_implicit_role_assignments"
    await door.scenario.api.good("PUT", path, {field: [{"role_id": "stytch_admin"}]})
    first = await door.log_in()
    assert first["member_session"]["roles"] == ["stytch_member", "stytch_admin"]
    search = {"organization_id": door.organization_id, "resource_id": "stytch.member"}
    check = {"authorization_check": {**search, "action": "search"}}
    await authenticate(door, session_token=first["session_token"], **check)
    await door.scenario.api.good("PUT", path, {field: []})
    for proof in ("session_token", "session_jwt"):
        result = await authenticate(door, **{proof: first[proof]})
        assert result["member_session"]["roles"] == ["stytch_member"]
        refusal = await refused(door, **{proof: first[proof]}, **check)
        assert refusal == (403, "session_authorization_error")
    assert len(result["member_session"]["authentication_factors"]) == 1


@pytest.mark.case("ST-15")
@pytest.mark.parametrize("by", ["identity provider", "api"])
async def test_after_a_change_of_address_a_member_can_end_all_sessions(door: Door, by: str) -> None:
    """They are not ended by themselves: the same person goes on, and may look after the rest."""
    old = await door.log_in()
    email = {"email_address": "lovelace@acme.test"}
    path = f"/v1/b2b/organizations/{door.organization_id}/members/{old['member_id']}"
    if by == "api":
        await door.scenario.api.good("PUT", path, email)
        new = old
    else:
        new = await door.log_in(email=email["email_address"])
    for each in (old, new):
        seen = await authenticate(door, session_token=each["session_token"])
        assert seen["member"]["email_address"] == "lovelace@acme.test"
    headers = {"x-stytch-member-session": new["session_token"]}
    body = {"member_id": new["member_id"]}
    await door.scenario.api.good("POST", REVOKE, body, headers=headers)
    for each in (old, new):
        for proof in ("session_token", "session_jwt"):
            assert await refused(door, **{proof: each[proof]}) == GONE


# authorization_check ---------------------------------------------------------------------------


def check(door: Door, **changes: str) -> dict[str, Any]:
    asked = {
        "organization_id": door.organization_id,
        "resource_id": "stytch.member",
        "action": "search",
    }
    return {"authorization_check": {**asked, **changes}}


async def test_a_check_that_passes_names_the_granting_roles(
    door: Door, signed_in: dict[str, Any]
) -> None:
    token = {"session_token": signed_in["session_token"]}
    role = {
        "role_id": "finder",
        "description": "",
        "permissions": [{"resource_id": "stytch.member", "actions": ["search"]}],
    }
    await door.scenario.api.good(
        "PUT",
        f"/v1/b2b/rbac/organizations/{door.organization_id}",
        {"org_policy": {"roles": [role]}},
    )
    member = f"/v1/b2b/organizations/{door.organization_id}/members/{signed_in['member_id']}"
    await door.scenario.api.good("PUT", member, {"roles": ["finder", "stytch_admin"]})
    for organization in (door.organization_id, "acme", "acme-1"):
        result = await authenticate(door, **token, **check(door, organization_id=organization))
        assert result["verdict"]["authorized"] is True
        assert sorted(result["verdict"]["granting_roles"]) == ["finder", "stytch_admin"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, "session_authorization_error"),
        ({"resource_id": "stytch.member", "action": "*"}, "session_authorization_error"),
        ({"resource_id": "unknown"}, "session_authorization_error"),
        ({"resource_id": "*"}, "session_authorization_error"),
        ({"resource_id": ""}, "session_authorization_error"),
        ({"organization_id": "other"}, "session_authorization_tenancy_error"),
        ({"organization_id": "unknown"}, "session_authorization_tenancy_error"),
        ({"organization_id": ""}, "session_authorization_tenancy_error"),
    ],
)
async def test_a_check_that_fails_changes_nothing(
    door: Door, signed_in: dict[str, Any], changes: dict[str, str], error: str
) -> None:
    await door.scenario.organization("Other")
    token = {"session_token": signed_in["session_token"]}
    door.scenario.clock.advance(2 * MINUTE)
    more = {"session_duration_minutes": 500, "session_custom_claims": {"a": 1}}
    assert await refused(door, **token, **more, **check(door, **changes)) == (403, error)
    assert await refused(door, **token, **check(door, **changes)) == (403, error)
    where = f"organization_id={door.organization_id}&member_id={signed_in['member_id']}"
    listed = await door.scenario.api.good("GET", f"/v1/b2b/sessions?{where}")
    assert listed["member_sessions"] == [signed_in["member_session"]]


@pytest.mark.parametrize("missing", ["organization_id", "resource_id", "action"])
async def test_a_check_needs_all_three(door: Door, signed_in: dict[str, Any], missing: str) -> None:
    asked = check(door)["authorization_check"]
    del asked[missing]
    refusal = await refused(
        door, session_token=signed_in["session_token"], authorization_check=asked
    )
    assert refusal == (400, "bad_request")


# get -------------------------------------------------------------------------------------------


async def test_the_living_sessions_of_a_member_are_listed_oldest_first(door: Door) -> None:
    results = []
    for minutes in (30, 10, 60):
        token = await door.token()
        results.append(await door.scenario.authenticate(token, session_duration_minutes=minutes))
        door.scenario.clock.advance(SECOND)
    await door.log_in(subject="bob", email="bob@acme.test")
    door.scenario.clock.advance(10 * MINUTE)
    where = f"organization_id=acme&member_id={results[0]['member_id']}"
    listed = await door.scenario.api.good("GET", f"/v1/b2b/sessions?{where}")
    assert listed["member_sessions"] == [results[0]["member_session"], results[2]["member_session"]]


async def test_sessions_are_listed_for_a_member_of_the_organization_alone(
    door: Door, signed_in: dict[str, Any]
) -> None:
    other = await door.scenario.organization("Other")
    member_id = signed_in["member_id"]
    for organization_id, member, error in (
        (other["organization_id"], member_id, "member_not_found"),
        ("unknown", member_id, "organization_not_found"),
        (door.organization_id, "unknown", "member_not_found"),
    ):
        where = f"organization_id={organization_id}&member_id={member}"
        refusal = await door.scenario.api.bad("GET", f"/v1/b2b/sessions?{where}")
        assert refusal == (404, error)
    for where in ("", f"organization_id={door.organization_id}", f"member_id={member_id}"):
        refusal = await door.scenario.api.bad("GET", f"/v1/b2b/sessions?{where}")
        assert refusal == (400, "bad_request")


# revoke ----------------------------------------------------------------------------------------


@pytest.mark.case("ST-13")
@pytest.mark.parametrize("by", ["member_session_id", "session_token", "session_jwt", "member_id"])
async def test_sessions_are_revoked_in_four_ways(door: Door, by: str) -> None:
    one, two = await door.log_in(), await door.log_in()
    bob = await door.log_in(subject="bob", email="bob@acme.test")
    given = {**one, **one["member_session"]}[by]
    for _ in range(2):  # ending it twice is no error
        await door.scenario.api.good("POST", REVOKE, {by: given})
    for proof in ("session_token", "session_jwt"):
        assert await refused(door, **{proof: one[proof]}) == GONE
    if by == "member_id":
        assert await refused(door, session_token=two["session_token"]) == GONE
    else:
        await authenticate(door, session_token=two["session_token"])
    await authenticate(door, session_token=bob["session_token"])


async def test_one_thing_is_revoked_at_a_time(door: Door, signed_in: dict[str, Any]) -> None:
    ways = {
        "member_session_id": signed_in["member_session"]["member_session_id"],
        "session_token": signed_in["session_token"],
        "session_jwt": signed_in["session_jwt"],
        "member_id": signed_in["member_id"],
    }
    none = (400, "no_session_revoke_arguments")
    assert await door.scenario.api.bad("POST", REVOKE, {}) == none
    assert await door.scenario.api.bad("POST", REVOKE, dict.fromkeys(ways, "")) == none
    names = list(ways)
    for first, second in pairwise(names):
        both = {first: ways[first], second: ways[second]}
        refusal = await door.scenario.api.bad("POST", REVOKE, both)
        assert refusal == (400, "too_many_session_revoke_arguments")
    await authenticate(door, session_token=signed_in["session_token"])


async def test_what_cannot_be_a_session_is_refused_and_an_unknown_one_is_not(door: Door) -> None:
    unknown = "session-test-01960000-0000-7000-8000-000000000000"
    await door.scenario.api.good("POST", REVOKE, {"member_session_id": unknown})
    await door.scenario.api.good("POST", REVOKE, {"session_token": "A" * 64})
    for body, refusal in (
        ({"session_token": "x"}, (400, "invalid_session_token")),
        ({"session_jwt": "x"}, (400, "unable_to_parse_session_jwt")),
        ({"member_id": "unknown"}, (404, "member_not_found")),
    ):
        assert await door.scenario.api.bad("POST", REVOKE, body) == refusal


async def test_a_session_revoked_while_it_is_used_stays_revoked(
    door: Door, signed_in: dict[str, Any]
) -> None:
    token = {"session_token": signed_in["session_token"]}
    body = {**token, "session_custom_claims": {"a": 1}}
    uses = [door.scenario.api.call("POST", AUTHENTICATE, body) for _ in range(10)]
    answers = await asyncio.gather(
        *uses[:5], door.scenario.api.call("POST", REVOKE, token), *uses[5:]
    )
    assert {answer.status for answer in answers} <= {200, 404}
    assert await refused(door, **token) == GONE


# JWKS ------------------------------------------------------------------------------------------


async def test_the_keys_are_public(door: Door) -> None:
    path = f"/v1/b2b/sessions/jwks/{door.scenario.project.project_id}"
    for headers in ({}, {"authorization": "Basic eDp5"}):
        answer = await call(door.scenario.app, "GET", path, headers=headers)
        assert answer.status == 200
        (key,) = answer.json["keys"]
        assert key.keys() == {
            "kty", "use", "key_ops", "alg", "kid", "x5c", "x5tS256", "x5t#S256", "n", "e",
        }  # fmt: skip
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")


async def test_an_unknown_project_has_no_keys(scenario: Scenario) -> None:
    for project_id in ("unknown", "project-test-second", "%00", "x" * 5000):
        answer = await call(scenario.app, "GET", f"/v1/b2b/sessions/jwks/{project_id}")
        assert answer.status in {400, 404}
        assert answer.json["error_type"] in {"project_not_found", "bad_request"}


async def test_a_session_lives_for_a_year(door: Door) -> None:
    token = await door.token()
    result = await door.scenario.authenticate(token, session_duration_minutes=527_040)
    door.scenario.clock.advance(365 * DAY)
    await authenticate(door, session_jwt=result["session_jwt"])
