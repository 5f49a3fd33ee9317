"""A person's browser, as far as a sign-in needs one: cookies, one step at a time, and forms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import aiohttp

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Form:
    """A form of a page with the values it would send untouched; buttons are not among them."""

    method: str
    action: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """One request and its answer. `location` is the absolute target of a redirect, or ""."""

    method: str
    url: str
    status: int
    location: str
    text: str
    forms: tuple[Form, ...] = field(repr=False)


class Browser:
    """Goes from page to page only when told to, so that every step can be looked at.

    `http` should come from client.open_session with `cookie_jar=aiohttp.CookieJar(unsafe=True)`:
    without that, cookies of an address such as 127.0.0.1 are dropped.
    """

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def visit(self, url: str) -> Step:
        """GET `url`; redirects are not followed."""
        return await self._step("GET", url, None)

    async def submit(self, form: Form, answers: Mapping[str, str] | None = None) -> Step:
        """Send `form`, with `answers` in place of, or added to, the values it has."""
        fields = {**form.fields, **(answers or {})}
        if form.method == "POST":
            return await self._step("POST", form.action, fields)
        raise ValueError("only forms that POST are sent")

    async def _step(self, method: str, url: str, fields: Mapping[str, str] | None) -> Step:
        async with self._http.request(method, url, data=fields, allow_redirects=False) as answer:
            text = await answer.text()
            target = answer.headers.get("Location", "") if answer.status in _REDIRECTS else ""
            html = answer.content_type == "text/html"
            return Step(
                method=method,
                url=url,
                status=answer.status,
                location=urljoin(url, target) if target else "",
                text=text,
                forms=read_forms(text, url=url) if html else (),
            )


def read_forms(html: str, *, url: str) -> tuple[Form, ...]:
    """Return the forms of the page `html` that was got from `url`."""
    reader = _FormReader(url)
    reader.feed(html)
    reader.close()
    return tuple(Form(method, action, fields) for method, action, fields in reader.found)


class _FormReader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, dict[str, str]]] = []
        self._url = url
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urljoin(self._url, given.get("action", ""))
            self.found.append((given.get("method", "get").upper(), action, {}))
            self._inside = True
        elif tag == "input" and self._inside and given.get("name"):
            chosen = given.get("type") not in {"radio", "checkbox"} or "checked" in given
            if chosen and given.get("type") != "submit":
                self.found[-1][2][given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
