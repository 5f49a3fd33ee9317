import aiohttp
import pytest

from tests.dev.serving import serving
from vestibule.dev.mailbox import mailbox
from vestibule.mail import MemoryMail, Message
from vestibule.sms import MemorySms, TextMessage


async def shown(http: aiohttp.ClientSession, mail: MemoryMail, sms: MemorySms | None = None) -> str:
    texts = sms.messages if sms else []
    async with (
        serving(lambda base_url: mailbox(base_url, mail.messages, texts)) as base_url,
        http.get(f"{base_url}/dev/mailbox") as answer,
    ):
        assert answer.status == 200
        return await answer.text()


def message(to: str, subject: str, text: str, sent_at: int = 0) -> Message:
    return Message(to=to, subject=subject, text=text, message_id="m", sent_at=sent_at)


async def test_empty_mailbox_says_so(http: aiohttp.ClientSession) -> None:
    assert "No message yet." in await shown(http, MemoryMail())


async def test_newest_message_comes_first(http: aiohttp.ClientSession) -> None:
    mail = MemoryMail()
    await mail.send(message("a@example.com", "The first", "one"))
    await mail.send(message("b@example.com", "The second", "two"))
    text = await shown(http, mail)
    assert 0 < text.index("The second") < text.index("The first")
    assert "to b@example.com" in text


@pytest.mark.case("AD-15")
async def test_link_can_be_followed_and_markup_cannot_happen(http: aiohttp.ClientSession) -> None:
    mail = MemoryMail()
    letter = 'See https://app.example/?a=1&b=2 <script>"x"</script>'
    await mail.send(message("a@example.com", "<i>Subject</i>", letter))
    text = await shown(http, mail)
    assert '<a href="https://app.example/?a=1&amp;b=2" rel="noopener">' in text
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "&lt;i&gt;Subject&lt;/i&gt;" in text


async def test_texts_stand_between_the_letters(http: aiohttp.ClientSession) -> None:
    mail, sms = MemoryMail(), MemorySms()
    await mail.send(message("a@example.com", "The first", "one", sent_at=1))
    await mail.send(message("b@example.com", "The third", "three", sent_at=3))
    await sms.send(TextMessage(to="+12025550162", text="123456 <b>", sent_at=2))
    text = await shown(http, mail, sms)
    third, second, first = map(text.index, ("The third", "123456 &lt;b&gt;", "The first"))
    assert third < second < first
    assert "to +12025550162" in text
    assert "<h2>SMS</h2>" in text


async def test_a_test_reads_the_messages_as_data(http: aiohttp.ClientSession) -> None:
    mail, sms = MemoryMail(), MemorySms()
    await mail.send(message("a@example.com", "The first", "one <b>", sent_at=1))
    await sms.send(TextMessage(to="+12025550162", text="123456", sent_at=2_000_000))
    headers = {"accept": "application/json"}
    async with (
        serving(lambda base_url: mailbox(base_url, mail.messages, sms.messages)) as base_url,
        http.get(f"{base_url}/dev/mailbox", headers=headers) as answer,
    ):
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert await answer.json() == {
            "messages": [
                {
                    "channel": "sms",
                    "to": "+12025550162",
                    "text": "123456",
                    "sent_at": "1970-01-01T00:00:02Z",
                },
                {
                    "channel": "email",
                    "to": "a@example.com",
                    "subject": "The first",
                    "text": "one <b>",
                    "sent_at": "1970-01-01T00:00:00Z",
                },
            ]
        }
