"""Which organizations an address may join: each condition alone keeps an organization out."""

from typing import Any

import pytest

from tests.support.full_records import full_record
from vestibule.store import eligibility, interface
from vestibule.store.interface import Store, Transaction

PROJECT = "project-1"
ADA = "ada@acme.test"


@pytest.fixture
async def tx(store: Store) -> Any:
    """Give a transaction in which there are two projects."""
    async with store.write() as opened:
        for project in (PROJECT, "project-2"):
            await opened.projects.insert(full_record(interface.PROJECT, project_id=project))
        yield opened


async def add(tx: Transaction, name: str, **changes: Any) -> None:
    """Add an organization that lets the domain in, and its member Bob, whose address is proven."""
    of: dict[str, Any] = {"project_id": PROJECT, "organization_id": name}
    of |= {key: value for key, value in changes.items() if key in of}
    settings = {"email_jit_provisioning": "RESTRICTED", "suspended_at": 0, "created_at": 1}
    settings |= {key: value for key, value in changes.items() if key in settings}
    await tx.organizations.insert(
        full_record(
            interface.ORGANIZATION,
            **of,
            **settings,
            organization_slug=name,
            organization_external_id=None,
        )
    )
    await claim(tx, name, "allowed", changes.get("domain", "acme.test"), of["project_id"])
    await add_member(tx, of, **{"email": "bob@acme.test", **changes})


async def claim(tx: Transaction, name: str, kind: str, domain: str, project: str = PROJECT) -> None:
    await tx.organization_domains.insert(
        full_record(
            interface.ORGANIZATION_DOMAIN,
            project_id=project,
            organization_id=name,
            kind=kind,
            domain=domain,
        )
    )


async def add_member(
    tx: Transaction,
    of: dict[str, Any],
    *,
    email: str,
    verified: bool = True,
    retired: bool = False,
    **_: Any,
) -> None:
    own = {**of, "member_id": f"member-{email}"}
    await tx.members.insert(
        full_record(interface.MEMBER, **own, email_address_verified=verified, external_id=None)
    )
    await tx.member_emails.insert(
        full_record(
            interface.MEMBER_EMAIL,
            **own,
            email_id=f"email-{email}",
            email_key=email,
            retired=retired,
        )
    )


async def eligible(tx: Transaction, key: str = ADA) -> list[str]:
    return [each.organization_id for each in await eligibility.organizations(tx, PROJECT, key)]


async def test_organizations_come_in_the_order_of_their_creation(tx: Transaction) -> None:
    for name, created_at in (("new", 3), ("b", 2), ("a", 2), ("old", 1)):
        await add(tx, name, created_at=created_at)
    assert await eligible(tx) == ["old", "a", "b", "new"]


@pytest.mark.parametrize(
    "changes",
    [
        {"email_jit_provisioning": "NOT_ALLOWED"},
        {"suspended_at": 1},
        {"domain": "other.test"},
        {"verified": False},
        {"retired": True},
        {"email": "bob@other.test"},
        {"email": "bob@xacme.test"},
        {"email": "bob@acme.test.other"},
        {"email": ADA},
        {"email": ADA, "retired": True},
        {"project_id": "project-2"},
    ],
)
async def test_what_lacks_one_condition_is_not_there(
    tx: Transaction, changes: dict[str, Any]
) -> None:
    await add(tx, "lacking", **changes)
    await add(tx, "whole")
    assert await eligible(tx) == ["whole"]


async def test_a_claim_keeps_the_others_out(tx: Transaction) -> None:
    await add(tx, "first")
    await add(tx, "second")
    await add(tx, "elsewhere", project_id="project-2")
    await claim(tx, "elsewhere", "claimed", "acme.test", "project-2")
    await claim(tx, "first", "claimed", "other.test")
    assert await eligible(tx) == ["first", "second"]
    await claim(tx, "second", "claimed", "acme.test")
    assert await eligible(tx) == ["second"]


async def test_holding_the_address_elsewhere_is_nothing(tx: Transaction) -> None:
    await add(tx, "first")
    await add(tx, "second", email=ADA)
    assert await eligible(tx) == ["first"]
