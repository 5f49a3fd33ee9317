"""The plain ends of a sign-in: the redirect to the application, and the one page for refusals."""

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from vestibule.browser.page import SAFETY, render
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.ids import new_id
from vestibule.log import logger
from vestibule.web import error_body


def redirect(url: str, *, status: int = 302) -> Response:
    """Send the browser to `url` without telling that page where it came from."""
    return RedirectResponse(url, status_code=status, headers=dict(SAFETY))


def refused(
    context: Context, request: Request, failure: Failure, *, trace_id: str = ""
) -> Response:
    """Return the page (or JSON, when that is accepted) of a failure, with its references."""
    request_id = new_id("request-id", "test", now=context.clock.now(), entropy=context.entropy)
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
        "refused.html",
        status=failure.error.status,
        message=failure.message,
        error_type=failure.error.name,
        request_id=request_id,
        trace_id=trace_id,
    )
    page.headers.update(headers)
    return page
