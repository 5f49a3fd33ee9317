"""Roles by the groups that a provider sends: SAML's attribute and OpenID Connect's claim."""

import pytest
from stytch.b2b.models.sso import AuthenticateResponse

from tests.interop.doors import Door
from tests.interop.lemonldap import LemonLdap


@pytest.fixture
def admins_door(door: Door) -> Door:
    """Who is in `admins` at the provider is an admin."""
    assigned = [{"role_id": "stytch_admin", "group": "admins", "display_name": "Admins"}]
    door.change_settings(group_implicit_role_assignments=assigned)
    return door


def sources(answer: AuthenticateResponse) -> list[tuple[str, str, str]]:
    """Where the member's role of an admin comes from: type, connection and group."""
    found = []
    for role in answer.member.roles:
        for source in role.sources if role.role_id == "stytch_admin" else ():
            details = source.details or {}
            found.append((source.type, details["connection_id"], details["group"]))
    return found


def session_roles(answer: AuthenticateResponse) -> list[str]:
    assert answer.member_session is not None
    return answer.member_session.roles


def assert_admin(door: Door, answer: AuthenticateResponse) -> None:
    assert sources(answer) == [("sso_connection_group", door.connection_id, "admins")]
    assert session_roles(answer) == ["stytch_member", "stytch_admin"]


def assert_no_admin(answer: AuthenticateResponse) -> None:
    assert sources(answer) == []
    assert session_roles(answer) == ["stytch_member"]


async def test_a_role_comes_and_goes_with_a_group_of_the_provider(admins_door: Door) -> None:
    door = admins_door
    door.put_into("staff")
    assert_no_admin(await door.sign_in())
    door.put_into("staff", "admins")
    as_admin = await door.sign_in()
    assert_admin(door, as_admin)
    door.put_into("staff")
    assert_no_admin(await door.sign_in())
    # The session that was begun as an admin holds the role no more, either.
    earlier = door.server.sdk.sessions.authenticate(session_token=as_admin.session_token)
    assert earlier.member_session.roles == ["stytch_member"]


async def test_who_is_in_one_group_only(admins_door: Door) -> None:
    """LemonLDAP::NG then sends a text in the place of a list by OpenID Connect."""
    admins_door.put_into("admins")
    assert_admin(admins_door, await admins_door.sign_in())


async def test_a_role_goes_with_the_last_group_where_the_provider_says_so(
    admins_door: Door,
) -> None:
    """LemonLDAP::NG leaves a claim without a value out, which says nothing of the groups."""
    admins_door.put_into("admins")
    assert_admin(admins_door, await admins_door.sign_in())
    admins_door.put_into()
    answer = await admins_door.sign_in()
    (registration,) = answer.member.sso_registrations
    told = registration.sso_attributes or {}
    if isinstance(admins_door.provider, LemonLdap) and admins_door.protocol == "oidc":
        assert "groups" not in told
        assert_admin(admins_door, answer)
    else:
        assert told["groups"] == []
        assert_no_admin(answer)
