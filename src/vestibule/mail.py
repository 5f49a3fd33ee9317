"""The way out for e-mail: the message and the door it leaves through."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Message:
    """One e-mail in plain text."""

    to: str
    subject: str
    text: str


class Mail(Protocol):
    """Something that delivers messages, or raises when it cannot."""

    async def send(self, message: Message) -> None:
        """Hand `message` over for delivery."""
        ...


class MemoryMail:
    """Keeps messages so that a page or a test can read them; nothing leaves the process."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        """Keep `message`."""
        self.messages.append(message)
