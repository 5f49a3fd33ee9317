"""`totps`, `recovery_codes` and `members.delete_totp` through both SDKs, after a login by SSO."""

from typing import Any

import pyotp
import pytest

from tests.support.browsing import Door
from tests.wire import expected
from tests.wire.expected import In, Like
from tests.wire.sdk import Sdk
from tests.wire.second_factors import (
    CLAIMS,
    factor,
    log_in,
    log_in_again,
    seen_by,
    session_with,
    who,
)
from vestibule.clock import SECOND, SystemClock

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
CODE = Like(r"[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}")
PNG = "data:image/png;base64,iVBORw0KGgo"


def code_of(secret: str) -> str:
    """Return what an authenticator shows now."""
    return pyotp.HOTP(secret).at(SystemClock().now() // (30 * SECOND))


@pytest.fixture
async def alice(sdk: Sdk, active_connection: dict[str, Any], door: Door) -> dict[str, Any]:
    return await log_in(sdk, active_connection, door)


@pytest.fixture
async def waiting(
    sdk: Sdk, alice: dict[str, Any], active_connection: dict[str, Any], door: Door
) -> str:
    answer = await log_in_again(sdk, alice, active_connection, door)
    assert answer["mfa_required"]["member_options"] is None
    return str(answer["intermediate_session_token"])


@pytest.mark.drives("totps.create")
def test_an_authenticator_is_made_for_whoever_has_a_session(
    sdk: Sdk, alice: dict[str, Any], waiting: str
) -> None:
    for proof in (
        {"session_token": alice["session_token"]},
        {"session_jwt": alice["session_jwt"]},
        {"intermediate_session_token": waiting},
    ):
        made = sdk.call("totps.create", **who(alice), expiration_minutes=10, **proof)
        assert made == {
            **seen_by(sdk, alice),
            "totp_registration_id": expected.new_id("totp"),
            "secret": Like(r"[A-Z2-7]{32}"),
            "qr_code": Like(rf"{PNG}[A-Za-z0-9+/]+=*"),
            "recovery_codes": [CODE] * 10,
        }


@pytest.mark.drives("totps.migrate", "totps.authenticate", "organizations.members.delete_totp")
def test_an_authenticator_is_taken_over_proven_and_given_up(
    sdk: Sdk, alice: dict[str, Any], waiting: str
) -> None:
    minutes, asked = (
        30,
        {
            "session_duration_minutes": 30,
            "session_custom_claims": CLAIMS,
            "set_mfa_enrollment": "enroll",
            "set_default_mfa": True,
            "telemetry_id": "telemetry-1",
        },
    )
    kept: dict[str, Any] = {}
    for proof in (
        {"intermediate_session_token": waiting},
        {"session_token": alice["session_token"]},
        {"session_jwt": alice["session_jwt"]},
    ):
        codes = ["old-code-1", "old-code-2"]
        made = sdk.call("totps.migrate", **who(alice), secret=SECRET, recovery_codes=codes)
        totp_id = made["totp_registration_id"]
        active = {"totp_registration_id": totp_id}
        assert made == {
            **seen_by(sdk, alice, **active, **kept),
            "totp_registration_id": expected.new_id("totp"),
            "recovery_codes": codes,
        }
        proven = sdk.call(
            "totps.authenticate", **who(alice), code=code_of(SECRET), **proof, **asked
        )
        details = {"totp_id": totp_id}
        second = factor(sdk, "totp", "authenticator_app", "authenticator_app_factor", details)
        kept = {"mfa_enrolled": True}
        found = proven["member_session"]["authentication_factors"]
        assert found[-1] == second
        assert proven == {
            **seen_by(sdk, alice, **active, **kept, default_mfa_method="totp"),
            "session_token": expected.TOKEN,
            "session_jwt": expected.JWT,
            "member_session": session_with(
                alice, *found[1:], expires_at=In(minutes), custom_claims=CLAIMS
            ),
            "member_device": None,
        }
        gone = sdk.call("organizations.members.delete_totp", **who(alice))
        assert gone == seen_by(sdk, alice, **kept)


@pytest.mark.drives("recovery_codes.recover", "recovery_codes.get", "recovery_codes.rotate")
def test_recovery_codes_are_shown_used_and_replaced(
    sdk: Sdk, alice: dict[str, Any], waiting: str
) -> None:
    made = sdk.call("totps.migrate", **who(alice), secret=SECRET, recovery_codes=[])
    codes = made["recovery_codes"]
    active = {"totp_registration_id": made["totp_registration_id"]}
    shown = sdk.call("recovery_codes.get", **who(alice))
    assert shown == {**seen_by(sdk, alice, **active), "recovery_codes": codes}
    settled = {**active, "mfa_enrolled": True, "default_mfa_method": "totp"}
    proofs = (
        {"intermediate_session_token": waiting},
        {"session_token": alice["session_token"]},
        {"session_jwt": alice["session_jwt"]},
    )
    for used, proof in enumerate(proofs):
        answer = sdk.call(
            "recovery_codes.recover",
            **who(alice),
            recovery_code=codes[used],
            session_duration_minutes=30,
            session_custom_claims=CLAIMS,
            telemetry_id="telemetry-1",
            **proof,
        )
        found = answer["member_session"]["authentication_factors"]
        details = {"totp_recovery_code_id": expected.new_id("recovery-code")}
        second = factor(sdk, "recovery_codes", "recovery_code", "recovery_code_factor", details)
        assert found[-1] == second
        assert answer == {
            **seen_by(sdk, alice, **settled),
            "session_token": expected.TOKEN,
            "session_jwt": expected.JWT,
            "recovery_codes_remaining": 9 - used,
            "member_session": session_with(
                alice, *found[1:], expires_at=In(30), custom_claims=CLAIMS
            ),
            "member_device": None,
        }
    fresh = sdk.call("recovery_codes.rotate", **who(alice))
    assert fresh == {**seen_by(sdk, alice, **settled), "recovery_codes": [CODE] * 10}
    assert set(fresh["recovery_codes"]).isdisjoint(codes)


def test_what_is_wrong_is_said_by_name(sdk: Sdk, alice: dict[str, Any]) -> None:
    session = {"session_token": alice["session_token"]}
    refused = sdk.refused("totps.authenticate", **who(alice), code="123456", **session)
    assert refused == (404, "totp_not_found")
    assert sdk.refused("recovery_codes.get", **who(alice)) == (404, "recovery_codes_not_found")
    sdk.call("totps.migrate", **who(alice), secret=SECRET, recovery_codes=["old-code-1"])
    assert sdk.refused("totps.create", **who(alice)) == (400, "active_totp_exists")
    refused = sdk.refused("totps.authenticate", **who(alice), code="12345", **session)
    assert refused == (400, "invalid_totp_code")
    refused = sdk.refused(
        "recovery_codes.recover", **who(alice), recovery_code="old-code-2", **session
    )
    assert refused == (401, "unable_to_authenticate_recovery_code")
    nobody = sdk.refused("totps.authenticate", **who(alice), code="123456")
    assert nobody == (400, "no_session_arguments")


def test_a_member_gives_up_its_own_authenticator_with_its_proof(
    sdk: Sdk, alice: dict[str, Any]
) -> None:
    session = {"session_token": alice["session_token"]}
    sdk.call("totps.migrate", **who(alice), secret=SECRET, recovery_codes=[])
    refused = sdk.refused("organizations.members.delete_totp", session, **who(alice))
    assert refused == (401, "insufficient_factors")
    sdk.call("totps.authenticate", **who(alice), code=code_of(SECRET), **session)
    gone = sdk.call("organizations.members.delete_totp", session, **who(alice))
    assert gone["member"]["totp_registration_id"] == ""
