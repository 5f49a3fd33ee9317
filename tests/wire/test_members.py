"""The `organizations.members` group through both SDKs."""

from typing import Any

import pytest

from tests.wire import expected
from tests.wire.expected import MEMBER_ROLE
from tests.wire.sdk import Sdk

NOT_FOUND = (404, "member_not_found")
ADMIN_ROLE = {**MEMBER_ROLE, "role_id": "stytch_admin"}


def add(sdk: Sdk, organization_id: str, **fields: Any) -> dict[str, Any]:
    """Create a member and return the whole answer."""
    return sdk.call("organizations.members.create", organization_id=organization_id, **fields)


def answer(sdk: Sdk, organization_id: str, member: dict[str, Any]) -> dict[str, Any]:
    """Return the whole answer that shows a member."""
    organization = sdk.call("organizations.get", organization_id=organization_id)
    return {
        **expected.ENVELOPE,
        "member_id": member["member_id"],
        "member": member,
        "organization": organization["organization"],
    }


@pytest.mark.case("AD-26", verdict="holds")
def test_names_of_prototypes_are_data_to_both_sdks(
    sdk: Sdk, organization_id: str, unique: str
) -> None:
    metadata = {"__proto__": {"is_admin": True}, "constructor": {"prototype": {"is_admin": True}}}
    made = sdk.call(
        "organizations.members.create",
        organization_id=organization_id,
        email_address=f"{unique}@example.com",
        trusted_metadata=metadata,
        untrusted_metadata=metadata,
    )
    member = made["member"]
    assert (member["trusted_metadata"], member["untrusted_metadata"]) == (metadata, metadata)
    assert member["is_admin"] is False


@pytest.mark.drives("organizations.members.create")
def test_created_member_has_what_was_sent(sdk: Sdk, organization_id: str, unique: str) -> None:
    shown = {
        "organization_id": organization_id,
        "email_address": f"Zoe.{unique}@example.com",
        "name": "Zoë Müller & <Söhne>",
        "trusted_metadata": {"employee": 17},
        "untrusted_metadata": {"theme": "dark"},
        "is_breakglass": True,
        "mfa_phone_number": "+14155550123",
        "mfa_enrolled": True,
        "external_id": f"hr|{unique}",
    }
    made = sdk.call(
        "organizations.members.create",
        **shown,
        create_member_as_pending=True,
        roles=["stytch_admin"],
    )
    whole = expected.member(
        **shown, status="pending", is_admin=True, roles=[MEMBER_ROLE, ADMIN_ROLE]
    )
    assert made == answer(sdk, organization_id, {**whole, "member_id": made["member_id"]})


def test_member_with_an_address_alone_has_the_defaults(
    sdk: Sdk, organization_id: str, unique: str
) -> None:
    email = f"{unique}@example.com"
    made = add(sdk, organization_id, email_address=email)
    whole = expected.member(
        organization_id=organization_id, email_address=email, member_id=made["member_id"]
    )
    assert made == answer(sdk, organization_id, whole)


@pytest.mark.drives("organizations.members.get", "organizations.members.dangerously_get")
def test_member_is_found_by_every_name(sdk: Sdk, organization_id: str, unique: str) -> None:
    email = f"{unique}@example.com"
    made = add(sdk, organization_id, email_address=email, external_id=unique)
    for locator in ({"member_id": made["member_id"]}, {"email_address": email}):
        found = sdk.call("organizations.members.get", organization_id=organization_id, **locator)
        assert found == {**made, **expected.ENVELOPE}
    by_external_id = sdk.call(
        "organizations.members.get", organization_id=organization_id, member_id=unique
    )
    assert by_external_id == {**made, **expected.ENVELOPE}
    anywhere = sdk.call(
        "organizations.members.dangerously_get", member_id=made["member_id"], include_deleted=False
    )
    assert anywhere == {**made, **expected.ENVELOPE}


@pytest.mark.drives("organizations.members.update")
def test_updated_member_has_what_was_sent(sdk: Sdk, organization_id: str, unique: str) -> None:
    before = f"{unique}-before@example.com"
    made = add(
        sdk,
        organization_id,
        email_address=before,
        trusted_metadata={"kept": True, "dropped": 1},
    )
    shown = {
        "name": "Renée",
        "untrusted_metadata": {"theme": "dark"},
        "is_breakglass": True,
        "mfa_phone_number": "+14155550123",
        "mfa_enrolled": True,
        "default_mfa_method": "sms_otp",
        "email_address": f"{unique}-after@example.com",
        "external_id": f"hr|{unique}",
    }
    where = {"organization_id": organization_id, "member_id": made["member_id"]}
    changed = sdk.call(
        "organizations.members.update",
        **where,
        **shown,
        trusted_metadata={"added": [1]},
        roles=["stytch_admin"],
        preserve_existing_sessions=True,
        unlink_email=False,
    )
    whole = {
        **made["member"],
        **shown,
        "trusted_metadata": {"kept": True, "dropped": 1, "added": [1]},
        "is_admin": True,
        "roles": [MEMBER_ROLE, ADMIN_ROLE],
        "retired_email_addresses": [
            {"email_id": expected.new_id("email"), "email_address": before}
        ],
        "updated_at": expected.NOW,
    }
    assert changed == answer(sdk, organization_id, whole)

    # What is left out stays; a null in metadata deletes; an unlinked address is free again.
    again = sdk.call(
        "organizations.members.update",
        **where,
        name="",
        trusted_metadata={"dropped": None},
        email_address=f"{unique}-last@example.com",
        unlink_email=True,
    )
    whole |= {
        "name": "",
        "trusted_metadata": {"kept": True, "added": [1]},
        "email_address": f"{unique}-last@example.com",
    }
    assert again == answer(sdk, organization_id, whole)
    assert add(sdk, organization_id, email_address=f"{unique}-after@example.com")["member_id"]
    retired = {"organization_id": organization_id, "email_address": before}
    assert sdk.refused("organizations.members.create", **retired) == (400, "retired_member_email")


@pytest.mark.drives("organizations.members.delete")
def test_deleted_member_is_hidden(sdk: Sdk, organization_id: str, unique: str) -> None:
    member_id = add(sdk, organization_id, email_address=f"{unique}@example.com")["member_id"]
    where = {"organization_id": organization_id, "member_id": member_id}
    gone = sdk.call("organizations.members.delete", **where)
    assert gone == {**expected.ENVELOPE, "member_id": member_id}
    assert sdk.refused("organizations.members.get", **where) == NOT_FOUND
    hidden = {"member_id": member_id, "include_deleted": False}
    assert sdk.refused("organizations.members.dangerously_get", **hidden) == NOT_FOUND
    shown = sdk.call(
        "organizations.members.dangerously_get", member_id=member_id, include_deleted=True
    )
    assert (shown["member_id"], shown["member"]["status"]) == (member_id, "deleted")


@pytest.mark.drives("organizations.members.search")
def test_search_gives_pages_of_what_fits(sdk: Sdk, organization_id: str, unique: str) -> None:
    made = [
        add(sdk, organization_id, email_address=f"{unique}-{number}@example.com")
        for number in range(3)
    ]
    query = {
        "operator": "OR",
        "operands": [
            {"filter_name": "member_email_fuzzy", "filter_value": f"{unique}-"},
            {"filter_name": "member_is_breakglass", "filter_value": True},
        ],
    }
    asked = {"organization_ids": [organization_id], "query": query, "limit": 2}
    organizations = {organization_id: made[0]["organization"]}
    first = sdk.call("organizations.members.search", **asked)
    assert first == {
        **expected.ENVELOPE,
        "members": [each["member"] for each in made[:2]],
        "organizations": organizations,
        "results_metadata": {"total": 3, "next_cursor": expected.Like(".+")},
    }
    cursor = first["results_metadata"]["next_cursor"]
    assert sdk.call("organizations.members.search", **asked, cursor=cursor) == {
        **expected.ENVELOPE,
        "members": [made[2]["member"]],
        "organizations": organizations,
        "results_metadata": {"total": 3, "next_cursor": None},
    }


def test_search_takes_every_filter(sdk: Sdk, organization_id: str, unique: str) -> None:
    phone = "+14155550123"
    made = add(
        sdk,
        organization_id,
        email_address=f"{unique}@example.com",
        is_breakglass=True,
        mfa_phone_number=phone,
        roles=["stytch_admin"],
    )
    filters = {
        "member_ids": [made["member_id"]],
        "member_emails": [f"{unique}@example.com"],
        "member_email_fuzzy": f"{unique}@",
        "member_is_breakglass": True,
        "statuses": ["active"],
        "member_phone_numbers": [phone],
        "member_phone_number_fuzzy": "555",
        "member_mfa_phone_numbers": [phone],
        "member_mfa_phone_number_fuzzy": "555",
        "member_password_exists": False,
        "member_roles": ["stytch_admin"],
    }
    operands = [{"filter_name": name, "filter_value": value} for name, value in filters.items()]
    query = {"operator": "AND", "operands": operands}
    found = sdk.call(
        "organizations.members.search", organization_ids=[organization_id], query=query
    )
    assert found["members"] == [made["member"]]
