"""Every route of the browser side."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from vestibule.browser import assets
from vestibule.browser.backchannel_logout import BackchannelLogout
from vestibule.browser.email_update import EmailUpdate
from vestibule.browser.logout import Logout
from vestibule.browser.member_unlock import MemberUnlock
from vestibule.browser.page import render
from vestibule.browser.sso import Sso
from vestibule.domain.context import Context
from vestibule.errors import all_errors


def routes(context: Context) -> list[BaseRoute]:
    """Return the routes."""
    return [
        *Sso(context).routes(),
        *Logout(context).routes(),
        *BackchannelLogout(context).routes(),
        *EmailUpdate(context).routes(),
        *MemberUnlock(context).routes(),
        Route("/errors", _errors, methods=["GET"]),
        *assets.routes(),
    ]


async def _errors(_request: Request) -> Response:
    return render("errors.html", errors=all_errors())
