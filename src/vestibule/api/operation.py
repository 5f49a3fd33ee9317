"""Runs a declared endpoint: authenticate, authorize, decode, call, encode."""

import re
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from msgspec.structs import replace

from vestibule import errors
from vestibule.api.authentication import (
    authenticate_caller,
    authenticate_project,
    authenticate_public_token,
)
from vestibule.api.choices import choices
from vestibule.api.endpoint import Call, Endpoint, Request
from vestibule.domain import members, organizations
from vestibule.domain.caller import Caller
from vestibule.domain.context import Context
from vestibule.domain.limiter import Meter
from vestibule.errors import Failure
from vestibule.log import logger
from vestibule.permissions import Permission, ProjectSecret, PublicToken
from vestibule.records import Project
from vestibule.web import (
    ClientGone,
    Receive,
    Scope,
    Send,
    client_bucket,
    failure_of,
    new_request_id,
    path_value,
    read_body,
    read_json,
    respond,
    respond_failure,
    visitor,
)

_encoder: Final = msgspec.json.Encoder()
_WHERE: Final = re.compile(r"^(?P<what>.*?)(?: - at `(?P<where>[^`]*)`)?$", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(?P<name>\w+)`")
_MAX_QUERY_FIELDS: Final = 100


class Operation:
    """One path as an ASGI endpoint: picks the endpoint by method and runs it."""

    def __init__(self, context: Context, endpoints: dict[str, Endpoint]) -> None:
        self._context = context
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every outcome is a JSON envelope."""
        context = self._context
        request_id = new_request_id(context, scope)
        try:
            body = await self._run(scope, receive, request_id)
        except ClientGone:
            return
        except Exception as error:  # noqa: BLE001 - the one place where all errors become answers
            failure = failure_of(error)
            if failure.detail:
                logger().info("refused", request_id=request_id, detail=failure.detail)
            allow = [("allow", ", ".join(sorted(self._endpoints)))]
            await respond_failure(
                send,
                failure,
                request_id=request_id,
                base_url=context.settings.base_url,
                headers=allow if failure.error is errors.method_not_allowed else (),
            )
        else:
            await respond(send, 200, body)

    async def _run(self, scope: Scope, receive: Receive, request_id: str) -> bytes:
        endpoint = self._endpoints.get(scope["method"])
        if endpoint is None:
            raise Failure(errors.method_not_allowed)
        meter = Meter(self._context.limiter, endpoint.limits)
        await meter.know(address=client_bucket(self._context, scope))
        body = await read_body(scope, receive, limit=self._context.settings.max_body_bytes)
        call = await _identify(self._context, endpoint, scope, request_id)
        await meter.know(project=call.project.project_id)
        request = decode(endpoint, scope, body)
        if call.caller is not None:
            request = await _authorize(call, endpoint, request)
        await meter.know(**_targets(request))
        response = await endpoint.handler(request, call)
        response.request_id = request_id
        wrapped = isinstance(endpoint.access, PublicToken)
        return _encoder.encode({"data": response} if wrapped else response)


_NOBODY: Final = Project(project_id="", environment="test", name="", created_at=0)


async def _identify(context: Context, endpoint: Endpoint, scope: Scope, request_id: str) -> Call:
    caller: Caller | None = None
    project = _NOBODY
    origin = visitor(context, scope, request_id)
    if isinstance(endpoint.access, (ProjectSecret, Permission)):
        project, secret_id = await authenticate_project(context.acting_for(origin), scope)
        origin = replace(origin, actor_type="project_secret", actor_id=secret_id)
    elif isinstance(endpoint.access, PublicToken):
        project = await authenticate_public_token(context, scope)
    if isinstance(endpoint.access, Permission):
        caller = await authenticate_caller(context, project, scope)
    if caller is not None:
        origin = replace(
            origin,
            actor_type="member_session",
            actor_id=caller.session.member_id,
            actor_session_id=caller.session.session_id,
        )
    return Call(
        context=context.acting_for(origin), project=project, caller=caller, request_id=request_id
    )


def _targets(request: Request) -> dict[str, str]:
    """Return the organization and the member that a request names, as it names them."""
    named = {
        "organization": getattr(request, "organization_id", None),
        "member": getattr(request, "member_id", None),
    }
    return {axis: value for axis, value in named.items() if isinstance(value, str)}


async def _authorize(call: Call, endpoint: Endpoint, request: Request) -> Request:
    """Check a member session against the endpoint's permission, once the target is known.

    Returns the request with the ids that were judged in the place of other names: a name may
    have gone over to somebody else until it is read again.
    """
    access, named = endpoint.access, getattr(request, "organization_id", "")
    if not named or not isinstance(access, Permission) or access.action is None:
        return request
    known = {}
    async with call.context.store.read() as tx:
        organization = await organizations.load(tx, call.project, named)
        known["organization_id"] = organization.organization_id
        if access.own:
            member = await members.find(tx, organization, getattr(request, "member_id", ""))
            known |= {"member_id": member.member_id} if member else {}
    call.require(
        access.resource,
        access.action,
        organization_id=organization.organization_id,
        member_id=known.get("member_id", ""),
    )
    return replace(request, **known)


def decode(endpoint: Endpoint, scope: Scope, body: bytes) -> Request:
    """Return the typed request. Path values win over the same names in body or query.

    Raises Failure bad_request naming the field.
    """
    if endpoint.method in {"GET", "DELETE"}:
        values: dict[str, Any] = _query(scope)
        strict = False
    else:
        values = read_json(scope, body)
        strict = True
    for name in endpoint.path_names:
        values[name] = path_value(scope["path_params"][name])
    try:
        return msgspec.convert(values, endpoint.request, strict=strict)
    except msgspec.ValidationError as error:
        raise Failure(errors.bad_request, _say(str(error), endpoint.request)) from error


def _query(scope: Scope) -> dict[str, Any]:
    text = scope["query_string"].decode("latin-1")
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_QUERY_FIELDS
        )
    except ValueError:
        raise Failure(errors.bad_request, "The query string cannot be read.") from None
    values: dict[str, Any] = {}
    for name, value in pairs:
        if "\0" in value:
            raise Failure(errors.bad_request, f"{name}: has a NUL character.")
        # The Python SDK writes True for true.
        values.setdefault(name, value.lower() if value in {"True", "False"} else value)
    return values


def _say(text: str, request: type[Request]) -> str:
    """Turn msgspec's `Expected … - at $.field` into `field: expected …`."""
    found = _WHERE.match(text)
    what = found["what"] if found else text
    where = (found["where"] or "") if found else ""
    field = where.removeprefix("$").removeprefix(".")
    if missing := _MISSING.fullmatch(what):
        return f"{field}.{missing['name']}: required." if field else f"{missing['name']}: required."
    if what.startswith("Invalid enum value") and (known := choices(request, field)):
        return f"{field}: expected one of {', '.join(known)}."
    sentence = what[:1].lower() + what[1:] if field else what
    return f"{field}: {sentence}." if field else f"{sentence}."
