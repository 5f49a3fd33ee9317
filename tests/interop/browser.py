"""A person with a browser without scripts: follows redirects, fills login forms, posts the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import aiohttp
from lxml import etree, html
from yarl import URL

from tests.interop.parties import Person

MOST_STEPS = 20
REDIRECTS = {301, 302, 303, 307, 308}
# What a person does not fill in and a browser does not send unless it was clicked.
LEFT_OUT = {"submit", "image", "button", "reset", "checkbox", "radio", "file"}


class DeadEndError(Exception):
    """There is no way on from a page; says which page and what stood on it."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request of the browser and how it was answered."""

    method: str
    url: str
    fields: Mapping[str, str]
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def location(self) -> str | None:
        """Where the answer sends the browser, as a whole URL; None when it is a page."""
        if self.status not in REDIRECTS or "Location" not in self.headers:
            return None
        return urljoin(self.url, self.headers["Location"])


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form of a page, as it would be sent when nothing is typed into it."""

    method: str
    url: str
    fields: dict[str, str]
    password_field: str | None
    login_field: str | None


@dataclass
class Browser:
    """One browser, with its own cookies, of one person. `visits` lists every request it made."""

    person: Person
    visits: list[Visit] = field(default_factory=list)
    _session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=aiohttp.ClientTimeout(total=30)
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def sign_in(self, url: str, *, application: str) -> dict[str, str]:
        """Goes on from `url` until it is sent to `application`; the query it arrives with.

        DeadEndError when a page offers nothing to send, or after 20 requests.
        """
        visit = await self.visit(url)
        for _ in range(MOST_STEPS):
            target = visit.location
            if target is not None and _without_query(target) == application:
                return dict(parse_qsl(urlsplit(target).query, keep_blank_values=True))
            if target is not None:
                visit = await self._again(visit, target)
            else:
                visit = await self._submit(_form_of(visit))
        raise DeadEndError(f"{MOST_STEPS} requests and no end:\n{self.history()}")

    async def visit(self, url: str) -> Visit:
        """Opens `url` and follows nothing."""
        return await self._request("GET", url, {})

    def history(self) -> str:
        """Every request in a line each, for a failing test's message."""
        return "\n".join(
            f"{visit.method} {visit.url[:150]} -> {visit.status}" for visit in self.visits
        )

    def posted(self, name: str) -> str:
        """The value of the form field `name` in the last request that carried one."""
        return next(visit.fields[name] for visit in reversed(self.visits) if name in visit.fields)

    async def _again(self, visit: Visit, target: str) -> Visit:
        if visit.status in (307, 308):
            return await self._request(visit.method, target, visit.fields)
        return await self._request("GET", target, {})

    async def _submit(self, form: Form) -> Visit:
        fields = dict(form.fields)
        if form.password_field is not None:
            if sum(form.password_field in visit.fields for visit in self.visits):
                raise DeadEndError(f"asked for the password again:\n{self.history()}")
            fields[form.password_field] = self.person.password
            if form.login_field is not None:
                fields[form.login_field] = self.person.login
        return await self._request(form.method, form.url, fields)

    async def _request(self, method: str, url: str, fields: Mapping[str, str]) -> Visit:
        if self._session is None:
            raise RuntimeError("the browser is closed")
        if method == "GET" and fields:
            url = urlunsplit(urlsplit(url)._replace(query=urlencode(fields)))
        data = dict(fields) if method == "POST" else None
        # As it stands: a query written anew ("%2F" as "/") no longer fits its signature.
        target = URL(url, encoded=True)
        async with self._session.request(
            method, target, data=data, allow_redirects=False
        ) as answer:
            visit = Visit(
                method=method,
                url=url,
                fields=fields,
                status=answer.status,
                headers=answer.headers,
                text=await answer.text(errors="replace"),
            )
        self.visits.append(visit)
        return visit


def _without_query(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(query="", fragment=""))


def _form_of(visit: Visit) -> Form:
    """The form to go on with: the one with a password, else the one that is posted."""
    page = html.fromstring(visit.text or "<p>")
    forms = [_read(form, visit.url) for form in page.iter("form")]
    chosen = next((form for form in forms if form.password_field), None)
    chosen = chosen or next((form for form in forms if form.method == "POST"), None)
    if chosen is None or visit.status != 200:
        text = etree.tostring(page, method="text", encoding="unicode")
        words = " ".join(text.split())[:800]
        raise DeadEndError(f"no way on from {visit.url} ({visit.status}): {words}")
    return chosen


def _read(form: html.HtmlElement, page_url: str) -> Form:
    fields: dict[str, str] = {}
    password_field = login_field = None
    for control in form.iter("input"):
        name, kind = control.get("name"), (control.get("type") or "text").lower()
        if not name or kind in LEFT_OUT:
            continue
        fields[name] = control.get("value") or ""
        if kind == "password":
            password_field = password_field or name
        elif kind in ("text", "email") and not fields[name]:
            login_field = login_field or name
    return Form(
        method=(form.get("method") or "get").upper(),
        url=urljoin(page_url, form.get("action") or page_url),
        fields=fields,
        password_field=password_field,
        login_field=login_field,
    )
