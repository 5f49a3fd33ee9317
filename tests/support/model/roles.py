"""Which roles a member has, from where, and which of them count in a session."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.support.model.nouns import Connection, Member, Organization, Session

READS: Final = ("stytch.sso", "get")
CHANGES: Final = ("stytch.sso", "update")
CUSTOM: Final = {"reader": {READS}, "writer": {READS, CHANGES}}
"""The roles that an organization may have of its own, and what they allow."""
_ALLOWED: Final = {**CUSTOM, "stytch_admin": {READS, CHANGES}, "stytch_member": set()}


@dataclass(frozen=True)
class Grant:
    role_id: str
    source: str
    connection: Connection | None = None
    condition: str = ""
    """The domain or the group."""


def known(organization: Organization) -> set[str]:
    return {"stytch_member", "stytch_admin", *organization.custom_roles}


def grants(member: Member) -> set[Grant]:
    """A role that the organization does not have, or no longer, is nobody's."""
    return {each for each in _assigned(member) if each.role_id in known(member.organization)}


def of_session(session: Session) -> set[str]:
    """What SSO gives counts where that was used."""
    proven = {None, *session.connections}
    return {each.role_id for each in grants(session.member) if each.connection in proven}


def allowing(session: Session, permission: tuple[str, str]) -> set[str]:
    return {each for each in of_session(session) if permission in _ALLOWED[each]}


def _assigned(member: Member) -> Iterator[Grant]:
    for role_id in ("stytch_member", *member.roles):
        yield Grant(role_id, "direct_assignment")
    for domain, role_id in member.organization.email_roles:
        if member.address.endswith(f"@{domain}"):
            yield Grant(role_id, "email_assignment", condition=domain)
    for connection, registration in member.registrations.items():
        if connection.active:
            for role_id in connection.roles:
                yield Grant(role_id, "sso_connection", connection)
            for group, role_id in connection.group_roles:
                if group in (registration.groups or ()):
                    yield Grant(role_id, "sso_connection_group", connection, group)
