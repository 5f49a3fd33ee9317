"""The server does what its OpenAPI document says, at every bound of every field."""

from collections import Counter
from typing import Any, Final

import msgspec
import pytest
from schemathesis.core.failures import FailureGroup

from tests.support.described import boundary_cases, keeps_to_its_description, operation
from tests.support.good_values import ALWAYS_SENT, NEVER_GOOD, good_values
from tests.support.scenario import Scenario
from vestibule.api.endpoint import Endpoint
from vestibule.api.groups import endpoints
from vestibule.web import Receive, Scope, Send, respond

_ENVELOPE: Final = {"request_id": "x", "error_message": "x", "error_url": "x"}


@pytest.mark.parametrize("endpoint", endpoints(), ids=lambda item: item.operation_id)
async def test_an_operation_keeps_to_its_description(
    scenario: Scenario, endpoint: Endpoint
) -> None:
    seen: Counter[int] = Counter()
    for always in dict.fromkeys(("", ALWAYS_SENT.get(endpoint.operation_id, ""))):
        known = await good_values(scenario, endpoint)
        cases = boundary_cases(operation(endpoint, known, always=always))
        seen += await keeps_to_its_description(scenario, endpoint, cases, known)
    # It has been where it does what it is there for, not only at the door.
    assert bool(seen[200]) is (endpoint.operation_id not in NEVER_GOOD)


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
    known = await good_values(scenario, endpoint)
    cases = boundary_cases(operation(endpoint, known))
    scenario.app = other
    with pytest.raises((AssertionError, FailureGroup)) as caught:
        await keeps_to_its_description(scenario, endpoint, cases, known)
    assert complaint in str(caught.value)
