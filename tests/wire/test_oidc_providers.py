"""`organizations.members.oidc_providers` through both SDKs, after a real OIDC login."""

from typing import Any

import pytest

from tests.support.browsing import Door
from tests.wire import connections, expected
from tests.wire.sdk import Sdk

ZOE = {"person": "zoe", "groups": "", "decision": "allow"}


async def logged_in(sdk: Sdk, connection: dict[str, Any], door: Door) -> dict[str, Any]:
    """Log in through `connection`; return the locators of the member."""
    connection_id = connection["connection_id"]
    token = await door.sign_in(connection_id, answers=ZOE, custom_scopes="offline_access")
    answer = sdk.call("sso.authenticate", sso_token=token)
    return {name: answer[name] for name in ("organization_id", "member_id")}


@pytest.mark.drives("organizations.members.oidc_providers")
async def test_tokens_of_the_provider_are_given_out(
    sdk: Sdk, organization_id: str, door: Door
) -> None:
    connection = connections.oidc(sdk, organization_id, door.base_url)
    member = await logged_in(sdk, connection, door)
    one: dict[str, Any] = {
        "provider_subject": "user-zoe",
        "id_token": expected.JWT,
        "access_token": expected.TOKEN,
        "scopes": ["openid", "email", "profile", "offline_access"],
        "connection_id": connection["connection_id"],
    }
    for asked in ({}, {"include_refresh_token": True}):
        answer = sdk.call("organizations.members.oidc_providers", **member, **asked)
        if asked:
            one["refresh_token"] = expected.TOKEN
        one["access_token_expires_in"] = answer["registrations"][0]["access_token_expires_in"]
        assert 3590 <= one["access_token_expires_in"] <= 3600
        assert answer == {**expected.ENVELOPE, "registrations": [one]}


def test_member_without_an_oidc_login_has_none(sdk: Sdk, organization_id: str, unique: str) -> None:
    made = sdk.call(
        "organizations.members.create",
        organization_id=organization_id,
        email_address=f"{unique}@example.com",
    )
    refused = sdk.refused(
        "organizations.members.oidc_providers",
        organization_id=organization_id,
        member_id=made["member_id"],
    )
    assert refused == (404, "member_oidc_token_not_found")
