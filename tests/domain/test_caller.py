import pytest

from vestibule import errors
from vestibule.domain.caller import SELF, Caller
from vestibule.errors import ErrorType, Failure
from vestibule.records import Permissions, Role, Session

ORGANIZATION, MEMBER = "organization-1", "member-1"


def caller(**granted: tuple[str, ...]) -> Caller:
    """Return a member whose roles grant these actions, one role for each resource."""
    session = Session(
        session_id="session-1",
        token_id="token-1",
        secret_hash=b"",
        sealed_token=b"",
        project_id="project-1",
        organization_id=ORGANIZATION,
        member_id=MEMBER,
        factors=(),
        started_at=0,
        last_accessed_at=0,
        expires_at=1,
    )
    roles = tuple(
        Role(role_id=name, permissions=(Permissions(resource_id=name, actions=actions),))
        for name, actions in granted.items()
    )
    return Caller(session=session, roles=roles)


def refusal(
    who: Caller,
    resource: str,
    action: str,
    *,
    organization_id: str = ORGANIZATION,
    member_id: str = "",
) -> ErrorType:
    with pytest.raises(Failure) as caught:
        who.require(resource, action, organization_id=organization_id, member_id=member_id)
    return caught.value.error


def test_a_role_grants_its_actions_on_its_resource_alone() -> None:
    who = caller(books=("read", "write"), films=("*",))
    assert who.may("books", "read")
    assert who.may("films", "burn")
    for resource, action in (("books", "burn"), ("book", "read"), ("*", "read"), ("", "")):
        assert not who.may(resource, action)
    assert not caller().may("books", "read")
    assert not caller(books=()).may("books", "read")


def test_an_asterisk_that_is_asked_for_is_no_joker() -> None:
    assert not caller(books=("read",)).may("books", "*")


def test_what_is_not_granted_is_refused() -> None:
    who = caller(books=("read",))
    who.require("books", "read", organization_id=ORGANIZATION)
    assert refusal(who, "books", "burn") is errors.session_authorization_error


def test_another_organization_is_refused_whatever_is_granted() -> None:
    who = caller(books=("*",))
    error = refusal(who, "books", "read", organization_id="organization-2")
    assert error is errors.session_authorization_tenancy_error


def test_what_is_granted_on_oneself_is_for_oneself() -> None:
    who = caller(**{SELF: ("rename",)})
    who.require("members", "rename", organization_id=ORGANIZATION, member_id=MEMBER)
    for member_id in ("", "member-2"):
        error = refusal(who, "members", "rename", member_id=member_id)
        assert error is errors.session_authorization_error
    error = refusal(who, "members", "delete", member_id=MEMBER)
    assert error is errors.session_authorization_error
