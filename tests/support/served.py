"""An application behind a real socket in this process, as `vestibule serve` puts it there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vestibule.app import App
from vestibule.cli.server import listen, run


@dataclass
class Client:
    """One raw TCP connection to the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Read one answer. IncompleteReadError or ConnectionError when there is none."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        body = await self.reader.readexactly(int(headers["content-length"]))
        return int(first.split()[1]), headers, body

    async def ended(self) -> bool:
        """Wait until the server hangs up; False when it says something instead."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self.writer.transport.abort()


@dataclass
class Served:
    """Where the application listens, and the connections that were opened to it."""

    port: int
    clients: list[Client]

    async def connect(self, *, receive_buffer: int = 65_536) -> Client:
        opened = await asyncio.open_connection("127.0.0.1", self.port, limit=receive_buffer)
        self.clients.append(Client(*opened))
        return self.clients[-1]

    async def ask(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send a request on a connection of its own."""
        client = await self.connect()
        await client.send(request)
        found = await client.answer()
        client.close()
        return found


@asynccontextmanager
async def served(app: App) -> AsyncIterator[Served]:
    """Serve `app` on a free port until the block ends."""
    listening = listen("127.0.0.1", 0)
    started, done = asyncio.Event(), asyncio.Event()

    async def ready() -> bool:
        started.set()
        await done.wait()
        return False

    serving = asyncio.create_task(run(app, listening, ready=ready))
    await started.wait()
    here = Served(listening.getsockname()[1], [])
    try:
        yield here
    finally:
        for client in here.clients:
            client.close()
        done.set()
        await serving
