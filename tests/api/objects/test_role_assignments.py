from typing import Any

import pytest

from vestibule import errors
from vestibule.api.objects.role_assignments import (
    ConnectionRole,
    GroupRole,
    NamedGroupRole,
    rename_assignments,
)
from vestibule.domain.caller import Caller
from vestibule.errors import Failure
from vestibule.records import Permissions, Role, Session

ROLES = [ConnectionRole(role_id="a")]
GROUPS = [GroupRole(role_id="b", group="staff"), GroupRole(role_id="c")]
NAMES = {"connection": "by_connection", "group": "by_group"}


def caller(action: str) -> Caller:
    session = Session(
        session_id="s", token_id="t", secret_hash=b"", sealed_token=b"", project_id="p",
        organization_id="o", member_id="m", factors=(), started_at=1, last_accessed_at=1,
        expires_at=1,
    )  # fmt: skip
    permission = Permissions(resource_id="stytch.organization", actions=(action,))
    return Caller(session=session, roles=(Role(role_id="r", permissions=(permission,)),))


def test_assignments_get_the_names_of_our_records() -> None:
    changes: dict[str, Any] = {"display_name": "x", "by_connection": ROLES, "by_group": GROUPS}
    rename_assignments(changes, None, **NAMES)
    assert changes == {
        "display_name": "x",
        "connection_roles": ["a"],
        "group_roles": [("b", "staff", None), ("c", "", None)],
    }


def test_what_a_group_is_called_comes_with_it() -> None:
    named = NamedGroupRole(role_id="b", group="0d1f", display_name="Staff")
    changes: dict[str, Any] = {"by_group": [named, NamedGroupRole(role_id="c", group="ops")]}
    rename_assignments(changes, None, **NAMES)
    assert changes == {"group_roles": [("b", "0d1f", "Staff"), ("c", "ops", None)]}


def test_what_was_not_sent_stays_away_and_an_empty_list_does_not() -> None:
    changes: dict[str, Any] = {"by_group": []}
    rename_assignments(changes, None, **NAMES)
    assert changes == {"group_roles": []}


@pytest.mark.parametrize("changes", [{"by_connection": ROLES}, {"by_group": []}])
def test_member_needs_the_permission_for_them(changes: dict[str, Any]) -> None:
    with pytest.raises(Failure) as caught:
        rename_assignments(dict(changes), caller("update.info.name"), **NAMES)
    assert caught.value.error is errors.session_authorization_error
    rename_assignments(dict(changes), caller("update.settings.implicit-roles"), **NAMES)


def test_member_needs_no_permission_for_nothing() -> None:
    changes: dict[str, Any] = {"display_name": "x"}
    rename_assignments(changes, caller("update.info.name"), **NAMES)
    assert changes == {"display_name": "x"}
