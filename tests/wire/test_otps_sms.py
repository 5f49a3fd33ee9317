"""`otps.sms` and `members.delete_mfa_phone_number` through both SDKs, after a login by SSO."""

import asyncio
import re
import zlib
from typing import Any

import pytest
import requests

from tests.support.browsing import Door
from tests.wire import expected
from tests.wire.expected import In
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

SANDBOX = "+10000000000"
CODE = "000000"


@pytest.fixture
async def alice(sdk: Sdk, active_connection: dict[str, Any], door: Door) -> dict[str, Any]:
    return await log_in(sdk, active_connection, door)


@pytest.fixture
def phone(unique: str) -> str:
    """Return a number that no other test sends to."""
    return f"+1415{2_000_000 + zlib.crc32(unique.encode()) % 8_000_000}"


async def code_to(places: dict[str, Any], phone: str, words: str) -> str:
    """Return the code of the newest text to a phone, once the page that shows it has these words.

    The page shows the newest text first.
    """
    pattern = rf"to {re.escape(phone)}</p>\s*<pre[^>]*>(\d{{6}}) ([^<]*)<"
    for _ in range(100):
        shown = await asyncio.to_thread(
            requests.get, places["mailbox_url"], verify=places["ca_file"], timeout=10
        )
        found = re.search(pattern, shown.text)
        if found and words in found[2]:
            return found[1]
        await asyncio.sleep(0.2)
    raise AssertionError(f"no such text to {phone}")


@pytest.mark.drives(
    "otps.sms.send", "otps.sms.authenticate", "organizations.members.delete_mfa_phone_number"
)
async def test_a_phone_is_linked_proven_and_given_up(
    sdk: Sdk, alice: dict[str, Any], active_connection: dict[str, Any], door: Door
) -> None:
    asked = {
        "session_duration_minutes": 30,
        "session_custom_claims": CLAIMS,
        "set_mfa_enrollment": "enroll",
        "set_default_mfa": True,
        "telemetry_id": "telemetry-1",
    }
    again = await log_in_again(sdk, alice, active_connection, door)
    kept: dict[str, Any] = {}
    for proof in (
        {"intermediate_session_token": again["intermediate_session_token"]},
        {"session_token": alice["session_token"]},
        {"session_jwt": alice["session_jwt"]},
    ):
        linked = sdk.call(
            "otps.sms.send", **who(alice), mfa_phone_number=SANDBOX, locale="pt-br", **proof
        )
        assert linked == seen_by(sdk, alice, mfa_phone_number=SANDBOX, **kept)
        proven = sdk.call("otps.sms.authenticate", **who(alice), code=CODE, **proof, **asked)
        details = {"phone_id": expected.new_id("phone-number"), "phone_number": SANDBOX}
        second = factor(sdk, "otp", "sms", "phone_number_factor", details)
        kept = {"mfa_enrolled": True}
        has = {
            "mfa_phone_number": SANDBOX,
            "mfa_phone_number_verified": True,
            "default_mfa_method": "sms_otp",
        }
        found = proven["member_session"]["authentication_factors"]
        assert found[-1] == second
        assert proven == {
            **seen_by(sdk, alice, **has, **kept),
            "session_token": expected.TOKEN,
            "session_jwt": expected.JWT,
            "member_session": session_with(
                alice, *found[1:], expires_at=In(30), custom_claims=CLAIMS
            ),
            "member_device": None,
        }
        gone = sdk.call("organizations.members.delete_mfa_phone_number", **who(alice))
        assert gone == seen_by(sdk, alice, **kept)


async def test_a_login_sends_a_code_that_ends_it(  # noqa: PLR0917 - fixtures
    sdk: Sdk,
    alice: dict[str, Any],
    active_connection: dict[str, Any],
    door: Door,
    places: dict[str, Any],
    phone: str,
) -> None:
    session = {"session_token": alice["session_token"]}
    sdk.call("otps.sms.send", **who(alice), mfa_phone_number=phone, locale="fr")
    code = await code_to(places, phone, "est votre code")
    sdk.call("otps.sms.authenticate", **who(alice), code=code, **session)
    answer = await log_in_again(sdk, alice, active_connection, door)
    assert answer["mfa_required"] == {
        "member_options": {"mfa_phone_number": phone, "totp_registration_id": ""},
        "secondary_auth_initiated": "sms_otp",
    }
    waiting = {"intermediate_session_token": answer["intermediate_session_token"]}
    code = await code_to(places, phone, "is your code for Development")
    ended = sdk.call("otps.sms.authenticate", **who(alice), code=code, **waiting)
    factors = ended["member_session"]["authentication_factors"]
    assert [each["type"] for each in factors] == ["sso", "otp"]


def test_what_is_wrong_is_said_by_name(sdk: Sdk, alice: dict[str, Any]) -> None:
    session = {"session_token": alice["session_token"]}
    refused = sdk.refused("otps.sms.send", **who(alice))
    assert refused == (400, "missing_sms_parameter")
    refused = sdk.refused("otps.sms.send", **who(alice), mfa_phone_number="2025550162")
    assert refused == (400, "invalid_phone_number")
    refused = sdk.refused("otps.sms.authenticate", **who(alice), code=CODE, **session)
    assert refused == (404, "otp_code_not_found")
    sdk.call("otps.sms.send", **who(alice), mfa_phone_number=SANDBOX)
    refused = sdk.refused("otps.sms.authenticate", **who(alice), code="123456", **session)
    assert refused == (401, "unable_to_auth_otp_code")
    refused = sdk.refused("otps.sms.authenticate", **who(alice), code=CODE)
    assert refused == (400, "no_session_arguments")


def test_a_member_gives_up_its_own_phone_with_its_proof(sdk: Sdk, alice: dict[str, Any]) -> None:
    session = {"session_token": alice["session_token"]}
    method = "organizations.members.delete_mfa_phone_number"
    assert sdk.refused(method, session, **who(alice)) == (404, "member_phone_number_not_found")
    sdk.call("otps.sms.send", **who(alice), mfa_phone_number=SANDBOX)
    sdk.call("otps.sms.authenticate", **who(alice), code=CODE, **session)
    gone = sdk.call(method, session, **who(alice))
    assert gone["member"]["mfa_phone_number"] == ""
