"""`organizations.audit_events`, which no SDK has, over plain https."""

from typing import Any

import pytest

from tests.wire import expected
from tests.wire.plain_http import PlainHttp
from tests.wire.sdk import Sdk


@pytest.mark.drives("organizations.audit_events.get")
def test_what_an_sdk_changed_is_told(plain: PlainHttp, sdk: Sdk, organization_id: str) -> None:
    sdk.call("organizations.update", organization_id=organization_id, organization_name="Renamed")
    asked: dict[str, Any] = {"organization_id": organization_id, "limit": 1}
    newest = plain.call("organizations.audit_events.get", **asked)
    cursor = newest["next_cursor"]
    assert cursor == expected.Like("[A-Za-z0-9_=-]{40,}")
    digest = expected.Like("[0-9a-f]{64}")
    (event,) = newest["audit_events"]
    assert newest == {**expected.ENVELOPE, "audit_events": [event], "next_cursor": cursor}
    assert event == {
        "sequence": event["sequence"],
        "occurred_at": expected.NOW,
        "action": "organization.update",
        "object_id": organization_id,
        "member_id": "",
        "changed": ["organization_name"],
        "reason": "",
        "actor": {"type": "project_secret", "id": event["actor"]["id"], "session_id": ""},
        "address": "127.0.0.1",
        "user_agent": expected.Like(".+"),
        "request_id": expected.ENVELOPE["request_id"],
        "previous_hash": digest,
        "hash": digest,
    }
    older = plain.call("organizations.audit_events.get", **asked, cursor=cursor)
    assert older["audit_events"][0]["hash"] == event["previous_hash"]
