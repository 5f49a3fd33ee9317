"""Logins on their way when the server is killed (kill -9) end well after it starts again."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from tests.support.browsing import Door, a_browser
from tests.support.server_process import ServerProcess, developing
from vestibule.dev.browser import Step
from vestibule.dev.client import ApiError, Client, open_session
from vestibule.dev.credentials import TEST_PROJECT

_PROTOCOLS: Final = ("saml", "oidc")


@dataclass(frozen=True)
class Server:
    """A running `vestibule dev`, the way in for people and the one for the application."""

    process: ServerProcess
    door: Door
    api: Client

    async def connection_ids(self) -> dict[str, str]:
        listed = await self.api.call("GET", "/v1/b2b/sso/acme")
        return {
            protocol: str(listed[f"{protocol}_connections"][0]["connection_id"])
            for protocol in _PROTOCOLS
        }

    async def redeem(self, token: str) -> dict[str, Any]:
        return await self.api.call("POST", "/v1/b2b/sso/authenticate", {"sso_token": token})


@asynccontextmanager
async def running(folder: Path, database_url: str, *, port: int = 0) -> AsyncIterator[Server]:
    environ = {"VESTIBULE_DATABASE": database_url}
    async with AsyncExitStack() as stack:
        process, places = stack.enter_context(developing(folder, port=port, environ=environ))
        base_url = places["base_url"]
        http = await stack.enter_async_context(open_session())
        door = Door(
            base_url=base_url,
            public_token=TEST_PROJECT.public_token,
            application_url=f"{base_url}/dev/app/callback",
        )
        yield Server(process, door, Client(http, base_url=base_url, credentials=TEST_PROJECT))


@dataclass(frozen=True)
class Begun:
    """A login that has been sent to the identity provider, in a browser that keeps its cookies."""

    jar: aiohttp.CookieJar
    step: Step


async def begin(door: Door, connection_id: str) -> Begun:
    jar = aiohttp.CookieJar(unsafe=True)
    async with a_browser(jar=jar) as browser:
        step = await browser.visit(door.start_url(connection_id))
    assert "/dev/idp/" in step.location
    return Begun(jar, step)


async def test_logins_and_sessions_outlive_kill_9(tmp_path: Path, database_url: str) -> None:
    async with running(tmp_path, database_url) as server:
        door = server.door
        connections = await server.connection_ids()
        session = await server.redeem(await door.sign_in(connections["saml"]))
        begun = {each: await begin(door, connections[each]) for each in _PROTOCOLS}
        tokens = {each: await door.sign_in(connections[each]) for each in _PROTOCOLS}
        server.process.kill()
    port = urlsplit(door.base_url).port
    assert port is not None
    async with running(tmp_path, database_url, port=port) as server:
        assert server.door == door
        assert await server.connection_ids() == connections
        # Killed between callback and authenticate: the token is good, once.
        for token in tokens.values():
            assert (await server.redeem(token))["member_id"] == session["member_id"]
            assert await refused(server, token) == "sso_token_not_found"
        # Killed between start and callback: the login goes on where it was.
        for login in begun.values():
            async with a_browser(jar=login.jar) as browser:
                token = await door.finish(browser, login.step)
            assert (await server.redeem(token))["member_id"] == session["member_id"]
        # Killed after authenticate: the session is there, by its token and by its JWT.
        for name in ("session_token", "session_jwt"):
            body = {name: session[name]}
            seen = await server.api.call("POST", "/v1/b2b/sessions/authenticate", body)
            session_id = session["member_session"]["member_session_id"]
            assert seen["member_session"]["member_session_id"] == session_id


async def refused(server: Server, token: str) -> str:
    try:
        await server.redeem(token)
    except ApiError as error:
        return error.error_type
    raise AssertionError("the token was redeemed twice")
