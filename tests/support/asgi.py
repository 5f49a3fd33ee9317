"""Calls an ASGI application in this process, as a server would: bytes in, bytes out."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import msgspec

from vestibule.web import Receive, Scope, Send

App = Any


@dataclass(frozen=True)
class Answer:
    """A complete response; header names in lower case, the last of each name."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    set_cookies: tuple[str, ...] = ()

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


async def call(
    app: App,
    method: str,
    target: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    chunk: int = 65_536,
    client: str = "192.0.2.7",
) -> Answer:
    """Send one request for `target` (path and query, percent-encoded as on the wire)."""
    parts = urlsplit(target)
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "root_path": "",
        "query_string": parts.query.encode(),
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in (headers or {}).items()],
        "client": (client, 40000),
        "server": ("sso.example.test", 443),
    }
    pieces = [body[i : i + chunk] for i in range(0, len(body), chunk)] or [b""]
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        if not pieces:
            return {"type": "http.disconnect"}
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    typed_receive: Receive = receive  # type: ignore[assignment]  # a plain dict is a mapping
    typed_send: Send = send
    await app(scope, typed_receive, typed_send)
    start = sent[0]
    raw = [(key.decode(), value.decode("latin-1")) for key, value in start["headers"]]
    return Answer(
        status=start["status"],
        headers=dict(raw),
        body=b"".join(message.get("body", b"") for message in sent[1:]),
        set_cookies=tuple(value for key, value in raw if key == "set-cookie"),
    )


def basic(user: str, password: str) -> str:
    """Return an Authorization header's value."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Api:
    """The JSON API as one project sees it."""

    def __init__(self, app: App, *, project_id: str, secret: str) -> None:
        self.app = app
        self.project_id = project_id
        self.authorization = basic(project_id, secret)

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call an endpoint with the project's credentials."""
        sent = {"authorization": self.authorization, "content-type": "application/json"}
        data = b"" if body is None else msgspec.json.encode(body)
        return await call(self.app, method, path, headers={**sent, **(headers or {})}, body=data)

    async def good(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **options: Any
    ) -> Any:
        """Call an endpoint that must succeed, and return its JSON."""
        answer = await self.call(method, path, body, **options)
        assert answer.status == 200, answer.body
        return answer.json

    async def bad(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **options: Any
    ) -> tuple[int, str]:
        """Call an endpoint that must refuse, and return (status, error_type)."""
        answer = await self.call(method, path, body, **options)
        envelope = answer.json
        assert envelope["status_code"] == answer.status
        assert {"request_id", "error_message", "error_url"} <= envelope.keys()
        return answer.status, envelope["error_type"]


class Browser:
    """One browser: its cookies, and nothing else."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.cookies: dict[str, str] = {}

    async def get(self, target: str) -> Answer:
        """Visit a page."""
        return await self._visit("GET", target)

    async def post(self, target: str, fields: Mapping[str, str]) -> Answer:
        """Send a form."""
        return await self._visit("POST", target, urlencode(fields).encode())

    async def _visit(self, method: str, target: str, body: bytes = b"") -> Answer:
        headers = {"cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if body:
            headers["content-type"] = "application/x-www-form-urlencoded"
        answer = await call(self.app, method, target, headers=headers, body=body)
        for line in answer.set_cookies:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return answer
