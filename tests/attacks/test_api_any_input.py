"""Whatever JSON, path or query comes, the answer is an envelope and never a 5xx."""

import json
from typing import Any, Final
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.asgi import call
from tests.support.every_endpoint import READS, fields_of, full_body, path_of
from tests.support.scenario import Scenario
from vestibule.api.endpoint import Endpoint
from vestibule.api.groups import endpoints

_TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_LIKELY: Final = st.sampled_from(
    [
        "",
        "acme",
        "https://idp.example.com/sso?x=1",
        "http://[::1",
        "https://\u2024/",
        "javascript:alert(1)",
        "urn:oasis:names:tc:SAML:2.0:x",
        "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----",
        "-----BEGIN RSA PRIVATE KEY-----\nAA\n-----END RSA PRIVATE KEY-----",
        "stytch_admin",
        "okta",
        "x" * 3000,
        "a@b.c",
        "RESTRICTED",
        "%00",
        "\ud800",
        "\0",
    ]
)
_LEAVES: Final = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(2**70), max_value=2**70)
    | st.floats()
    | _TEXT
    | _LIKELY
)
_NAMES: Final = _TEXT | st.sampled_from(
    ["role_id", "group", "email", "groups", "full_name", "operands", "filter_name", "roles"]
)
_JSON: Final = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4)
)
_BYTES: Final = st.binary(max_size=30) | _LIKELY.map(lambda text: text.encode(errors="ignore"))
_PAIRS: Final = st.lists(st.tuples(st.sampled_from(["a", "member_id"]), _BYTES), max_size=3)
_IDS: Final = ("organization_id", "member_id", "connection_id", "project_id")
_WRITING: Final = [endpoint for endpoint in endpoints() if endpoint.method not in READS]


@pytest.mark.parametrize("endpoint", _WRITING, ids=lambda item: item.operation_id)
async def test_any_json_is_answered_with_an_envelope(
    scenario: Scenario, endpoint: Endpoint
) -> None:
    organization_id = (await scenario.organization())["organization_id"]
    made = await scenario.api.good("POST", f"/v1/b2b/sso/oidc/{organization_id}", {})
    if endpoint.group == "sso.saml":
        made = {"connection": await scenario.saml_connection(organization_id)}
    path = f"/v1/b2b/organizations/{organization_id}/members"
    member = await scenario.api.good("POST", path, {"email_address": "ada@acme.test"})
    ids = {
        "organization_id": organization_id,
        "connection_id": made["connection"]["connection_id"],
        "member_id": member["member_id"],
    }
    bodies: list[bytes] = []
    # Where nothing is read, anything may be sent.
    names = st.sampled_from(fields_of(endpoint) or ["unknown"])

    @settings(
        max_examples=40,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.dictionaries(names, _JSON, max_size=4), st.booleans())
    def collect(fields: dict[str, Any], full: bool) -> None:
        body = {**(full_body(endpoint) if full else {}), **fields}
        bodies.append(json.dumps(body).encode())

    collect()
    headers = {
        "authorization": scenario.api.authorization,
        "content-type": "application/json",
    }
    for body in bodies:
        answer = await call(
            scenario.app, endpoint.method, path_of(endpoint, ids), headers=headers, body=body
        )
        envelope = answer.json
        assert answer.status < 500, (endpoint.operation_id, body)
        assert envelope["status_code"] == answer.status
        assert envelope["request_id"].startswith("request-id-test-")
        assert answer.status == 200 or envelope["error_message"], body
    for shown in (f"/v1/b2b/sso/{organization_id}", f"/v1/b2b/organizations/{organization_id}"):
        await scenario.api.good("GET", shown)


@pytest.mark.parametrize("endpoint", endpoints(), ids=lambda item: item.operation_id)
async def test_any_path_and_query_is_answered_with_an_envelope(
    scenario: Scenario, endpoint: Endpoint
) -> None:
    await scenario.organization()
    targets: list[str] = []

    @settings(
        max_examples=40,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.booleans(), st.lists(_BYTES, min_size=4, max_size=4), _PAIRS)
    def collect(known: bool, values: list[bytes], pairs: list[tuple[str, bytes]]) -> None:
        ids = {name: quote(value, safe="") for name, value in zip(_IDS, values, strict=True)}
        path = path_of(endpoint, {**ids, "organization_id": "acme"} if known else ids)
        targets.append(f"{path.partition('?')[0]}?{urlencode(pairs)}")

    collect()
    for target in targets:
        answer = await scenario.api.call(endpoint.method, target, full_body(endpoint))
        assert answer.status < 500, (endpoint.operation_id, target)
        assert answer.json["status_code"] == answer.status
        assert answer.json["request_id"].startswith("request-id-test-")
