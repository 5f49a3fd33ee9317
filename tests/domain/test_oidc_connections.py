import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support.context import Answer, RoutedFetch, open_test_context
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.hooked_store import HookedStore
from vestibule import errors
from vestibule.domain import connection_lifecycle, oidc_connections, organizations
from vestibule.domain.context import Context
from vestibule.domain.oidc_connections import Updated
from vestibule.errors import Failure
from vestibule.fetch import FetchResponse
from vestibule.records import Connection, OidcConfiguration, Project
from vestibule.settings import Settings
from vestibule.store.interface import Store

ISSUER = "https://op.example.com"
WELL_KNOWN = f"{ISSUER}/.well-known/openid-configuration"


@pytest.fixture
async def connection(context: Context, project: Project) -> Connection:
    await organizations.create(context, project, {"organization_name": "Acme"})
    return (await oidc_connections.create(context, project, "acme", {})).connection


async def update(
    context: Context, project: Project, connection: Connection, **changes: Any
) -> Updated:
    return await oidc_connections.update(
        context, project, "acme", connection.connection_id, changes
    )


def document(issuer: str = ISSUER) -> bytes:
    return json.dumps(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "jwks_uri": f"{issuer}/jwks",
        }
    ).encode()


def oidc_of(connection: Connection) -> OidcConfiguration:
    assert connection.oidc is not None
    return connection.oidc


async def stored(context: Context, project: Project) -> OidcConfiguration:
    (view,) = await connection_lifecycle.all_of(context, project, "acme")
    return oidc_of(view.connection)


async def test_change_made_while_discovery_is_read_is_kept(
    context: Context, project: Project, connection: Connection, fetch: RoutedFetch
) -> None:
    async def answer(_method: str, url: str, _body: bytes) -> FetchResponse:
        await update(context, project, connection, client_id="meanwhile", display_name="New")
        return FetchResponse(status=200, headers={}, body=document(), url=url)

    fetch.answers[WELL_KNOWN] = answer
    updated = await update(context, project, connection, issuer=ISSUER, client_secret="s")
    assert updated.warning == ""
    kept = await stored(context, project)
    assert (kept.client_id, kept.issuer) == ("meanwhile", ISSUER)
    assert kept.token_url == f"{ISSUER}/token"
    assert updated.view.connection.display_name == "New"


async def test_connection_deleted_while_discovery_is_read_is_not_found(
    context: Context, project: Project, connection: Connection, fetch: RoutedFetch
) -> None:
    async def answer(_method: str, url: str, _body: bytes) -> FetchResponse:
        await connection_lifecycle.delete(context, project, "acme", connection.connection_id)
        return FetchResponse(status=200, headers={}, body=document(), url=url)

    fetch.answers[WELL_KNOWN] = answer
    with pytest.raises(Failure) as caught:
        await update(context, project, connection, issuer=ISSUER)
    assert caught.value.error is errors.oidc_connection_not_found


@pytest.mark.case("AD-34")
async def test_simultaneous_changes_of_two_fields_are_both_kept(
    context: Context, project: Project, connection: Connection
) -> None:
    await asyncio.gather(
        update(context, project, connection, client_id="c"),
        update(context, project, connection, token_url="https://op.example.com/t"),
        update(context, project, connection, custom_scopes="email"),
    )
    kept = await stored(context, project)
    assert (kept.client_id, kept.token_url) == ("c", "https://op.example.com/t")
    assert kept.custom_scopes == "email"


@pytest.mark.case("AD-34")
async def test_an_issuer_sent_again_never_gets_the_endpoints_of_another_one(
    context: Context, project: Project, connection: Connection, fetch: RoutedFetch
) -> None:
    """Somebody changes the issuer between the two transactions of an update that names the old."""
    other = "https://other.example.com"
    for issuer in (ISSUER, other):
        fetch.answers[f"{issuer}/.well-known/openid-configuration"] = described(issuer)
    await update(context, project, connection, issuer=ISSUER)
    hooked = HookedStore(context.store)

    async def meanwhile() -> None:
        await update(context, project, connection, issuer=other)

    hooked.arm(2, meanwhile)
    await update(replace(context, store=hooked), project, connection, issuer=ISSUER, client_id="c")
    assert hooked.fired
    kept = await stored(context, project)
    assert (kept.issuer, kept.client_id) == (ISSUER, "c")
    for name in ("authorization_url", "token_url", "userinfo_url", "jwks_url"):
        assert getattr(kept, name).startswith(f"{ISSUER}/"), name


def described(issuer: str) -> Answer:
    async def answer(_method: str, url: str, _body: bytes) -> FetchResponse:
        return FetchResponse(status=200, headers={}, body=document(issuer), url=url)

    return answer


@pytest.mark.case("OI-49")
async def test_refused_document_leaves_the_endpoints_as_they_were(
    context: Context, project: Project, connection: Connection, fetch: RoutedFetch
) -> None:
    async def answer(_method: str, url: str, _body: bytes) -> FetchResponse:
        return FetchResponse(status=200, headers={}, body=document("https://evil.test"), url=url)

    fetch.answers[WELL_KNOWN] = answer
    await update(context, project, connection, token_url="https://hand.example.com/t")
    updated = await update(context, project, connection, issuer=ISSUER)
    assert "received issuer https://evil.test" in updated.warning
    kept = await stored(context, project)
    assert (kept.token_url, kept.authorization_url) == ("https://hand.example.com/t", "")


@pytest.mark.case("OI-50")
async def test_provider_inside_the_operators_network_may_be_http(
    store: Store, clock: HandClock, entropy: SeededEntropy, project: Project, connection: Connection
) -> None:
    fetch = RoutedFetch()
    settings = Settings(base_url="https://sso.example.test", outbound_hosts="op.internal:8080")
    context = await open_test_context(
        store, clock=clock, entropy=entropy, fetch=fetch, settings=settings
    )
    issuer = "http://op.internal:8080"

    async def answer(_method: str, url: str, _body: bytes) -> FetchResponse:
        return FetchResponse(status=200, headers={}, body=document(issuer), url=url)

    fetch.answers[f"{issuer}/.well-known/openid-configuration"] = answer
    updated = await update(context, project, connection, issuer=issuer)
    assert updated.warning == ""
    assert oidc_of(updated.view.connection).jwks_url == f"{issuer}/jwks"
    with pytest.raises(Failure) as caught:
        await update(context, project, connection, issuer="http://op.internal")
    assert caught.value.error is errors.oidc_connection_issuer_url_invalid_format
