"""The page that a locked member's letter leads to: it asks, and only then is the lock ended."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.browser import forms
from vestibule.browser.answers import ANY_METHOD, guarded, visited
from vestibule.browser.page import render
from vestibule.domain import limits
from vestibule.domain.context import Context
from vestibule.domain.mfa import unlocking

_REFUSED = "member_unlock_refused.html"


class MemberUnlock:
    """The page of a lock that its member may end."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the route of the page."""
        page = guarded(
            self._context, self.page, "GET", "POST", template=_REFUSED, limits=(limits.PAGES,)
        )
        return [Route(unlocking.PATH, page, methods=ANY_METHOD)]

    async def page(self, request: Request) -> Response:
        """Ask on GET, which a scanner of mail may follow too; end the lock on POST."""
        token = forms.query_fields(request).get("token", "")
        if request.method == "POST":
            await unlocking.confirm(visited(self._context, request), token)
            return render("member_unlocked.html")
        locked = await unlocking.waiting(self._context, token)
        return render("member_unlock.html", locked=locked)
