"""samlp, Auth0's SAML identity provider written in JavaScript; it encrypts with AES-GCM."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.parties import INTEROP, Person
from tests.interop.processes import running
from tests.support.server_process import free_port

BOB = Person(login="bob", password="bobpass", email="bob@example.com", name="Bob O'Neil & <Söhne>")
CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"


@dataclass(frozen=True)
class Samlp:
    """A running samlp; it encrypts for one certificate."""

    home: Path
    base_url: str

    @property
    def entity_id(self) -> str:
        return f"{self.base_url}/idp"

    @property
    def sso_url(self) -> str:
        return f"{self.base_url}/sso"

    @property
    def certificate(self) -> str:
        return (self.home / "idp.crt").read_text()


@contextmanager
def samlp(home: Path, *, acs_url: str, encrypt_for: str) -> Iterator[Samlp]:
    """It knows one service provider; `encrypt_for` is a certificate as PEM."""
    port = free_port()
    provider = Samlp(home, f"http://localhost:{port}")
    known = {"acs_url": acs_url, "encryption_certificate": encrypt_for}
    (home / "sp.json").write_text(json.dumps(known))
    command = [str(INTEROP / "samlp/start.sh"), str(port), str(home)]
    with running(command, log=home / "start.log", ready_url=f"{provider.base_url}/"):
        yield provider
