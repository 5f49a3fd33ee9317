"""The page that a letter's link leads to: it asks, and only then is the new address taken."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.browser import forms
from vestibule.browser.answers import ANY_METHOD, guarded, redirect, visited
from vestibule.browser.page import render
from vestibule.domain import email_updates, limits
from vestibule.domain.context import Context

PATH = "/v1/public/email_update"
_REFUSED = "email_update_refused.html"


class EmailUpdate:
    """The page of an address that a member changes to."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        page = guarded(
            self._context, self.page, "GET", "POST", template=_REFUSED, limits=(limits.PAGES,)
        )
        return [Route(PATH, page, methods=ANY_METHOD)]

    async def page(self, request: Request) -> Response:
        """Ask on GET, which a scanner of mail may follow too; take the address on POST.

        The token is in the address of the page alone, and the page tells no other where it was
        called from.
        """
        token = forms.query_fields(request).get("token", "")
        if request.method == "POST":
            update = await email_updates.confirm(visited(self._context, request), token)
            return redirect(update.redirect_url, status=303)
        update = await email_updates.waiting(self._context, token)
        return render("email_update.html", email_address=update.email_address)
