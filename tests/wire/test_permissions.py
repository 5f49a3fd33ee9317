"""Calls on behalf of a member through both SDKs: each permission granted once and refused once."""

from typing import Any

import pytest

from tests.support.browsing import Door
from tests.support.saml_keys import signer
from tests.wire import acting, connections
from tests.wire.acting import DENIED, Acting
from tests.wire.sdk import Sdk
from vestibule.api import groups
from vestibule.saml.keys import private_key_pem

TENANCY = (403, "session_authorization_tenancy_error")
SECRET_ALONE = (401, "cannot_update_trusted_metadata")

ORGANIZATION_FIELDS = {
    "organization_name": ("Renamed", "update.info.name"),
    "organization_slug": ("renamed", "update.info.slug"),
    "organization_logo_url": ("https://cdn.example.com/l.png", "update.info.logo-url"),
    "sso_default_connection_id": ("", "update.settings.default-sso-connection"),
    "sso_jit_provisioning": ("ALL_ALLOWED", "update.settings.sso-jit-provisioning"),
    "sso_jit_provisioning_allowed_connections": ([], "update.settings.sso-jit-provisioning"),
    "email_allowed_domains": (["example.com"], "update.settings.allowed-domains"),
    "email_jit_provisioning": ("RESTRICTED", "update.settings.email-jit-provisioning"),
    "email_invites": ("RESTRICTED", "update.settings.email-invites"),
    "allowed_auth_methods": (["sso"], "update.settings.allowed-auth-methods"),
    "auth_methods": ("RESTRICTED", "update.settings.allowed-auth-methods"),
    "mfa_policy": ("OPTIONAL", "update.settings.mfa-policy"),
    "rbac_email_implicit_role_assignments": ([], "update.settings.implicit-roles"),
    "allowed_mfa_methods": (["totp"], "update.settings.allowed-mfa-methods"),
    "mfa_methods": ("RESTRICTED", "update.settings.allowed-mfa-methods"),
    "allowed_oauth_tenants": ({"slack": ["T1"]}, "update.settings.allowed-oauth-tenants"),
    "oauth_tenant_jit_provisioning": (
        "RESTRICTED",
        "update.settings.oauth-tenant-jit-provisioning",
    ),
}
# With the project secret alone.
ORGANIZATION_OTHERS = {
    "organization_external_id": "ext-1",
    "claimed_email_domains": [],
    "first_party_connected_apps_allowed_type": "ALL_ALLOWED",
    "allowed_first_party_connected_apps": [],
    "third_party_connected_apps_allowed_type": "ALL_ALLOWED",
    "allowed_third_party_connected_apps": [],
}

MEMBER_FIELDS = {
    "name": ("Renamed", "update.info.name"),
    "untrusted_metadata": ({"theme": "dark"}, "update.info.untrusted-metadata"),
    "mfa_phone_number": ("+14155550123", "update.info.mfa-phone"),
    "default_mfa_method": ("sms_otp", "update.settings.default-mfa-method"),
    "mfa_enrolled": (False, "update.settings.mfa-enrolled"),
    "is_breakglass": (True, "update.settings.is-breakglass"),
    "roles": ([], "update.settings.roles"),
    "email_address": ("renamed@example.com", "update.info.email"),
}
MEMBER_OTHERS = {"external_id": "hr-1", "unlink_email": True}
OWN_FIELDS = (
    "name",
    "untrusted_metadata",
    "mfa_phone_number",
    "default_mfa_method",
    "mfa_enrolled",
)


@pytest.fixture
async def alice(sdk: Sdk, active_connection: dict[str, Any], door: Door) -> Acting:
    return await acting.sign_in(sdk, door, active_connection)


@pytest.fixture
def other_member(sdk: Sdk, organization_id: str) -> dict[str, Any]:
    """Return the locators of a member who is not the one that acts."""
    made = sdk.call(
        "organizations.members.create",
        organization_id=organization_id,
        email_address="other@example.com",
    )
    return {"organization_id": organization_id, "member_id": made["member_id"]}


def test_organization_update_needs_a_permission_per_field(
    sdk: Sdk, alice: Acting, active_connection: dict[str, Any]
) -> None:
    where = {"organization_id": alice.organization_id}
    values = {name: value for name, (value, _) in ORGANIZATION_FIELDS.items()}
    values["sso_default_connection_id"] = active_connection["connection_id"]
    values["organization_slug"] = alice.organization_id.removeprefix("organization-test-")
    for name, (_, action) in ORGANIZATION_FIELDS.items():
        sent = {name: values[name]}
        answer = alice.needs("organizations.update", "stytch.organization", action, **where, **sent)
        assert answer["organization"][name] == values[name]
    alice.hold({"stytch.organization": ["*"]})
    for name, value in ORGANIZATION_OTHERS.items():
        refused = sdk.refused("organizations.update", alice.token, **where, **{name: value})
        assert (name, refused) == (name, DENIED)
    refused = sdk.refused("organizations.update", alice.token, **where, trusted_metadata={"a": 1})
    assert refused == SECRET_ALONE
    known = {*ORGANIZATION_FIELDS, *ORGANIZATION_OTHERS, *where, "trusted_metadata"}
    assert sdk.parameters("organizations.update") == known


def test_organization_delete_needs_its_permission(alice: Acting) -> None:
    where = {"organization_id": alice.organization_id}
    alice.needs("organizations.delete", "stytch.organization", "delete", **where)
    assert alice.sdk.refused("organizations.get", **where) == (404, "organization_not_found")


def test_member_update_needs_a_permission_per_field(
    sdk: Sdk, alice: Acting, other_member: dict[str, Any]
) -> None:
    method = "organizations.members.update"
    for name, (value, action) in MEMBER_FIELDS.items():
        sent = {name: value}
        alice.needs(method, "stytch.member", action, **other_member, **sent)
    alice.hold({"stytch.member": ["*"]})
    for name, value in MEMBER_OTHERS.items():
        refused = sdk.refused(method, alice.token, **other_member, **{name: value})
        assert (name, refused) == (name, DENIED)
    refused = sdk.refused(method, alice.token, **other_member, trusted_metadata={"a": 1})
    assert refused == SECRET_ALONE
    kept = sdk.refused(
        method, alice.token, **other_member, roles=[], preserve_existing_sessions=True
    )
    assert kept == (400, "cannot_preserve_existing_sessions")
    known = {
        *MEMBER_FIELDS, *MEMBER_OTHERS, *other_member,
        "trusted_metadata", "preserve_existing_sessions",
    }  # fmt: skip
    assert sdk.parameters(method) == known


def test_member_may_change_itself_but_not_more(sdk: Sdk, alice: Acting) -> None:
    """What `stytch.self` grants every member, and what it does not."""
    method = "organizations.members.update"
    own = {"organization_id": alice.organization_id, "member_id": alice.member_id}
    for name in OWN_FIELDS:
        value, _ = MEMBER_FIELDS[name]
        answer = sdk.call(method, alice.jwt, **own, **{name: value})
        assert answer["member"][name] == value
    for name in ("is_breakglass", "roles"):
        value, _ = MEMBER_FIELDS[name]
        assert sdk.refused(method, alice.jwt, **own, **{name: value}) == DENIED
    address = sdk.refused(method, alice.jwt, **own, email_address="new@example.com")
    assert address == (400, "member_cannot_update_their_email_address")
    assert sdk.call("sessions.revoke", alice.jwt, session_jwt=alice.session_jwt)
    gone = sdk.refused("organizations.members.delete", alice.token, **own)
    assert gone == (404, "session_not_found")


def test_member_may_delete_itself(sdk: Sdk, alice: Acting) -> None:
    own = {"organization_id": alice.organization_id, "member_id": alice.member_id}
    assert (
        sdk.call("organizations.members.delete", alice.jwt, **own)["member_id"] == alice.member_id
    )


def test_member_calls_need_their_permissions(
    alice: Acting, other_member: dict[str, Any], unique: str
) -> None:
    where = {"organization_id": alice.organization_id}
    member = "stytch.member"
    email = f"{unique}@example.com"
    alice.needs("organizations.members.create", member, "create", **where, email_address=email)
    search = {"organization_ids": [alice.organization_id]}
    found = alice.needs("organizations.members.search", member, "search", **search)
    assert found["results_metadata"]["total"] == 3
    # Also about a member who has no session: who may not ask does not learn that.
    theirs = {"member_id": other_member["member_id"]}
    alice.needs("sessions.revoke", member, "revoke-sessions", **theirs)
    gone = alice.needs("organizations.members.delete", member, "delete", **where, **theirs)
    assert gone["member_id"] == theirs["member_id"]


def test_connection_calls_need_their_permissions(
    alice: Acting, active_connection: dict[str, Any], door: Door
) -> None:
    organization = {"organization_id": alice.organization_id}
    listed = alice.needs("sso.get_connections", "stytch.sso", "get", **organization)
    assert [each["connection_id"] for each in listed["saml_connections"]] == [
        active_connection["connection_id"]
    ]
    made = {
        protocol: alice.needs(
            f"sso.{protocol}.create_connection", "stytch.sso", "create", **organization
        )["connection"]
        for protocol in ("saml", "oidc")
    }
    saml, oidc = (
        {**organization, "connection_id": made[protocol]["connection_id"]}
        for protocol in ("saml", "oidc")
    )
    new = {"display_name": "New"}
    alice.needs("sso.oidc.update_connection", "stytch.sso", "update", **oidc, **new)
    configured = alice.needs(
        "sso.saml.update_connection",
        "stytch.sso",
        "update",
        **saml,
        saml_encryption_private_key=private_key_pem(signer("wire-encryption").key),
        x509_certificate=signer("idp").pem,
    )["connection"]
    (certificate,) = configured["verification_certificates"]
    (key,) = configured["encryption_private_keys"]
    made = alice.sdk.call("organizations.create", organization_name="Owner")
    other = made["organization"]["organization_id"]
    external = alice.needs(
        "sso.external.create_connection",
        "stytch.sso",
        "create",
        **organization,
        **connections.named(connections.saml(alice.sdk, other, door.base_url)),
    )["connection"]
    referring = {**organization, "connection_id": external["connection_id"]}
    alice.needs("sso.external.update_connection", "stytch.sso", "update", **referring, **new)
    for method, named in {
        "sso.saml.delete_verification_certificate": {
            "certificate_id": certificate["certificate_id"]
        },
        "sso.saml.delete_encryption_private_key": {"private_key_id": key["private_key_id"]},
    }.items():
        alice.needs(method, "stytch.sso", "update", **saml, **named)
    again = {**organization, "connection_id": active_connection["connection_id"]}
    url = connections.metadata_url(door.base_url)
    alice.needs("sso.saml.update_by_url", "stytch.sso", "update", **again, metadata_url=url)
    alice.needs("sso.delete_connection", "stytch.sso", "delete", **oidc)


def test_implicit_roles_need_a_permission_of_their_own(
    alice: Acting, active_connection: dict[str, Any]
) -> None:
    where = {
        "organization_id": alice.organization_id,
        "connection_id": active_connection["connection_id"],
        "saml_connection_implicit_role_assignments": [{"role_id": "stytch_admin"}],
    }
    both = {"stytch.sso": ["update"], "stytch.organization": ["update.settings.implicit-roles"]}
    for left_out in both:
        alice.hold({name: actions for name, actions in both.items() if name != left_out})
        refused = alice.sdk.refused("sso.saml.update_connection", alice.token, **where)
        assert refused == DENIED
    alice.hold(both)
    changed = alice.sdk.call("sso.saml.update_connection", alice.token, **where)["connection"]
    name = "saml_connection_implicit_role_assignments"
    assert changed[name] == where[name]


def test_member_of_one_organization_may_do_nothing_in_another(
    sdk: Sdk, alice: Acting, unique: str
) -> None:
    alice.hold({each: ["*"] for each in ("stytch.organization", "stytch.member", "stytch.sso")})
    elsewhere = Elsewhere(sdk, unique)
    secret_alone = dict.fromkeys(elsewhere.secret_alone(), DENIED)
    refused = {
        method: sdk.refused(method, authorization, **fields)
        for method, fields in {**elsewhere.calls(), **elsewhere.secret_alone()}.items()
        for authorization in (alice.token, alice.jwt)
    }
    assert refused == {**dict.fromkeys(refused, TENANCY), **secret_alone}
    may_act = {
        endpoint.operation_id
        for endpoint in groups.endpoints()
        if not endpoint.own and sdk.takes_member(endpoint.operation_id)
    }
    assert refused.keys() == may_act


class Elsewhere:
    """An organization that Alice is not in."""

    def __init__(self, sdk: Sdk, name: str) -> None:
        made = sdk.call("organizations.create", organization_name=name)
        self.organization = {"organization_id": made["organization"]["organization_id"]}
        member = sdk.call(
            "organizations.members.create", **self.organization, email_address="a@example.com"
        )
        self.member = {"member_id": member["member_id"]}
        self.connections = {
            protocol: {
                "connection_id": sdk.call(f"sso.{protocol}.create_connection", **self.organization)[
                    "connection"
                ]["connection_id"]
            }
            for protocol in ("saml", "oidc")
        }

    def calls(self) -> dict[str, dict[str, Any]]:
        """Return one call of every method that can be called on behalf of a member."""
        organization, member = self.organization, {**self.organization, **self.member}
        saml = {**organization, **self.connections["saml"]}
        oidc = {**organization, **self.connections["oidc"]}
        return {
            "organizations.update": {**organization, "organization_name": "Mine"},
            "organizations.delete": organization,
            "organizations.members.create": {**organization, "email_address": "b@example.com"},
            "organizations.members.update": {**member, "name": "Mine"},
            "organizations.members.delete": member,
            "organizations.members.search": {"organization_ids": [organization["organization_id"]]},
            "organizations.members.reactivate": member,
            "organizations.members.unlink_retired_email": {**member, "email_address": "a@b.com"},
            "organizations.members.start_email_update": {**member, "email_address": "a@b.com"},
            "organizations.members.delete_password": {
                **organization,
                "member_password_id": "any",
            },
            "organizations.members.delete_mfa_phone_number": member,
            "organizations.members.delete_totp": member,
            "organizations.members.get_connected_apps": member,
            "organizations.members.connected_apps.revoke": {**member, "connected_app_id": "any"},
            "sessions.revoke": self.member,
            "sso.get_connections": organization,
            "sso.delete_connection": saml,
            "sso.saml.create_connection": organization,
            "sso.saml.update_connection": {**saml, "display_name": "Mine"},
            "sso.saml.update_by_url": {**saml, "metadata_url": "https://idp.example.com/m"},
            "sso.saml.delete_verification_certificate": {**saml, "certificate_id": "any"},
            "sso.saml.delete_encryption_private_key": {**saml, "private_key_id": "any"},
            "sso.oidc.create_connection": organization,
            "sso.oidc.update_connection": {**oidc, "display_name": "Mine"},
            "sso.external.create_connection": {
                **organization,
                "external_organization_id": "any",
                "external_connection_id": "any",
            },
            "sso.external.update_connection": {**saml, "display_name": "Mine"},
        }

    def secret_alone(self) -> dict[str, dict[str, Any]]:
        """Return one call of every method that takes a member's session and no role grants."""
        organization = self.organization
        return {
            "organizations.connected_apps": organization,
            "organizations.get_connected_app": {**organization, "connected_app_id": "any"},
            "organizations.delete_external_id": organization,
            "organizations.members.delete_external_id": {**organization, **self.member},
        }


@pytest.mark.parametrize(
    ("header", "refusal"),
    [
        ({"session_token": "garbled"}, (400, "invalid_session_token")),
        ({"session_jwt": "a.b.c"}, (400, "unable_to_parse_session_jwt")),
    ],
    ids=["token", "jwt"],
)
def test_session_that_is_none_is_refused(
    sdk: Sdk, organization_id: str, header: dict[str, str], refusal: tuple[int, str]
) -> None:
    refused = sdk.refused("sso.get_connections", header, organization_id=organization_id)
    assert refused == refusal
