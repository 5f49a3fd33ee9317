"""The `sso.traces` group, which no SDK has, over plain https."""

from typing import Any

import pytest

from tests.support.browsing import Door
from tests.wire import acting, expected
from tests.wire.plain_http import PlainHttp
from tests.wire.sdk import Sdk


@pytest.mark.drives("sso.traces.get", "sso.traces.search")
async def test_how_a_sign_in_went_is_told(
    plain: PlainHttp, sdk: Sdk, active_connection: dict[str, Any], door: Door
) -> None:
    for _ in range(2):
        await acting.sign_in(sdk, door, active_connection)
    organization = {"organization_id": active_connection["organization_id"]}
    asked: dict[str, Any] = {
        **organization,
        "connection_id": active_connection["connection_id"],
        "outcome": "succeeded",
        "limit": 1,
    }
    first = plain.call("sso.traces.search", **asked)
    cursor = first["next_cursor"]
    (trace,) = first["traces"]
    assert first == {**expected.ENVELOPE, "traces": [trace], "next_cursor": expected.TOKEN}
    assert trace == {
        "trace_id": expected.Like("trace-test-[0-9a-f-]{36}"),
        **organization,
        "connection_id": asked["connection_id"],
        "outcome": "succeeded",
        "error_type": "",
        "reason": "",
        "side": "",
        "steps": trace["steps"],
        "created_at": expected.NOW,
    }
    for step in trace["steps"]:
        assert step == {
            "name": step["name"],
            "passed": True,
            "expected": step["expected"],
            "received": step["received"],
            "fix": "",
            "pitfall": "",
        }
    found = plain.call("sso.traces.get", **organization, trace_id=trace["trace_id"])
    assert found == {**expected.ENVELOPE, "trace": trace}
    last = plain.call("sso.traces.search", **asked, cursor=cursor)
    assert last["next_cursor"] is None
    assert last["traces"][0]["trace_id"] < trace["trace_id"]
