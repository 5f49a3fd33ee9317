"""The address for logout tokens takes a posted form with one of them, and nothing else."""

import pytest

from tests.support.asgi import Answer, call
from tests.support.doors import open_door
from tests.support.refusals import assert_page
from tests.support.scenario import Scenario
from vestibule import errors
from vestibule.errors import ErrorType

FORM = "application/x-www-form-urlencoded"


async def send(
    scenario: Scenario, connection_id: str, body: bytes, *, method: str = "POST", kind: str = FORM
) -> Answer:
    path = f"/v1/public/sso/backchannel_logout/{connection_id}"
    return await call(scenario.app, method, path, headers={"content-type": kind}, body=body)


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (b"", errors.bad_request, "logout_token: missing."),
        (b"logout_token=", errors.bad_request, "logout_token: missing."),
        (b"token=x", errors.bad_request, "logout_token: missing."),
        (
            b"logout_token=x&logout_token=x",
            errors.bad_request,
            "logout_token: given more than once.",
        ),
        (b"logout_token=\xff", errors.bad_request, "The form is not URL-encoded."),
        (b"logout_token=%00", errors.bad_request, "A field has a NUL character."),
        (b"logout_token=x", errors.oidc_invalid_id_token, ""),
        (b"logout_token=" + b"x" * 70_000, errors.oidc_invalid_id_token, ""),
    ],
)
async def test_what_is_no_logout_token_is_refused(
    scenario: Scenario, body: bytes, error: ErrorType, message: str
) -> None:
    door = await open_door(scenario, "oidc")
    assert_page(await send(scenario, door.connection_id, body), error, message)


async def test_only_a_posted_form_is_read(scenario: Scenario) -> None:
    door = await open_door(scenario, "oidc")
    answer = await send(scenario, door.connection_id, b"", method="GET")
    assert_page(answer, errors.method_not_allowed)
    assert answer.headers["allow"] == "POST"
    answer = await send(scenario, door.connection_id, b"{}", kind="application/json")
    assert_page(answer, errors.unsupported_media_type, f"Post a form ({FORM}).")


async def test_only_openid_connections_have_this_address(scenario: Scenario) -> None:
    saml = await open_door(scenario, "saml")
    answer = await send(scenario, saml.connection_id, b"logout_token=x")
    assert_page(answer, errors.oidc_connection_not_found)
    answer = await send(scenario, "oidc-connection-test-x", b"logout_token=x")
    assert_page(answer, errors.sso_connection_not_found)
    made = await scenario.api.good("POST", f"/v1/b2b/sso/oidc/{saml.organization_id}", {})
    answer = await send(scenario, made["connection"]["connection_id"], b"logout_token=x")
    assert_page(answer, errors.requires_active_sso_connection)
