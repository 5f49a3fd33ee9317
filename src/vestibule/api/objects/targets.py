"""The requests that only say what they are about."""

from vestibule.api.endpoint import Request


class OrganizationTarget(Request):
    """Which organization: by id, slug or external id, as everywhere."""

    organization_id: str


class MemberTarget(Request):
    """Which member of which organization: by id or external id."""

    organization_id: str
    member_id: str


class ConnectionTarget(Request):
    """Which connection of which organization; of any kind where the endpoint does not say."""

    organization_id: str
    connection_id: str
