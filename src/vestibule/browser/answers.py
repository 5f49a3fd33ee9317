"""The plain ends of a sign-in: the redirect to the application, and the one page for refusals."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from vestibule import errors
from vestibule.browser.page import SAFETY, render
from vestibule.domain.context import Context
from vestibule.domain.limiter import Meter
from vestibule.domain.limits import Limit
from vestibule.domain.sign_in.callback import Refused
from vestibule.errors import Failure
from vestibule.log import logger
from vestibule.web import (
    ClientGone,
    client_bucket,
    error_body,
    failure_of,
    new_request_id,
    visitor,
)

# Every method reaches the page, so that the refusal of one is ours to render.
ANY_METHOD: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")

Page = Callable[[Request], Awaitable[Response]]


def visited(context: Context, request: Request) -> Context:
    """Return the same doors, in the hands of whoever sent `request`."""
    request_id = new_request_id(context, request.scope)
    return context.acting_for(visitor(context, request.scope, request_id))


def redirect(url: str, *, status: int = 302) -> Response:
    """Send the browser to `url` without telling that page where it came from."""
    return RedirectResponse(url, status_code=status, headers=dict(SAFETY))


def refused(
    context: Context,
    request: Request,
    failure: Failure,
    *,
    trace_id: str = "",
    back: str = "",
    template: str = "refused.html",
) -> Response:
    """Return the page (or JSON, when that is accepted) of a failure, with its references.

    `back` is the application's address, for a link.
    """
    request_id = new_request_id(context, request.scope)
    logger().info(
        "sign-in refused",
        request_id=request_id,
        trace_id=trace_id,
        error_type=failure.error.name,
        detail=failure.detail,
    )
    headers = {"Retry-After": str(failure.retry_after)} if failure.retry_after else {}
    if "application/json" in request.headers.get("accept", ""):
        body = error_body(failure, request_id=request_id, base_url=context.settings.base_url)
        return Response(
            msgspec.json.encode(body),
            status_code=failure.error.status,
            media_type="application/json",
            headers={**SAFETY, **headers},
        )
    page = render(
        template,
        status=failure.error.status,
        message=failure.message,
        error_type=failure.error.name,
        request_id=request_id,
        trace_id=trace_id,
        back=back,
    )
    page.headers.update(headers)
    return page


def guarded(
    context: Context,
    page: Page,
    *methods: str,
    template: str = "refused.html",
    limits: Sequence[Limit] = (),
) -> Page:
    """Let only `methods` in, within `limits`; turn what `page` raises into the one plain page.

    HEAD is not GET here: a link scanner must not use up a sign-in.
    """

    async def answer(request: Request) -> Response:
        trace_id = back = ""
        try:
            if request.method not in methods:
                raise Failure(errors.method_not_allowed)
            meter = Meter(context.limiter, limits)
            await meter.know(
                address=client_bucket(context, request.scope), connection=_connection(request)
            )
            return await page(request)
        except ClientGone:
            return Response(status_code=400)
        except Refused as error:
            failure = Failure(error.refusal.error, error.refusal.message)
            trace_id, back = error.trace_id, error.back
        except Exception as error:  # noqa: BLE001 - the one place where all errors become a page
            failure = failure_of(error)
        response = refused(
            context, request, failure, trace_id=trace_id, back=back, template=template
        )
        if failure.error is errors.method_not_allowed:
            response.headers["Allow"] = ", ".join(m for m in methods if m != request.method)
        return response

    return answer


def _connection(request: Request) -> str:
    """Return which connection is asked for, or the organization whose only one it is."""
    query = request.query_params
    named = request.path_params.get("connection_id") or query.get("connection_id")
    return str(named or query.get("organization_id", ""))
