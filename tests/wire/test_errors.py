"""What an application sees of a refusal: the SDK's own exception with everything in it."""

from typing import Any

import pytest

from tests.wire import expected
from tests.wire.node_sdk import NodeSdk
from tests.wire.python_sdk import PythonSdk
from tests.wire.sdk import Sdk
from tests.wire.sdk_error import SdkError
from vestibule import errors


def test_error_carries_all_that_was_answered(sdk: Sdk, credentials: dict[str, Any]) -> None:
    with pytest.raises(SdkError) as raised:
        sdk.call("organizations.get", organization_id="größe/nowhere")
    error = raised.value
    assert error.kind == "StytchError"
    assert (error.status_code, error.error_type) == (404, "organization_not_found")
    assert error.error_message == errors.organization_not_found.message
    assert error.error_url == f"{credentials['base_url']}/errors#organization_not_found"
    assert error.request_id == expected.ENVELOPE["request_id"]


def test_error_names_the_field(sdk: Sdk) -> None:
    with pytest.raises(SdkError) as raised:
        sdk.call("organizations.create", organization_name="Acme", auth_methods="SOMETIMES")
    error = raised.value
    assert (error.status_code, error.error_type) == (400, "bad_request")
    assert error.error_message is not None
    assert error.error_message.startswith("auth_methods: ")


@pytest.mark.parametrize("change", ["secret", "project_id"])
@pytest.mark.parametrize("made", [PythonSdk, NodeSdk])
def test_wrong_credentials_are_refused(
    made: type[PythonSdk | NodeSdk], change: str, credentials: dict[str, Any]
) -> None:
    with made(**{**credentials, change: "somebody-elses"}) as client:
        refused = Sdk(client).refused("organizations.get", organization_id="acme")
    assert refused == (401, "unauthorized_credentials")
