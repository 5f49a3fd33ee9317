"""Who looks after an organization hears by mail that a certificate expires."""

import typing
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.saml_keys import NOT_BEFORE, certificate, signer
from tests.support.scenario import Scenario
from vestibule.clock import DAY
from vestibule.domain import letters
from vestibule.domain.upkeep.admin_letters import PURPOSES, REMEDIES
from vestibule.domain.upkeep.certificate_warnings import warn_due
from vestibule.mail import MemoryMail, Message
from vestibule.records import ConnectionKey


async def member(
    scenario: Scenario, organization_id: str, name: str, roles: tuple[str, ...], **more: Any
) -> dict[str, Any]:
    path = f"/v1/b2b/organizations/{organization_id}/members"
    body = {"email_address": f"{name}@acme.test", "roles": list(roles), **more}
    return dict((await scenario.api.good("POST", path, body))["member"])


async def organization(scenario: Scenario, *, days: int) -> str:
    """Make an organization with a connection whose certificate expires in so many days."""
    organization_id = str((await scenario.organization())["organization_id"])
    until = scenario.clock.now() + days * DAY
    pem = certificate("idp", not_before=NOT_BEFORE, not_after=until, key=signer("idp").key)
    await scenario.saml_connection(organization_id, x509_certificate=pem)
    return organization_id


async def delivered(scenario: Scenario) -> list[Message]:
    await letters.deliver(scenario.context)
    assert isinstance(scenario.context.mail, MemoryMail)
    return scenario.context.mail.messages


async def test_active_admins_and_nobody_else_get_a_letter(scenario: Scenario) -> None:
    organization_id = await organization(scenario, days=10)
    other = (await scenario.organization("Other"))["organization_id"]
    await member(scenario, organization_id, "ada", ("stytch_admin",))
    bob = await member(scenario, organization_id, "bob", ())
    async with scenario.context.store.write() as tx:
        (role,) = await tx.member_roles.all()
        await tx.member_roles.insert(replace(role, member_id=bob["member_id"], role_id="editor"))
    await member(scenario, organization_id, "new", ("stytch_admin",), create_member_as_pending=True)
    gone = await member(scenario, organization_id, "gone", ("stytch_admin",))
    path = f"/v1/b2b/organizations/{organization_id}/members/{gone['member_id']}"
    await scenario.api.good("DELETE", path)
    await member(scenario, other, "eve", ("stytch_admin",))
    await warn_due(scenario.context)
    (letter,) = await delivered(scenario)
    assert letter.to == "ada@acme.test"
    assert letter.subject == "A certificate for single sign-on expires within 14 days"


@pytest.mark.parametrize(
    ("days", "said"),
    [(59, "expires within 60 days"), (1, "expires within a day"), (0, "has expired")],
)
async def test_letter_says_what_expires_and_what_to_do(
    scenario: Scenario, days: int, said: str
) -> None:
    organization_id = await organization(scenario, days=days)
    await member(scenario, organization_id, "ada", ("stytch_admin",))
    connections = await scenario.api.good("GET", f"/v1/b2b/sso/{organization_id}")
    (connection,) = connections["saml_connections"]
    (key,) = connection["verification_certificates"]
    await warn_due(scenario.context)
    (letter,) = await delivered(scenario)
    assert letter.subject == f"A certificate for single sign-on {said}"
    assert letter.text == (
        f"The certificate with which we verify the identity provider's answers {said}.\n\n"
        f"Connection: {connection['connection_id']}\n"
        f"Certificate: {key['certificate_id']}\n"
        f"Expires: {key['expires_at']}\n\n"
        "What to do: add the identity provider's next one beside it.\n"
    )


async def test_each_step_is_one_letter_and_a_late_one_is_of_no_use(scenario: Scenario) -> None:
    organization_id = await organization(scenario, days=20)
    await member(scenario, organization_id, "ada", ("stytch_admin",))
    await warn_due(scenario.context)
    await warn_due(scenario.context)
    assert len(await delivered(scenario)) == 1
    scenario.clock.advance(10 * DAY)
    await warn_due(scenario.context)
    scenario.clock.advance(2 * DAY)
    assert len(await delivered(scenario)) == 1


async def test_at_most_twenty_admins_are_written_to(scenario: Scenario) -> None:
    organization_id = await organization(scenario, days=10)
    for number in range(22):
        await member(scenario, organization_id, f"admin{number}", ("stytch_admin",))
    await warn_due(scenario.context)
    assert len(await delivered(scenario)) == 20


def test_every_purpose_of_a_key_has_its_words() -> None:
    purposes = typing.get_args(typing.get_type_hints(ConnectionKey)["purpose"])
    assert REMEDIES.keys() == set(purposes)
    assert PURPOSES.keys() == set(purposes)
