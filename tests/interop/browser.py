"""A person with a browser without scripts: follows redirects, fills login forms, posts the rest.

What a page would send on by itself if there were scripts (a form with a SAML message) is sent on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import aiohttp
from lxml import etree
from yarl import URL

from tests.interop.forms import Form, forms_of, page_of
from tests.interop.parties import Person

MOST_STEPS = 20
MESSAGES = {"SAMLRequest", "SAMLResponse"}
REDIRECTS = {301, 302, 303, 307, 308}


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


@dataclass
class Browser:
    """One browser, with its own cookies, of one person.

    `visits` lists every request it made; `passwords` says how often it was asked for one.
    """

    person: Person
    visits: list[Visit] = field(default_factory=list)
    passwords: int = 0
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

    async def go(self, url: str, *, until: str) -> dict[str, str]:
        """Goes on from `url` until it is sent to `until`; the query it arrives there with.

        DeadEndError when a page offers nothing to send, asks for the password a second time, or
        after 20 requests.
        """
        asked_before = self.passwords
        visit = await self.visit(url)
        for _ in range(MOST_STEPS):
            target = visit.location
            if target is not None and _without_query(target) == until:
                return dict(parse_qsl(urlsplit(target).query, keep_blank_values=True))
            if target is not None:
                visit = await self._again(visit, target)
            else:
                visit = await self._submit(_form_of(visit))
            if self.passwords > asked_before + 1:
                raise DeadEndError(f"asked for the password again:\n{self.history()}")
        raise DeadEndError(f"{MOST_STEPS} requests and no end:\n{self.history()}")

    async def open(self, url: str) -> Visit:
        """Opens `url` with the frames in it; the page that is seen at last."""
        visit = await self.visit(url)
        for _ in range(MOST_STEPS):
            if visit.location is not None:
                visit = await self._again(visit, visit.location)
            elif (form := _sent_on(visit)) is not None:
                visit = await self._submit(form)
            else:
                break
        for frame in page_of(visit.text).iter("iframe"):
            await self.open(urljoin(visit.url, frame.get("src") or ""))
        return visit

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
            self.passwords += 1
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


def _sent_on(visit: Visit) -> Form | None:
    """The form of a page that only carries a SAML message on."""
    forms = forms_of(page_of(visit.text), visit.url)
    return next((form for form in forms if MESSAGES & form.fields.keys()), None)


def _form_of(visit: Visit) -> Form:
    """The form to go on with: the one with a password, else the one that is posted."""
    page = page_of(visit.text)
    forms = forms_of(page, visit.url)
    chosen = next((form for form in forms if form.password_field), None)
    chosen = chosen or next((form for form in forms if form.method == "POST"), None)
    if chosen is None or visit.status != 200:
        text = etree.tostring(page, method="text", encoding="unicode")
        words = " ".join(text.split())[:800]
        raise DeadEndError(f"no way on from {visit.url} ({visit.status}): {words}")
    return chosen
