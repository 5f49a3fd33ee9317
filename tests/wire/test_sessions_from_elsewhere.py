"""Sessions that begin with another system's proof, through both SDKs."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support import oidc_documents
from tests.support.browsing import Door
from tests.wire import connections, expected
from tests.wire.conftest import Operator
from tests.wire.expected import In
from tests.wire.sdk import Sdk
from vestibule.clock import SECOND, SystemClock

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


@pytest.fixture
def profile_id(operator: Operator, credentials: dict[str, Any], tmp_path: Path) -> str:
    """Return a profile that trusts the tokens of `trusted_token`."""
    public = oidc_documents.rsa_signer().key.public_key()
    key = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    profile = {
        "name": "Wire",
        "issuer": "https://tokens.example.com",
        "audience": "wire",
        "public_keys": [key],
        "attribute_mapping": {"email": "email", "token_id": "jti"},
    }
    file = tmp_path / "profile.json"
    file.write_text(json.dumps(profile))
    said = operator("trusted-token", "add", credentials["project_id"], str(file))
    return said.split()[-1]


def trusted_token(token_id: str) -> str:
    issued = SystemClock().now() // SECOND
    claims = {
        "iss": "https://tokens.example.com",
        "aud": "wire",
        "iat": issued,
        "exp": issued + 60,
        "jti": token_id,
        "email": "ann@example.com",
    }
    return oidc_documents.token(claims)


def trusted_factor(sdk: Sdk, token_id: str) -> dict[str, Any]:
    shown = {
        "type": "trusted_auth_token",
        "delivery_method": "trusted_token_exchange",
        "last_authenticated_at": expected.NOW,
        "created_at": expected.NOW,
        "updated_at": expected.NOW,
        "trusted_auth_token_factor": {"token_id": token_id},
    }
    return shown if sdk.name == "python" else {**shown, "sequence_order": "PRIMARY"}


@pytest.mark.drives("sessions.attest")
def test_session_begins_with_a_trusted_token_and_gains_another(
    sdk: Sdk, profile_id: str, organization_id: str, unique: str
) -> None:
    member = sdk.call(
        "organizations.members.create",
        organization_id=organization_id,
        email_address="ann@example.com",
    )["member"]
    asked = {
        "profile_id": profile_id,
        "organization_id": organization_id,
        "session_duration_minutes": 30,
        "session_custom_claims": CLAIMS,
        "telemetry_id": "telemetry-1",
    }
    first_id, second_id, third_id = (f"{unique}-{number}" for number in (1, 2, 3))
    first = sdk.call("sessions.attest", **asked, token=trusted_token(first_id))
    organization = sdk.call("organizations.get", organization_id=organization_id)["organization"]
    session = expected.session(
        organization_id=organization_id,
        member_id=member["member_id"],
        organization_slug=organization["organization_slug"],
        expires_at=In(30),
        authentication_factors=[trusted_factor(sdk, first_id)],
        custom_claims={"tenant": {"größe": 1}},
    )
    whole = {
        **expected.ENVELOPE,
        "member_id": member["member_id"],
        "member": {**member, "email_address_verified": True, "updated_at": expected.NOW},
        "organization": organization,
        "session_token": expected.TOKEN,
        "session_jwt": expected.JWT,
        "member_session": session,
        "member_device": None,
    }
    assert first == whole

    for name, token_id in (("session_token", second_id), ("session_jwt", third_id)):
        proof = {name: first[name]}
        answer = sdk.call("sessions.attest", **asked, **proof, token=trusted_token(token_id))
        session["authentication_factors"].append(trusted_factor(sdk, token_id))
        assert answer == whole
        assert answer["session_token"] == first["session_token"]
    local = sdk.call("sessions.authenticate_jwt", session_jwt=answer["session_jwt"])
    assert local["member_session"]["authentication_factors"] == session["authentication_factors"]
    used = sdk.refused("sessions.attest", **asked, token=trusted_token(first_id))
    assert used == (400, "invalid_trusted_auth_token")


@pytest.mark.drives("sessions.exchange_access_token")
def test_access_token_is_refused_because_there_are_none(sdk: Sdk) -> None:
    refused = sdk.refused(
        "sessions.exchange_access_token",
        access_token="eyJ",
        session_duration_minutes=30,
        session_custom_claims=CLAIMS,
        telemetry_id="telemetry-1",
    )
    assert refused == (400, "oauth_access_token_exchange_token_invalid_grant")
