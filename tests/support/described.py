"""Requests that the OpenAPI document allows or forbids, and a verdict on what is answered to them.

schemathesis makes both. Its checks ask of every answer: no 5xx, a status that the document names,
JSON of the described form, no success for what the document forbids. Ours: a named error.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final
from unittest import SkipTest

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from requests import Request
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import GenerationConfig
from schemathesis.generation import GenerationMode
from schemathesis.generation.feedback import NO_FEEDBACK

from tests.support.asgi import Answer, call
from tests.support.context import BASE_URL
from tests.support.every_endpoint import authorization_of
from tests.support.good_values import INSTEAD, USING_UP, Values, renewed
from tests.support.scenario import Scenario
from vestibule.api import openapi
from vestibule.api.endpoint import Endpoint
from vestibule.clock import MINUTE

Operation = schemathesis.APIOperation[Any, Any, Any, Any]
Case = schemathesis.Case[Any]

load_all_checks()
_CHECKS: Final[list[Any]] = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "unsupported_method",
        "allow_header_conformance",
    ]
)


def operation(endpoint: Endpoint, known: Values, *, always: str = "") -> Operation:
    """Return what the document says of an endpoint; `known` are good values by field name.

    With `always`, that optional field is in every request, and what cannot be sent with it in none.
    """
    document = openapi.document()
    if always:
        _require(document, endpoint, always)
    for name, schema in _fields(document):
        if name in known:
            schema["examples"] = [known[name]]
    # Who may call what is another test's matter: every request here has credentials.
    del document["paths"][endpoint.path][endpoint.method.lower()]["security"]
    found: Operation = schemathesis.openapi.from_dict(document)[endpoint.path][endpoint.method]
    return found


def _fields(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, list):
        for item in node:
            yield from _fields(item)
    elif isinstance(node, dict):
        if "in" in node and "schema" in node:
            yield node["name"], node["schema"]
        if isinstance(node.get("properties"), dict):
            yield from node["properties"].items()
        for value in node.values():
            yield from _fields(value)


def _require(document: dict[str, Any], endpoint: Endpoint, name: str) -> None:
    described = document["paths"][endpoint.path][endpoint.method.lower()]["requestBody"]
    reference = described["content"]["application/json"]["schema"]["$ref"]
    body = document["components"]["schemas"][reference.rpartition("/")[2]]
    body["required"] = [*body["required"], name]
    field = body["properties"][name]
    if {"type": "null"} in field.get("anyOf", ()):
        body["properties"][name] = field["anyOf"][0]
    for other in INSTEAD & body["properties"].keys() - {name}:
        del body["properties"][other]


def boundary_cases(described: Operation) -> Iterator[Case]:
    """Return, the same every time, a case for each bound of each field from both of its sides."""
    yield from described.schema.iter_coverage_cases(
        described, generation_modes=list(GenerationMode), generation_config=GenerationConfig()
    )


def random_cases(
    described: Operation, known: Values, *, examples: int, seed_number: int
) -> Iterator[Case]:
    """Return cases that the document allows and others that it forbids; the same for a seed.

    The path is right wherever `known` has its names.
    """
    path = {each.name: known.get(each.name, "none") for each in described.path_parameters}
    for mode in GenerationMode:
        strategy = described.as_strategy(
            generation_mode=mode, feedback=NO_FEEDBACK, path_parameters=path
        )
        yield from _drawn(strategy, examples=examples, seed_number=seed_number)


def _drawn(strategy: SearchStrategy[Case], *, examples: int, seed_number: int) -> Iterable[Case]:
    made: list[Case] = []

    @seed(seed_number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(case: Case) -> None:
        made.append(case)

    # Where nothing is asked for, nothing can be forbidden.
    with suppress(Unsatisfiable, SkipTest):
        collect()
    return made


async def send(scenario: Scenario, endpoint: Endpoint, case: Case) -> Answer:
    """Send the case's request with the project's credentials, and check the answer.

    Raises FailureGroup, which says what is wrong and shows the request.
    """
    request = Request(**case.as_transport_kwargs(base_url=BASE_URL)).prepare()
    request.headers.update(authorization_of(endpoint, scenario))
    body = request.body or b""
    assert isinstance(body, bytes)
    answer = await call(
        scenario.app,
        case.method,
        str(request.url),
        headers={name: str(value) for name, value in request.headers.items()},
        body=body,
    )
    case.validate_response(
        schemathesis.Response(
            status_code=answer.status,
            headers={name: [value] for name, value in answer.headers.items()},
            content=answer.body,
            request=request,
            elapsed=0.0,
            verify=True,
        ),
        checks=_CHECKS,
    )
    if case.method == endpoint.method and answer.status != 200:
        named = {error.name for error in openapi.errors_of(endpoint)}
        assert answer.json["error_type"] in named, (case.as_curl_command(), answer.text)
    return answer


async def keeps_to_its_description(
    scenario: Scenario, endpoint: Endpoint, cases: Iterable[Case], known: Values
) -> Counter[int]:
    """Send all cases, and return how often which status came. Raises what `send` raises.

    `known` are the values that the cases were made with. Where they are used up by a request that
    succeeds, or by too many that do not, the next cases have others in their places.
    """
    seen: Counter[int] = Counter()
    present = known
    for case in cases:
        _renew(case, known, present)
        status = (await send(scenario, endpoint, case)).status
        if case.method == endpoint.method:
            seen[status] += 1
            if status == 429:
                scenario.clock.advance(MINUTE)
            if status in {200, 429} and endpoint.operation_id in USING_UP:
                present = await renewed(scenario, endpoint, present)
        else:
            assert status == 405
    return seen


def _renew(case: Case, known: Values, present: Values) -> None:
    """Put present values where `known` ones are."""
    for fields in (case.path_parameters, case.query, case.body):
        if isinstance(fields, dict):
            for name in fields.keys() & known.keys():
                if fields[name] == known[name]:
                    fields[name] = present[name]
