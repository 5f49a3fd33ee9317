"""The `sdk.sso` group, which browsers call, over plain https."""

from typing import Any

import pytest

from tests.wire import expected
from tests.wire.plain_http import PlainHttp
from tests.wire.sdk import Sdk

METHOD = "sdk.sso.discover_connections"


@pytest.mark.drives("sdk.sso.discover_connections")
def test_connections_of_a_member_are_found(
    sdk: Sdk, plain: PlainHttp, active_connection: dict[str, Any], unique: str
) -> None:
    # A plus sign is no blank.
    address = f"ada+{unique}@example.com"
    organization_id = active_connection["organization_id"]
    sdk.call("organizations.members.create", organization_id=organization_id, email_address=address)
    found = plain.call(METHOD, email_address=address)
    shown = {name: active_connection[name] for name in ("connection_id", "display_name")}
    shown["identity_provider"] = active_connection["identity_provider"]
    assert found == {"data": {**expected.ENVELOPE, "connections": [shown]}}
    # Other tests of this server let anyone of example.com in.
    nobody = f"nobody@{unique}.example"
    assert plain.call(METHOD, email_address=nobody)["data"]["connections"] == []
    assert plain.refused(METHOD, email_address="nobody") == (400, "invalid_email")
