"""`impersonation.authenticate` through both SDKs; tokens are made as an operator makes them."""

from typing import Any

import pytest

from tests.wire import expected
from tests.wire.conftest import Operator
from tests.wire.sdk import Sdk


@pytest.mark.drives("impersonation.authenticate")
def test_a_token_of_the_operator_becomes_a_session(
    sdk: Sdk,
    operator: Operator,
    credentials: dict[str, Any],
    organization_id: str,
    unique: str,
) -> None:
    made = sdk.call(
        "organizations.members.create",
        organization_id=organization_id,
        email_address=f"{unique}@example.com",
        mfa_enrolled=True,
    )
    project_id = credentials["project_id"]
    operator("project", "set", project_id, "--impersonation")
    who = ("--as", "support@example.com", "--reason", "Ticket 7")
    said = operator("impersonate", project_id, organization_id, made["member_id"], *who)
    (told,) = (line for line in said.splitlines() if line.startswith("impersonation_token "))
    token = told.split()[1]
    answer = sdk.call("impersonation.authenticate", impersonation_token=token)
    organization = made["organization"]
    factor = {
        "type": "impersonated",
        "delivery_method": "impersonation",
        "last_authenticated_at": expected.NOW,
        "created_at": expected.NOW,
        "updated_at": expected.NOW,
        "impersonated_factor": {
            "impersonator_id": "support@example.com",
            "impersonator_email_address": "support@example.com",
        },
    }
    if sdk.name == "node":
        factor["sequence_order"] = "PRIMARY"
    assert answer == {
        **expected.ENVELOPE,
        "member_id": made["member_id"],
        "organization_id": organization_id,
        "member": made["member"],
        "organization": organization,
        "member_authenticated": True,
        "session_token": expected.TOKEN,
        "session_jwt": expected.JWT,
        "member_session": expected.session(
            member_id=made["member_id"],
            organization_id=organization_id,
            organization_slug=organization["organization_slug"],
            authentication_factors=[factor],
        ),
        "intermediate_session_token": "",
        "intermediate_session_token_expires_at": None,
        "mfa_required": None,
    }
    refused = sdk.refused("impersonation.authenticate", impersonation_token=token)
    assert refused == (401, "unable_to_auth_impersonation_token")
    extended = sdk.refused(
        "sessions.authenticate", session_token=answer["session_token"], session_duration_minutes=90
    )
    assert extended == (400, "session_not_mutable")
