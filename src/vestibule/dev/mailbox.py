"""The page that shows every letter and every SMS the server has sent since it started."""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.dev.pages import page, route
from vestibule.mail import Message
from vestibule.sms import TextMessage

MAILBOX_PATH: Final = "/dev/mailbox"


def mailbox(base_url: str, letters: Sequence[Message], texts: Sequence[TextMessage]) -> list[Route]:
    """Return the route of the mailbox, which shows what both hold then, newest first."""

    async def show(_request: Request) -> Response:
        messages: list[Message | TextMessage] = [*letters, *texts]
        messages.sort(key=lambda each: each.sent_at)
        return page("mailbox.html", messages=messages[::-1])

    return [route(MAILBOX_PATH, show, base_url=base_url, methods=["GET"])]
