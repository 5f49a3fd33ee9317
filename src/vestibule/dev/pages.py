"""Every page below /dev/: templates, the style sheet, and the headers that fence a page in."""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from vestibule.dev.forms import FormError

Endpoint = Callable[[Request], Awaitable[Response]]

_TEMPLATES: Final = Environment(
    loader=PackageLoader("vestibule.dev"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_STATIC: Final = {
    "dev.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "submit.js": "text/javascript; charset=utf-8",
}
FENCE: Final = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Refused(Exception):
    """What was asked cannot be done; the page says why and what to do about it."""

    def __init__(self, title: str, text: str, *, status: int = 400) -> None:
        super().__init__(f"{title}: {text}")
        self.title = title
        self.text = text
        self.status = status


def render(name: str, **values: Any) -> str:
    """Return the text of the template `name`; every value is escaped."""
    return _TEMPLATES.get_template(name).render(**values)


def page(name: str, *, status: int = 200, leaves: bool = False, **values: Any) -> HTMLResponse:
    """Return the page made from the template `name`.

    `leaves` is for a form whose submission ends at the application: Chromium holds every redirect
    that follows against form-action, and the application may live on any origin, or on the device
    under a scheme of its own.
    """
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    if not leaves:
        policy += "; form-action 'self'"
    headers = {**FENCE, "Content-Security-Policy": policy}
    return HTMLResponse(render(name, **values), status_code=status, headers=headers)


def route(path: str, endpoint: Endpoint, *, base_url: str, methods: list[str]) -> Route:
    """Return a route that shows refusals as pages and answers under its own host name only.

    A page of another site that makes its name point here (DNS rebinding) carries its own name in
    Host, and so reads neither the mailbox nor a login.
    """
    host = base_url.partition("://")[2].lower()

    async def shown(request: Request) -> Response:
        if request.headers.get("host", "").lower() != host:
            return _refusal(
                "Another address",
                f"This page answers at {base_url}{request.url.path} only.",
                status=421,
            )
        try:
            return await endpoint(request)
        except FormError as error:
            return _refusal("This form cannot be read", str(error))
        except Refused as refused:
            return _refusal(refused.title, refused.text, status=refused.status)

    return Route(path, shown, methods=methods)


def _refusal(title: str, text: str, *, status: int = 400) -> Response:
    return page("refused.html", status=status, title=title, text=text)


def static_routes() -> list[Route]:
    """Return the routes of the style sheet, the icon and the one script, read once."""
    return [_static(name, media_type) for name, media_type in _STATIC.items()]


def _static(name: str, media_type: str) -> Route:
    content = files("vestibule.dev").joinpath("static", name).read_bytes()

    async def serve(_request: Request) -> Response:
        return Response(content, media_type=media_type, headers=FENCE)

    return Route(f"/dev/static/{name}", serve, methods=["GET"])
