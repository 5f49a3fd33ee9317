"""The `discovery` groups through both SDKs; the proof of an address is put into the database."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support import proofs
from tests.wire import expected
from tests.wire.expected import In
from tests.wire.sdk import Sdk
from tests.wire.test_organizations import settings
from vestibule.clock import SystemClock
from vestibule.ids import SystemEntropy
from vestibule.store.interface import Store

GONE = (404, "intermediate_session_not_found")
CLAIMS: dict[str, Any] = {"tenant": {"größe": 1}, "sub": "reserved"}
Prove = Callable[[str], Awaitable[str]]


@pytest.fixture
def member(sdk: Sdk, organization_id: str, unique: str) -> dict[str, Any]:
    """Return a member with an address that no other test uses."""
    made = sdk.call(
        "organizations.members.create",
        organization_id=organization_id,
        email_address=f"ada@{unique}.example.com",
    )
    return dict(made["member"])


@pytest.fixture
def prove(server_store: Store, places: dict[str, Any], member: dict[str, Any]) -> Prove:
    """Give what returns intermediate sessions of the member that prove an address."""

    async def made(address: str) -> str:
        clock = SystemClock()
        return await proofs.leave(
            server_store,
            clock,
            SystemEntropy(),
            member=member,
            project_id=places["project_id"],
            factors=(proofs.link(address, now=clock.now()),),
        )

    return made


def factor(sdk: Sdk, address: str) -> dict[str, Any]:
    """Return the factor of a magic link, as far as the SDK knows its fields."""
    shown = {
        "type": "magic_link",
        "delivery_method": "email",
        "last_authenticated_at": expected.NOW,
        "created_at": expected.NOW,
        "updated_at": expected.NOW,
        "email_factor": {"email_id": expected.new_id("email"), "email_address": address},
    }
    return shown if sdk.name == "python" else {**shown, "sequence_order": "PRIMARY"}


def logged_in(sdk: Sdk, organization: dict[str, Any], **member: Any) -> dict[str, Any]:
    """Return the whole answer of a login for half an hour."""
    roles = [each["role_id"] for each in member.get("roles", [expected.MEMBER_ROLE])]
    return {
        **expected.ENVELOPE,
        "member_id": expected.new_id("member"),
        "member": expected.member(
            organization_id=organization["organization_id"],
            email_address_verified=True,
            **member,
        ),
        "organization": organization,
        "member_authenticated": True,
        "session_token": expected.TOKEN,
        "session_jwt": expected.JWT,
        "intermediate_session_token": "",
        "intermediate_session_token_expires_at": None,
        "member_session": expected.session(
            organization_id=organization["organization_id"],
            organization_slug=organization["organization_slug"],
            expires_at=In(30),
            authentication_factors=[factor(sdk, member["email_address"])],
            custom_claims={"tenant": {"größe": 1}},
            roles=roles,
        ),
        "mfa_required": None,
        "primary_required": None,
        "member_device": None,
    }


@pytest.mark.drives("discovery.organizations.list", "discovery.intermediate_sessions.exchange")
async def test_what_is_listed_is_entered(sdk: Sdk, prove: Prove, member: dict[str, Any]) -> None:
    where = {"organization_id": member["organization_id"]}
    organization = sdk.call("organizations.get", **where)["organization"]
    whole = {
        **expected.ENVELOPE,
        "email_address": member["email_address"],
        "discovered_organizations": [
            {
                "organization": organization,
                "membership": {"type": "active_member", "details": None, "member": member},
                "member_authenticated": True,
                "primary_required": None,
                "mfa_required": None,
            }
        ],
        "organization_id_hint": None,
    }
    token = await prove(member["email_address"])
    method = "discovery.organizations.list"
    assert sdk.call(method, intermediate_session_token=token) == whole
    answer = sdk.call(
        "discovery.intermediate_sessions.exchange",
        intermediate_session_token=token,
        **where,
        session_duration_minutes=30,
        session_custom_claims=CLAIMS,
        locale="pt-br",
        telemetry_id="telemetry-1",
    )
    assert answer == logged_in(sdk, organization, email_address=member["email_address"])
    whole["discovered_organizations"][0]["membership"]["member"] = answer["member"]
    for name in ("session_token", "session_jwt"):
        assert sdk.call(method, **{name: answer[name]}) == whole
    assert sdk.refused(method, intermediate_session_token=token) == GONE


async def test_an_organization_of_the_domain_is_joined(
    sdk: Sdk, prove: Prove, member: dict[str, Any], unique: str
) -> None:
    domain = f"{unique}.example.com"
    made = sdk.call(
        "discovery.organizations.create",
        intermediate_session_token=await prove(member["email_address"]),
        email_allowed_domains=[domain],
        email_jit_provisioning="RESTRICTED",
    )
    organization, address = made["organization"], f"bob@{domain}"
    proof = {"intermediate_session_token": await prove(address)}
    listed = sdk.call("discovery.organizations.list", **proof)
    one = {
        "organization": organization,
        "membership": {
            "type": "eligible_to_join_by_email_domain",
            "details": {"domain": domain},
            "member": None,
        },
        "member_authenticated": True,
        "primary_required": None,
        "mfa_required": None,
    }
    assert listed["discovered_organizations"] == [one]
    joined = sdk.call(
        "discovery.intermediate_sessions.exchange",
        **proof,
        organization_id=organization["organization_id"],
        session_duration_minutes=30,
        session_custom_claims=CLAIMS,
    )
    assert joined == logged_in(sdk, organization, email_address=address)


@pytest.mark.drives("discovery.organizations.create")
async def test_an_organization_is_made_with_what_was_sent(
    sdk: Sdk, prove: Prove, member: dict[str, Any], unique: str
) -> None:
    sent = settings(unique)
    del sent["claimed_email_domains"]
    # The creator enters with what was proven already.
    sent |= {"mfa_policy": "OPTIONAL", "allowed_auth_methods": ["magic_link"]}
    address = member["email_address"]
    answer = sdk.call(
        "discovery.organizations.create",
        intermediate_session_token=await prove(member["email_address"]),
        **sent,
        session_duration_minutes=30,
        session_custom_claims=CLAIMS,
        telemetry_id="telemetry-1",
    )
    organization = expected.organization(**sent)
    assert answer["organization"] == organization
    by_domain = {"type": "email_assignment", "details": {"email_domain": f"{unique}.example.com"}}
    direct = {"type": "direct_assignment", "details": {}}
    admin = {"role_id": "stytch_admin", "sources": [direct, by_domain]}
    assert answer == logged_in(
        sdk,
        answer["organization"],
        email_address=address,
        is_admin=True,
        roles=[expected.MEMBER_ROLE, admin],
    )


async def test_a_second_factor_is_asked_for(sdk: Sdk, prove: Prove, member: dict[str, Any]) -> None:
    token = await prove(member["email_address"])
    asked = {"intermediate_session_token": token, "mfa_policy": "REQUIRED_FOR_ALL"}
    answer = sdk.call("discovery.organizations.create", **asked)
    mfa = {"member_options": None, "secondary_auth_initiated": None}
    assert answer == {
        **answer,
        "member_authenticated": False,
        "session_token": "",
        "session_jwt": "",
        "member_session": None,
        "intermediate_session_token": token,
        "intermediate_session_token_expires_at": In(10),
        "mfa_required": mfa,
        "primary_required": None,
    }
    assert answer["member"]["email_address"] == member["email_address"]


def test_what_is_unknown_is_refused_by_name(sdk: Sdk, organization_id: str) -> None:
    token = {"intermediate_session_token": "unknown"}
    assert sdk.refused("discovery.organizations.list", **token) == GONE
    assert sdk.refused("discovery.organizations.create", **token) == GONE
    exchange = "discovery.intermediate_sessions.exchange"
    assert sdk.refused(exchange, **token, organization_id=organization_id) == GONE
    nothing = sdk.refused("discovery.organizations.list")
    assert nothing == (400, "no_session_arguments")
