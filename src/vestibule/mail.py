"""The way out for e-mail: the message and the doors it leaves through."""

import asyncio
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

from vestibule.clock import to_datetime

_SECONDS: Final = 20
_PORTS: Final = {"smtp": 587, "smtps": 465}
_LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True)
class Message:
    """One e-mail in plain text.

    `message_id` is the same each time the message is tried, so that a receiver can tell; `sent_at`
    is in microseconds UTC.
    """

    to: str
    subject: str
    text: str
    message_id: str
    sent_at: int


class MailError(Exception):
    """A message was not taken; the text says why, without what the message says."""


class Mail(Protocol):
    """Something that delivers messages; `ready` tells whether it could."""

    ready: bool

    async def send(self, message: Message) -> None:
        """Hand `message` over for delivery. Raises MailError when it was not taken."""
        ...


class MemoryMail:
    """Keeps messages so that a page or a test can read them; nothing leaves the process."""

    ready = True

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        """Keep `message`."""
        self.messages.append(message)


class SmtpMail:
    """Hands messages to an SMTP server, over TLS unless it is on this machine (RFC 8314)."""

    ready = True

    def __init__(self, url: str, *, sender: str, ca_file: str | None = None) -> None:
        """Take `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`, and the sender.

        `sender` is an address, with a name or without. `ca_file` holds certificate authorities
        that are trusted besides the system's. Raises ValueError saying what is wrong.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("expected smtp://user:password@host:587 or smtps://…:465")
        self._scheme, self._host = parts.scheme, parts.hostname
        self._port = parts.port or _PORTS[parts.scheme]
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._tls = ssl.create_default_context()
        if ca_file is not None:
            self._tls.load_verify_locations(ca_file)
        self._sender = sender
        _, at, self._domain = parseaddr(sender)[1].rpartition("@")
        if not at or not self._domain:
            raise ValueError(f"the sender must be an e-mail address, not {sender!r}")

    async def send(self, message: Message) -> None:
        """Hand `message` to the server. Raises MailError."""
        written = self._written(message)
        try:
            async with self._client() as client:
                try:
                    await client.send_message(written)
                except asyncio.CancelledError:
                    # Else leaving would say goodbye, and wait for the server's answer to it.
                    client.close()
                    raise
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailError(f"{type(error).__name__}: {error}") from error

    def _client(self) -> aiosmtplib.SMTP:
        plain = self._scheme == "smtp" and self._host in _LOOPBACK
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            use_tls=self._scheme == "smtps",
            start_tls=self._scheme == "smtp" and not plain,
            tls_context=self._tls,
            timeout=_SECONDS,
        )

    def _written(self, message: Message) -> EmailMessage:
        """Return the message as RFC 5322 has it; a line break in a header raises MailError."""
        mail = EmailMessage()
        try:
            mail["From"] = self._sender
            mail["To"] = message.to
            mail["Subject"] = message.subject
            mail["Message-ID"] = f"<{message.message_id}@{self._domain}>"
            mail["Date"] = format_datetime(to_datetime(message.sent_at))
            mail["Auto-Submitted"] = "auto-generated"
        except ValueError as error:
            raise MailError(f"a header cannot be written: {error}") from None
        mail.set_content(message.text)
        return mail


class NoMail:
    """What a server without a mail server has: it says so."""

    ready = False

    async def send(self, message: Message) -> None:  # noqa: ARG002 - whatever it is
        """Raise MailError."""
        raise MailError("no mail server is set up: set VESTIBULE_MAIL_URL")
