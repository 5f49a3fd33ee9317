"""Who is calling: HTTP Basic `project_id:secret`, and a member session beside it."""

import base64
import binascii

from vestibule import errors
from vestibule.domain import projects, sessions
from vestibule.domain.caller import Caller
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.records import Project
from vestibule.web import Scope, header


async def authenticate_project(context: Context, scope: Scope) -> Project:
    """Return the project whose credentials came. Raises Failure unauthorized_credentials."""
    project_id, secret = _basic(header(scope, b"authorization"))
    return await projects.authenticate(context, project_id, secret)


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


def _basic(value: str) -> tuple[str, str]:
    scheme, _, encoded = value.partition(" ")
    if scheme.lower() != "basic":
        raise Failure(errors.unauthorized_credentials)
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Failure(errors.unauthorized_credentials) from None
    user, _, password = text.partition(":")
    if "\0" in user:
        # No database is asked for what it cannot hold.
        raise Failure(errors.unauthorized_credentials)
    return user, password
