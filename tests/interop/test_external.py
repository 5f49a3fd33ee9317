"""Through an external connection: another organization's login at the same provider."""

from dataclasses import replace

import pytest
from stytch.b2b.models.sso import AuthenticateResponse
from stytch.core.response_base import StytchError

from tests.interop.browser import Browser
from tests.interop.doors import Door
from tests.interop.server import new_organization
from tests.interop.sign_in import member_emails


@pytest.fixture
def guest_door(door: Door) -> Door:
    """The door of another organization that uses the connection of `door`."""
    guest = new_organization(door.server)
    created = door.server.sdk.sso.external.create_connection(
        guest, door.organization_id, door.connection_id, display_name="Partner"
    )
    assert created.connection is not None
    assert created.connection.status == "active"
    connection_id = created.connection.connection_id
    return replace(door, organization_id=guest, connection_id=connection_id)


def assert_in(door: Door, answer: AuthenticateResponse) -> None:
    """The person is a member of the door's organization, by its connection."""
    assert answer.member_authenticated is True
    assert answer.organization_id == door.organization_id
    assert (answer.member.email_address, answer.member.name) == (
        door.person.email,
        door.person.name,
    )
    registrations = [(r.connection_id, r.external_id) for r in answer.member.sso_registrations]
    assert registrations == [(door.connection_id, door.person.login)]


async def test_sign_in_lands_in_the_organization_that_began_it(
    door: Door, guest_door: Door
) -> None:
    """The provider knows the owner's connection only, and is asked for the password once."""
    async with Browser(door.person) as browser:
        assert_in(guest_door, await guest_door.sign_in(browser))
        assert member_emails(door.server, door.organization_id) == []
        assert_in(door, await door.sign_in(browser))
    assert browser.passwords == 1
    callbacks = [visit.url for visit in browser.visits if "/v1/b2b/sso/callback/" in visit.url]
    assert len(callbacks) >= 2
    assert all(f"/callback/{door.connection_id}" in url for url in callbacks)


async def test_a_session_is_exchanged_between_both_organizations(
    door: Door, guest_door: Door
) -> None:
    exchange = door.server.sdk.sessions.exchange
    here = await guest_door.sign_in()
    with pytest.raises(StytchError) as error:
        exchange(door.organization_id, session_token=here.session_token)
    assert error.value.details.error_type == "member_not_found"
    there = await door.sign_in()
    for begun, target, wanted in ((here, door, there), (there, guest_door, here)):
        exchanged = exchange(target.organization_id, session_token=begun.session_token)
        assert exchanged.member_authenticated is True
        assert exchanged.member_id == wanted.member_id
        assert exchanged.member_session is not None
        (factor,) = exchanged.member_session.authentication_factors
        detail = factor.saml_sso_factor or factor.oidc_sso_factor
        assert detail is not None
        assert detail.provider_id == target.connection_id
    other = new_organization(door.server)
    with pytest.raises(StytchError) as error:
        exchange(other, session_token=here.session_token)
    assert error.value.details.error_type == "insufficient_factors_for_session_exchange"


async def test_severing_it_ends_what_came_through_it(door: Door, guest_door: Door) -> None:
    here, there = await guest_door.sign_in(), await door.sign_in()
    door.server.sdk.sso.delete_connection(guest_door.organization_id, guest_door.connection_id)
    with pytest.raises(StytchError) as error:
        door.server.sdk.sessions.authenticate(session_token=here.session_token)
    assert error.value.details.error_type == "session_not_found"
    door.server.sdk.sessions.authenticate(session_token=there.session_token)
