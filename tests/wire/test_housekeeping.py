"""What mends organizations and members one thing at a time, through both SDKs."""

import asyncio
import re
from typing import Any

import pytest
import requests

from tests.support.browsing import Door
from tests.wire import acting, expected
from tests.wire.acting import Acting
from tests.wire.plain_http import PlainHttp
from tests.wire.sdk import Sdk

PROVIDERS = ("google", "microsoft", "slack", "hubspot", "github")
NO_APP = (404, "connected_app_not_found")


@pytest.fixture
async def alice(sdk: Sdk, active_connection: dict[str, Any], door: Door) -> Acting:
    return await acting.sign_in(sdk, door, active_connection)


def named(made: dict[str, Any]) -> dict[str, str]:
    """Return the locators of the member of an answer."""
    member = made["member"]
    return {"organization_id": member["organization_id"], "member_id": member["member_id"]}


def add(sdk: Sdk, organization_id: str, **fields: Any) -> dict[str, Any]:
    return sdk.call("organizations.members.create", organization_id=organization_id, **fields)


@pytest.mark.drives("organizations.members.reactivate")
def test_member_comes_back(sdk: Sdk, alice: Acting) -> None:
    where = {"organization_id": alice.organization_id, "member_id": alice.member_id}
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


async def code_of(places: dict[str, Any], to: str) -> str:
    """Return the code of the letter to an address, once the page that shows letters has it."""
    pattern = rf"to {re.escape(to)}</p>\s*<pre[^>]*>[^<]*?(\d{{6}})\n"
    for _ in range(100):
        shown = await asyncio.to_thread(
            requests.get, places["mailbox_url"], verify=places["ca_file"], timeout=10
        )
        if found := re.search(pattern, shown.text):
            return found[1]
        await asyncio.sleep(0.2)
    raise AssertionError(f"no letter to {to}")


@pytest.mark.drives(
    "organizations.members.start_email_update", "organizations.members.confirm_email_update"
)
async def test_new_address_is_proven_by_a_code(
    alice: Acting, plain: PlainHttp, places: dict[str, Any], unique: str
) -> None:
    where = {"organization_id": alice.organization_id, "member_id": alice.member_id}
    email = f"alice.{unique}@example.com"
    begun = alice.sdk.call(
        "organizations.members.start_email_update",
        **where,
        email_address=email,
        login_redirect_url=f"{places['base_url']}/dev/app/callback",
        locale="pt-br",
        login_template_id="any",
        delivery_method="EMAIL_OTP",
    )
    assert begun["member"]["email_address"] != email
    code = await code_of(places, email)
    answer = plain.call("organizations.members.confirm_email_update", **where, code=code)
    assert answer["member"]["email_address"] == email
