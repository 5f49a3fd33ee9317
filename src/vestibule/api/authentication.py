"""Who is calling: HTTP Basic `project_id:secret`, and a member session beside it."""

from typing import Final

from vestibule import errors
from vestibule.domain import browser_origins, limits, projects, sessions
from vestibule.domain.caller import Caller
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.records import Project
from vestibule.web import Scope, basic_credentials, client_bucket, header

_PROJECTS_OF_PAGE: Final = "vestibule.projects_of_page"


async def authenticate_project(context: Context, scope: Scope) -> tuple[Project, str]:
    """Return the project whose credentials came, and the id of the secret among them.

    Raises Failure unauthorized_credentials. An address that has sent too many wrong secrets is not
    told any more whether one is right: Failure too_many_requests. The audit log is told of it once
    in each window, not of each guess: nobody fills it from outside.
    """
    project_id, secret = _credentials(scope)
    guesser = client_bucket(context, scope), project_id
    context.limiter.check(limits.WRONG_SECRETS, *guesser)
    try:
        return await projects.authenticate(context, project_id, secret)
    except Failure:
        if await context.limiter.spend(limits.WRONG_SECRETS, *guesser):
            await projects.tell_of_guesses(context, project_id)
        raise


async def authenticate_public_token(context: Context, scope: Scope) -> Project:
    """Return the project whose public token came as the user of HTTP Basic.

    A browser without a session sends it as the password too. Raises Failure
    unauthorized_credentials, or bad_domain_for_stytch_sdk when the page that asks is of no
    application of the project.
    """
    public_token, _ = _credentials(scope)
    try:
        project = await projects.of_public_token(context, public_token)
    except Failure:
        raise Failure(errors.unauthorized_credentials) from None
    known = await projects_of_page(context, scope)
    browser_origins.require(context, project, origin=header(scope, b"origin"), known=known)
    return project


async def projects_of_page(context: Context, scope: Scope) -> frozenset[str]:
    """Return the ids of the projects that know the page that asks, read once for each request.

    Raises StoreUnavailable.
    """
    if _PROJECTS_OF_PAGE not in scope:
        origin = header(scope, b"origin")
        scope[_PROJECTS_OF_PAGE] = await browser_origins.projects_at(context, origin)
    known: frozenset[str] = scope[_PROJECTS_OF_PAGE]
    return known


async def authenticate_caller(context: Context, project: Project, scope: Scope) -> Caller | None:
    """Return the member whose session came in a header, or None when no header came.

    With both headers the token decides. Raises the errors of `sessions.find`.
    """
    token = header(scope, b"x-stytch-member-session")
    jwt = header(scope, b"x-stytch-member-sessionjwt")
    if not token and not jwt:
        return None
    return await sessions.caller(
        context, project, session_token=token, session_jwt="" if token else jwt
    )


def _credentials(scope: Scope) -> tuple[str, str]:
    credentials = basic_credentials(scope)
    # No database is asked for what it cannot hold.
    if credentials is None or "\0" in credentials[0]:
        raise Failure(errors.unauthorized_credentials)
    return credentials
