"""Serves an application on a free loopback port, in the test's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from vestibule.dev.tls import TlsFiles

Build = Callable[[str], Sequence[BaseRoute]]
# What uvicorn takes for an ASGI application, as it writes it itself.
BuildApp = Callable[[str], Awaitable[Callable[..., Any]]]


@asynccontextmanager
async def serving(build: Build, *, tls: TlsFiles | None = None) -> AsyncIterator[str]:
    """Serve the routes that `build` makes of the base URL; give that URL."""

    async def build_app(base_url: str) -> Starlette:
        return Starlette(routes=list(build(base_url)))

    async with serving_app(build_app, tls=tls) as base_url:
        yield base_url


@asynccontextmanager
async def serving_app(build: BuildApp, *, tls: TlsFiles | None = None) -> AsyncIterator[str]:
    """Serve the application that `build` makes of the base URL; give that URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    scheme = "https" if tls else "http"
    base_url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        await build(base_url),
        lifespan="off",
        log_config=None,
        ssl_certfile=tls.certificate_file if tls else None,
        ssl_keyfile=tls.key_file if tls else None,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            await asyncio.sleep(0.005)
        yield base_url
    finally:
        server.should_exit = True
        await task
