"""A real Valkey or Redis server on a free port of the loopback interface."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.server_process import free_port

_START_SECONDS = 20.0


class CountingServer:
    """One server process, which keeps nothing on disk."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"valkey://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        program = shutil.which("valkey-server") or shutil.which("redis-server")
        assert program, "scripts/tests.sh installs it"
        words = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", ""]
        self._process = subprocess.Popen(
            [program, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, "it ended at once"
            assert time.monotonic() < deadline, "it does not answer"
            time.sleep(0.02)

    def clear(self) -> None:
        """Forget every count."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as opened:
            opened.sendall(b"FLUSHALL\r\n")
            assert opened.recv(16).startswith(b"+OK")

    def freeze(self) -> None:
        """Let it keep its connections and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """End it, whatever state it is in."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_START_SECONDS)
            self._process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as opened:
                opened.sendall(b"PING\r\n")
                return opened.recv(16).startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def counting_server() -> Iterator[CountingServer]:
    """Run a server while the block lasts."""
    server = CountingServer()
    try:
        server.start()
        yield server
    finally:
        server.stop()
