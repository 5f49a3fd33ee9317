"""Other ways to use the Python SDK: its async half, and trust told by the environment."""

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from stytch import B2BClient
from stytch.core.response_base import StytchError

from tests.support.browsing import Door

# The SDK gives aiohttp its credentials in a way that aiohttp will drop one day.
pytestmark = pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated")

# What the README says about `vestibule dev --tls`.
VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
SCRIPT = """
import sys, stytch
base_url, project_id, secret, jwt = sys.argv[1:]
client = stytch.B2BClient(project_id=project_id, secret=secret, custom_base_url=base_url)
print(client.organizations.get("acme").organization.organization_slug)
print(client.sessions.authenticate_jwt(jwt).member_session.organization_slug)
"""


@pytest.fixture
async def client(credentials: dict[str, Any]) -> AsyncIterator[B2BClient]:
    context = ssl.create_default_context(cafile=str(credentials["ca_file"]))
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
        made = B2BClient(
            credentials["project_id"],
            credentials["secret"],
            custom_base_url=credentials["base_url"],
            async_session=session,
        )
        made.jwks_client.ssl_context = context
        yield made


async def alice(client: B2BClient, door: Door) -> Any:
    """Sign Alice in at the organization that `dev` makes."""
    listed = await client.sso.get_connections_async("acme")
    token = await door.sign_in(listed.saml_connections[0].connection_id)
    return await client.sso.authenticate_async(token)


async def test_async_client_reads_writes_and_verifies(client: B2BClient, door: Door) -> None:
    answer = await alice(client, door)
    assert answer.member.email_address == "alice@example.com"
    seen = await client.sessions.authenticate_jwt_async(answer.session_jwt)
    assert seen.member_session.member_id == answer.member_id
    found = await client.organizations.members.get_async("acme", email_address="alice@example.com")
    assert found.member.member_id == answer.member_id
    revoked = await client.sessions.revoke_async(session_jwt=answer.session_jwt)
    assert revoked.is_success
    with pytest.raises(StytchError) as refused:
        await client.sessions.authenticate_async(session_jwt=answer.session_jwt)
    details = refused.value.details
    assert (details.status_code, details.error_type) == (404, "session_not_found")


async def test_environment_tells_whom_to_trust(
    client: B2BClient, credentials: dict[str, Any], door: Door
) -> None:
    answer = await alice(client, door)
    arguments = [credentials[name] for name in ("base_url", "project_id", "secret")]
    told = {name: str(credentials["ca_file"]) for name in VARIABLES}
    result = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", SCRIPT, *arguments, answer.session_jwt],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (0, "acme\nacme\n"), result.stderr
