"""Starting a server for a test, waiting until it answers, and ending it with all its children."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.server_process import free_port

READY_SECONDS = 40.0
STOP_SECONDS = 5.0


def get(url: str) -> tuple[int, str]:
    """Status and text of what a server on loopback answers at an http URL."""
    parts = urlsplit(url)
    connection = HTTPConnection("127.0.0.1", parts.port or 80, timeout=10)
    try:
        connection.request("GET", parts.path, headers={"Host": parts.netloc})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@contextmanager
def published(folder: Path) -> Iterator[str]:
    """Serves the files of `folder` on loopback until the block ends; the base URL."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "-d", str(folder)]
    base_url = f"http://127.0.0.1:{port}"
    log = folder.with_suffix(".log")
    with running([*command, str(port)], log=log, ready_url=f"{base_url}/"):
        yield base_url


@contextmanager
def running(
    command: Sequence[str], *, log: Path, ready_url: str | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs `command` in a process group of its own until the block ends.

    Its output goes to the file `log`. With `ready_url` the block begins once that URL answers 200;
    RuntimeError, with the end of the log, when the process ends before or takes too long.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        if ready_url is not None:
            _wait_until_ready(process, ready_url, log)
        yield process
    finally:
        _stop(process)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            end = log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{url} does not answer (exit status {process.returncode}):\n{end}")
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        return get(url)[0] == 200
    except (OSError, HTTPException):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the whole group: the leader may be gone while its workers are not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    process.wait(STOP_SECONDS)
