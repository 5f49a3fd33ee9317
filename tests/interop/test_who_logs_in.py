"""Just-in-time provisioning off, restricted and on, through each provider's own login."""

import pytest
from stytch.core.response_base import StytchError

from tests.interop.connections import new_saml_connection
from tests.interop.doors import Door, assert_came_in
from tests.interop.sign_in import member_emails

NOT_PROVISIONED = "invalid_connection_for_jit_provisioning"


async def assert_turned_away(door: Door) -> None:
    """The provider's login is good, and the organization takes nobody new by it."""
    with pytest.raises(StytchError) as error:
        await door.sign_in()
    assert error.value.details.error_type == NOT_PROVISIONED
    assert door.server.refusal(door.connection_id) == NOT_PROVISIONED
    assert member_emails(door.server, door.organization_id) == []


async def test_nobody_is_made_where_provisioning_is_off(door: Door) -> None:
    door.change_organization(sso_jit_provisioning="NOT_ALLOWED")
    await assert_turned_away(door)
    # Who is a member already comes in, and is tied to the identity by that.
    made = door.server.sdk.organizations.members.create(
        door.organization_id, email_address=door.person.email, create_member_as_pending=True
    )
    assert made.member.status == "pending"
    for _ in range(2):
        answer = await door.sign_in()
        assert answer.member_id == made.member_id
        assert_came_in(door, answer)


async def test_only_listed_connections_make_members_where_it_is_restricted(door: Door) -> None:
    other = new_saml_connection(door.server, door.organization_id).connection_id
    restricted = {"sso_jit_provisioning": "RESTRICTED"}
    door.change_organization(**restricted, sso_jit_provisioning_allowed_connections=[other])
    await assert_turned_away(door)
    listed = [door.connection_id]
    door.change_organization(**restricted, sso_jit_provisioning_allowed_connections=listed)
    answer = await door.sign_in()
    assert answer.member.email_address == door.person.email


async def test_everybody_is_made_a_member_where_it_is_on(door: Door) -> None:
    answer = await door.sign_in()
    assert_came_in(door, answer)
    assert member_emails(door.server, door.organization_id) == [door.person.email]
