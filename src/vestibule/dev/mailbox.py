"""The page that shows every letter and every SMS the server has sent since it started."""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vestibule.clock import rfc3339
from vestibule.dev.pages import FENCE, page, route
from vestibule.mail import Message
from vestibule.sms import TextMessage

MAILBOX_PATH: Final = "/dev/mailbox"


def mailbox(base_url: str, letters: Sequence[Message], texts: Sequence[TextMessage]) -> list[Route]:
    """Return the route of the mailbox, which shows what both hold then, newest first.

    It is a page, or for whoever accepts JSON (a test of an application) the same as data.
    """

    async def show(request: Request) -> Response:
        messages: list[Message | TextMessage] = [*letters, *texts]
        messages.sort(key=lambda each: each.sent_at)
        newest_first = messages[::-1]
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"messages": [_data(each) for each in newest_first]}, headers=FENCE)
        return page("mailbox.html", messages=newest_first)

    return [route(MAILBOX_PATH, show, base_url=base_url, methods=["GET"])]


def _data(message: Message | TextMessage) -> dict[str, str]:
    data = {"to": message.to, "text": message.text, "sent_at": rfc3339(message.sent_at)}
    if isinstance(message, TextMessage):
        return {"channel": "sms", **data}
    return {"channel": "email", "subject": message.subject, **data}
