"""`project.metrics` and `debug.whoami` through both SDKs."""

from typing import Any

import pytest

from tests.wire import expected
from tests.wire.sdk import Sdk


@pytest.mark.drives("project.metrics", "debug.whoami")
def test_a_project_asks_about_itself(
    sdk: Sdk, credentials: dict[str, Any], organization_id: str
) -> None:
    project_id = credentials["project_id"]
    told = sdk.call("debug.whoami")
    assert told == {**expected.ENVELOPE, "project_id": project_id, "name": expected.Like(".+")}
    before = sdk.call("project.metrics")
    kinds = ("USER_COUNT", "ORGANIZATION_COUNT", "MEMBER_COUNT", "M2M_CLIENT_COUNT")
    counts = {each["metric_type"]: each["count"] for each in before["metrics"]}
    assert before == {
        **expected.ENVELOPE,
        "project_id": project_id,
        "metrics": [{"metric_type": kind, "count": counts[kind]} for kind in kinds],
    }
    sdk.call(
        "organizations.members.create",
        organization_id=organization_id,
        email_address="metrics@example.com",
    )
    after = {each["metric_type"]: each["count"] for each in sdk.call("project.metrics")["metrics"]}
    assert after == {**counts, "MEMBER_COUNT": counts["MEMBER_COUNT"] + 1}
