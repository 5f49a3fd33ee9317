from typing import Any

import pytest

from tests.support.bad_input import body_fields, comparable, send, wrong_values
from tests.support.member_session import SignedIn, sign_in
from tests.support.scenario import Scenario, add_project
from vestibule.api.organizations import CreateRequest, UpdateRequest
from vestibule.domain.policy import PROJECT_POLICY

BASE = "/v1/b2b/organizations"
FIELDS = body_fields(UpdateRequest, path={"organization_id"})
UNKNOWN_ID = "organization-test-01960000-0000-7000-8000-000000000000"


async def test_create_and_get_answer_with_the_same_organization(scenario: Scenario) -> None:
    created = await scenario.api.good("POST", BASE, {"organization_name": "Acme"})
    organization = created["organization"]
    for locator in (organization["organization_id"], "acme"):
        got = await scenario.api.good("GET", f"{BASE}/{locator}")
        assert got["organization"] == organization
    assert created.keys() == {"status_code", "request_id", "organization"}
    assert created["status_code"] == 200


SETTINGS: dict[str, Any] = {
    "organization_name": "Acme Rockets",
    "organization_slug": "acme.rockets~1",
    "organization_logo_url": "https://example.com/logo.png",
    "trusted_metadata": {"plan": {"name": "gold"}, "seats": 5, "flags": [True, None, 1.5]},
    "organization_external_id": "crm|0012",
    "sso_jit_provisioning": "NOT_ALLOWED",
    "email_allowed_domains": ["acme.com", "acme.org"],
    "email_jit_provisioning": "RESTRICTED",
    "email_invites": "RESTRICTED",
    "auth_methods": "RESTRICTED",
    "allowed_auth_methods": ["sso", "magic_link"],
    "mfa_policy": "REQUIRED_FOR_ALL",
    "rbac_email_implicit_role_assignments": [{"domain": "acme.com", "role_id": "stytch_admin"}],
    "mfa_methods": "RESTRICTED",
    "allowed_mfa_methods": ["totp"],
    "oauth_tenant_jit_provisioning": "RESTRICTED",
    "allowed_oauth_tenants": {"slack": ["T1"]},
    "claimed_email_domains": ["acme.com"],
    "first_party_connected_apps_allowed_type": "RESTRICTED",
    "allowed_first_party_connected_apps": ["app-1"],
    "third_party_connected_apps_allowed_type": "NOT_ALLOWED",
    "allowed_third_party_connected_apps": ["app-2"],
}


async def test_every_setting_can_be_created_and_updated(scenario: Scenario) -> None:
    created = await scenario.organization(**SETTINGS)
    blank = await scenario.organization("Blank")
    changes = {
        **SETTINGS,
        "organization_slug": "updated",
        "organization_external_id": "updated",
        "claimed_email_domains": ["updated.com"],
    }
    path = f"{BASE}/{blank['organization_id']}"
    updated = (await scenario.api.good("PUT", path, changes))["organization"]
    assert {name: created[name] for name in SETTINGS} == SETTINGS
    assert {name: updated[name] for name in changes} == changes
    assert (await scenario.api.good("GET", path))["organization"] == updated


async def test_null_is_absent_in_a_creation(scenario: Scenario) -> None:
    nothing: dict[str, Any] = dict.fromkeys(set(SETTINGS) - {"organization_name"})
    organization = await scenario.organization(**nothing)
    assert organization["organization_slug"] == "acme"
    assert organization["email_invites"] == "ALL_ALLOWED"


NULLABLE = {"organization_external_id", "allowed_oauth_tenants", "sso_default_connection_id"}


async def test_null_clears_what_can_be_empty_and_is_refused_elsewhere(scenario: Scenario) -> None:
    await scenario.organization(
        organization_external_id="1", allowed_oauth_tenants={"slack": ["T1"]}
    )
    cleared = await scenario.api.good("PUT", f"{BASE}/acme", dict.fromkeys(NULLABLE))
    for name in NULLABLE:
        assert cleared["organization"][name] is None
    for name in set(FIELDS) - NULLABLE:
        answer = await scenario.api.call("PUT", f"{BASE}/acme", {name: None})
        assert answer.status == 400
        assert answer.json["error_message"].startswith(f"{name}: expected ")


async def test_absent_fields_stay_as_they_are(scenario: Scenario) -> None:
    await scenario.organization(**SETTINGS)
    updated = await scenario.api.good("PUT", f"{BASE}/acme.rockets~1", {})
    assert {name: updated["organization"][name] for name in SETTINGS} == SETTINGS


async def test_organization_needs_a_name(scenario: Scenario) -> None:
    for body in ({}, {"organization_name": None}, {"organization_name": " "}):
        assert await scenario.api.bad("POST", BASE, body) == (400, "organization_name_missing")


async def test_deletion_answers_with_the_id_and_leaves_nothing(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.saml_connection("acme")
    session = await scenario.authenticate(await scenario.saml_token(connection))
    gone = await scenario.api.good("DELETE", f"{BASE}/acme")
    assert gone["organization_id"] == organization["organization_id"]
    for path in (f"{BASE}/acme", f"{BASE}/{organization['organization_id']}"):
        assert await scenario.api.bad("GET", path) == (404, "organization_not_found")
    body = {"session_token": session["session_token"]}
    refused = await scenario.api.bad("POST", "/v1/b2b/sessions/authenticate", body)
    assert refused == (404, "session_not_found")


# What cannot be found --------------------------------------------------------------------------


async def test_whatever_is_not_found_is_answered_alike(scenario: Scenario) -> None:
    other = await add_project(scenario.app, scenario.context, name="other")
    foreign = await other.organization("Foreign", organization_external_id="foreign|1")
    gone = await scenario.organization("Gone")
    await scenario.api.good("DELETE", f"{BASE}/gone")
    locators = [
        UNKNOWN_ID,
        gone["organization_id"],
        "gone",
        foreign["organization_id"],
        "foreign",
        "foreign%7C1",
        "%2F",
        "..%2Facme",
        "a%20b",
        "%F0%9F%9B%82",
        "x" * 1000,
    ]
    for method in ("GET", "PUT", "DELETE"):
        bodies = set()
        for locator in locators:
            body = {"organization_name": "Mine"} if method == "PUT" else None
            answer = await scenario.api.call(method, f"{BASE}/{locator}", body)
            bodies.add(comparable(answer))
        (only,) = bodies
        assert '"organization_not_found"' in only
        assert '"status_code":404' in only
    assert (await other.api.good("GET", f"{BASE}/foreign"))["organization"] == foreign


# Bad input -------------------------------------------------------------------------------------


async def test_value_of_a_wrong_type_is_refused_by_its_name(scenario: Scenario) -> None:
    before = await scenario.organization()
    for method, path, request in (
        ("POST", BASE, CreateRequest),
        ("PUT", f"{BASE}/acme", UpdateRequest),
    ):
        for name in body_fields(request, path={"organization_id"}):
            for value in wrong_values(request, name):
                body = {"organization_name": "Other", "organization_slug": "other", name: value}
                answer = await scenario.api.call(method, path, body)
                assert answer.status == 400, (method, name, value, answer.body)
                assert answer.json["error_type"] == "bad_request"
                assert answer.json["error_message"].startswith(name), (name, value, answer.body)
    assert (await scenario.api.good("GET", f"{BASE}/acme"))["organization"] == before
    assert (await scenario.api.good("POST", f"{BASE}/search", {}))["results_metadata"] == {
        "total": 1,
        "next_cursor": None,
    }


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"trusted_metadata": {"a": "x" * 100_000}}, "metadata_too_large"),
        ({"trusted_metadata": {str(n): n for n in range(10_000)}}, "metadata_too_many_keys"),
        ({"email_allowed_domains": ["a.com"] * 1001}, "bad_request"),
        ({"email_allowed_domains": ["x" * 100_000]}, "organization_settings_invalid_domain"),
        (
            {"email_allowed_domains": [f"xn--{'a' * 59}.com"]},
            "organization_settings_invalid_domain",
        ),
        ({"organization_name": "x" * 100_000}, "invalid_organization_name"),
        ({"organization_slug": "x" * 100_000}, "invalid_organization_slug"),
        ({"organization_slug": "'; DROP TABLE organizations; --"}, "invalid_organization_slug"),
        ({"sso_default_connection_id": "x" * 100_000}, "invalid_sso_default_connection_id"),
        (
            {"sso_jit_provisioning_allowed_connections": ["x" * 100_000]},
            "invalid_restricted_sso_setting",
        ),
        ({"allowed_oauth_tenants": {"slack": [["x"]]}}, "invalid_oauth_allowed_tenants_format"),
        ({"mfa_policy": "x" * 100_000}, "invalid_organization_mfa_policy"),
        ({"sso_jit_provisioning": "all_allowed"}, "bad_request"),
        ({"rbac_email_implicit_role_assignments": [{"domain": "a.com"}]}, "bad_request"),
    ],
)
async def test_hostile_value_is_refused_and_changes_nothing(
    scenario: Scenario, changes: dict[str, Any], error: str
) -> None:
    before = await scenario.organization()
    answer = await scenario.api.call("PUT", f"{BASE}/acme", changes)
    assert (answer.status, answer.json["error_type"]) == (400, error)
    assert len(answer.body) < 1000
    assert (await scenario.api.good("GET", f"{BASE}/acme"))["organization"] == before


@pytest.mark.case("AD-24", "AD-26")
@pytest.mark.parametrize("depth", [10, 100, 900, 990, 1010, 2000, 100_000])
async def test_deep_metadata_is_no_error_of_ours(scenario: Scenario, depth: int) -> None:
    await scenario.organization()
    body = b'{"trusted_metadata": {"a": ' + b"[" * depth + b"]" * depth + b"}}"
    answer = await send(scenario, "PUT", f"{BASE}/acme", body)
    assert answer.status in {200, 400}, answer.body
    assert (answer.status == 200) == (depth <= 900) or depth in range(900, 2000)


async def test_awkward_text_comes_back_as_it_was(scenario: Scenario) -> None:
    name = 'Zoë\'s "quoted" 🛂 \\ %_ \u202e \n\t'
    metadata = {name: [name, {"n": 2**63 + 1, "f": 1e300}]}
    organization = await scenario.organization(name, trusted_metadata=metadata)
    assert organization["organization_name"] == name
    got = await scenario.api.good("GET", f"{BASE}/{organization['organization_id']}")
    assert got["organization"]["trusted_metadata"] == metadata


@pytest.mark.case("AD-25")
@pytest.mark.parametrize(
    "body", [b'{"organization_name": "a\\u0000b"}', b'{"organization_name": "\\ud800"}']
)
async def test_text_that_cannot_be_stored_is_refused(scenario: Scenario, body: bytes) -> None:
    answer = await send(scenario, "POST", BASE, body)
    assert (answer.status, answer.json["error_type"]) == (400, "bad_request")


# On behalf of a member -------------------------------------------------------------------------

# Which fields each action on stytch.organization lets a member write (contract a).
PERMITTED = {
    "update.info.name": {"organization_name"},
    "update.info.slug": {"organization_slug"},
    "update.info.logo-url": {"organization_logo_url"},
    "update.settings.default-sso-connection": {"sso_default_connection_id"},
    "update.settings.sso-jit-provisioning": {
        "sso_jit_provisioning",
        "sso_jit_provisioning_allowed_connections",
    },
    "update.settings.allowed-domains": {"email_allowed_domains"},
    "update.settings.email-jit-provisioning": {"email_jit_provisioning"},
    "update.settings.email-invites": {"email_invites"},
    "update.settings.allowed-auth-methods": {"auth_methods", "allowed_auth_methods"},
    "update.settings.mfa-policy": {"mfa_policy"},
    "update.settings.implicit-roles": {"rbac_email_implicit_role_assignments"},
    "update.settings.allowed-mfa-methods": {"mfa_methods", "allowed_mfa_methods"},
    "update.settings.oauth-tenant-jit-provisioning": {"oauth_tenant_jit_provisioning"},
    "update.settings.allowed-oauth-tenants": {"allowed_oauth_tenants"},
    "delete": set(),
}
HARMLESS: dict[str, Any] = {
    **SETTINGS,
    "organization_slug": "acme",
    "sso_jit_provisioning": "ALL_ALLOWED",
    "email_allowed_domains": [],
    "email_jit_provisioning": "NOT_ALLOWED",
    "email_invites": "ALL_ALLOWED",
    "auth_methods": "ALL_ALLOWED",
    "mfa_methods": "ALL_ALLOWED",
    "oauth_tenant_jit_provisioning": "NOT_ALLOWED",
    "sso_default_connection_id": None,
    "sso_jit_provisioning_allowed_connections": [],
}


async def allowed_fields(caller: SignedIn) -> set[str]:
    """Return the fields that `caller` can write; all others must be refused for the role."""
    allowed = set()
    for name in sorted(set(FIELDS) - {"trusted_metadata"}):
        path = f"{BASE}/{caller.organization_id}"
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
async def test_each_action_lets_a_member_write_its_fields_alone(scenario: Scenario) -> None:
    caller = await sign_in(scenario, await scenario.organization())
    assert await allowed_fields(caller) == set()
    (resource,) = (r for r in PROJECT_POLICY.resources if r.resource_id == "stytch.organization")
    assert set(resource.actions) == PERMITTED.keys()
    for action, names in PERMITTED.items():
        await caller.hold_permission("stytch.organization", [action])
        assert await allowed_fields(caller) == names, action
    await caller.hold("stytch_admin")
    assert await allowed_fields(caller) == set().union(*PERMITTED.values())


@pytest.mark.case("AD-05")
async def test_member_cannot_write_trusted_metadata(scenario: Scenario) -> None:
    caller = await sign_in(scenario, await scenario.organization())
    await caller.hold("stytch_admin")
    refused = await caller.bad("PUT", f"{BASE}/acme", {"trusted_metadata": {}})
    assert refused == (401, "cannot_update_trusted_metadata")


async def test_one_forbidden_field_refuses_the_whole_update(scenario: Scenario) -> None:
    caller = await sign_in(scenario, await scenario.organization())
    await caller.hold_permission("stytch.organization", ["update.info.name"])
    changes = {"organization_name": "New", "claimed_email_domains": ["acme.com"]}
    assert await caller.bad("PUT", f"{BASE}/acme", changes) == (403, "session_authorization_error")
    got = await scenario.api.good("GET", f"{BASE}/acme")
    assert got["organization"]["organization_name"] == "Acme"


async def test_member_has_no_say_in_another_organization(scenario: Scenario) -> None:
    caller = await sign_in(scenario, await scenario.organization())
    await caller.hold("stytch_admin")
    other = await scenario.organization("Other", organization_external_id="2")
    tenancy = (403, "session_authorization_tenancy_error")
    for locator in (other["organization_id"], "other", "2"):
        bodies: list[dict[str, Any]] = [{}, {"organization_name": "Mine"}, {"trusted_metadata": {}}]
        for body in bodies:
            assert await caller.bad("PUT", f"{BASE}/{locator}", body) == tenancy
        assert await caller.bad("DELETE", f"{BASE}/{locator}") == tenancy
    assert (await scenario.api.good("GET", f"{BASE}/other"))["organization"] == other
    unknown = await caller.bad("PUT", f"{BASE}/{UNKNOWN_ID}", {})
    assert unknown == (404, "organization_not_found")


async def test_member_with_the_permission_deletes_the_own_organization(
    scenario: Scenario,
) -> None:
    caller = await sign_in(scenario, await scenario.organization())
    assert await caller.bad("DELETE", f"{BASE}/acme") == (403, "session_authorization_error")
    await caller.hold_permission("stytch.organization", ["delete"])
    gone = await caller.good("DELETE", f"{BASE}/acme")
    assert gone["organization_id"] == caller.organization_id


async def test_session_that_has_ended_is_no_permission(scenario: Scenario) -> None:
    caller = await sign_in(scenario, await scenario.organization())
    await caller.hold("stytch_admin")
    await scenario.api.good("DELETE", caller.path)
    refused = await caller.bad("PUT", f"{BASE}/acme", {"organization_name": "New"})
    assert refused == (404, "session_not_found")
