"""The `sso.logout` group, which no SDK has, over plain https."""

from typing import Any

import pytest

from tests.support.browsing import Door
from tests.wire import expected
from tests.wire.plain_http import PlainHttp
from tests.wire.sdk import Sdk


@pytest.mark.drives("sso.logout.start")
async def test_logout_ends_the_session_and_says_where_its_browser_goes(
    plain: PlainHttp, sdk: Sdk, active_connection: dict[str, Any], door: Door
) -> None:
    for proof in ("session_token", "session_jwt"):
        token = await door.sign_in(active_connection["connection_id"])
        session = sdk.call("sso.authenticate", sso_token=token)
        # The test identity provider has no Single Logout.
        url = {"logout_redirect_url": door.application_url}
        ended = plain.call("sso.logout.start", **{proof: session[proof]}, **url)
        assert ended == {**expected.ENVELOPE, "logout_url": door.application_url}
        refused = sdk.refused("sessions.authenticate", session_token=session["session_token"])
        assert refused == (404, "session_not_found")
