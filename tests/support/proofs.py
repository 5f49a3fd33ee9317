"""Intermediate sessions that prove an address, as logins by e-mail leave them behind."""

from typing import Any

from msgspec.structs import replace

from tests.support.scenario import Scenario
from vestibule.clock import MINUTE, Clock
from vestibule.ids import Entropy, mint_token
from vestibule.records import Factor, IntermediateSession
from vestibule.store.interface import Store


def factor(kind: str, delivery_method: str, *, now: int, **details: Any) -> Factor:
    """Return a factor that was proven now."""
    second = kind in {"totp", "recovery_codes"} or delivery_method == "sms"
    return Factor(
        type=kind,
        delivery_method=delivery_method,
        details_name="",
        details=details,
        sequence_order="SECONDARY" if second else "PRIMARY",
        last_authenticated_at=now,
        created_at=now,
        updated_at=now,
    )


def link(address: str, *, now: int) -> Factor:
    """Return the factor of a magic link that arrived at `address`."""
    made = factor("magic_link", "email", now=now, email_id="email-1", email_address=address)
    return replace(made, details_name="email_factor")


async def leave(
    store: Store,
    clock: Clock,
    entropy: Entropy,
    *,
    member: dict[str, Any],
    project_id: str,
    factors: tuple[Factor, ...],
) -> str:
    """Put an intermediate session of `member` into the store; return its token."""
    token = mint_token(now=clock.now(), entropy=entropy)
    made = IntermediateSession(
        token_id=token.token_id,
        secret_hash=token.secret_hash,
        project_id=project_id,
        organization_id=member["organization_id"],
        member_id=member["member_id"],
        factors=factors,
        created_at=clock.now(),
        expires_at=clock.now() + 10 * MINUTE,
    )
    async with store.write() as tx:
        await tx.intermediate_sessions.insert(made)
    return token.text


async def holding(scenario: Scenario, member: dict[str, Any], *factors: Factor) -> str:
    """Return the token of an intermediate session of `member` with exactly these factors."""
    context = scenario.context
    return await leave(
        context.store,
        context.clock,
        context.entropy,
        member=member,
        project_id=scenario.project.project_id,
        factors=factors,
    )


async def add_member(
    scenario: Scenario, organization: dict[str, Any], email: str = "ada@acme.test", **fields: Any
) -> dict[str, Any]:
    """Add a member by the API and return it."""
    path = f"/v1/b2b/organizations/{organization['organization_id']}/members"
    made = await scenario.api.good("POST", path, {"email_address": email, **fields})
    return dict(made["member"])


async def prove(
    scenario: Scenario, address: str = "ada@acme.test", *more: Factor, home: str = "Home"
) -> str:
    """Return the token of an intermediate session that proves `address`.

    It is of a member of an organization called `home`, which is made for that.
    """
    member = await add_member(scenario, await scenario.organization(home), address)
    proof = link(address, now=scenario.clock.now())
    return await holding(scenario, member, proof, *more)
