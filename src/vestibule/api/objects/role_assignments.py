"""Roles that a connection gives, as every kind of connection is sent them (contract f)."""

from typing import Any

import msgspec

from vestibule import errors
from vestibule.domain.caller import Caller
from vestibule.errors import Failure


class ConnectionRole(msgspec.Struct, kw_only=True):
    """A role for everybody who signs in through the connection."""

    role_id: str


class GroupRole(msgspec.Struct, kw_only=True):
    """A role for everybody of a group."""

    role_id: str
    group: str = ""


class NamedGroupRole(GroupRole, kw_only=True):
    """The same with what people call the group, where `group` is an id. Omitted, it stays."""

    display_name: str | None = None


def rename_assignments(
    changes: dict[str, Any], caller: Caller | None, *, connection: str, group: str
) -> None:
    """Put the assignments of `changes` from the wire's two fields under the names of our records.

    Under a member session they need a permission of their own (contract d). Raises Failure
    session_authorization_error.
    """
    roles, groups = changes.pop(connection, None), changes.pop(group, None)
    if roles is None and groups is None:
        return
    if caller is not None and not caller.may(
        "stytch.organization", "update.settings.implicit-roles"
    ):
        raise Failure(errors.session_authorization_error)
    if roles is not None:
        changes["connection_roles"] = [item.role_id for item in roles]
    if groups is not None:
        changes["group_roles"] = [
            (item.role_id, item.group, getattr(item, "display_name", None)) for item in groups
        ]
