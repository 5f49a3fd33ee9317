from typing import Any

import msgspec
import pytest
from starlette.requests import Request

from tests.support.context import RoutedFetch, open_test_context
from tests.support.determinism import HandClock, SeededEntropy
from vestibule import errors
from vestibule.browser.answers import redirect, refused
from vestibule.browser.page import SAFETY
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.store.interface import Store


@pytest.fixture
async def context(store: Store, clock: HandClock, entropy: SeededEntropy) -> Context:
    return await open_test_context(store, clock=clock, entropy=entropy, fetch=RoutedFetch())


def accepting(value: str) -> Request:
    return Request({"type": "http", "headers": [(b"accept", value.encode())]})


def test_a_redirect_tells_nobody_where_it_came_from() -> None:
    response = redirect("https://app.example.test/callback?token=a%20b", status=303)
    assert response.status_code == 303
    assert response.headers["location"] == "https://app.example.test/callback?token=a%20b"
    for name, value in SAFETY.items():
        assert response.headers[name] == value
    assert redirect("https://app.example.test/").status_code == 302


@pytest.mark.parametrize("accept", ["", "*/*", "text/html,application/xhtml+xml,*/*;q=0.8"])
async def test_a_person_sees_a_page_with_the_references(context: Context, accept: str) -> None:
    failure = Failure(errors.sso_connection_not_found, "Not & there.")
    response = refused(context, accepting(accept), failure, trace_id="trace-test-1")
    page = bytes(response.body).decode()
    assert response.status_code == 404
    assert "Not &amp; there." in page
    assert "<code>trace-test-1</code>" in page
    assert "<code>sso_connection_not_found</code>" in page
    assert "<code>request-id-test-" in page
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("accept", ["application/json", "text/html;q=0.1, application/json"])
async def test_a_program_gets_the_envelope(context: Context, accept: str) -> None:
    failure = Failure(errors.server_unavailable, retry_after=2)
    response = refused(context, accepting(accept), failure, trace_id="trace-test-1")
    body: dict[str, Any] = msgspec.json.decode(bytes(response.body))
    assert response.status_code == body["status_code"] == 503
    assert response.headers["retry-after"] == "2"
    assert response.headers["content-type"] == "application/json"
    for name, value in SAFETY.items():
        assert response.headers[name] == value
    assert body["error_type"] == "server_unavailable"
    assert body["error_url"] == "https://sso.example.test/errors#server_unavailable"


async def test_a_refusal_is_logged_with_its_references_and_detail(
    context: Context, capfd: pytest.CaptureFixture[str]
) -> None:
    failure = Failure(errors.bad_request, detail="for the log alone")
    response = refused(context, accepting(""), failure, trace_id="trace-test-1")
    assert "for the log alone" not in bytes(response.body).decode()
    logged = "".join(capfd.readouterr())
    for text in ("trace-test-1", "bad_request", "for the log alone", "request-id-test-"):
        assert text in logged
