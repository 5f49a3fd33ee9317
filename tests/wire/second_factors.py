"""Alice at her second factor through an SDK, and what answers say of her."""

from collections.abc import Iterator
from typing import Any, Final

from tests.support.browsing import Door
from tests.wire import expected
from tests.wire.expected import In
from tests.wire.sdk import Sdk

CLAIMS: Final[dict[str, Any]] = {"tenant": {"größe": 1}}


async def log_in(sdk: Sdk, connection: dict[str, Any], door: Door) -> dict[str, Any]:
    """Return the answer of sso.authenticate to a new login of Alice."""
    token = await door.sign_in(connection["connection_id"])
    return sdk.call("sso.authenticate", sso_token=token)


async def log_in_again(
    sdk: Sdk, alice: dict[str, Any], connection: dict[str, Any], door: Door
) -> dict[str, Any]:
    """Let her organization want a second factor from now on, and return what a login is told."""
    organization_id = alice["organization_id"]
    sdk.call("organizations.update", organization_id=organization_id, mfa_policy="REQUIRED_FOR_ALL")
    return await log_in(sdk, connection, door)


def who(alice: dict[str, Any]) -> dict[str, str]:
    return {"organization_id": alice["organization_id"], "member_id": alice["member_id"]}


def seen_by(sdk: Sdk, alice: dict[str, Any], **member: Any) -> dict[str, Any]:
    """Return the parts that all answers have: the member, changed by `member`, and where it is."""
    organization = sdk.call("organizations.get", organization_id=alice["organization_id"])
    return {
        **expected.ENVELOPE,
        "member_id": alice["member_id"],
        "member": {**alice["member"], "updated_at": expected.NOW, **member},
        "organization": organization["organization"],
    }


def factor(sdk: Sdk, kind: str, method: str, name: str, details: dict[str, Any]) -> dict[str, Any]:
    """Return a second factor that was just proven, as far as the SDK knows its fields."""
    times = dict.fromkeys(("created_at", "last_authenticated_at", "updated_at"), expected.NOW)
    shown = {"type": kind, "delivery_method": method, name: details, **times}
    return shown if sdk.name == "python" else {**shown, "sequence_order": "SECONDARY"}


def session_with(alice: dict[str, Any], *factors: dict[str, Any], **known: Any) -> dict[str, Any]:
    """Return the session of Alice's login with these factors beside."""
    began = alice["member_session"]
    own = began["authentication_factors"]
    return {
        **began,
        "member_session_id": expected.new_id("session"),
        **dict.fromkeys(("started_at", "last_accessed_at"), expected.NOW),
        "expires_at": In(60),
        "authentication_factors": [
            {**own[0], **dict.fromkeys(times(own[0]), expected.NOW)},
            *factors,
        ],
        **known,
    }


def times(shown: dict[str, Any]) -> Iterator[str]:
    return (name for name in shown if name.endswith("_at"))
