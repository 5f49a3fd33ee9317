"""The page that shows how the latest sign-ins went, for whoever tries out a connection."""

from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.dev.client import ApiError, Client
from vestibule.dev.pages import Refused, page, route

SIGN_INS_PATH: Final = "/dev/sign-ins"

_MOST: Final = 50


@dataclass(frozen=True)
class SignIns:
    """Reads the traces of every organization of the project, as an application could."""

    base_url: str
    api: Client

    def routes(self) -> list[Route]:
        return [route(SIGN_INS_PATH, self.show, base_url=self.base_url, methods=["GET"])]

    async def show(self, _request: Request) -> Response:
        """Show the newest sign-ins of all organizations, each with its failed check."""
        try:
            found = await self._newest()
        except ApiError as error:
            raise Refused("The server refused", str(error), status=502) from error
        return page("sign_ins.html", sign_ins=found)

    async def _newest(self) -> list[dict[str, Any]]:
        answer = await self.api.call("POST", "/v1/b2b/organizations/search", {})
        found = [
            {"organization": organization["organization_name"], **trace}
            for organization in answer["organizations"]
            for trace in await self._of(organization["organization_id"])
        ]
        return sorted(found, key=itemgetter("trace_id"), reverse=True)[:_MOST]

    async def _of(self, organization_id: str) -> list[dict[str, Any]]:
        path = f"/v1/b2b/sso/{organization_id}/traces?limit={_MOST}"
        traces: list[dict[str, Any]] = (await self.api.call("GET", path))["traces"]
        return traces
