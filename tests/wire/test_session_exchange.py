"""`sessions.exchange` through both SDKs; the login goes through the server's test provider."""

from typing import Any

import pytest

from tests.support.browsing import Door
from tests.wire import expected
from tests.wire.expected import In
from tests.wire.sdk import Sdk

CLAIMS: dict[str, Any] = {"tenant": {"größe": 1}, "sub": "reserved"}


@pytest.fixture
async def signed_in(sdk: Sdk, active_connection: dict[str, Any], door: Door) -> dict[str, Any]:
    """Return the answer of sso.authenticate to a new session of Alice."""
    token = await door.sign_in(active_connection["connection_id"])
    return sdk.call("sso.authenticate", sso_token=token)


@pytest.fixture
def sharer(sdk: Sdk, unique: str, active_connection: dict[str, Any]) -> dict[str, Any]:
    """Return an external connection of another organization that Alice has been invited to."""
    made = sdk.call("organizations.create", organization_name=f"Sharer {unique}")
    where = {"organization_id": made["organization"]["organization_id"]}
    sdk.call(
        "organizations.members.create",
        **where,
        email_address="alice@example.com",
        create_member_as_pending=True,
    )
    answer = sdk.call(
        "sso.external.create_connection",
        **where,
        external_organization_id=active_connection["organization_id"],
        external_connection_id=active_connection["connection_id"],
    )
    return dict(answer["connection"])


@pytest.mark.drives("sessions.exchange")
def test_session_is_exchanged_for_one_of_who_shares_the_connection(
    sdk: Sdk, signed_in: dict[str, Any], sharer: dict[str, Any]
) -> None:
    organization_id, connection_id = sharer["organization_id"], sharer["connection_id"]
    asked = {
        "organization_id": organization_id,
        "session_duration_minutes": 30,
        "session_custom_claims": CLAIMS,
        "locale": "pt-br",
        "telemetry_id": "telemetry-1",
    }
    first = sdk.call("sessions.exchange", **asked, session_token=signed_in["session_token"])
    organization = sdk.call("organizations.get", organization_id=organization_id)["organization"]
    (there,) = signed_in["member"]["sso_registrations"]
    registration = {
        **there,
        "connection_id": connection_id,
        "registration_id": expected.new_id("saml-member-registration"),
    }
    used = expected.factor(sdk.name, signed_in_through(signed_in), there["external_id"])
    used["saml_sso_factor"]["provider_id"] = connection_id
    whole = {
        **expected.ENVELOPE,
        "member_id": expected.new_id("member"),
        "member": expected.member(
            organization_id=organization_id,
            email_address="alice@example.com",
            email_address_verified=True,
            sso_registrations=[registration],
        ),
        "organization": organization,
        "member_authenticated": True,
        "session_token": expected.TOKEN,
        "session_jwt": expected.JWT,
        "intermediate_session_token": "",
        "intermediate_session_token_expires_at": None,
        "member_session": expected.session(
            organization_id=organization_id,
            organization_slug=organization["organization_slug"],
            expires_at=In(30),
            authentication_factors=[used],
            custom_claims={"tenant": {"größe": 1}},
        ),
        "mfa_required": None,
        "primary_required": None,
        "member_device": None,
    }
    assert first == whole
    again = sdk.call("sessions.exchange", **asked, session_jwt=first["session_jwt"])
    assert again == whole
    assert again["member_id"] == first["member_id"] != signed_in["member_id"]
    assert again["session_token"] != first["session_token"]


def signed_in_through(answer: dict[str, Any]) -> str:
    (registration,) = answer["member"]["sso_registrations"]
    return str(registration["connection_id"])


def test_what_is_missing_there_is_said(
    sdk: Sdk, signed_in: dict[str, Any], sharer: dict[str, Any]
) -> None:
    where = {"organization_id": sharer["organization_id"]}
    asked = {**where, "session_token": signed_in["session_token"]}
    sdk.call("organizations.update", **where, mfa_policy="REQUIRED_FOR_ALL")
    no_session = {
        "member_authenticated": False,
        "session_token": "",
        "session_jwt": "",
        "member_session": None,
        "intermediate_session_token": expected.TOKEN,
        "intermediate_session_token_expires_at": In(10),
    }
    answer = sdk.call("sessions.exchange", **asked)
    mfa = {"member_options": None, "secondary_auth_initiated": None}
    assert answer == {**answer, **no_session, "mfa_required": mfa, "primary_required": None}
    methods = ["password"]
    sdk.call(
        "organizations.update", **where, auth_methods="RESTRICTED", allowed_auth_methods=methods
    )
    answer = sdk.call("sessions.exchange", **asked)
    primary = {"allowed_auth_methods": methods}
    assert answer == {**answer, **no_session, "mfa_required": None, "primary_required": primary}


def test_exchange_is_refused_by_name(
    sdk: Sdk, signed_in: dict[str, Any], sharer: dict[str, Any], unique: str
) -> None:
    token = {"session_token": signed_in["session_token"]}
    unshared = sdk.call("organizations.create", organization_name=f"Unshared {unique}")
    target = {"organization_id": unshared["organization"]["organization_id"]}
    refused = sdk.refused("sessions.exchange", **target, **token)
    assert refused == (400, "insufficient_factors_for_session_exchange")
    assert sdk.refused("sessions.exchange", **target) == (400, "no_session_arguments")
    unknown = sdk.refused("sessions.exchange", organization_id="organization-unknown", **token)
    assert unknown == (404, "organization_not_found")
    assert sharer["status"] == "active"
