"""A person's way through a login at the built-in test identity provider, over real HTTP."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp

from vestibule.dev.browser import Browser, Step
from vestibule.dev.client import open_session

ALICE: Final = {"person": "alice", "groups": "engineering", "decision": "allow"}
_MOST_STEPS: Final = 10


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where a login begins and where it ends."""

    base_url: str
    public_token: str
    application_url: str
    ca_file: Path | None = None

    def start_url(self, connection_id: str, **parameters: str) -> str:
        query = {
            "connection_id": connection_id,
            "public_token": self.public_token,
            "login_redirect_url": self.application_url,
            "signup_redirect_url": self.application_url,
            **parameters,
        }
        return f"{self.base_url}/v1/public/sso/start?{urlencode(query)}"

    async def sign_in(
        self, connection_id: str, *, answers: Mapping[str, str] = ALICE, **parameters: str
    ) -> str:
        """Sign in with a browser of its own; return the sso_token."""
        async with a_browser(self.ca_file) as browser:
            step = await browser.visit(self.start_url(connection_id, **parameters))
            return await self.finish(browser, step, answers=answers)

    async def finish(
        self,
        browser: Browser,
        step: Step,
        *,
        answers: Mapping[str, str] = ALICE,
        balance: Callable[[str], str] = str,
    ) -> str:
        """Go on from `step` until the browser is sent to the application; return the token.

        `balance` turns the address that is asked for into that of the node which answers.
        """
        for _ in range(_MOST_STEPS):
            if step.location.startswith(self.application_url):
                return token_in(step.location)
            if step.location:
                step = await browser.visit(balance(step.location))
            else:
                assert (step.status, len(step.forms)) == (200, 1), f"{step.status} {step.text}"
                form = replace(step.forms[0], action=balance(step.forms[0].action))
                step = await browser.submit(form, answers if "person" in form.fields else {})
        raise AssertionError(f"no end after {_MOST_STEPS} steps; the last one is {step.url}")


@asynccontextmanager
async def a_browser(
    ca_file: Path | None = None, *, jar: aiohttp.CookieJar | None = None
) -> AsyncIterator[Browser]:
    """Open a browser; with `jar` one that has been used before."""
    cookies = aiohttp.CookieJar(unsafe=True) if jar is None else jar
    async with open_session(ca_file, cookie_jar=cookies) as http:
        yield Browser(http)


def token_in(url: str) -> str:
    """Return the sso_token that a redirect to the application carries."""
    query = parse_qs(urlsplit(url).query)
    assert query["stytch_token_type"] == ["sso"]
    (token,) = query["token"]
    return token
