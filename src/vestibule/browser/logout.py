"""Single Logout in the browser: the identity provider sends a person here to end the sessions."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.browser import forms
from vestibule.browser.answers import ANY_METHOD, guarded, redirect
from vestibule.browser.page import render
from vestibule.domain import single_logout
from vestibule.domain.context import Context
from vestibule.domain.sign_in import callback
from vestibule.domain.single_logout import Delivery

_LOGOUT: Final = "/v1/public/sso/logout/{connection_id}"
_MESSAGES: Final = ("SAMLRequest", "SAMLResponse")


class Logout:
    """The page of Single Logout."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the routes of this page."""
        page = guarded(self._context, self.logout, "GET", "POST", template="logout_refused.html")
        return [Route(_LOGOUT, page, methods=ANY_METHOD)]

    async def logout(self, request: Request) -> Response:
        """Take a logout message by either binding; answer it, or end on a plain page.

        RelayState goes back to the identity provider with our answer, and is never a place to go.
        """
        found = await callback.target(self._context, request.path_params["connection_id"])
        if request.method == "GET":
            delivery = Delivery(query=forms.query(request).encode("latin-1"))
        else:
            form = forms.saml_form(request, _MESSAGES)
            delivery = Delivery(form=await callback.recorded(self._context, found, form))
        reply = await single_logout.receive(self._context, found, delivery)
        if reply is None:
            return render("logout.html")
        if reply.fields:
            return render("logout_post.html", action=reply.url, fields=reply.fields)
        return redirect(reply.url)
