"""The way out for SMS: the text and the doors it leaves through."""

import re
from base64 import b64encode
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from vestibule.fetch import Fetch, FetchError

_SECONDS: Final = 10.0
_TOO_MANY: Final = 429
_MESSAGING_SERVICE: Final = re.compile(r"MG[0-9a-fA-F]{32}")


@dataclass(frozen=True)
class TextMessage:
    """One SMS. `to` is a phone number in E.164 form; `sent_at` is in microseconds UTC."""

    to: str
    text: str
    sent_at: int


class SmsError(Exception):
    """A text was not taken; what is said of it names neither the number nor the text.

    `final`: it would not be taken later either.
    """

    def __init__(self, why: str, *, final: bool) -> None:
        super().__init__(why)
        self.final = final


class Sms(Protocol):
    """Something that sends texts; `ready` tells whether it could."""

    ready: bool

    async def send(self, message: TextMessage) -> None:
        """Hand `message` over. Raises SmsError when it was not taken."""
        ...


class MemorySms:
    """Keeps texts so that a page or a test can read them; nothing leaves the process."""

    ready = True

    def __init__(self) -> None:
        self.messages: list[TextMessage] = []

    async def send(self, message: TextMessage) -> None:
        """Keep `message`."""
        self.messages.append(message)


class _Refusal(msgspec.Struct):
    """What the service says of a text that it does not take; its `message` may hold the number."""

    code: int = 0


class HttpSms:
    """Hands texts to Twilio, or to a service that answers its Messages endpoint."""

    ready = True

    def __init__(self, fetch: Fetch, url: str, *, account: str, token: str, sender: str) -> None:
        """Take the service's base URL, the account's id and secret, and who sends.

        `sender` is a phone number, a name, or the id (`MG…`) of a messaging service. Raises
        ValueError saying what is wrong.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query:
            raise ValueError("expected the base URL of the SMS service, such as https://host")
        if not token or not sender:
            raise ValueError("an SMS account needs its token and a sender")
        self._fetch = fetch
        self._url = f"{url.rstrip('/')}/2010-04-01/Accounts/{quote(account, safe='')}/Messages.json"
        secret = b64encode(f"{account}:{token}".encode()).decode()
        self._headers = {
            "Authorization": f"Basic {secret}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        of_service = _MESSAGING_SERVICE.fullmatch(sender)
        self._sender = {"MessagingServiceSid" if of_service else "From": sender}

    async def send(self, message: TextMessage) -> None:
        """Hand `message` to the service. Raises SmsError."""
        form = {"To": message.to, "Body": message.text, **self._sender}
        try:
            answer = await self._fetch.request(
                "POST",
                self._url,
                headers=self._headers,
                body=urlencode(form).encode(),
                deadline=_SECONDS,
            )
        except FetchError as error:
            raise SmsError(f"{error.reason}: {error.detail}", final=False) from None
        if not 200 <= answer.status < 300:
            final = 400 <= answer.status < 500 and answer.status != _TOO_MANY
            why = f"status {answer.status}, code {_code(answer.body)}"
            raise SmsError(why, final=final)


def _code(body: bytes) -> int:
    try:
        return msgspec.json.decode(body, type=_Refusal).code
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0


class NoSms:
    """What a server without an SMS service has: it says so."""

    ready = False

    async def send(self, message: TextMessage) -> None:  # noqa: ARG002 - whatever it is
        """Raise SmsError."""
        raise SmsError("no SMS service is set up: set VESTIBULE_SMS_ACCOUNT", final=True)
