"""The server under test as a process of its own, with the official SDK to talk to it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from stytch import B2BClient
from stytch.b2b.models.sso import SAMLConnection

from tests.interop.processes import get
from tests.support.server_process import developing


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
    with developing(home) as (_, ready):
        yield Server(
            base_url=ready["base_url"],
            public_token=ready["public_token"],
            database=home / "data/vestibule.db",
            sdk=B2BClient(
                ready["project_id"], ready["secret"], environment=f"{ready['base_url']}/"
            ),
        )
