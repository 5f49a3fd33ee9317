"""The server does what its OpenAPI document says, at every bound of every field."""

from typing import Any, Final

import msgspec
import pytest
from schemathesis.core.failures import FailureGroup

from tests.support.described import (
    boundary_cases,
    good_values,
    keeps_to_its_description,
    operation,
)
from tests.support.scenario import Scenario
from vestibule.api.endpoint import Endpoint
from vestibule.api.groups import endpoints
from vestibule.web import Receive, Scope, Send, respond

_ENVELOPE: Final = {"request_id": "x", "error_message": "x", "error_url": "x"}


@pytest.mark.parametrize("endpoint", endpoints(), ids=lambda item: item.operation_id)
async def test_an_operation_keeps_to_its_description(
    scenario: Scenario, endpoint: Endpoint
) -> None:
    described = operation(endpoint, await good_values(scenario, endpoint))
    seen = await keeps_to_its_description(scenario, endpoint, boundary_cases(described))
    assert seen[405]
    assert seen.total() > seen[405]


@pytest.mark.parametrize(
    ("status", "body", "complaint"),
    [
        (200, {"status_code": 200, "request_id": "x"}, "Response violates schema"),
        (418, {"error_type": "bad_request"}, "Undocumented status code"),
        (400, {"error_type": "bad_request"}, "Response violates schema"),
        (500, {"error_type": "internal_server_error"}, "Server error"),
        (404, {**_ENVELOPE, "status_code": 404, "error_type": "member_not_found"}, "member_not"),
    ],
)
async def test_an_answer_that_is_not_as_described_is_noticed(
    scenario: Scenario, status: int, body: dict[str, Any], complaint: str
) -> None:
    async def other(_scope: Scope, _receive: Receive, send: Send) -> None:
        await respond(send, status, msgspec.json.encode(body))

    endpoint = next(each for each in endpoints() if each.operation_id == "organizations.get")
    described = operation(endpoint, await good_values(scenario, endpoint))
    scenario.app = other
    with pytest.raises((AssertionError, FailureGroup)) as caught:
        await keeps_to_its_description(scenario, endpoint, boundary_cases(described))
    assert complaint in str(caught.value)
