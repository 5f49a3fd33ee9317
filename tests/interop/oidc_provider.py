"""oidc-provider, the certified OpenID provider written in JavaScript."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.parties import INTEROP, Person, RelyingParty, put_into_groups
from tests.interop.processes import running
from tests.support.server_process import free_port

ALICE = Person(login="alice", password="alicepass", email="alice@example.com", name="Alice Ärlig")
BOB = Person(login="bob", password="bobpass", email="bob@example.com", name="Bob O'Neil & <Söhne>")
# The provider says that this one's e-mail address is not verified.
MALLORY = Person(
    login="mallory", password="mallorypass", email="mallory@example.com", name="Mallory"
)


@dataclass(frozen=True)
class OidcProvider:
    """A running oidc-provider; it was told about its relying parties at start."""

    home: Path
    issuer: str

    @property
    def logout_url(self) -> str:
        """Where somebody logs out of everything at the provider."""
        return f"{self.issuer}/session/end"


@contextmanager
def oidc_provider(home: Path, *, relying_parties: Sequence[RelyingParty]) -> Iterator[OidcProvider]:
    port = free_port()
    provider = OidcProvider(home, f"http://localhost:{port}")
    clients = [_client(party) for party in relying_parties]
    (home / "clients.json").write_text(json.dumps(clients))
    put_into_groups(home, {})
    command = [str(INTEROP / "oidc_provider/start.sh"), str(port), str(home)]
    ready_url = f"{provider.issuer}/.well-known/openid-configuration"
    with running(command, log=home / "start.log", ready_url=ready_url):
        yield provider


def _client(party: RelyingParty) -> dict[str, object]:
    return {
        "client_id": party.client_id,
        "client_secret": party.client_secret,
        "redirect_uris": [party.redirect_url],
        "post_logout_redirect_uris": [party.logout_url],
        "backchannel_logout_uri": party.backchannel_logout_url,
        "backchannel_logout_session_required": True,
        "id_token_signed_response_alg": party.algorithm,
    }
