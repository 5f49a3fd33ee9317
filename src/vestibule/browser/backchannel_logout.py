"""Where OpenID providers send their logout tokens; no browser is involved."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.browser import forms
from vestibule.browser.answers import ANY_METHOD, guarded, visited
from vestibule.domain import backchannel_logout
from vestibule.domain.context import Context
from vestibule.domain.sign_in import callback

_LOGOUT: Final = "/v1/public/sso/backchannel_logout/{connection_id}"


class BackchannelLogout:
    """The back-channel logout URI of each OIDC connection (Back-Channel Logout 1.0, 2.5 to 2.8)."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the route."""
        answer = guarded(self._context, self.receive, "POST", template="logout_refused.html")
        return [Route(_LOGOUT, answer, methods=ANY_METHOD)]

    async def receive(self, request: Request) -> Response:
        """Take a posted `logout_token`; answer 200 once its sessions are over."""
        found = await callback.target(self._context, request.path_params["connection_id"])
        token = await forms.posted_field(request, "logout_token")
        await backchannel_logout.receive(visited(self._context, request), found, token)
        return Response(status_code=200, headers={"Cache-Control": "no-store"})
