"""What the service is asked, over a real socket, and what its answers come to."""

from base64 import b64decode
from collections.abc import AsyncIterator
from urllib.parse import parse_qs

import pytest

from tests.support.http_peer import Answer, Peer, answer, listening, redirect
from vestibule.fetch import GuardedFetch
from vestibule.sms import HttpSms, MemorySms, NoSms, SmsError, TextMessage

ACCOUNT = "ACcafecafecafecafecafecafecafecafe"
TOKEN = "s3cr:et/ü"
TEXT = TextMessage(to="+12025550162", text="123456 é & = your code", sent_at=7)
QUEUED = answer(b'{"sid":"SM1","status":"queued"}', status="201 Created")


@pytest.fixture
async def fetch() -> AsyncIterator[GuardedFetch]:
    client = GuardedFetch(allowed_hosts=["127.0.0.1"], allowed_networks=["127.0.0.0/8"])
    yield client
    await client.close()


def door(fetch: GuardedFetch, peer: Peer, sender: str = "+14155550100", path: str = "") -> HttpSms:
    url = f"http://127.0.0.1:{peer.port}{path}"
    return HttpSms(fetch, url, account=ACCOUNT, token=TOKEN, sender=sender)


def asked(peer: Peer) -> tuple[str, dict[str, str], dict[str, list[str]]]:
    """Return the request line, the headers and the form of the only request."""
    [request] = peer.requests
    head, _, body = request.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return first, headers, parse_qs(body, strict_parsing=True)


async def test_a_text_is_posted_as_twilio_expects_it(fetch: GuardedFetch) -> None:
    async with listening(QUEUED) as peer:
        await door(fetch, peer).send(TEXT)
    first, headers, form = asked(peer)
    assert first == f"POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert form == {"To": ["+12025550162"], "From": ["+14155550100"], "Body": [TEXT.text]}
    [request] = peer.requests
    [line] = [each for each in request.split(b"\r\n") if each.startswith(b"Authorization: ")]
    user, _, password = b64decode(line.removeprefix(b"Authorization: Basic ")).partition(b":")
    assert (user.decode(), password.decode()) == (ACCOUNT, TOKEN)


async def test_a_name_that_begins_as_a_messaging_service_does_is_a_name(
    fetch: GuardedFetch,
) -> None:
    async with listening(QUEUED) as peer:
        await door(fetch, peer, "MG Motors").send(TEXT)
    _, _, form = asked(peer)
    assert form["From"] == ["MG Motors"]


async def test_a_messaging_service_is_named_as_one(fetch: GuardedFetch) -> None:
    async with listening(QUEUED) as peer:
        await door(fetch, peer, "MG0123456789abcdef0123456789abcdef", "/compatible/").send(TEXT)
    first, _, form = asked(peer)
    assert first.startswith("POST /compatible/2010-04-01/Accounts/")
    assert form["MessagingServiceSid"] == ["MG0123456789abcdef0123456789abcdef"]
    assert "From" not in form


NO_NUMBER = b'{"code": 21211, "message": "The number +12025550162 is not valid", "status": 400}'


@pytest.mark.parametrize(
    ("said", "why", "final"),
    [
        (answer(NO_NUMBER, status="400 Bad Request"), "status 400, code 21211", True),
        (answer(b"<html>", status="401 Unauthorized"), "status 401, code 0", True),
        (answer(b'{"code": "x"}', status="404 Not Found"), "status 404, code 0", True),
        (answer(b"\xff", status="429 Too Many Requests"), "status 429, code 0", False),
        (answer(status="503 Service Unavailable"), "status 503, code 0", False),
        (redirect("http://127.0.0.1:1/"), "refused.redirect", False),
        (b"", "unreachable", False),
    ],
)
async def test_what_is_not_taken_is_told_apart(
    fetch: GuardedFetch,
    said: Answer,
    why: str,
    final: bool,
) -> None:
    async with listening(said) as peer:
        with pytest.raises(SmsError) as caught:
            await door(fetch, peer).send(TEXT)
    assert str(caught.value).startswith(why)
    assert caught.value.final is final
    for private in (TEXT.to, "123456", TOKEN):
        assert private not in str(caught.value)


async def test_a_service_inside_the_network_needs_the_operators_word() -> None:
    fetch = GuardedFetch()
    async with listening(QUEUED) as peer:
        with pytest.raises(SmsError, match=r"refused\."):
            await door(fetch, peer).send(TEXT)
    assert peer.requests == []
    await fetch.close()


@pytest.mark.parametrize(
    ("url", "token", "sender", "words"),
    [
        ("api.twilio.com", "t", "+1", "base URL"),
        ("ftp://api.twilio.com", "t", "+1", "base URL"),
        ("https://", "t", "+1", "base URL"),
        ("https://api.twilio.com?x=1", "t", "+1", "base URL"),
        ("https://api.twilio.com", "", "+1", "needs its token"),
        ("https://api.twilio.com", "t", "", "needs its token and a sender"),
    ],
)
async def test_what_cannot_be_sent_with_is_refused_at_once(
    fetch: GuardedFetch, url: str, token: str, sender: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        HttpSms(fetch, url, account=ACCOUNT, token=token, sender=sender)


async def test_a_server_without_a_service_is_not_ready_and_sends_nothing() -> None:
    assert not NoSms().ready
    with pytest.raises(SmsError, match="VESTIBULE_SMS_ACCOUNT"):
        await NoSms().send(TEXT)


async def test_memory_keeps_what_it_is_given() -> None:
    sms = MemorySms()
    assert sms.ready
    await sms.send(TEXT)
    assert sms.messages == [TEXT]
