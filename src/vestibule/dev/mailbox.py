"""The page that shows every message the server has sent since it started."""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vestibule.dev.pages import page, route
from vestibule.mail import Message

MAILBOX_PATH: Final = "/dev/mailbox"


def mailbox(base_url: str, messages: Sequence[Message]) -> list[Route]:
    """Return the route of the mailbox, which shows what `messages` holds then, newest first."""

    async def show(_request: Request) -> Response:
        return page("mailbox.html", messages=list(reversed(messages)))

    return [route(MAILBOX_PATH, show, base_url=base_url, methods=["GET"])]
