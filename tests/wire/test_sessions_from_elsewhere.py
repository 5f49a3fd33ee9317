"""Sessions that begin with another system's proof, through both SDKs."""

from typing import Any

import pytest

from tests.support.browsing import Door
from tests.wire import connections, expected
from tests.wire.conftest import Operator
from tests.wire.expected import In
from tests.wire.sdk import Sdk

CLAIMS: dict[str, Any] = {"tenant": {"größe": 1}, "sub": "reserved"}
ZOE = {"person": "zoe", "groups": "", "decision": "allow"}


@pytest.mark.drives("sessions.migrate")
async def test_session_is_taken_over_from_who_knows_the_token(
    sdk: Sdk,
    operator: Operator,
    credentials: dict[str, Any],
    organization_id: str,
    door: Door,
) -> None:
    """The server's test identity provider stands for the other system: it has a userinfo too."""
    connection = connections.oidc(sdk, organization_id, door.base_url)
    asked = ("project", "set", credentials["project_id"], "--session-migration-url")
    assert "taken over from" in operator(*asked, connection["userinfo_url"])
    token = await door.sign_in(
        connection["connection_id"], answers=ZOE, custom_scopes="offline_access"
    )
    member = sdk.call("sso.authenticate", sso_token=token)["member"]
    where = {"organization_id": organization_id, "member_id": member["member_id"]}
    (tokens,) = sdk.call("organizations.members.oidc_providers", **where)["registrations"]

    answer = sdk.call(
        "sessions.migrate",
        session_token=tokens["access_token"],
        organization_id=organization_id,
        session_duration_minutes=30,
        session_custom_claims=CLAIMS,
    )
    organization = sdk.call("organizations.get", organization_id=organization_id)["organization"]
    factor = {
        "type": "imported",
        "delivery_method": "imported_auth0",
        "last_authenticated_at": expected.NOW,
        "created_at": expected.NOW,
        "updated_at": expected.NOW,
    }
    if sdk.name == "node":
        factor["sequence_order"] = "PRIMARY"
    assert answer == {
        **expected.ENVELOPE,
        "member_id": member["member_id"],
        "member": member,
        "organization": organization,
        "session_token": expected.TOKEN,
        "session_jwt": expected.JWT,
        "member_session": expected.session(
            **where,
            organization_slug=organization["organization_slug"],
            expires_at=In(30),
            authentication_factors=[factor],
            custom_claims={"tenant": {"größe": 1}},
        ),
    }
    local = sdk.call("sessions.authenticate_jwt", session_jwt=answer["session_jwt"])
    assert local["member_session"]["authentication_factors"] == [factor]

    refused = sdk.refused(
        "sessions.migrate", session_token="unknown", organization_id=organization_id
    )
    assert refused == (400, "migrate_from_external_unexpected_response")
