import aiohttp
import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.dev.serving import serving
from vestibule.dev.browser import Browser, Form, read_forms

PAGE = """
<input name="outside" value="no">
<form method="post" action="/there?x=1&amp;y=2">
  <input type="hidden" name="state" value="&lt;a&amp;b&gt;">
  <input type="radio" name="who" value="a"> <input type="radio" name="who" value="b" checked>
  <input type="checkbox" name="unticked" value="1">
  <input name="empty"> <input value="nameless">
  <input type="submit" name="go" value="Go"> <button name="decision" value="yes">Yes</button>
</form>
<form><input name="q" value="1"></form>
"""


def test_forms_are_read_as_they_would_be_sent() -> None:
    assert read_forms(PAGE, url="https://idp.example/here") == (
        Form(
            "POST",
            "https://idp.example/there?x=1&y=2",
            {"state": "<a&b>", "who": "b", "empty": ""},
        ),
        Form("GET", "https://idp.example/here", {"q": "1"}),
    )


async def test_browser_keeps_cookies_and_follows_nothing(
    http: aiohttp.ClientSession, browser: Browser
) -> None:
    async def start(_request: Request) -> Response:
        response = RedirectResponse("/next", 302)
        response.set_cookie("seen", "yes")
        return response

    async def next_page(request: Request) -> Response:
        return HTMLResponse(f"<form method=post action=/done></form>{request.cookies['seen']}")

    async def done(request: Request) -> Response:
        return PlainTextResponse((await request.body()).decode())

    routes = [Route("/start", start), Route("/next", next_page)]
    routes.append(Route("/done", done, methods=["POST"]))
    async with serving(lambda _: routes) as base_url:
        first = await browser.visit(f"{base_url}/start")
        assert (first.status, first.location) == (302, f"{base_url}/next")
        second = await browser.visit(first.location)
        assert (second.status, second.location) == (200, "")
        assert second.text.endswith("yes")
        third = await browser.submit(second.forms[0], {"a": "ü"})
        assert (third.method, third.text, third.forms) == ("POST", "a=%C3%BC", ())


async def test_only_posted_forms_are_sent(browser: Browser) -> None:
    with pytest.raises(ValueError, match="only forms that POST"):
        await browser.submit(Form("GET", "https://idp.example/", {}))
