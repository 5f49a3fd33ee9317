"""The server under test as a process of its own, with the official SDK to talk to it."""

import base64
import itertools
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from stytch import B2BClient
from stytch.b2b.models.sso import SAMLConnection

from tests.interop.processes import get
from tests.support.server_process import developing
from vestibule.clock import MINUTE

_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running `vestibule dev` and its project."""

    base_url: str
    public_token: str
    credentials: str
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

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Calls an endpoint that the SDK does not have; the answer, which has to be a good one."""
        basic = base64.b64encode(self.credentials.encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/json"}
        connection = HTTPConnection(urlsplit(self.base_url).netloc, timeout=10)
        try:
            connection.request(method, path, json.dumps(body or {}), headers)
            answer = connection.getresponse()
            content: dict[str, Any] = json.loads(answer.read())
        finally:
            connection.close()
        assert answer.status == 200, content
        return content

    def refusal(self, connection_id: str) -> str:
        """Why the last sign-in by a connection was refused, as its trace says."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            query = "SELECT reason FROM traces WHERE connection_id = ? ORDER BY trace_id DESC"
            (reason,) = database.execute(query, (connection_id,)).fetchone()
        return str(reason)

    def let_a_minute_pass(self, connection_id: str) -> None:
        """Makes the last reading of a connection's metadata a minute older; it is limited."""
        with closing(sqlite3.connect(self.database, timeout=10)) as database, database:
            change = "UPDATE metadata_feeds SET tried_at = tried_at - ? WHERE connection_id = ?"
            assert database.execute(change, (MINUTE, connection_id)).rowcount == 1


def new_organization(server: Server) -> str:
    """Makes an organization that everybody may be provisioned into; its id."""
    name = f"interop-{next(_numbers)}"
    created = server.sdk.organizations.create(organization_name=name, organization_slug=name)
    return created.organization.organization_id


@contextmanager
def vestibule_dev(home: Path) -> Iterator[Server]:
    with developing(home) as (_, ready):
        yield Server(
            base_url=ready["base_url"],
            public_token=ready["public_token"],
            credentials=f"{ready['project_id']}:{ready['secret']}",
            database=home / "data/vestibule.db",
            sdk=B2BClient(
                ready["project_id"], ready["secret"], environment=f"{ready['base_url']}/"
            ),
        )
