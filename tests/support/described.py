"""Requests that the OpenAPI document allows or forbids, and a verdict on what is answered to them.

schemathesis makes both. Its checks ask of every answer: no 5xx, a status that the document names,
JSON of the described form, no success for what the document forbids. Ours: a named error.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
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
from tests.support.saml_keys import signer
from tests.support.scenario import IDP_ENTITY, IDP_SSO, Scenario
from vestibule.api import openapi
from vestibule.api.endpoint import Endpoint

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


async def good_values(scenario: Scenario, endpoint: Endpoint) -> dict[str, str]:
    """Make what an endpoint can be asked about, and return good values by field name."""
    organization = await scenario.organization()
    organization_id = organization["organization_id"]
    saml = await scenario.saml_connection(organization_id)
    token = await scenario.saml_token(saml)
    login = await scenario.authenticate(await scenario.saml_token(saml))
    there = await scenario.organization("Globex")
    lent = await scenario.oidc_connection(there["organization_id"])
    oidc = await scenario.oidc_connection(organization_id)
    other = oidc if endpoint.group == "sso.oidc" else saml
    return {
        "organization_id": organization_id,
        "member_id": login["member_id"],
        "project_id": scenario.project.project_id,
        "connection_id": other["connection_id"],
        "certificate_id": saml["verification_certificates"][0]["certificate_id"],
        "external_organization_id": there["organization_id"],
        "external_connection_id": lent["connection_id"],
        "sso_token": token,
        "session_token": login["session_token"],
        "session_jwt": login["session_jwt"],
        "email_address": "new@acme.test",
        "organization_name": "New",
        "organization_slug": "new",
        "x509_certificate": signer("other").pem,
        "mfa_policy": "OPTIONAL",
        "mfa_phone_number": "+14155552671",
        "default_mfa_method": "sms_otp",
        "identity_provider": "okta",
        "idp_entity_id": IDP_ENTITY,
        "idp_sso_url": IDP_SSO,
        "role_id": "stytch_admin",
    }


def operation(endpoint: Endpoint, known: Mapping[str, str]) -> Operation:
    """Return what the document says of an endpoint; `known` are good values by field name."""
    document = openapi.document()
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


def boundary_cases(described: Operation) -> Iterator[Case]:
    """Return, the same every time, a case for each bound of each field from both of its sides."""
    yield from described.schema.iter_coverage_cases(
        described, generation_modes=list(GenerationMode), generation_config=GenerationConfig()
    )


def random_cases(
    described: Operation, known: Mapping[str, str], *, examples: int, seed_number: int
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
    scenario: Scenario, endpoint: Endpoint, cases: Iterable[Case]
) -> Counter[int]:
    """Send all cases, and return how often which status came. Raises what `send` raises."""
    return Counter([(await send(scenario, endpoint, case)).status for case in cases])
