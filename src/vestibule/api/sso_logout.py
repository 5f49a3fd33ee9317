"""The `sso.logout` endpoints: end a session here and at its identity provider."""

from typing import Final

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Request, Response
from vestibule.domain import logouts
from vestibule.permissions import ProjectSecret

group: Final = Group("sso.logout", own=True)


class StartRequest(Request):
    """Which session, by one of its two tokens, and where its browser ends up."""

    session_token: str | None = None
    session_jwt: str | None = None
    logout_redirect_url: str | None = None


class StartResponse(Response):
    """Where to send the browser; the session has ended already."""

    logout_url: str


@group.endpoint(
    "POST",
    "/v1/b2b/sso/logout/start",
    access=ProjectSecret(),
    errors=(
        errors.no_session_arguments,
        errors.too_many_session_arguments,
        errors.session_not_found,
        errors.invalid_session_token,
        errors.unable_to_parse_session_jwt,
        errors.invalid_logout_redirect_url,
        errors.no_match_for_provided_sso_url,
        errors.query_params_do_not_match,
        errors.no_logout_redirect_urls_set,
        errors.no_default_logout_redirect_url_set,
    ),
)
async def start(request: StartRequest, call: Call) -> StartResponse:
    """End a session, and say where its browser goes to end the identity provider's as well."""
    url = await logouts.begin(
        call.context,
        call.project,
        session_token=request.session_token or "",
        session_jwt=request.session_jwt or "",
        logout_redirect_url=request.logout_redirect_url or "",
    )
    return StartResponse(logout_url=url)
