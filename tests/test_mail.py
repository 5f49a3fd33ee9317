"""Mail through a real SMTP server on this machine."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from tests.support.determinism import NOW
from vestibule.clock import SystemClock
from vestibule.dev.tls import TlsFiles, local_authority
from vestibule.mail import MailError, MemoryMail, Message, NoMail, SmtpMail

LETTER = Message(
    to="zoe@example.com",
    subject="Grüße",
    text="Hallo Zoë,\n\nhttps://app.example/?a=1\n",
    message_id="message-test-1",
    sent_at=NOW,
)
SENDER = "Acme <login@acme.test>"


class Server:
    """An SMTP server: what it took, and who logged in."""

    def __init__(self) -> None:
        self.port = 0
        self.envelopes: list[Envelope] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.answer = "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd calls it by this name
        self.envelopes.append(envelope)
        return self.answer

    def authenticate(self, *given: Any) -> AuthResult:
        """Let everybody in who has the password."""
        data = given[-1]
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"pass:word", handled=False)

    def message(self) -> EmailMessage:
        """Return the one message as its receiver reads it."""
        (envelope,) = self.envelopes
        assert isinstance(envelope.content, bytes)
        read = message_from_bytes(envelope.content, policy=default)
        assert isinstance(read, EmailMessage)
        return read


@asynccontextmanager
async def serving(
    *, at: str = "127.0.0.1", inside: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[Server]:
    """Run a server on a free port; `inside` wraps the whole connection in TLS."""
    server = Server()
    listening = await asyncio.get_running_loop().create_server(
        lambda: SMTP(server, authenticator=server.authenticate, **options),
        at,
        0,
        ssl=inside,
    )
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await listening.wait_closed()


@pytest.fixture
def tls_files(tmp_path: Path) -> TlsFiles:
    return local_authority(tmp_path, now=SystemClock().now())


def server_side(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate_file, files.key_file)
    return context


async def test_message_arrives_as_it_was_written() -> None:
    async with serving() as server:
        await SmtpMail(f"smtp://127.0.0.1:{server.port}", sender=SENDER).send(LETTER)
        message = server.message()
    assert server.envelopes[0].rcpt_tos == ["zoe@example.com"]
    assert server.envelopes[0].mail_from == "login@acme.test"
    assert (message["From"], message["To"], message["Subject"]) == (
        SENDER,
        "zoe@example.com",
        "Grüße",
    )
    assert message["Message-ID"] == "<message-test-1@acme.test>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime.timestamp() == NOW // 1_000_000
    assert message.get_content().replace("\r\n", "\n") == LETTER.text


@pytest.mark.case("AD-21")
async def test_what_looks_like_html_is_plain_text() -> None:
    text = "<html><body onload=alert(1)><a href=https://evil.test>Confirm</a></body></html>\n"
    async with serving() as server:
        sender = SmtpMail(f"smtp://127.0.0.1:{server.port}", sender=SENDER)
        await sender.send(replace(LETTER, subject="<b>Hello</b>", text=text))
    message = server.message()
    assert message.get_content_type() == "text/plain"
    assert not message.is_multipart()
    assert message.get_content().replace("\r\n", "\n") == text
    assert message["Subject"] == "<b>Hello</b>"


async def test_password_goes_through_tls_alone(tls_files: TlsFiles) -> None:
    async with serving(inside=server_side(tls_files), auth_require_tls=False) as server:
        url = f"smtps://acme%40x:pass%3Aword@127.0.0.1:{server.port}"
        mail = SmtpMail(url, sender=SENDER, ca_file=str(tls_files.ca_file))
        await mail.send(LETTER)
    assert server.logins == [(b"acme@x", b"pass:word")]
    assert server.message()["Subject"] == "Grüße"


async def test_wrong_password_is_said_without_saying_it(tls_files: TlsFiles) -> None:
    async with serving(inside=server_side(tls_files), auth_require_tls=False) as server:
        url = f"smtps://acme:guessed@127.0.0.1:{server.port}"
        mail = SmtpMail(url, sender=SENDER, ca_file=str(tls_files.ca_file))
        with pytest.raises(MailError, match="SMTPAuthenticationError") as raised:
            await mail.send(LETTER)
    assert "guessed" not in str(raised.value)
    assert server.envelopes == []


async def test_unknown_authority_is_not_trusted(tls_files: TlsFiles) -> None:
    async with serving(inside=server_side(tls_files)) as server:
        mail = SmtpMail(f"smtps://127.0.0.1:{server.port}", sender=SENDER)
        with pytest.raises(MailError, match=r"(?i)certificate"):
            await mail.send(LETTER)
    assert server.envelopes == []


# 127.0.0.2 is this machine too, but not by a name that says so.
ELSEWHERE = "127.0.0.2"


async def test_server_elsewhere_has_to_offer_starttls() -> None:
    async with serving(at=ELSEWHERE) as server:
        with pytest.raises(MailError, match="STARTTLS"):
            await SmtpMail(f"smtp://{ELSEWHERE}:{server.port}", sender=SENDER).send(LETTER)
    assert server.envelopes == []


async def test_starttls_is_used_where_it_is_offered(tmp_path: Path) -> None:
    files = local_authority(tmp_path, now=SystemClock().now(), hosts=[ELSEWHERE])
    inside = server_side(files)
    async with serving(at=ELSEWHERE, tls_context=inside, require_starttls=True) as server:
        url = f"smtp://{ELSEWHERE}:{server.port}"
        await SmtpMail(url, sender=SENDER, ca_file=str(files.ca_file)).send(LETTER)
    assert server.message()["Subject"] == "Grüße"


async def test_certificate_of_another_host_is_refused(tls_files: TlsFiles) -> None:
    async with serving(at=ELSEWHERE, tls_context=server_side(tls_files)) as server:
        url = f"smtp://{ELSEWHERE}:{server.port}"
        with pytest.raises(MailError, match=r"(?i)certificate"):
            await SmtpMail(url, sender=SENDER, ca_file=str(tls_files.ca_file)).send(LETTER)
    assert server.envelopes == []


async def test_refusal_of_the_server_is_an_error() -> None:
    async with serving() as server:
        server.answer = "550 5.7.1 not from you"
        with pytest.raises(MailError, match="not from you"):
            await SmtpMail(f"smtp://127.0.0.1:{server.port}", sender=SENDER).send(LETTER)


async def test_server_that_is_not_there_is_an_error() -> None:
    async with serving() as server:
        port = server.port
    with pytest.raises(MailError):
        await SmtpMail(f"smtp://127.0.0.1:{port}", sender=SENDER).send(LETTER)


async def test_cancelled_message_does_not_wait_for_the_server() -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def fall_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.test\r\n")
        assert (await reader.readline()).startswith(b"EHLO")
        writer.write(b"250 mail.test\r\n")
        await reader.readline()
        asked.set()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        ended.set()

    async with await asyncio.start_server(fall_silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        mail = SmtpMail(f"smtp://127.0.0.1:{port}", sender=SENDER)
        sending = asyncio.create_task(mail.send(LETTER))
        await asked.wait()
        sending.cancel()
        # Not the 20 seconds that a server has for an answer.
        await asyncio.wait({sending}, timeout=10)
        assert sending.cancelled()
        await ended.wait()


@pytest.mark.case("AD-17", "AD-21")
async def test_line_break_in_a_header_sends_nothing() -> None:
    hostile = replace(LETTER, subject="Hello\r\nBcc: eve@example.com")
    async with serving() as server:
        with pytest.raises(MailError, match="header"):
            await SmtpMail(f"smtp://127.0.0.1:{server.port}", sender=SENDER).send(hostile)
    assert server.envelopes == []


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("https://mail.example.com", SENDER),
        ("mail.example.com", SENDER),
        ("smtp://", SENDER),
        ("smtp://mail.example.com:port", SENDER),
        ("smtp://mail.example.com", ""),
        ("smtp://mail.example.com", "Acme"),
    ],
)
def test_settings_that_cannot_work_are_refused(url: str, sender: str) -> None:
    with pytest.raises(ValueError, match=r"smtp|sender|[Pp]ort"):
        SmtpMail(url, sender=sender)


async def test_server_without_mail_says_what_to_set() -> None:
    assert not NoMail().ready
    with pytest.raises(MailError, match="VESTIBULE_MAIL_URL"):
        await NoMail().send(LETTER)


async def test_memory_mail_keeps_messages_in_order() -> None:
    mail = MemoryMail()
    first, second = LETTER, replace(LETTER, to="bob@example.com")
    await mail.send(first)
    await mail.send(second)
    assert mail.messages == [first, second]
