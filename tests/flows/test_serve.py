"""`vestibule serve` from an empty database to rotated keys and secrets, as an operator goes."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from stytch import B2BClient

from tests.support import production
from tests.support.browsing import Door
from tests.support.databases import SharedPostgres
from tests.support.production import Operator
from tests.support.server_process import free_port, serving
from vestibule.dev.client import ApiError, Client, open_session
from vestibule.dev.credentials import Credentials

APPLICATION = "http://127.0.0.1/app/callback"


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(
    request: pytest.FixtureRequest, tmp_path: Path, shared_postgres: SharedPostgres
) -> Iterator[str]:
    """Give the URL of a database without any table, one engine after the other."""
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path / 'empty.db'}"
    else:
        with shared_postgres.blank() as url:
            yield url


def settings(database_url: str, port: int) -> dict[str, str]:
    return {
        "VESTIBULE_DATABASE": database_url,
        "VESTIBULE_BASE_URL": f"http://127.0.0.1:{port}",
        # The identity provider of this test is on loopback, and speaks http.
        "VESTIBULE_OUTBOUND_HOSTS": "127.0.0.1",
        "VESTIBULE_OUTBOUND_NETWORKS": "127.0.0.0/8",
        "VESTIBULE_MASTER_KEY_FILE": "master.key",
    }


async def test_from_an_empty_database_to_rotated_keys(
    tmp_path: Path, empty_database_url: str
) -> None:
    port = free_port()
    operator = Operator(tmp_path, settings(empty_database_url, port))
    base_url = operator.environ["VESTIBULE_BASE_URL"]
    assert await operator.attempt("serve") == (
        1,
        "Error: The database is not up to date: run `vestibule migrate`.\n",
    )
    await operator.command("migrate")
    made = Credentials(**await operator.values("project", "create", "Acme"))
    await operator.command("redirect-url", "add", made.project_id, APPLICATION)
    door = Door(base_url=base_url, public_token=made.public_token, application_url=APPLICATION)
    with serving(tmp_path, port=port, environ=operator.environ):
        async with (
            production.identity_provider_for(base_url, tmp_path) as idp_url,
            open_session() as http,
        ):
            api = Client(http, base_url=base_url, credentials=made)
            customer = await production.set_up(api, idp_url)
            sessions = [
                await authenticated(api, door, connection_id)
                for connection_id in (customer.saml, customer.oidc)
            ]
            assert len({each["member_id"] for each in sessions}) == 1
            await keys_rotate(operator, api, made, sessions[0])
            new = (await operator.values("secret", "rotate", made.project_id))["secret"]
            other = Client(http, base_url=base_url, credentials=replace(made, secret=new))
            assert [await status(each) for each in (api, other)] == [200, 200]
            await operator.command("secret", "keep-only", made.project_id, "--secret", new)
            assert [await status(each) for each in (api, other)] == [401, 200]


async def authenticated(api: Client, door: Door, connection_id: str) -> dict[str, Any]:
    token = await production.sign_in(door, connection_id)
    return await api.call("POST", "/v1/b2b/sso/authenticate", {"sso_token": token})


async def keys_rotate(
    operator: Operator, api: Client, made: Credentials, session: dict[str, Any]
) -> None:
    """A second key is published; who fetched the keys before and who did after both verify."""
    with requests.Session() as http:
        http.trust_env = False
        address = f"{operator.environ['VESTIBULE_BASE_URL']}/"
        verifiers = [
            B2BClient(made.project_id, made.secret, environment=address, sync_session=http)
            for _ in range(2)
        ]
        early, late = verifiers
        assert await member_of(early, session["session_jwt"]) == session["member_id"]
        jwks = f"/v1/b2b/sessions/jwks/{made.project_id}"
        before = [key["kid"] for key in (await api.call("GET", jwks))["keys"]]
        await operator.command("key", "rotate", made.project_id)
        after = [key["kid"] for key in (await api.call("GET", jwks))["keys"]]
        assert (len(before), len(after), set(before) < set(after)) == (1, 2, True)
        body = {"session_token": session["session_token"]}
        fresh = await api.call("POST", "/v1/b2b/sessions/authenticate", body)
        for verifier in (early, late):
            for jwt in (session["session_jwt"], fresh["session_jwt"]):
                assert await member_of(verifier, jwt) == session["member_id"]


async def member_of(sdk: B2BClient, jwt: str) -> str | None:
    """Return whose the JWT is, as the SDK finds out by itself."""
    found = await asyncio.to_thread(sdk.sessions.authenticate_jwt_local, jwt)
    return found.member_id if found else None


async def status(api: Client) -> int:
    try:
        await api.call("GET", "/v1/b2b/rbac/policy")
    except ApiError as error:
        return error.status
    return 200
