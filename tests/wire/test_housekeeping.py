"""What mends organizations and members one thing at a time, through both SDKs."""

from typing import Any

import pytest

from tests.support.browsing import Door
from tests.wire import acting, expected
from tests.wire.sdk import Sdk

PROVIDERS = ("google", "microsoft", "slack", "hubspot", "github")
NO_APP = (404, "connected_app_not_found")


def named(made: dict[str, Any]) -> dict[str, str]:
    """Return the locators of the member of an answer."""
    member = made["member"]
    return {"organization_id": member["organization_id"], "member_id": member["member_id"]}


def add(sdk: Sdk, organization_id: str, **fields: Any) -> dict[str, Any]:
    return sdk.call("organizations.members.create", organization_id=organization_id, **fields)


@pytest.mark.drives("organizations.members.reactivate")
async def test_member_comes_back(
    sdk: Sdk, organization_id: str, active_connection: dict[str, Any], door: Door
) -> None:
    alice = await acting.sign_in(sdk, door, active_connection)
    where = {"organization_id": organization_id, "member_id": alice.member_id}
    sdk.call("organizations.members.delete", **where)
    answer = sdk.call("organizations.members.reactivate", **where)
    assert answer["member_id"] == alice.member_id
    assert answer["member"]["status"] == "active"
    # A session that deletion ended does not come back.
    ended = sdk.refused("sessions.authenticate", session_token=alice.session_token)
    assert ended == (404, "session_not_found")
    again = sdk.refused("organizations.members.reactivate", **where)
    assert again == (404, "no_deleted_member_found_for_reactivation")


@pytest.mark.drives("organizations.members.unlink_retired_email")
def test_retired_address_is_given_up(sdk: Sdk, organization_id: str, unique: str) -> None:
    where = named(add(sdk, organization_id, email_address=f"{unique}@example.com"))
    changed = sdk.call(
        "organizations.members.update", **where, email_address=f"new.{unique}@example.com"
    )
    (retired,) = changed["member"]["retired_email_addresses"]
    answer = sdk.call("organizations.members.unlink_retired_email", **where, **retired)
    member = expected.member(**where, email_address=f"new.{unique}@example.com")
    assert answer == {
        **expected.ENVELOPE,
        **where,
        "member": member,
        "organization": changed["organization"],
    }


@pytest.mark.drives("organizations.members.delete_external_id", "organizations.delete_external_id")
def test_external_ids_are_taken_away(sdk: Sdk, organization_id: str, unique: str) -> None:
    email = f"{unique}@example.com"
    made = add(sdk, organization_id, email_address=email, external_id=unique)
    answer = sdk.call("organizations.members.delete_external_id", **named(made))
    assert answer["member"] == expected.member(**named(made), email_address=email)
    sdk.call(
        "organizations.update", organization_id=organization_id, organization_external_id=unique
    )
    answer = sdk.call("organizations.delete_external_id", organization_id=unique)
    assert answer["organization"]["organization_external_id"] is None
    assert answer["organization"]["organization_id"] == organization_id


@pytest.mark.drives("organizations.metrics")
def test_members_are_counted(sdk: Sdk, organization_id: str, unique: str) -> None:
    add(sdk, organization_id, email_address=f"{unique}@example.com")
    answer = sdk.call("organizations.metrics", organization_id=organization_id)
    assert answer == {**expected.ENVELOPE, "member_count": 1}


@pytest.mark.drives("organizations.members.delete_password")
def test_nobody_has_a_password(sdk: Sdk, organization_id: str) -> None:
    refused = sdk.refused(
        "organizations.members.delete_password",
        organization_id=organization_id,
        member_password_id="member-password-test-x",
    )
    assert refused == (404, "member_password_not_found")


@pytest.mark.drives(
    "organizations.connected_apps",
    "organizations.get_connected_app",
    "organizations.members.get_connected_apps",
    "organizations.members.connected_apps.revoke",
)
def test_there_are_no_connected_apps(sdk: Sdk, organization_id: str, unique: str) -> None:
    none = {**expected.ENVELOPE, "connected_apps": []}
    where = {"organization_id": organization_id}
    assert sdk.call("organizations.connected_apps", **where) == none
    method = "organizations.get_connected_app"
    assert sdk.refused(method, **where, connected_app_id="app") == NO_APP
    member = named(add(sdk, organization_id, email_address=f"{unique}@example.com"))
    assert sdk.call("organizations.members.get_connected_apps", **member) == none
    method = "organizations.members.connected_apps.revoke"
    assert sdk.refused(method, **member, connected_app_id="app") == NO_APP


@pytest.mark.drives(*(f"organizations.members.oauth_providers.{each}" for each in PROVIDERS))
def test_no_member_has_tokens_of_social_logins(sdk: Sdk, organization_id: str, unique: str) -> None:
    member = named(add(sdk, organization_id, email_address=f"{unique}@example.com"))
    for provider in PROVIDERS:
        method = f"organizations.members.oauth_providers.{provider}"
        wanted = {} if provider == "slack" else {"include_refresh_token": True}
        refused = sdk.refused(method, **member, **wanted)
        assert (provider, *refused) == (provider, 404, "member_oauth_token_not_found")
