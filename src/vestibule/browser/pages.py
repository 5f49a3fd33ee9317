"""Every route of the browser side."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from vestibule.browser.page import render
from vestibule.browser.sso import Sso
from vestibule.domain.context import Context
from vestibule.errors import all_errors

_STATIC: Final[list[str | tuple[str, str]]] = [("vestibule.browser", "static")]


def routes(context: Context) -> list[BaseRoute]:
    """Return the routes."""
    return [
        *Sso(context).routes(),
        Route("/errors", _errors, methods=["GET"]),
        Mount("/assets", StaticFiles(packages=_STATIC)),
    ]


async def _errors(_request: Request) -> Response:
    return render("errors.html", errors=all_errors())
