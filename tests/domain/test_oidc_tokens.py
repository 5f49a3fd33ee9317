"""Tokens of a provider are sealed for the one row that they are in."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.doors import open_door
from tests.support.scenario import Scenario
from vestibule.domain import oidc_tokens
from vestibule.domain.oidc_tokens import ProviderTokens
from vestibule.store.sealing import SealError

TOKENS = ProviderTokens(
    issuer="https://op.example.com",
    client_id="client-1",
    subject="ada",
    scopes=("openid", "email"),
    expires_at=1,
    access_token="the-access-token",
    id_token="the-id-token",
    refresh_token="the-refresh-token",
)


def test_tokens_do_not_show_themselves() -> None:
    assert "the-" not in repr(TOKENS)
    assert "ada" in repr(TOKENS)


async def test_tokens_open_in_the_row_of_their_registration_alone(scenario: Scenario) -> None:
    door = await open_door(scenario, "oidc")
    await door.log_in()
    project: dict[str, Any] = {"project_id": scenario.project.project_id}
    async with scenario.context.store.read() as tx:
        (registration,) = await tx.registrations.all(**project)
        (row,) = await tx.oidc_tokens.all(**project)
    sealed = oidc_tokens.seal(scenario.context, TOKENS, registration)
    assert b"the-" not in sealed
    mine = replace(row, sealed=sealed)
    assert oidc_tokens.unseal(scenario.context, mine) == TOKENS
    with pytest.raises(SealError):
        oidc_tokens.unseal(scenario.context, replace(mine, registration_id="another"))
    waiting = oidc_tokens.carry(scenario.context, TOKENS, token_id="token-1")
    with pytest.raises(SealError):
        oidc_tokens.unseal(scenario.context, replace(mine, sealed=waiting))
