import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.dev.serving import serving
from vestibule.dev.client import ApiError, Client
from vestibule.dev.credentials import Credentials

CREDENTIALS = Credentials("project-1", "secret-1", "public-1")


async def echo(request: Request) -> Response:
    body = await request.body()
    return JSONResponse(
        {
            "method": request.method,
            "authorization": request.headers["authorization"],
            "body": body.decode(),
        }
    )


async def refuse(_request: Request) -> Response:
    body: dict[str, Any] = {
        "status_code": 404,
        "request_id": "request-1",
        "error_type": "organization_not_found",
        "error_message": "No such organization.",
    }
    return JSONResponse(body, status_code=404)


async def text(_request: Request) -> Response:
    return PlainTextResponse("Bad Gateway", status_code=502)


async def array(_request: Request) -> Response:
    return JSONResponse([])


async def elsewhere(_request: Request) -> Response:
    return RedirectResponse("/echo")


@pytest.fixture
async def api(http: aiohttp.ClientSession) -> AsyncIterator[Client]:
    routes = [
        Route("/echo", echo, methods=["GET", "POST"]),
        Route("/refuse", refuse),
        Route("/text", text),
        Route("/array", array),
        Route("/elsewhere", elsewhere),
    ]
    async with serving(lambda _: routes) as base_url:
        yield Client(http, base_url=base_url, credentials=CREDENTIALS)


async def test_call_carries_credentials_and_json(api: Client) -> None:
    assert await api.call("POST", "/echo", {"a": "ü"}) == {
        "method": "POST",
        "authorization": "Basic cHJvamVjdC0xOnNlY3JldC0x",
        "body": '{"a": "\\u00fc"}',
    }


async def test_get_has_no_body(api: Client) -> None:
    assert (await api.call("GET", "/echo"))["body"] == ""


async def test_error_of_the_api_is_read(api: Client) -> None:
    with pytest.raises(ApiError) as caught:
        await api.call("GET", "/refuse")
    error = caught.value
    assert (error.status, error.error_type) == (404, "organization_not_found")
    assert (error.message, error.request_id) == ("No such organization.", "request-1")
    assert "secret-1" not in str(error)


@pytest.mark.parametrize(("path", "status"), [("/text", 502), ("/array", 200), ("/elsewhere", 307)])
async def test_answer_that_is_no_object_is_an_error(api: Client, path: str, status: int) -> None:
    with pytest.raises(ApiError) as caught:
        await api.call("GET", path)
    assert (caught.value.status, caught.value.error_type) == (status, "not_json")


async def test_server_that_is_away_is_an_error(http: aiohttp.ClientSession) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    away = Client(http, base_url=f"http://127.0.0.1:{port}", credentials=CREDENTIALS)
    with pytest.raises(ApiError) as caught:
        await away.call("GET", "/echo")
    assert (caught.value.status, caught.value.error_type) == (0, "unreachable")
