from collections import Counter

import pytest

from tests.support.every_endpoint import full_body, path_of
from tests.support.member_session import sign_in
from tests.support.scenario import Scenario
from vestibule.api import groups
from vestibule.api.endpoint import Endpoint
from vestibule.permissions import Permission, ProjectSecret, Public, PublicToken

# The H column of the contract (a): which action on which resource a member session needs.
# None: documented per field, or (search) not documented for every target.
PERMISSIONS = {
    "organizations.audit_events.get": ("stytch.organization", None),
    "organizations.update": ("stytch.organization", None),
    "organizations.delete": ("stytch.organization", "delete"),
    "organizations.members.create": ("stytch.member", "create"),
    "organizations.members.update": ("stytch.member", None),
    "organizations.members.delete": ("stytch.member", "delete"),
    "organizations.members.search": ("stytch.member", "search"),
    "organizations.connected_apps": ("stytch.organization", None),
    "organizations.get_connected_app": ("stytch.organization", None),
    "organizations.delete_external_id": ("stytch.organization", None),
    "organizations.members.reactivate": ("stytch.member", "create"),
    "organizations.members.unlink_retired_email": (
        "stytch.member",
        "update.info.unlink.retired-email",
    ),
    "organizations.members.start_email_update": ("stytch.member", "update.info.email"),
    "organizations.members.delete_external_id": ("stytch.member", None),
    "organizations.members.delete_password": ("stytch.member", "update.info.delete.password"),
    "organizations.members.delete_mfa_phone_number": (
        "stytch.member",
        "update.info.delete.mfa-phone",
    ),
    "organizations.members.delete_totp": ("stytch.member", "update.info.delete.mfa-totp"),
    "organizations.members.get_connected_apps": ("stytch.member", "get.connected-apps"),
    "organizations.members.connected_apps.revoke": ("stytch.member", "revoke.connected-app"),
    "sessions.revoke": ("stytch.member", "revoke-sessions"),
    "sso.get_connections": ("stytch.sso", "get"),
    "sso.delete_connection": ("stytch.sso", "delete"),
    "sso.saml.create_connection": ("stytch.sso", "create"),
    "sso.saml.update_connection": ("stytch.sso", "update"),
    "sso.saml.update_by_url": ("stytch.sso", "update"),
    "sso.saml.delete_verification_certificate": ("stytch.sso", "update"),
    "sso.saml.delete_encryption_private_key": ("stytch.sso", "update"),
    "sso.oidc.create_connection": ("stytch.sso", "create"),
    "sso.oidc.update_connection": ("stytch.sso", "update"),
    "sso.external.create_connection": ("stytch.sso", "create"),
    "sso.external.update_connection": ("stytch.sso", "update"),
    # Vestibule's own.
    "organizations.members.confirm_email_update": ("stytch.member", "update.info.email"),
    "sso.settings.get": ("stytch.sso", "get"),
    "sso.settings.update": ("stytch.sso", "update"),
    "sso.settings.metadata.accept": ("stytch.sso", "update"),
    "sso.settings.metadata.refuse": ("stytch.sso", "update"),
    "sso.settings.metadata.refresh": ("stytch.sso", "update"),
    "sso.settings.metadata.stop": ("stytch.sso", "update"),
    "sso.settings.signing_key.get": ("stytch.sso", "get"),
    "sso.settings.signing_key.start": ("stytch.sso", "update"),
    "sso.settings.signing_key.complete": ("stytch.sso", "update"),
    "sso.settings.signing_key.cancel": ("stytch.sso", "update"),
    "sso.traces.get": ("stytch.sso", "get"),
    "sso.traces.search": ("stytch.sso", "get"),
}
OWN = {
    "organizations.members.update",
    "organizations.members.delete",
    "organizations.members.unlink_retired_email",
    "organizations.members.start_email_update",
    "organizations.members.confirm_email_update",
    "organizations.members.delete_password",
    "organizations.members.delete_mfa_phone_number",
    "organizations.members.delete_totp",
    "organizations.members.get_connected_apps",
    "organizations.members.connected_apps.revoke",
    "sessions.revoke",
}
SECRET_ONLY = {
    "organizations.create",
    "organizations.get",
    "organizations.search",
    "organizations.metrics",
    "organizations.members.get",
    "organizations.members.dangerously_get",
    "organizations.members.oidc_providers",
    *(
        f"organizations.members.oauth_providers.{provider}"
        for provider in ("google", "microsoft", "slack", "hubspot", "github")
    ),
    "discovery.organizations.list",
    "discovery.organizations.create",
    "discovery.intermediate_sessions.exchange",
    "impersonation.authenticate",
    "project.metrics",
    "debug.whoami",
    "sessions.attest",
    "sessions.authenticate",
    "sessions.exchange",
    "sessions.exchange_access_token",
    "sessions.get",
    "sessions.migrate",
    "sso.authenticate",
    "sso.logout.start",
    "otps.sms.send",
    "otps.sms.authenticate",
    "totps.create",
    "totps.authenticate",
    "totps.migrate",
    "recovery_codes.recover",
    "recovery_codes.get",
    "recovery_codes.rotate",
    "rbac.policy",
    "rbac.organizations.get_org_policy",
    "rbac.organizations.set_org_policy",
}
SSO = [item for item in groups.endpoints() if item.path.startswith("/v1/b2b/sso/{org")] + [
    item for item in groups.endpoints() if item.group in {"sso.saml", "sso.oidc", "sso.external"}
]


def by_access(kind: type) -> dict[str, Endpoint]:
    return {e.operation_id: e for e in groups.endpoints() if isinstance(e.access, kind)}


@pytest.mark.case("AD-01")
def test_permissions_are_those_of_the_contract() -> None:
    declared = {
        name: (endpoint.access.resource, endpoint.access.action)
        for name, endpoint in by_access(Permission).items()
        if isinstance(endpoint.access, Permission)
    }
    assert declared == PERMISSIONS
    own = {n for n, e in by_access(Permission).items() if e.access.own}  # type: ignore[union-attr]  # chosen by its type
    assert own == OWN


@pytest.mark.case("AD-01")
def test_all_others_need_the_project_secret_but_two() -> None:
    assert by_access(ProjectSecret).keys() == SECRET_ONLY
    assert by_access(Public).keys() == {"sessions.get_jwks"}
    assert by_access(PublicToken).keys() == {"sdk.sso.discover_connections"}
    assert len(groups.endpoints()) == len(PERMISSIONS) + len(SECRET_ONLY) + 2


def test_each_method_of_each_path_is_declared_once() -> None:
    counts = Counter((item.method, item.path) for item in groups.endpoints())
    assert set(counts.values()) == {1}
    names = Counter(item.operation_id for item in groups.endpoints())
    assert set(names.values()) == {1}


async def test_literal_path_is_found_before_a_placeholder(scenario: Scenario) -> None:
    paths = [route.path for route in groups.routes(scenario.context)]
    for index, path in enumerate(paths):
        earlier = [
            other for other in paths[:index] if len(other.split("/")) == len(path.split("/"))
        ]
        for other in earlier:
            assert not hides(other, path), (other, path)


def hides(earlier: str, later: str) -> bool:
    """True when every path that `later` is made for is taken by `earlier`."""
    pairs = list(zip(earlier.split("/"), later.split("/"), strict=True))
    return all(a.startswith("{") or a == b for a, b in pairs) and earlier != later


@pytest.mark.case("AD-02")
@pytest.mark.parametrize("endpoint", SSO, ids=lambda item: item.operation_id)
async def test_member_needs_the_permission_for_what_it_does_to_connections(
    scenario: Scenario, endpoint: Endpoint
) -> None:
    assert isinstance(endpoint.access, Permission)
    action = str(endpoint.access.action)
    caller = await sign_in(scenario, await scenario.organization())
    path = path_of(endpoint, {"organization_id": "acme"})
    refusal = (403, "session_authorization_error")
    assert await caller.bad(endpoint.method, path, full_body(endpoint)) == refusal
    others = [other for other in ("get", "create", "update", "delete") if other != action]
    await caller.hold_permission("stytch.sso", others)
    assert await caller.bad(endpoint.method, path, full_body(endpoint)) == refusal
    for resource in ("stytch.sso", "stytch.organization"):
        await caller.hold_permission(resource, [action] if resource == "stytch.sso" else ["delete"])
        answer = await scenario.api.call(
            endpoint.method, path, full_body(endpoint), headers=caller.headers
        )
        assert (answer.status == 403) == (resource != "stytch.sso"), answer.body
