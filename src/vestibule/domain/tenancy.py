"""The columns that say whose rows a query is about: the one place that puts them together."""

from typing import Any, Protocol


class OfOrganization(Protocol):
    """What belongs to an organization, or is one."""

    @property
    def project_id(self) -> str: ...
    @property
    def organization_id(self) -> str: ...


class OfMember(OfOrganization, Protocol):
    """What belongs to a member, or is one."""

    @property
    def member_id(self) -> str: ...


class OfConnection(OfOrganization, Protocol):
    """What belongs to a connection, or is one."""

    @property
    def connection_id(self) -> str: ...


def of_organization(row: OfOrganization) -> dict[str, Any]:
    """Return the columns of everything in the organization of `row`."""
    return {"project_id": row.project_id, "organization_id": row.organization_id}


def of_member(row: OfMember) -> dict[str, Any]:
    """Return the columns of everything that belongs to the member of `row`."""
    return {**of_organization(row), "member_id": row.member_id}


def of_connection(row: OfConnection) -> dict[str, Any]:
    """Return the columns of everything that belongs to the connection of `row`."""
    return {**of_organization(row), "connection_id": row.connection_id}
