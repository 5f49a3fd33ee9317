from typing import Any

import pytest

from tests.support.bad_input import body_fields, comparable, send, wrong_values
from tests.support.member_session import SignedIn, sign_in
from tests.support.scenario import Scenario, add_project
from vestibule.api.members import CreateRequest, UpdateRequest
from vestibule.domain.policy import PROJECT_POLICY

ACME = "/v1/b2b/organizations/acme"
MEMBERS = f"{ACME}/members"
FIELDS = body_fields(UpdateRequest, path={"organization_id", "member_id"})
UNKNOWN_ORGANIZATION = "organization-test-01960000-0000-7000-8000-000000000000"
UNKNOWN_MEMBER = "member-test-01960000-0000-7000-8000-000000000000"

EVERYTHING: dict[str, Any] = {
    "email_address": "Ada@Example.com",
    "name": "Ada Lovelace",
    "trusted_metadata": {"a": {"b": [1]}},
    "untrusted_metadata": {"theme": "dark"},
    "is_breakglass": True,
    "mfa_phone_number": "+14155552671",
    "mfa_enrolled": True,
    "external_id": "hr|0012",
}


async def add(scenario: Scenario, email: str = "ada@example.com", **fields: Any) -> dict[str, Any]:
    """Add a member to the organization `acme` and return its object."""
    body = {"email_address": email, **fields}
    return dict((await scenario.api.good("POST", MEMBERS, body))["member"])


async def get(scenario: Scenario, member: dict[str, Any]) -> dict[str, Any]:
    path = f"{ACME}/member?member_id={member['member_id']}"
    return dict((await scenario.api.good("GET", path))["member"])


def path_of(member: dict[str, Any]) -> str:
    return f"{MEMBERS}/{member['member_id']}"


async def update(scenario: Scenario, member: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return dict((await scenario.api.good("PUT", path_of(member), changes))["member"])


async def refused(scenario: Scenario, member: dict[str, Any], error: str, **changes: Any) -> None:
    """Assert that an update is refused by `error` and that it changes nothing."""
    before = await get(scenario, member)
    assert await scenario.api.bad("PUT", path_of(member), changes) == (400, error)
    assert await get(scenario, member) == before


def role_ids(member: dict[str, Any]) -> list[str]:
    return [role["role_id"] for role in member["roles"]]


@pytest.fixture
async def acme(scenario: Scenario) -> Scenario:
    """Return a project with the organization `acme`."""
    await scenario.organization()
    return scenario


# Create and get --------------------------------------------------------------------------------


async def test_created_member_has_the_defaults(acme: Scenario) -> None:
    created = await acme.api.good("POST", MEMBERS, {"email_address": "ada@example.com"})
    member = created["member"]
    assert created["member_id"] == member["member_id"]
    assert created["organization"]["organization_slug"] == "acme"
    assert member["organization_id"] == created["organization"]["organization_id"]
    assert (member["status"], member["name"], member["external_id"]) == ("active", "", None)
    assert member["email_address_verified"] is False
    assert member["is_admin"] is False
    assert role_ids(member) == ["stytch_member"]
    assert (member["trusted_metadata"], member["untrusted_metadata"]) == ({}, {})


async def test_created_member_has_what_was_given(acme: Scenario) -> None:
    body = {**EVERYTHING, "roles": ["stytch_admin"], "create_member_as_pending": True}
    member = (await acme.api.good("POST", MEMBERS, body))["member"]
    assert {name: member[name] for name in EVERYTHING} == EVERYTHING
    assert member["status"] == "pending"
    assert member["mfa_phone_number_verified"] is False
    assert role_ids(member) == ["stytch_member", "stytch_admin"]
    assert member["is_admin"] is True
    assert await get(acme, member) == member


async def test_null_is_absent_in_a_creation(acme: Scenario) -> None:
    names = body_fields(CreateRequest, path={"organization_id", "email_address"})
    nothing: dict[str, Any] = dict.fromkeys(names)
    member = await add(acme, **nothing)
    assert (member["status"], member["name"], member["external_id"]) == ("active", "", None)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"email_address": "nobody"}, "invalid_email"),
        ({"email_address": ""}, "invalid_email"),
        ({"email_address": "x" * 100_000}, "invalid_email"),
        ({"email_address": "TAKEN@example.com"}, "duplicate_member_email"),
        ({"email_address": "old@example.com"}, "retired_member_email"),
        ({"email_address": "ada@other.com"}, "action_not_allowed_email_domain_is_claimed"),
        ({"external_id": "taken"}, "duplicate_member_external_id"),
        ({"external_id": ""}, "invalid_id"),
        ({"external_id": "a b"}, "invalid_id"),
        ({"external_id": "x" * 129}, "invalid_id"),
        ({"external_id": UNKNOWN_MEMBER}, "invalid_id"),
        ({"mfa_phone_number": ""}, "invalid_phone_number"),
        ({"mfa_phone_number": "4155552671"}, "invalid_phone_number"),
        ({"mfa_phone_number": "+1 415 555 2671"}, "invalid_phone_number"),
        ({"mfa_phone_number": "+1415"}, "invalid_phone_number"),
        ({"mfa_phone_number": "+1415555267199"}, "invalid_phone_number"),
        ({"mfa_phone_number": "+14155552671;ext=1"}, "invalid_phone_number"),
        ({"mfa_phone_number": "+" + "1" * 100_000}, "invalid_phone_number"),
        ({"roles": ["stytch_member"]}, "cannot_assign_default_rbac_role_id"),
        ({"roles": ["editor"]}, "invalid_rbac_role_assignment"),
        ({"roles": [""]}, "invalid_rbac_role_assignment"),
        ({"roles": ["stytch_admin"] * 101}, "bad_request"),
        ({"name": "x" * 257}, "bad_request"),
        ({"trusted_metadata": {"a": "x" * 5000}}, "metadata_too_large"),
        ({"untrusted_metadata": {str(n): n for n in range(21)}}, "metadata_too_many_keys"),
    ],
)
async def test_bad_creation_is_refused_and_adds_nobody(
    acme: Scenario, fields: dict[str, Any], error: str
) -> None:
    await acme.organization("Other", claimed_email_domains=["other.com"])
    taken = await add(acme, "old@example.com", external_id="taken")
    await update(acme, taken, email_address="taken@example.com")
    body = {"email_address": "ada@example.com", **fields}
    answer = await acme.api.call("POST", MEMBERS, body)
    assert (answer.status, answer.json["error_type"]) == (400, error)
    assert len(answer.body) < 1000
    search = {"organization_ids": ["acme"]}
    found = await acme.api.good("POST", "/v1/b2b/organizations/members/search", search)
    assert found["results_metadata"]["total"] == 1


async def test_member_is_found_by_id_external_id_and_address(acme: Scenario) -> None:
    member = await add(acme, **EVERYTHING)
    for query in (
        f"member_id={member['member_id']}",
        "member_id=hr%7C0012",
        "email_address=ada%40example.COM",
        "organization_id=ignored&email_address=Ada%40Example.com",
    ):
        assert (await acme.api.good("GET", f"{ACME}/member?{query}"))["member"] == member


async def test_get_needs_exactly_one_way_to_find(acme: Scenario) -> None:
    member = await add(acme)
    both = f"member_id={member['member_id']}&email_address=ada%40example.com"
    for query in ("", "member_id=", both):
        got = await acme.api.bad("GET", f"{ACME}/member?{query}")
        assert got == (400, "invalid_member_get_fields")


async def test_member_is_found_anywhere_by_its_id(acme: Scenario) -> None:
    member = await add(acme)
    path = f"/v1/b2b/organizations/members/dangerously_get/{member['member_id']}"
    got = await acme.api.good("GET", path)
    assert got["member"] == member
    assert got["organization"]["organization_slug"] == "acme"
    await acme.api.good("DELETE", path_of(member))
    for query in ("", "?include_deleted=false", "?include_deleted=False"):
        assert await acme.api.bad("GET", path + query) == (404, "member_not_found")
    for query in ("?include_deleted=true", "?include_deleted=True"):
        got = await acme.api.good("GET", path + query)
        assert got["member"]["status"] == "deleted"
    stranger = await add_project(acme.app, acme.context, name="stranger")
    assert await stranger.api.bad("GET", path + query) == (404, "member_not_found")


# Update ----------------------------------------------------------------------------------------


async def test_every_field_can_be_updated(acme: Scenario) -> None:
    member = await add(acme)
    changes = {**EVERYTHING, "default_mfa_method": "sms_otp"}
    updated = await update(acme, member, **changes, roles=["stytch_admin"])
    assert {name: updated[name] for name in changes} == changes
    assert role_ids(updated) == ["stytch_member", "stytch_admin"]
    assert await get(acme, member) == updated


async def test_absent_fields_stay_as_they_are(acme: Scenario) -> None:
    member = await add(acme, roles=["stytch_admin"], **EVERYTHING)
    updated = await update(acme, member)
    assert {**updated, "updated_at": member["updated_at"]} == member


async def test_null_clears_the_external_id_and_is_refused_elsewhere(acme: Scenario) -> None:
    member = await add(acme, external_id="1")
    assert (await update(acme, member, external_id=None))["external_id"] is None
    for name in set(FIELDS) - {"external_id"}:
        answer = await acme.api.call("PUT", path_of(member), {name: None})
        assert answer.status == 400
        assert answer.json["error_message"].startswith(f"{name}: expected ")


async def test_metadata_is_merged(acme: Scenario) -> None:
    member = await add(acme, trusted_metadata={"a": 1, "b": 2}, untrusted_metadata={"c": 3})
    updated = await update(
        acme, member, trusted_metadata={"a": None, "d": 4}, untrusted_metadata={"c": {"x": None}}
    )
    assert updated["trusted_metadata"] == {"b": 2, "d": 4}
    assert updated["untrusted_metadata"] == {"c": {"x": None}}


async def test_roles_are_replaced_whole(acme: Scenario) -> None:
    permission = {"resource_id": "stytch.member", "actions": ["search"]}
    role = {"role_id": "editor", "description": "", "permissions": [permission]}
    path = "/v1/b2b/rbac/organizations/acme"
    await acme.api.good("PUT", path, {"org_policy": {"roles": [role]}})
    member = await add(acme, roles=["stytch_admin"])
    updated = await update(acme, member, roles=["editor", "editor"])
    assert role_ids(updated) == ["stytch_member", "editor"]
    assert role_ids(await update(acme, member, roles=[])) == ["stytch_member"]


async def test_another_address_retires_the_old_one(acme: Scenario) -> None:
    member = await add(acme)
    updated = await update(acme, member, email_address="countess@example.com")
    assert updated["email_address"] == "countess@example.com"
    (retired,) = updated["retired_email_addresses"]
    assert retired["email_address"] == "ada@example.com"
    back = await update(acme, member, email_address="ada@example.com", unlink_email=True)
    assert back["retired_email_addresses"] == []


async def test_unlink_without_an_address_does_nothing(acme: Scenario) -> None:
    member = await add(acme)
    updated = await update(acme, member, unlink_email=True)
    assert updated["email_address"] == "ada@example.com"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"email_address": "nobody"}, "invalid_email"),
        ({"email_address": "taken@example.com"}, "duplicate_member_email"),
        ({"email_address": "old@example.com"}, "retired_member_email"),
        ({"email_address": "ada@other.com"}, "action_not_allowed_email_domain_is_claimed"),
        ({"external_id": "taken"}, "duplicate_member_external_id"),
        ({"external_id": ""}, "invalid_id"),
        ({"mfa_phone_number": ""}, "invalid_phone_number"),
        ({"roles": ["stytch_member"]}, "cannot_assign_default_rbac_role_id"),
        ({"roles": ["editor"]}, "invalid_rbac_role_assignment"),
        ({"default_mfa_method": "fax"}, "invalid_mfa_default_method"),
        ({"default_mfa_method": ""}, "invalid_mfa_default_method"),
        ({"default_mfa_method": "totp"}, "default_mfa_member_missing_factor"),
        ({"default_mfa_method": "sms_otp"}, "default_mfa_member_missing_factor"),
        ({"trusted_metadata": {"a": "x" * 5000}}, "metadata_too_large"),
        ({"untrusted_metadata": {str(n): n for n in range(21)}}, "metadata_too_many_keys"),
    ],
)
async def test_bad_update_is_refused_and_changes_nothing(
    acme: Scenario, changes: dict[str, Any], error: str
) -> None:
    await acme.organization("Other", claimed_email_domains=["other.com"])
    taken = await add(acme, "old@example.com", external_id="taken")
    await update(acme, taken, email_address="taken@example.com")
    member = await add(acme, roles=["stytch_admin"])
    # Good changes beside the bad one are not made either.
    good = {"name": "New", "roles": [], "email_address": "new@example.com"}
    await refused(acme, member, error, **{**good, **changes})


async def test_phone_number_is_set_once(acme: Scenario) -> None:
    member = await add(acme, mfa_phone_number="+14155552671")
    same = await update(acme, member, mfa_phone_number="+14155552671", name="Ada")
    assert same["name"] == "Ada"
    error = "duplicate_member_phone_number_for_member"
    await refused(acme, member, error, mfa_phone_number="+14155552672")


async def test_lost_role_ends_the_sessions_that_would_keep_it_through_sso(acme: Scenario) -> None:
    for preserve in (True, False):
        caller = await sign_in(acme, await acme.organization(f"Corp {preserve}"))
        connections = f"/v1/b2b/sso/{caller.organization_id}"
        (connection,) = (await acme.api.good("GET", connections))["saml_connections"]
        await acme.api.good(
            "PUT",
            f"/v1/b2b/sso/saml/{caller.organization_id}/connections/{connection['connection_id']}",
            {"saml_connection_implicit_role_assignments": [{"role_id": "stytch_admin"}]},
        )
        await caller.hold("stytch_admin")
        changes: dict[str, Any] = {"roles": [], "preserve_existing_sessions": preserve}
        updated = (await acme.api.good("PUT", caller.path, changes))["member"]
        (source,) = updated["roles"][1]["sources"]
        assert source["type"] == "sso_connection"
        sessions = (
            f"/v1/b2b/sessions?organization_id={caller.organization_id}"
            f"&member_id={caller.member_id}"
        )
        left = (await acme.api.good("GET", sessions))["member_sessions"]
        assert [each["roles"] for each in left] == [["stytch_member", "stytch_admin"]] * preserve


async def test_lost_role_that_sso_does_not_give_ends_no_session(acme: Scenario) -> None:
    caller = await sign_in(acme, await acme.organization("Corp"))
    await caller.hold("stytch_admin")
    await caller.hold()
    updated = await caller.good("PUT", caller.path, {"name": "Ada"})
    assert role_ids(updated["member"]) == ["stytch_member"]


# Delete ----------------------------------------------------------------------------------------


async def test_deleted_member_is_hidden_and_signed_out(acme: Scenario) -> None:
    caller = await sign_in(acme, await acme.organization("Corp"))
    organization, member_id = caller.path.split("/members/")
    await acme.api.good("PUT", caller.path, {"external_id": "1"})
    assert (await acme.api.good("DELETE", caller.path))["member_id"] == member_id
    for path in (f"member_id={member_id}", "member_id=1", "email_address=ada%40acme.test"):
        got = await acme.api.bad("GET", f"{organization}/member?{path}")
        assert got == (404, "member_not_found")
    for method in ("PUT", "DELETE"):
        body: dict[str, Any] | None = {} if method == "PUT" else None
        assert await acme.api.bad(method, caller.path, body) == (404, "member_not_found")
    assert await caller.bad("PUT", caller.path, {}) == (404, "session_not_found")


async def test_address_external_id_and_identity_of_a_deleted_member_are_free(
    acme: Scenario,
) -> None:
    caller = await sign_in(acme, await acme.organization("Corp"))
    members = f"/v1/b2b/organizations/{caller.organization_id}/members"
    await acme.api.good("PUT", caller.path, {"external_id": "1", "email_address": "b@acme.test"})
    await acme.api.good("DELETE", caller.path)
    connections = f"/v1/b2b/sso/{caller.organization_id}"
    (connection,) = (await acme.api.good("GET", connections))["saml_connections"]
    again = await acme.authenticate(await acme.saml_token(connection))
    assert again["member_id"] != caller.member_id
    body = {"email_address": "b@acme.test", "external_id": "1"}
    assert (await acme.api.good("POST", members, body))["member"]["status"] == "active"


# What cannot be found, and bad input -----------------------------------------------------------


async def test_whatever_is_not_found_is_answered_alike(acme: Scenario) -> None:
    member = await add(acme)
    gone = await add(acme, "gone@example.com", external_id="gone")
    await acme.api.good("DELETE", path_of(gone))
    await acme.organization("Other")
    foreign = (
        await acme.api.good(
            "POST",
            "/v1/b2b/organizations/other/members",
            {"email_address": "bob@example.com", "external_id": "bob"},
        )
    )["member"]
    stranger = await add_project(acme.app, acme.context, name="stranger")
    await stranger.organization()
    strange = await add(stranger, "eve@example.com", external_id="eve")

    member_ids = [
        UNKNOWN_MEMBER,
        *(each["member_id"] for each in (gone, foreign, strange)),
        *("gone", "bob", "eve", "%2F", "x" * 1000, "%F0%9F%9B%82"),
    ]
    requests: list[tuple[str, str, dict[str, Any] | None]] = []
    for member_id in member_ids:
        requests += [
            ("GET", f"{ACME}/member?member_id={member_id}", None),
            ("PUT", f"{MEMBERS}/{member_id}", {"name": "Mine"}),
            ("DELETE", f"{MEMBERS}/{member_id}", None),
        ]
    for address in ("gone%40example.com", "bob%40example.com", "nobody"):
        requests.append(("GET", f"{ACME}/member?email_address={address}", None))
    (only,) = {comparable(await acme.api.call(*request)) for request in requests}
    assert '"member_not_found"' in only
    assert '"status_code":404' in only

    organization_ids = [
        UNKNOWN_ORGANIZATION,
        strange["organization_id"],
        "none",
        "x" * 1000,
    ]
    requests = []
    for organization_id in organization_ids:
        base = f"/v1/b2b/organizations/{organization_id}"
        requests += [
            ("GET", f"{base}/member?member_id={member['member_id']}", None),
            ("POST", f"{base}/members", {"email_address": "new@example.com"}),
            ("PUT", f"{base}/members/{member['member_id']}", {"name": "Mine"}),
            ("DELETE", f"{base}/members/{member['member_id']}", None),
            (
                "POST",
                "/v1/b2b/organizations/members/search",
                {"organization_ids": ["acme", organization_id]},
            ),
        ]
    (only,) = {comparable(await acme.api.call(*request)) for request in requests}
    assert '"organization_not_found"' in only
    assert '"status_code":404' in only
    assert await get(acme, member) == member


async def test_value_of_a_wrong_type_is_refused_by_its_name(acme: Scenario) -> None:
    member = await add(acme)
    path_fields = {"organization_id", "member_id"}
    for method, path, request in (
        ("POST", MEMBERS, CreateRequest),
        ("PUT", path_of(member), UpdateRequest),
    ):
        for name in body_fields(request, path=path_fields):
            for value in wrong_values(request, name):
                body = {"email_address": "other@example.com", name: value}
                answer = await acme.api.call(method, path, body)
                assert answer.status == 400, (method, name, value, answer.body)
                assert answer.json["error_type"] == "bad_request"
                assert answer.json["error_message"].startswith(name), (name, value, answer.body)
    answer = await acme.api.call("POST", MEMBERS, {})
    assert (answer.status, answer.json["error_type"]) == (400, "bad_request")
    assert "email_address" in answer.json["error_message"]
    assert await get(acme, member) == member


@pytest.mark.case("AD-05")
async def test_unknown_keys_and_repeated_ids_are_ignored(acme: Scenario) -> None:
    member = await add(acme)
    body = {"organization_id": "none", "member_id": "none", "status": "deleted", "name": "Ada"}
    updated = await update(acme, member, **body)
    assert (updated["name"], updated["status"]) == ("Ada", "active")


@pytest.mark.case("AD-25")
async def test_half_a_surrogate_pair_is_refused(acme: Scenario) -> None:
    for field in (b"name", b"email_address", b"external_id", b"mfa_phone_number"):
        body = b'{"email_address": "ada@example.com", "%s": "\\ud800"}' % field
        answer = await send(acme, "POST", MEMBERS, body)
        assert (answer.status, answer.json["error_type"]) == (400, "bad_request")


# On behalf of a member -------------------------------------------------------------------------

# Which fields each action lets a member write, and which of them count on stytch.self (contract a).
PERMITTED = {
    "update.info.name": {"name"},
    "update.info.untrusted-metadata": {"untrusted_metadata"},
    "update.settings.is-breakglass": {"is_breakglass"},
    "update.info.mfa-phone": {"mfa_phone_number"},
    "update.settings.mfa-enrolled": {"mfa_enrolled"},
    "update.settings.roles": {"roles"},
    "update.settings.default-mfa-method": {"default_mfa_method"},
    "update.info.email": {"email_address"},
}
OF_SELF = {
    "name",
    "untrusted_metadata",
    "mfa_phone_number",
    "mfa_enrolled",
    "default_mfa_method",
}
HARMLESS: dict[str, Any] = {
    **EVERYTHING,
    "roles": [],
    "default_mfa_method": "sms_otp",
    "unlink_email": False,
}
SPECIAL = {
    "trusted_metadata": (401, "cannot_update_trusted_metadata"),
    "preserve_existing_sessions": (400, "cannot_preserve_existing_sessions"),
}


async def allowed_fields(caller: SignedIn, path: str) -> set[str]:
    """Return the fields that `caller` can write; all others must be refused for the role."""
    allowed = set()
    for name in sorted(set(FIELDS) - SPECIAL.keys()):
        answer = await caller.scenario.api.call(
            "PUT", path, {name: HARMLESS[name]}, headers=caller.headers
        )
        if answer.status == 200:
            allowed.add(name)
        else:
            refusal = (answer.status, answer.json["error_type"])
            assert refusal == (403, "session_authorization_error"), name
    return allowed


@pytest.mark.case("AD-06", verdict="refused", reason="session_authorization_error")
async def test_each_action_lets_a_member_write_its_fields_of_others_alone(acme: Scenario) -> None:
    caller = await sign_in(acme, await acme.organization("Corp"))
    body = {**EVERYTHING, "email_address": "bob@example.com"}
    members = f"/v1/b2b/organizations/{caller.organization_id}/members"
    path = f"{members}/{(await acme.api.good('POST', members, body))['member_id']}"
    assert await allowed_fields(caller, path) == set()
    (resource,) = (each for each in PROJECT_POLICY.resources if each.resource_id == "stytch.member")
    for action in resource.actions:
        await caller.hold_permission("stytch.member", [action])
        assert await allowed_fields(caller, path) == PERMITTED.get(action, set()), action
    await caller.hold("stytch_admin")
    assert await allowed_fields(caller, path) == set().union(*PERMITTED.values())
    for name, refusal in SPECIAL.items():
        assert await caller.bad("PUT", path, {name: {} if "data" in name else True}) == refusal


@pytest.mark.case("AD-05", "AD-06")
async def test_member_writes_own_fields_but_not_roles_or_address(acme: Scenario) -> None:
    caller = await sign_in(acme, await acme.organization("Corp"))
    await acme.api.good("PUT", caller.path, {"mfa_phone_number": "+14155552671"})
    for name in sorted(set(FIELDS) - SPECIAL.keys() - {"email_address"}):
        answer = await acme.api.call(
            "PUT", caller.path, {name: HARMLESS[name]}, headers=caller.headers
        )
        assert (answer.status == 200) == (name in OF_SELF), (name, answer.body)
    for roles in ([], ["stytch_admin"]):
        await caller.hold(*roles)
        got = await caller.bad("PUT", caller.path, {"email_address": "new@acme.test"})
        assert got == (400, "member_cannot_update_their_email_address")
    await acme.api.good("PUT", caller.path, {"external_id": "me"})
    by_external_id = f"{caller.path.rpartition('/')[0]}/me"
    assert (await caller.good("PUT", by_external_id, {"name": "Me"}))["member"]["name"] == "Me"


async def test_empty_update_reads_nobody_else(acme: Scenario) -> None:
    caller = await sign_in(acme, await acme.organization("Corp"))
    members = f"/v1/b2b/organizations/{caller.organization_id}/members"
    other = await acme.api.good("POST", members, {"email_address": "bob@example.com"})
    got = await caller.bad("PUT", f"{members}/{other['member_id']}", {})
    assert got == (403, "session_authorization_error")
    assert (await caller.good("PUT", caller.path, {}))["member_id"] == caller.member_id


async def test_member_has_no_say_in_another_organization(acme: Scenario) -> None:
    caller = await sign_in(acme, await acme.organization("Corp"))
    await caller.hold("stytch_admin")
    member = await add(acme)
    tenancy = (403, "session_authorization_tenancy_error")
    for body in ({}, {"name": "Mine"}):
        assert await caller.bad("PUT", path_of(member), body) == tenancy
    assert await caller.bad("DELETE", path_of(member)) == tenancy
    assert await caller.bad("POST", MEMBERS, {"email_address": "b@example.com"}) == tenancy
    search = "/v1/b2b/organizations/members/search"
    for organization_ids in (["acme"], [caller.organization_id, "acme"]):
        got = await caller.bad("POST", search, {"organization_ids": organization_ids})
        assert got == tenancy
    assert await get(acme, member) == member


@pytest.mark.case("AD-06")
async def test_creation_needs_its_permission_and_gives_no_more_than_could_be_changed(
    acme: Scenario,
) -> None:
    caller = await sign_in(acme, await acme.organization("Corp"))
    members = f"/v1/b2b/organizations/{caller.organization_id}/members"
    forbidden = (403, "session_authorization_error")
    body = {"email_address": "bob@example.com"}
    assert await caller.bad("POST", members, body) == forbidden
    await caller.hold_permission("stytch.member", ["create"])
    await caller.good("POST", members, {**body, "roles": [], "is_breakglass": False})
    body = {"email_address": "eve@example.com"}
    for extra in ({"roles": ["stytch_admin"]}, {"is_breakglass": True}, {"external_id": "1"}):
        assert await caller.bad("POST", members, {**body, **extra}) == forbidden
    refusal = await caller.bad("POST", members, {**body, "trusted_metadata": {}})
    assert refusal == (401, "cannot_update_trusted_metadata")
    await caller.hold("stytch_admin")
    more = {"roles": ["stytch_admin"], "is_breakglass": True}
    created = await caller.good("POST", members, {**body, **more})
    assert created["member"]["is_admin"] is True


async def test_deletion_needs_its_permission_but_for_oneself(acme: Scenario) -> None:
    caller = await sign_in(acme, await acme.organization("Corp"))
    members = f"/v1/b2b/organizations/{caller.organization_id}/members"
    other = await acme.api.good("POST", members, {"email_address": "bob@example.com"})
    path = f"{members}/{other['member_id']}"
    assert await caller.bad("DELETE", path) == (403, "session_authorization_error")
    await caller.hold_permission("stytch.member", ["delete"])
    assert (await caller.good("DELETE", path))["member_id"] == other["member_id"]
    await caller.hold()
    assert (await caller.good("DELETE", caller.path))["member_id"] == caller.member_id


async def test_search_needs_its_permission(acme: Scenario) -> None:
    caller = await sign_in(acme, await acme.organization("Corp"))
    search = "/v1/b2b/organizations/members/search"
    body = {"organization_ids": ["corp"]}
    assert await caller.bad("POST", search, body) == (403, "session_authorization_error")
    await caller.hold_permission("stytch.member", ["search"])
    (found,) = (await caller.good("POST", search, body))["members"]
    assert found["member_id"] == caller.member_id
