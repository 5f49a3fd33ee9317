"""Single Logout in the browser: ours on its way to an identity provider, and theirs to us."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.browser import forms
from vestibule.browser.answers import ANY_METHOD, guarded, redirect, visited
from vestibule.browser.page import render
from vestibule.domain import logout_returns, logouts, single_logout
from vestibule.domain.context import Context
from vestibule.domain.logout_messages import Delivery, Reply
from vestibule.domain.logout_returns import Returned
from vestibule.domain.sign_in import callback

_LOGOUT: Final = "/v1/public/sso/logout/{connection_id}"
_MESSAGES: Final = ("SAMLRequest", "SAMLResponse")


class Logout:
    """The pages of Single Logout."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        context, template = self._context, "logout_refused.html"
        page = guarded(context, self.logout, "GET", "POST", template=template)
        start = guarded(context, self.start, "GET", template="logout_failed.html")
        return [
            Route(_LOGOUT, page, methods=ANY_METHOD),
            Route(f"{_LOGOUT}/start", start, methods=ANY_METHOD),
        ]

    async def start(self, request: Request) -> Response:
        """Send the browser to the identity provider with the logout that a backend has begun."""
        found = await callback.target(self._context, request.path_params["connection_id"])
        token = forms.query_fields(request).get("token", "")
        return _sent(await logouts.carry(self._context, found, token))

    async def logout(self, request: Request) -> Response:
        """Take a logout message by either binding, or a browser back from an OpenID provider.

        RelayState goes back to the identity provider with our answer, and is never a place to go.
        """
        found = await callback.target(self._context, request.path_params["connection_id"])
        if found.connection.oidc is not None and request.method == "GET":
            state = forms.query_fields(request).get("state", "")
            return _ended(await logout_returns.returned(self._context, found, state))
        if request.method == "GET":
            delivery = Delivery(query=forms.query(request).encode("latin-1"))
        else:
            form = forms.saml_form(request, _MESSAGES)
            delivery = Delivery(form=await callback.recorded(self._context, found, form))
        reply = await single_logout.receive(visited(self._context, request), found, delivery)
        if reply is None:
            return render("logout.html")
        return _ended(reply) if isinstance(reply, Returned) else _sent(reply)


def _sent(reply: Reply) -> Response:
    if reply.fields:
        return render("logout_post.html", action=reply.url, fields=reply.fields)
    return redirect(reply.url)


def _ended(returned: Returned) -> Response:
    """Go on to the application; where not everything has ended, the person is told before."""
    if returned.outcome == "complete":
        return redirect(returned.url, status=303)
    return render("logout_incomplete.html", outcome=returned.outcome, url=returned.url)
