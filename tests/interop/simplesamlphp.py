"""SimpleSAMLphp, the SAML identity provider written in PHP."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.interop.parties import INTEROP, Person
from tests.interop.processes import running
from tests.support.server_process import free_port

ALICE = Person(login="alice", password="alicepass", email="alice@example.com", name="Alice Ärlig")
BOB = Person(login="bob", password="bobpass", email="bob@example.com", name="Bob O'Neil & <Söhne>")


@dataclass(frozen=True)
class SimpleSamlPhp:
    """A running SimpleSAMLphp; it reads its service providers again at every request."""

    home: Path
    base_url: str
    entity_id: str

    @property
    def sso_url(self) -> str:
        return f"{self.base_url}/saml2/idp/SSOService.php"

    @property
    def metadata_url(self) -> str:
        return f"{self.base_url}/saml2/idp/metadata.php"

    @property
    def certificate(self) -> str:
        return (self.home / "cert/idp.crt").read_text()

    def logout_url(self, *, return_to: str) -> str:
        """Where somebody logs out of everything at the provider."""
        return f"{self.base_url}/saml2/idp/initSLO.php?{urlencode({'RelayState': return_to})}"

    def initiate_url(self, entity_id: str) -> str:
        """Where somebody begins at the provider to be sent to the service provider."""
        return f"{self.sso_url}?{urlencode({'spentityid': entity_id})}"

    def trust(self, *, entity_id: str, acs_url: str, **options: Any) -> None:
        """Adds or replaces one service provider; `options` are those of saml20-sp-remote."""
        path = self.home / "sps.json"
        known: dict[str, Mapping[str, Any]] = json.loads(path.read_text())
        known[entity_id] = {"AssertionConsumerService": acs_url, **options}
        path.write_text(json.dumps(known))

    def configure(self, **options: str) -> None:
        """Sets options of saml20-idp-hosted, in the place of those of an earlier call."""
        (self.home / "idp.json").write_text(json.dumps(options))


@contextmanager
def simplesamlphp(home: Path, *, entity_id: str | None = None) -> Iterator[SimpleSamlPhp]:
    """`entity_id`: the name it goes by; its own when None."""
    port = free_port()
    base_url = f"http://localhost:{port}"
    provider = SimpleSamlPhp(home, base_url, entity_id or f"{base_url}/idp")
    command = [str(INTEROP / "simplesamlphp/start.sh"), str(home), str(port), provider.entity_id]
    with running(command, log=home / "start.log", ready_url=provider.metadata_url):
        yield provider


def key_entry(pem: str) -> Mapping[str, Any]:
    """A certificate of ours in the form of saml20-sp-remote."""
    body = "".join(pem.strip().splitlines()[1:-1])
    return {"type": "X509Certificate", "signing": True, "encryption": True, "X509Certificate": body}
