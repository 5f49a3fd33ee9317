"""Declare an endpoint once: routing, validation, OpenAPI and the reference are read from it."""

import re
import typing
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, Final, get_type_hints

import msgspec

from vestibule.domain import limits
from vestibule.domain.caller import Caller, only_with_secret
from vestibule.domain.context import Context
from vestibule.domain.limits import Limit
from vestibule.errors import ErrorType
from vestibule.permissions import Access, Permission, ProjectSecret
from vestibule.records import Project

NO_EFFECT: Final = msgspec.Meta(
    description="Accepted, as the SDKs send it; nothing here depends on it.",
    extra={"effect": "none"},
)
"""Marks a field of a request that changes nothing: `Annotated[str | None, NO_EFFECT]`."""

KEPT: Final = msgspec.Meta(
    description="Kept and shown; nothing here decides by it yet.", extra=NO_EFFECT.extra
)
"""Marks a setting that has no effect beyond being returned as it was set."""


class Request(msgspec.Struct, kw_only=True):
    """Base of every request: path, query and body fields together. Unknown keys are ignored."""


class Response(msgspec.Struct, kw_only=True):
    """Base of every answer; the two fields are filled in by the endpoint machinery."""

    status_code: int = 200
    request_id: str = ""


def given(request: Request, *, without: Collection[str]) -> dict[str, Any]:
    """Return the fields that the caller sent, but those in `without`; null is a value here."""
    fields = {
        name: getattr(request, name) for name in request.__struct_fields__ if name not in without
    }
    return {name: value for name, value in fields.items() if value is not msgspec.UNSET}


def sent(request: Request, *without: str) -> dict[str, Any]:
    """Return what `given` does, but nulls: where something is created, null means absent."""
    fields = given(request, without=without)
    return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True)
class Call:
    """Who is calling: the project, and the member when a member-session header came along."""

    context: Context
    project: Project
    caller: Caller | None
    request_id: str

    @property
    def now(self) -> int:
        """The time now in microseconds UTC."""
        return self.context.clock.now()

    def require(
        self, resource: str, action: str, *, organization_id: str, member_id: str = ""
    ) -> None:
        """Pass without a member session; with one, its roles must grant `action` (Caller.require).

        Handlers use this for permissions that depend on the fields sent.
        """
        if self.caller is not None:
            self.caller.require(
                resource, action, organization_id=organization_id, member_id=member_id
            )

    def require_secret(self, name: str) -> None:
        """Pass without a member session: no role can grant what is called `name` here.

        Raises Failure session_authorization_error.
        """
        if self.caller is not None:
            raise only_with_secret(name)


Handler = Callable[[Any, Call], Awaitable[Response]]
H = typing.TypeVar("H", bound=Callable[..., Awaitable[Response]])


@dataclass(frozen=True)
class Endpoint:
    """One method of one path; `own` when no Stytch SDK for backends knows it."""

    group: str
    method: str
    path: str
    access: Access
    errors: tuple[ErrorType, ...]
    handler: Handler
    request: type[Request]
    response: type[Response]
    own: bool
    limits: tuple[Limit, ...]

    @property
    def operation_id(self) -> str:
        """Name it as the SDKs do: `organizations.members.create`."""
        return f"{self.group}.{self.handler.__name__}"

    @property
    def path_names(self) -> tuple[str, ...]:
        """Names of the fields in the path."""
        return tuple(re.findall(r"{(\w+)}", self.path))


class Group:
    """The endpoints of one file, in the order of their declaration.

    `own` marks a group that no Stytch SDK for backends has methods for: it is Vestibule's, or for
    browsers.
    """

    def __init__(self, name: str, *, own: bool = False) -> None:
        self.name = name
        self.own = own
        self.endpoints: list[Endpoint] = []

    def endpoint(
        self,
        method: str,
        path: str,
        *,
        access: Access,
        errors: tuple[ErrorType, ...] = (),
        limits: tuple[Limit, ...] = (),
    ) -> Callable[[H], H]:
        """Declare `handler(request, call) -> response` as an endpoint.

        It is counted against `limits` besides those that every endpoint of its kind has. Raises
        TypeError at import when a name in `path` is not a field of the request.
        """

        def declare(handler: H) -> H:
            hints = get_type_hints(handler)
            fields = hints["request"].__struct_fields__
            endpoint = Endpoint(
                group=self.name,
                method=method,
                path=path,
                access=access,
                errors=errors,
                handler=handler,
                request=hints["request"],
                response=hints["return"],
                own=self.own,
                limits=(*_general_limits(access, fields), *limits),
            )
            missing = set(endpoint.path_names).difference(fields)
            if missing:
                raise TypeError(f"{path}: {sorted(missing)} not in {endpoint.request.__name__}")
            self.endpoints.append(endpoint)
            return handler

        return declare


def _general_limits(access: Access, fields: Collection[str]) -> tuple[Limit, ...]:
    if not isinstance(access, ProjectSecret | Permission):
        return (limits.PUBLIC,)
    return (limits.API, limits.ORGANIZATION) if "organization_id" in fields else (limits.API,)
