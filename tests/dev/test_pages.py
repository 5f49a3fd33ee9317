import aiohttp
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tests.dev.serving import serving
from vestibule.dev.forms import FormError
from vestibule.dev.pages import Refused, page, route, static_routes


async def hello(_request: Request) -> Response:
    return PlainTextResponse("hello")


async def refuse(_request: Request) -> Response:
    raise Refused("No", "Because of <b>this</b>.", status=409)


async def misread(_request: Request) -> Response:
    raise FormError("A field is wrong.")


async def answer_of(
    http: aiohttp.ClientSession, path: str, *, host: str | None = None
) -> tuple[int, str]:
    headers = {"Host": host} if host else {}
    async with (
        serving(
            lambda base_url: [
                route("/hello", hello, base_url=base_url, methods=["GET"]),
                route("/refuse", refuse, base_url=base_url, methods=["GET"]),
                route("/misread", misread, base_url=base_url, methods=["GET"]),
                *static_routes(),
            ]
        ) as base_url,
        http.get(base_url + path, headers=headers) as answer,
    ):
        return answer.status, await answer.text()


async def test_endpoint_answers_under_its_own_name(http: aiohttp.ClientSession) -> None:
    assert await answer_of(http, "/hello") == (200, "hello")


async def test_endpoint_answers_under_no_other_name(http: aiohttp.ClientSession) -> None:
    status, text = await answer_of(http, "/hello", host="rebound.attacker.example")
    assert status == 421
    assert "This page answers at http://127.0.0.1:" in text


async def test_refusal_is_a_page_that_says_why(http: aiohttp.ClientSession) -> None:
    status, text = await answer_of(http, "/refuse")
    assert status == 409
    assert "Because of &lt;b&gt;this&lt;/b&gt;." in text


async def test_unreadable_form_is_a_page_that_says_why(http: aiohttp.ClientSession) -> None:
    status, text = await answer_of(http, "/misread")
    assert status == 400
    assert "A field is wrong." in text


@pytest.mark.parametrize(
    ("name", "words"),
    [("dev.css", "color-scheme"), ("submit.js", ".submit()"), ("icon.svg", "<svg")],
)
async def test_static_file_is_served(http: aiohttp.ClientSession, name: str, words: str) -> None:
    status, text = await answer_of(http, f"/dev/static/{name}")
    assert status == 200
    assert words in text


def test_page_is_fenced_in() -> None:
    headers = page("refused.html", title="t", text="x").headers
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_only_the_form_target_is_open_on_a_page_that_leaves() -> None:
    kept = page("refused.html", title="t", text="x").headers["Content-Security-Policy"]
    left = page("refused.html", leaves=True, title="t", text="x").headers["Content-Security-Policy"]
    assert kept == f"{left}; form-action 'self'"
