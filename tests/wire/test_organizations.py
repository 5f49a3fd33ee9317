"""The `organizations` group through both SDKs."""

from typing import Any

import pytest

from tests.wire import expected
from tests.wire.sdk import Sdk

NOT_FOUND = (404, "organization_not_found")


def settings(unique: str) -> dict[str, Any]:
    """Return every field that creation takes, none with its default."""
    return {
        "organization_name": f"Größe & Söhne <{unique}>",
        "organization_slug": f"groesse-{unique}",
        "organization_logo_url": "https://cdn.example.com/logo.png",
        "trusted_metadata": {"plan": {"seats": 12, "trial": False}, "größe": "ß"},
        "organization_external_id": f"ext|{unique}",
        "sso_jit_provisioning": "NOT_ALLOWED",
        "email_allowed_domains": [f"{unique}.example.com"],
        "email_jit_provisioning": "RESTRICTED",
        "email_invites": "RESTRICTED",
        "auth_methods": "RESTRICTED",
        "allowed_auth_methods": ["sso", "password"],
        "mfa_policy": "REQUIRED_FOR_ALL",
        "rbac_email_implicit_role_assignments": [
            {"domain": f"{unique}.example.com", "role_id": "stytch_admin"}
        ],
        "mfa_methods": "RESTRICTED",
        "allowed_mfa_methods": ["totp"],
        "oauth_tenant_jit_provisioning": "RESTRICTED",
        "allowed_oauth_tenants": {"slack": ["T0123"], "github": []},
        "claimed_email_domains": [f"{unique}.example.org"],
        "first_party_connected_apps_allowed_type": "RESTRICTED",
        "allowed_first_party_connected_apps": ["connected-app-test-1"],
        "third_party_connected_apps_allowed_type": "NOT_ALLOWED",
        "allowed_third_party_connected_apps": ["connected-app-test-2"],
    }


@pytest.mark.drives("organizations.create", "organizations.get")
def test_created_organization_has_what_was_sent(sdk: Sdk, unique: str) -> None:
    sent = settings(unique)
    whole = {**expected.ENVELOPE, "organization": expected.organization(**sent)}
    made = sdk.call("organizations.create", **sent)
    assert made == whole
    organization_id = made["organization"]["organization_id"]
    for locator in (organization_id, f"groesse-{unique}", f"ext|{unique}"):
        found = sdk.call("organizations.get", organization_id=locator)
        assert found == {**whole, "organization": made["organization"]}


def test_organization_with_a_name_alone_has_the_defaults(sdk: Sdk, unique: str) -> None:
    name = f"Acme {unique}"
    made = sdk.call("organizations.create", organization_name=name)
    whole = expected.organization(organization_name=name, organization_slug=f"acme-{unique}")
    assert made == {**expected.ENVELOPE, "organization": whole}


@pytest.mark.drives("organizations.update")
def test_updated_organization_has_what_was_sent(
    sdk: Sdk, organization_id: str, active_connection: dict[str, Any], unique: str
) -> None:
    connection_id = active_connection["connection_id"]
    sent = {
        **settings(unique),
        "sso_jit_provisioning": "RESTRICTED",
        "sso_jit_provisioning_allowed_connections": [connection_id],
        "sso_default_connection_id": connection_id,
    }
    whole = expected.organization(
        **sent,
        organization_id=organization_id,
        sso_active_connections=[
            {name: active_connection[name] for name in
             ("connection_id", "display_name", "identity_provider")}
        ],
    )  # fmt: skip
    changed = sdk.call("organizations.update", organization_id=organization_id, **sent)
    assert changed == {**expected.ENVELOPE, "organization": whole}

    # What is left out stays; a list replaces the old one whole; metadata is merged.
    little = {
        "organization_name": "Short",
        "allowed_auth_methods": ["sso"],
        "trusted_metadata": {"tier": 2},
    }
    again = sdk.call("organizations.update", organization_id=organization_id, **little)
    little["trusted_metadata"] = {**sent["trusted_metadata"], "tier": 2}
    assert again == {**expected.ENVELOPE, "organization": {**whole, **little}}


@pytest.mark.drives("organizations.delete")
def test_deleted_organization_is_gone(sdk: Sdk, organization_id: str) -> None:
    gone = sdk.call("organizations.delete", organization_id=organization_id)
    assert gone == {**expected.ENVELOPE, "organization_id": organization_id}
    for method in ("organizations.get", "organizations.delete"):
        assert sdk.refused(method, organization_id=organization_id) == NOT_FOUND


@pytest.mark.drives("organizations.search")
def test_search_gives_pages_of_what_fits(sdk: Sdk, unique: str) -> None:
    made = [
        sdk.call("organizations.create", organization_name=f"{unique}find {number}")
        for number in range(3)
    ]
    query = {
        "operator": "AND",
        "operands": [{"filter_name": "organization_name_fuzzy", "filter_value": f"{unique}find"}],
    }
    first = sdk.call("organizations.search", query=query, limit=2)
    metadata = {"total": 3, "next_cursor": expected.Like(".+")}
    organizations = [each["organization"] for each in made]
    assert first == {
        **expected.ENVELOPE,
        "organizations": organizations[:2],
        "results_metadata": metadata,
    }
    cursor = first["results_metadata"]["next_cursor"]
    second = sdk.call("organizations.search", query=query, limit=2, cursor=cursor)
    assert second == {
        **expected.ENVELOPE,
        "organizations": organizations[2:],
        "results_metadata": {"total": 3, "next_cursor": None},
    }


def test_search_takes_every_filter(sdk: Sdk, unique: str) -> None:
    domain = f"{unique}.example.com"
    made = sdk.call(
        "organizations.create",
        organization_name=f"{unique} Inc",
        organization_slug=f"{unique}-inc",
        email_allowed_domains=[domain],
        claimed_email_domains=[domain],
    )["organization"]
    organization_id = made["organization_id"]
    address = f"ada@{domain}"
    sdk.call("organizations.members.create", organization_id=organization_id, email_address=address)
    pending = sdk.call("sso.saml.create_connection", organization_id=organization_id)
    filters = {
        "organization_ids": [organization_id],
        "organization_slugs": [f"{unique}-inc"],
        "organization_name_fuzzy": f"{unique} i",
        "organization_slug_fuzzy": f"{unique}-i",
        "member_emails": [address],
        "member_email_fuzzy": f"@{domain}",
        "allowed_domains": [domain],
        "allowed_domain_fuzzy": f"{unique}.exa",
        "claimed_email_domains": [domain],
        "has_active_sso_connection": False,
        "sso_connection_id": pending["connection"]["connection_id"],
    }
    operands = [{"filter_name": name, "filter_value": value} for name, value in filters.items()]
    query = {"operator": "AND", "operands": operands}
    found = sdk.call("organizations.search", query=query)["organizations"]
    assert [each["organization_id"] for each in found] == [organization_id]
