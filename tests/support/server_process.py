"""The server as a process of its own, started by its command as an operator starts it."""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

READY_SECONDS = 30.0
_DEBUGGING = (
    "import logging; logging.basicConfig(level=logging.DEBUG); "
    "from vestibule.cli import main; main()"
)
# As an operator might who looks for a fault: everything that libraries say goes to the log, too.
TALKATIVE = ("-X", "dev", "-c", _DEBUGGING)
STOP_SECONDS = 15.0
_STEP_SECONDS = 0.02


class ServerProcess:
    """One running `vestibule <words>`; what it writes to standard error goes to a file."""

    def __init__(
        self,
        words: list[str],
        *,
        folder: Path,
        environ: Mapping[str, str],
        program: Sequence[str] = ("-m", "vestibule"),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "stderr.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *program, *words],
                cwd=folder,
                env={**_inherited(), **environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def line(self) -> str:
        """Wait for the first line of its standard output. RuntimeError when there is none."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(READY_SECONDS):
                raise RuntimeError(f"no line within {READY_SECONDS} s:\n{self._words()}")
        line = self._process.stdout.readline().decode()
        if not line.endswith("\n"):
            raise RuntimeError(f"the process ended without a line:\n{self._words()}")
        return line

    def wait_for_port(self, port: int) -> None:
        """Wait until it listens. RuntimeError when it ends, or does not within the time."""
        deadline = time.monotonic() + READY_SECONDS
        while not _listens(port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nothing listens on port {port}:\n{self._words()}")
            time.sleep(_STEP_SECONDS)

    def kill(self) -> None:
        """End it at once, as a power cut would (kill -9)."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and see that it does."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
            raise RuntimeError(f"it does not end on {number.name}:\n{self._words()}") from None
        finally:
            if self._process.stdout is not None:
                self._process.stdout.close()

    def said(self) -> bytes:
        """Return all that it has written to standard error until now."""
        return self._log.read_bytes()

    def _words(self) -> str:
        return self.said().decode(errors="replace")[-3000:]


@contextmanager
def developing(
    folder: Path, *, port: int = 0, tls: bool = False, environ: Mapping[str, str] | None = None
) -> Iterator[tuple[ServerProcess, dict[str, Any]]]:
    """Run `vestibule dev --json` on the data of `folder`; give what its one line says."""
    words = ["dev", "--json", "--port", str(port), "--data", str(folder / "data")]
    process = ServerProcess(
        [*words, *(["--tls"] if tls else [])], folder=folder, environ=environ or {}
    )
    try:
        yield process, msgspec.json.decode(process.line(), type=dict[str, Any])
    finally:
        process.stop()


@contextmanager
def serving(
    folder: Path,
    *,
    port: int,
    environ: Mapping[str, str],
    program: Sequence[str] = ("-m", "vestibule"),
) -> Iterator[ServerProcess]:
    """Run `vestibule serve` on a port, with the given settings."""
    settings = {"VESTIBULE_PORT": str(port), **environ}
    process = ServerProcess(["serve"], folder=folder, environ=settings, program=program)
    try:
        process.wait_for_port(port)
        yield process
    finally:
        process.stop()


def run_to_end(words: list[str], *, folder: Path, environ: Mapping[str, str]) -> tuple[int, str]:
    """Run `vestibule <words>`; return its exit status and all that it says."""
    done = subprocess.run(
        [sys.executable, "-m", "vestibule", *words],
        cwd=folder,
        env={**_inherited(), **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=READY_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout


def free_port() -> int:
    """Return a TCP port of the loopback interface that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _inherited() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("VESTIBULE_")}


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
