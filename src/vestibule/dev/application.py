"""The demo application: what a customer of this server would write, in one file.

It knows the server by its public address and the project's credentials, like any application.
"""

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from vestibule.dev.client import ApiError, Client
from vestibule.dev.credentials import ORGANIZATION_SLUG, Credentials
from vestibule.dev.forms import line, read_query
from vestibule.dev.pages import Refused, page, route

APPLICATION_PATH: Final = "/dev/app"
CALLBACK_PATH: Final = "/dev/app/callback"
HOME_PATH: Final = "/dev/app/home"
LOGOUT_PATH: Final = "/dev/app/logout"
COOKIE: Final = "vestibule_demo_session"

_MINUTES: Final = 60
_PROTOCOLS: Final = {"saml_connections": "SAML", "oidc_connections": "OIDC"}


@dataclass(frozen=True)
class Application:
    """A sign-in page with one button per active connection, and a page for who is signed in."""

    base_url: str
    credentials: Credentials
    api: Client

    def routes(self) -> list[Route]:
        base = self.base_url
        return [
            route(APPLICATION_PATH, self.sign_in, base_url=base, methods=["GET"]),
            route(CALLBACK_PATH, self.callback, base_url=base, methods=["GET"]),
            route(HOME_PATH, self.home, base_url=base, methods=["GET"]),
            route(LOGOUT_PATH, self.log_out, base_url=base, methods=["POST"]),
        ]

    async def sign_in(self, request: Request) -> Response:
        """Show a button for each way in."""
        answer = await self._call("GET", f"/v1/b2b/sso/{ORGANIZATION_SLUG}")
        choices = [
            {
                "protocol": protocol,
                "display_name": connection["display_name"],
                "url": self.start_url(connection["connection_id"]),
            }
            for kind, protocol in _PROTOCOLS.items()
            for connection in answer[kind]
            if connection["status"] == "active"
        ]
        return page(
            "application.html",
            organization=ORGANIZATION_SLUG,
            choices=choices,
            signed_in=COOKIE in request.cookies,
        )

    def start_url(self, connection_id: str) -> str:
        """Return where a browser goes to sign in through `connection_id`."""
        return self.base_url + start_path(
            connection_id, base_url=self.base_url, public_token=self.credentials.public_token
        )

    async def callback(self, request: Request) -> Response:
        """Turn the token that the browser brings into a session, kept in a cookie."""
        fields = read_query(request)
        if fields.get("stytch_token_type") != "sso" or not fields.get("token"):
            raise Refused("No token", "The server sends a browser here with token= after a login.")
        answer = await self._call(
            "POST",
            "/v1/b2b/sso/authenticate",
            {
                "sso_token": line(fields, "token", longest=1000),
                "session_duration_minutes": _MINUTES,
            },
        )
        if not answer["member_authenticated"]:
            raise Refused(
                "Not signed in yet",
                "The organization asks for a second factor, which this demo does not have.",
                status=403,
            )
        response = RedirectResponse(HOME_PATH, 303, {"Referrer-Policy": "no-referrer"})
        response.set_cookie(
            COOKIE,
            answer["session_token"],
            max_age=_MINUTES * 60,
            path=APPLICATION_PATH,
            secure=self.base_url.startswith("https://"),
            httponly=True,
            samesite="lax",
        )
        return response

    async def home(self, request: Request) -> Response:
        """Show the member, the organization, the session and the JWT behind the cookie."""
        token = request.cookies.get(COOKIE, "")
        if not token:
            return RedirectResponse(APPLICATION_PATH, 303)
        try:
            answer = await self.api.call(
                "POST", "/v1/b2b/sessions/authenticate", {"session_token": token}
            )
        except ApiError as error:
            if error.status not in {400, 401, 404}:
                raise _refused(error) from error
            # The session has ended: forget it, and offer to sign in again.
            return _forgetful_redirect()
        header, claims = decoded_jwt(answer["session_jwt"])
        return page(
            "home.html",
            member=answer["member"],
            organization=answer["organization"],
            session=answer["member_session"],
            jwt_header=_pretty(header),
            jwt_claims=_pretty(claims),
            answer=_pretty(_without_tokens(answer)),
        )

    async def log_out(self, request: Request) -> Response:
        """Revoke the session and forget the cookie."""
        if token := request.cookies.get(COOKIE, ""):
            try:
                await self.api.call("POST", "/v1/b2b/sessions/revoke", {"session_token": token})
            except ApiError as error:
                # A session that is over already needs no revoking; anything else must be seen.
                if error.status not in {400, 404}:
                    raise _refused(error) from error
        return _forgetful_redirect()

    async def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            return await self.api.call(method, path, body)
        except ApiError as error:
            raise _refused(error) from error


def start_path(connection_id: str, *, base_url: str, public_token: str) -> str:
    """Return path and query of the sign-in through `connection_id` that ends at the demo."""
    query = {
        "connection_id": connection_id,
        "public_token": public_token,
        "login_redirect_url": base_url + CALLBACK_PATH,
        "signup_redirect_url": base_url + CALLBACK_PATH,
    }
    return f"/v1/public/sso/start?{urlencode(query)}"


def decoded_jwt(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a JWT, to be shown: its signature is not looked at."""
    header, claims, _signature = token.split(".")
    return _decoded(header), _decoded(claims)


def _decoded(part: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return read


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _without_tokens(answer: dict[str, Any]) -> dict[str, Any]:
    hidden = {"session_token": "…", "session_jwt": "…"}
    return {**answer, **hidden}


def _forgetful_redirect() -> Response:
    response = RedirectResponse(APPLICATION_PATH, 303)
    response.delete_cookie(COOKIE, path=APPLICATION_PATH)
    return response


def _refused(error: ApiError) -> Refused:
    text = f"{error.message} ({error.error_type}, status {error.status}"
    text += f", request {error.request_id})" if error.request_id else ")"
    return Refused("The server refused", text, status=502 if error.status == 0 else 400)
