"""Two servers on one PostgreSQL: a login may change the node at every step."""

from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.flows.test_serve import APPLICATION, settings
from tests.support import production
from tests.support.browsing import Door
from tests.support.production import Operator
from tests.support.server_process import free_port, serving
from vestibule.dev.client import ApiError, Client, open_session
from vestibule.dev.credentials import Credentials

MASTER_KEY = b64encode(bytes(range(32))).decode()


async def test_login_goes_through_both_nodes(tmp_path: Path, postgres_url: str) -> None:
    first, second = free_port(), free_port()
    environ = {**settings(postgres_url, first), "VESTIBULE_MASTER_KEY": MASTER_KEY}
    operator = Operator(tmp_path, environ)
    base_url = environ["VESTIBULE_BASE_URL"]
    made = Credentials(**await operator.values("project", "create", "Acme"))
    await operator.command("redirect-url", "add", made.project_id, APPLICATION)
    door = Door(base_url=base_url, public_token=made.public_token, application_url=APPLICATION)
    with (
        serving(tmp_path / "a", port=first, environ=environ),
        serving(tmp_path / "b", port=second, environ=environ),
    ):
        async with (
            production.identity_provider_for(base_url, tmp_path) as idp_url,
            open_session() as http,
        ):
            node_a, node_b = (
                Client(http, base_url=f"http://127.0.0.1:{port}", credentials=made)
                for port in (first, second)
            )
            customer = await production.set_up(node_a, idp_url)
            for connection_id in (customer.saml, customer.oidc):
                balancer = Balancer(base_url, f"http://127.0.0.1:{second}")
                token = await production.sign_in(door, connection_id, balance=balancer)
                assert balancer.moved == [f"/v1/b2b/sso/callback/{connection_id}"]
                session = await node_a.call(
                    "POST", "/v1/b2b/sso/authenticate", {"sso_token": token}
                )
                await session_is_shared(node_a, node_b, session["session_token"])


class Balancer:
    """Sends callbacks to another node than everything else."""

    def __init__(self, base_url: str, other: str) -> None:
        self.moved: list[str] = []
        self._base_url = base_url
        self._other = other

    def __call__(self, url: str) -> str:
        path = urlsplit(url).path
        if not path.startswith("/v1/b2b/sso/callback/"):
            return url
        self.moved.append(path)
        return url.replace(self._base_url, self._other, 1)


async def session_is_shared(node_a: Client, node_b: Client, token: str) -> None:
    """What one node began the other one knows, and what one ends is over at the other."""
    body = {"session_token": token}
    authenticate = "/v1/b2b/sessions/authenticate"
    seen = [await node.call("POST", authenticate, body) for node in (node_a, node_b)]
    assert len({each["member_session"]["member_session_id"] for each in seen}) == 1
    await node_b.call("POST", "/v1/b2b/sessions/revoke", body)
    with pytest.raises(ApiError) as refused:
        await node_a.call("POST", authenticate, body)
    assert refused.value.error_type == "session_not_found"
