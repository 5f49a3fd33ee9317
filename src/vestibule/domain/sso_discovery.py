"""SSO discovery: which connections an e-mail address can sign in through (semantics 2.7, 3.5)."""

from collections.abc import Mapping
from typing import Any

from vestibule.domain.context import Context
from vestibule.domain.email import read_email
from vestibule.domain.requirements import allows, may_provision
from vestibule.records import Connection, Member, Project
from vestibule.store.interface import Transaction


async def run(context: Context, project: Project, email_address: str) -> list[Connection]:
    """Return the active connections of an address, those of the oldest organization first.

    They are those of the organizations that it is a member of. Only when there are none, they are
    those that would make a member of it where the organization names its domain. Of connections
    that share one identity provider's, one is returned. Raises Failure invalid_email.
    """
    _, key = read_email(email_address)
    async with context.store.read() as tx:
        known = await _memberships(tx, project, key)
        found = await _connections(tx, project, known)
        if not found:
            eligible = await _named_by_domain(tx, project, key.rpartition("@")[2])
            found = await _connections(tx, project, dict.fromkeys(eligible), provisioning=True)
    return _once(found)


async def _memberships(tx: Transaction, project: Project, key: str) -> Mapping[str, Member | None]:
    """Return the member that the address is, by organization id; a retired address is nobody's."""
    own: dict[str, Any] = {"project_id": project.project_id}
    emails = await tx.member_emails.all(**own, email_key=key, retired=False)
    members = await tx.members.all(
        **own,
        member_id=tuple(email.member_id for email in emails),
        status=("active", "invited", "pending"),
    )
    return {member.organization_id: member for member in members}


async def _named_by_domain(tx: Transaction, project: Project, domain: str) -> list[str]:
    """Return the ids of the organizations that name a domain as theirs.

    Where one claims it, the others may not make members of its addresses.
    """
    rows = await tx.organization_domains.all(project_id=project.project_id, domain=domain)
    claimed = [row.organization_id for row in rows if row.kind == "claimed"]
    return claimed or [row.organization_id for row in rows]


async def _connections(
    tx: Transaction,
    project: Project,
    members: Mapping[str, Member | None],
    *,
    provisioning: bool = False,
) -> list[Connection]:
    """Return the connections of these organizations that their member, if any, may use."""
    where: dict[str, Any] = {
        "project_id": project.project_id,
        "organization_id": tuple(members),
    }
    organizations = await tx.organizations.all(**where, suspended_at=0, order="created_at")
    active = await tx.connections.all(**where, status="active", order="created_at")
    return [
        connection
        for organization in organizations
        if allows(organization, members[organization.organization_id], "sso")
        for connection in active
        if connection.organization_id == organization.organization_id
        and (not provisioning or may_provision(organization, connection))
    ]


def _once(found: list[Connection]) -> list[Connection]:
    """Return each identity provider's connection once: the owner's, or else the oldest one."""
    shown: dict[str, Connection] = {}
    for connection in found:
        underlying = connection.external_connection_id or connection.connection_id
        if underlying not in shown or connection.external is None:
            shown[underlying] = connection
    return list(shown.values())
