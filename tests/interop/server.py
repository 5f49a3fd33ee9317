"""The server under test as a process of its own, with the official SDK to talk to it."""

import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from stytch import B2BClient
from stytch.b2b.models.sso import SAMLConnection

from tests.interop.processes import get, running

READY_SECONDS = 30.0
VESTIBULE = Path(__file__).parents[2] / ".venv/bin/vestibule"


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running `vestibule dev` and its project."""

    base_url: str
    public_token: str
    sdk: B2BClient
    database: Path

    @property
    def application_url(self) -> str:
        """Where people end up; a login redirect URL that `dev` has registered."""
        return f"{self.base_url}/dev/app/callback"

    def start_url(self, connection_id: str) -> str:
        query = {
            "connection_id": connection_id,
            "public_token": self.public_token,
            "login_redirect_url": self.application_url,
            "signup_redirect_url": self.application_url,
        }
        return f"{self.base_url}/v1/public/sso/start?{urlencode(query)}"

    def service_provider_metadata(self, connection: SAMLConnection) -> str:
        """What an identity provider is given to know this connection."""
        status, metadata = get(f"{self.base_url}/v1/public/sso/metadata/{connection.connection_id}")
        assert status == 200
        return metadata

    def refusal(self, connection_id: str) -> str:
        """Why the last sign-in by a connection was refused, as its trace says."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            query = "SELECT reason FROM traces WHERE connection_id = ? ORDER BY trace_id DESC"
            (reason,) = database.execute(query, (connection_id,)).fetchone()
        return str(reason)


@contextmanager
def vestibule_dev(home: Path) -> Iterator[Server]:
    log = home / "vestibule.log"
    command = [str(VESTIBULE), "dev", "--json", "--port", "0", "--data", str(home / "data")]
    with running(command, log=log) as process:
        ready = _ready_line(process, log)
        yield Server(
            base_url=ready["base_url"],
            public_token=ready["public_token"],
            database=home / "data/vestibule.db",
            sdk=B2BClient(
                ready["project_id"], ready["secret"], environment=f"{ready['base_url']}/"
            ),
        )


def _ready_line(process: subprocess.Popen[bytes], log: Path) -> dict[str, str]:
    """The one line that `dev --json` prints once it serves."""
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        for line in log.read_text().splitlines(keepends=True):
            if line.startswith("{") and line.endswith("\n") and '"mailbox_url"' in line:
                ready: dict[str, str] = json.loads(line)
                return ready
        time.sleep(0.05)
    raise RuntimeError(f"vestibule dev did not get ready:\n{log.read_text()[-2000:]}")
