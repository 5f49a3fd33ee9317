"""How a connection's provider is asked; that it is asked well is seen in the sign-in's tests."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.doors import open_door
from tests.support.scenario import CLIENT_ID, CLIENT_SECRET, Scenario
from vestibule.domain import oidc_provider
from vestibule.fetch import FetchError
from vestibule.fetch import Reason as FetchReason
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.token import ClientAuthentication, refresh_request
from vestibule.records import OidcConfiguration


async def configuration(scenario: Scenario) -> OidcConfiguration:
    await open_door(scenario, "oidc")
    async with scenario.context.store.read() as tx:
        (connection,) = await tx.connections.all(project_id=scenario.project.project_id)
    assert connection.oidc is not None
    return connection.oidc


async def test_client_is_the_configured_one_and_does_not_show_its_secret(
    scenario: Scenario,
) -> None:
    client = oidc_provider.client(scenario.context, await configuration(scenario))
    assert (client.client_id, client.client_secret) == (CLIENT_ID, CLIENT_SECRET)
    assert client.method is ClientAuthentication.BASIC
    assert CLIENT_SECRET not in repr(client)


@pytest.mark.parametrize(
    ("chosen", "published", "used"),
    [
        ("", "", "client_secret_basic"),
        ("", "client_secret_post", "client_secret_post"),
        ("client_secret_post", "", "client_secret_post"),
        ("client_secret_basic", "client_secret_post", "client_secret_basic"),
    ],
)
async def test_client_authenticates_as_a_person_chose_or_else_as_the_document_says(
    scenario: Scenario, chosen: Any, published: str, used: str
) -> None:
    oidc = replace(
        await configuration(scenario), client_authentication=chosen, token_auth_method=published
    )
    assert oidc_provider.client(scenario.context, oidc).method.value == used


async def test_endpoint_without_an_answer_is_named_and_nothing_else_is_told(
    scenario: Scenario,
) -> None:
    oidc = await configuration(scenario)
    scenario.fetch.answers.clear()
    request = refresh_request(refresh_token="r", client_id="c", client_secret="s")
    with pytest.raises(OidcError) as refused:
        await oidc_provider.ask_for_tokens(scenario.context, oidc, request)
    assert refused.value.reason is Reason.CODE_UNAVAILABLE
    with pytest.raises(OidcError) as refused:
        await oidc_provider.keys_for(scenario.context, oidc, "a.b.c")
    assert refused.value.reason is Reason.JWKS
    told = oidc_provider.unreachable(
        Reason.JWKS, "JWKS endpoint", FetchError(FetchReason.TLS, detail="10.0.0.7 said no")
    )
    assert (told.expected, told.received) == ("an answer of the JWKS endpoint", "no answer")
