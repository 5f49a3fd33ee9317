"""`vestibule serve`: production."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import click
import uvicorn
import uvloop

from vestibule import log
from vestibule.app import App
from vestibule.cli.http_connection import Bounds, HttpConnection
from vestibule.cli.opened import opened, read_settings
from vestibule.settings import Settings

_LEFT_SECONDS: Final = 1.0


@click.command()
def serve() -> None:
    """Serve production traffic; the database must be up to date (`vestibule migrate`)."""
    settings = read_settings()
    log.configure(json=settings.log_json)
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    async with opened(settings, upgrade=False) as context:
        await run(App(context), listen(settings.host, settings.port))
    _end_within(_LEFT_SECONDS)


def _end_within(seconds: float) -> None:
    """End the process by then, everything being closed: no look-up of a name can be given up.

    Python and uvloop wait for the threads that are in one, half a minute for a silent name server.
    """
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, or end the command when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        made = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise click.ClickException(f"Cannot listen on {host}:{port}: {error.strerror}.") from None
    # Accepted connections inherit it. asyncio would set it on each only if the listener named TCP
    # as its protocol; without it every answer waits 40 ms for the client's delayed ACK.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setblocking(False)
    return made


async def run(
    app: App,
    listening: socket.socket,
    *,
    certificate: Path | None = None,
    key: Path | None = None,
    ready: Callable[[], Awaitable[bool]] | None = None,
) -> None:
    """Serve `app` until a signal. `ready` is awaited once it answers; False ends it again.

    Returns in either case, so that the caller can close what it has opened.
    """
    settings = app.context.settings
    bounds = Bounds(
        connections=settings.max_connections,
        body_bytes=settings.max_body_bytes,
        seconds=settings.request_seconds,
    )
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=partial(HttpConnection, bounds=bounds),  # type: ignore[arg-type]  # it is called
            ws="none",
            log_config=None,
            # Below are lines that any client can cause: "Invalid HTTP request received."
            log_level="error",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=10,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
    )
    with _outliving_sigterm(server):
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        if ready is not None and not serving.done():
            try:
                # Never set to False: a signal may have come meanwhile.
                if not await ready():
                    server.should_exit = True
            except BaseException:
                server.should_exit = True
                await serving
                raise
        await serving


@contextmanager
def _outliving_sigterm(server: uvicorn.Server) -> Iterator[None]:
    """Let the block end normally after SIGTERM.

    uvicorn sends itself the signal once more after it has shut down; by default that would end
    the process before the database is closed.
    """
    before = signal.signal(signal.SIGTERM, server.handle_exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
