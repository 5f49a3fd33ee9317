"""The `sessions` group through both SDKs, and JWTs verified on the application's side."""

from typing import Any, NamedTuple

import pytest
from stytch.b2b.models.sessions import AuthorizationCheck
from stytch.shared.rbac_local import RBACPermissionError, TenancyError

from tests.support.browsing import Door
from tests.wire import expected
from tests.wire.expected import In
from tests.wire.sdk import Sdk

NOT_FOUND = (404, "session_not_found")
OTHER_CLAIMS = "eyJzdWIiOiJzb21lYm9keSBlbHNlIn0"


class Refusal(NamedTuple):
    """What is asked, the server's answer, and the error of the Python SDK's own verifier."""

    change: dict[str, str]
    error_type: str
    local: type[Exception]


REFUSALS = (
    Refusal(
        {"action": "create", "resource_id": "stytch.sso"},
        "session_authorization_error",
        RBACPermissionError,
    ),
    Refusal(
        {"organization_id": "organization-test-of-somebody-else"},
        "session_authorization_tenancy_error",
        TenancyError,
    ),
)


@pytest.fixture
async def signed_in(sdk: Sdk, active_connection: dict[str, Any], door: Door) -> dict[str, Any]:
    """Return the answer of sso.authenticate to a new session of Alice."""
    token = await door.sign_in(active_connection["connection_id"])
    return sdk.call("sso.authenticate", sso_token=token)


def ownership(answer: dict[str, Any], **check: str) -> dict[str, str]:
    """Return the question whether the member may delete itself, changed by `check`."""
    own = {"organization_id": answer["organization_id"], "resource_id": "stytch.self"}
    return {**own, "action": "delete", **check}


@pytest.mark.drives("sessions.authenticate")
def test_session_is_found_by_token_and_by_jwt(sdk: Sdk, signed_in: dict[str, Any]) -> None:
    begun = signed_in["member_session"]
    first = sdk.call(
        "sessions.authenticate",
        session_token=signed_in["session_token"],
        session_duration_minutes=120,
        session_custom_claims={"cart": {"items": 2}, "iss": "reserved"},
        authorization_check=ownership(signed_in),
    )
    session = {
        **begun,
        "last_accessed_at": expected.NOW,
        "expires_at": In(120),
        "custom_claims": {"cart": {"items": 2}},
    }
    whole = {
        **expected.ENVELOPE,
        "member_session": session,
        "session_token": signed_in["session_token"],
        "session_jwt": expected.JWT,
        "member": signed_in["member"],
        "organization": signed_in["organization"],
        "verdict": {"authorized": True, "granting_roles": ["stytch_member"]},
    }
    assert first == whole

    # Nothing that is left out changes; a claim that is null goes.
    claims = {"cart": {"items": None}, "größe": "ß"}
    again = sdk.call(
        "sessions.authenticate", session_jwt=first["session_jwt"], session_custom_claims=claims
    )
    session["custom_claims"] = {"cart": {}, "größe": "ß"}
    assert again == {**whole, "verdict": None}


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda each: each.error_type)
def test_authorization_check_refuses(sdk: Sdk, signed_in: dict[str, Any], refusal: Refusal) -> None:
    refused = sdk.refused(
        "sessions.authenticate",
        session_token=signed_in["session_token"],
        authorization_check=ownership(signed_in, **refusal.change),
    )
    assert refused == (403, refusal.error_type)


@pytest.mark.drives("sessions.get", "sessions.revoke")
async def test_sessions_are_listed_until_they_are_revoked(
    sdk: Sdk, signed_in: dict[str, Any], active_connection: dict[str, Any], door: Door
) -> None:
    where = {name: signed_in[name] for name in ("organization_id", "member_id")}
    answers = [signed_in]
    for _ in range(4):
        token = await door.sign_in(active_connection["connection_id"])
        answers.append(sdk.call("sso.authenticate", sso_token=token))
    sessions = {
        each["member_session"]["member_session_id"]: each["member_session"] for each in answers
    }
    listed = sdk.call("sessions.get", **where)
    assert listed == {**expected.ENVELOPE, "member_sessions": list(sessions.values())}

    by_id, by_token, by_jwt, *others = answers
    names = (
        {"member_session_id": by_id["member_session"]["member_session_id"]},
        {"session_token": by_token["session_token"]},
        {"session_jwt": by_jwt["session_jwt"]},
        {"member_id": signed_in["member_id"]},
    )
    left = []
    for name in names:
        assert sdk.call("sessions.revoke", **name) == expected.ENVELOPE
        left.append(len(sdk.call("sessions.get", **where)["member_sessions"]))
    assert left == [4, 3, 2, 0]
    for each in (by_id, *others):
        token = each["session_token"]
        assert sdk.refused("sessions.authenticate", session_token=token) == NOT_FOUND


@pytest.mark.drives("sessions.get_jwks")
def test_keys_have_what_verifiers_insist_on(sdk: Sdk, credentials: dict[str, Any]) -> None:
    answer = sdk.call("sessions.get_jwks", project_id=credentials["project_id"])
    (key,) = answer["keys"]
    base64url, base64 = expected.Like("[A-Za-z0-9_-]+"), expected.Like("[A-Za-z0-9+/]+=*")
    whole = {
        "kty": "RSA",
        "use": "sig",
        "key_ops": ["verify"],
        "alg": "RS256",
        "kid": expected.new_id("jwk"),
        "x5c": [base64],
        "x5tS256": base64url,
        "n": base64url,
        "e": "AQAB",
    }
    if sdk.name == "node":
        # The Python SDK's model does not have the name that JOSE gives it.
        whole["x5t#S256"] = key["x5tS256"]
    assert answer == {**expected.ENVELOPE, "keys": [whole]}


def jwt_check(sdk: Sdk, check: dict[str, str]) -> Any:
    """Return an authorization check as the SDK's own verifier wants it."""
    return AuthorizationCheck(**check) if sdk.name == "python" else check


def test_jwt_is_verified_without_the_server(sdk: Sdk, signed_in: dict[str, Any]) -> None:
    jwt = signed_in["session_jwt"]
    check = jwt_check(sdk, ownership(signed_in))
    # The claims would be in the session if the server had been asked.
    seen = sdk.call(
        "sessions.authenticate_jwt",
        session_jwt=jwt,
        session_custom_claims={"asked": True},
        authorization_check=check,
    )
    assert seen["session_jwt"] == jwt
    session = {**signed_in["member_session"], "expires_at": In(60)}
    assert seen["member_session"] == session
    local = sdk.call("sessions.authenticate_jwt_local", session_jwt=jwt, max_token_age_seconds=300)
    assert local == session

    # Until it expires; the server knows better.
    sdk.call("sessions.revoke", session_jwt=jwt)
    assert sdk.call("sessions.authenticate_jwt", session_jwt=jwt)["member_session"] == session
    asked = sdk.refused("sessions.authenticate_jwt", session_jwt=jwt, max_token_age_seconds=0)
    assert asked == NOT_FOUND


# The Python SDK turns its own model into JSON by a name that pydantic has given up.
@pytest.mark.filterwarnings("ignore:The `dict` method is deprecated")
def test_jwt_that_is_too_old_is_verified_by_the_server(sdk: Sdk, signed_in: dict[str, Any]) -> None:
    seen = sdk.call(
        "sessions.authenticate_jwt",
        session_jwt=signed_in["session_jwt"],
        max_token_age_seconds=0,
        session_custom_claims={"asked": True},
        authorization_check=jwt_check(sdk, ownership(signed_in)),
    )
    session = signed_in["member_session"]
    assert seen["member_session"] == {
        **session,
        "last_accessed_at": expected.NOW,
        "custom_claims": {"asked": True},
    }
    assert seen["session_jwt"] == expected.JWT
    assert seen["session_jwt"] != signed_in["session_jwt"]
    assert seen["request_id"] == expected.ENVELOPE["request_id"]


@pytest.mark.filterwarnings("ignore:The `dict` method is deprecated")
@pytest.mark.parametrize("age", [{}, {"max_token_age_seconds": 0}], ids=["local", "network"])
@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda each: each.error_type)
def test_jwt_check_refuses(
    sdk: Sdk, signed_in: dict[str, Any], age: dict[str, int], refusal: Refusal
) -> None:
    asked = {
        "session_jwt": signed_in["session_jwt"],
        "authorization_check": jwt_check(sdk, ownership(signed_in, **refusal.change)),
        **age,
    }
    # What Python finds out alone it does not ask the server about; Node always does.
    if sdk.name == "python" and not age:
        with pytest.raises(refusal.local):
            sdk.call("sessions.authenticate_jwt", **asked)
    else:
        assert sdk.refused("sessions.authenticate_jwt", **asked) == (403, refusal.error_type)


def test_altered_jwt_is_refused(sdk: Sdk, signed_in: dict[str, Any]) -> None:
    header, _, signature = signed_in["session_jwt"].split(".")
    altered = f"{header}.{OTHER_CLAIMS}.{signature}"
    refused = sdk.refused("sessions.authenticate_jwt", session_jwt=altered)
    assert refused == (400, "unable_to_parse_session_jwt")
