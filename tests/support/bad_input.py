"""Wrong values for every field of a request, and requests that no SDK would send."""

from typing import Any, Final

import msgspec

from tests.support.asgi import Answer, call
from tests.support.scenario import Scenario

_OF_EVERY_TYPE: Final[list[Any]] = [7, 1.5, True, "text", ["text"], {"a": "text"}, [7], [[]], [{}]]


def body_fields(request: type[msgspec.Struct], *, path: set[str]) -> list[str]:
    """Return the names of the fields of a request that are not in its path."""
    return [name for name in request.__struct_fields__ if name not in path]


def wrong_values(request: type[msgspec.Struct], name: str) -> list[Any]:
    """Return values that are of another type than the field `name` wants."""
    hint = next(field.type for field in msgspec.structs.fields(request) if field.name == name)
    wrong = [value for value in _OF_EVERY_TYPE if not _fits(value, hint)]
    assert len(wrong) >= len(_OF_EVERY_TYPE) - 2, name
    return wrong


def _fits(value: Any, hint: Any) -> bool:
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError:
        return False
    return True


async def send(scenario: Scenario, method: str, path: str, body: bytes) -> Answer:
    """Send exactly these bytes as JSON, with the project's credentials."""
    headers = {
        "authorization": scenario.api.authorization,
        "content-type": "application/json",
    }
    return await call(scenario.app, method, path, headers=headers, body=body)


def comparable(answer: Answer) -> str:
    """Return an answer's body without its request id, to tell two answers apart by."""
    body = answer.json
    del body["request_id"]
    return msgspec.json.encode(body, order="sorted").decode()
