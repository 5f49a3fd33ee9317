"""Sign-ins through oidc-provider, which tells e-mail and name at its userinfo endpoint only."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from stytch.b2b.models.sso import OIDCConnection

from tests.interop.browser import Browser
from tests.interop.connections import configure_oidc, new_oidc_connection
from tests.interop.oidc_provider import ALICE, BOB, MALLORY, oidc_provider
from tests.interop.parties import Person, relying_party
from tests.interop.server import Server
from tests.interop.sign_in import assert_signed_in, member_emails, refused, sign_in

# RFC 6749 2.3.1: both parts of Basic are form-encoded, and this provider decodes them.
CLIENT_SECRET = "made up: 100% / + &"


@contextmanager
def connected(
    server: Server, organization_id: str, home: Path, *, algorithm: str = "RS256"
) -> Iterator[OIDCConnection]:
    """A provider that knows a new connection, and that connection, active."""
    connection = new_oidc_connection(server, organization_id)
    party = relying_party(connection, client_secret=CLIENT_SECRET, algorithm=algorithm)
    with oidc_provider(home, relying_parties=[party]) as provider:
        yield configure_oidc(server, connection, issuer=provider.issuer, party=party)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_sign_in_with_each_algorithm(
    server: Server, organization_id: str, tmp_path: Path, algorithm: str
) -> None:
    with connected(server, organization_id, tmp_path, algorithm=algorithm) as connection:
        async with Browser(BOB) as browser:
            url = server.start_url(connection.connection_id)
            answer = await sign_in(server, browser, url=url)
    assert_signed_in(
        server,
        answer,
        person=BOB,
        connection_id=connection.connection_id,
        external_id="bob",
    )


async def test_request_and_answer_carry_what_protects_them(
    server: Server, organization_id: str, tmp_path: Path
) -> None:
    with connected(server, organization_id, tmp_path) as connection:
        async with Browser(ALICE) as browser:
            url = server.start_url(connection.connection_id)
            await sign_in(server, browser, url=url)
    (request,) = [v.query for v in browser.visits if "code_challenge" in v.query]
    assert request["code_challenge_method"] == "S256"
    assert len(request["state"]) >= 22
    assert len(request["nonce"]) >= 22
    assert browser.visits[-1].query["state"] == request["state"]
    assert browser.visits[-1].query["iss"] == connection.issuer


async def test_a_second_sign_in_is_the_same_member(
    server: Server, organization_id: str, tmp_path: Path
) -> None:
    ids = []
    with connected(server, organization_id, tmp_path) as connection:
        for _ in range(2):
            async with Browser(ALICE) as browser:
                url = server.start_url(connection.connection_id)
                ids.append((await sign_in(server, browser, url=url)).member_id)
    assert ids[0] == ids[1]


async def test_an_address_that_is_not_verified_makes_no_member(
    server: Server, organization_id: str, tmp_path: Path
) -> None:
    with connected(server, organization_id, tmp_path) as connection:
        async with Browser(MALLORY) as browser:
            url = server.start_url(connection.connection_id)
            reason = await refused(server, browser, url=url, connection_id=connection.connection_id)
    assert reason == "oidc.email"
    assert member_emails(server, organization_id) == []


async def test_a_wrong_password_ends_on_a_plain_page(
    server: Server, organization_id: str, tmp_path: Path
) -> None:
    """The provider then sends the browser back with error=access_denied."""
    nobody = Person(login="alice", password="wrong", email="", name="")
    with connected(server, organization_id, tmp_path) as connection:
        async with Browser(nobody) as browser:
            url = server.start_url(connection.connection_id)
            reason = await refused(server, browser, url=url, connection_id=connection.connection_id)
    assert browser.visits[-1].query["error"] == "access_denied"
    assert reason == "oidc.code"
    assert member_emails(server, organization_id) == []
