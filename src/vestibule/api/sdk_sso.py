"""The `sdk.sso` endpoints, which browsers call: SSO discovery."""

from typing import Final

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Request, Response
from vestibule.api.objects.organizations import ActiveConnectionObject, active_connection_object
from vestibule.domain import sso_discovery
from vestibule.permissions import PublicToken

group: Final = Group("sdk.sso", own=True)


class DiscoverConnectionsRequest(Request):
    """Whose connections."""

    email_address: str


class DiscoverConnectionsResponse(Response):
    """The connections to offer; one of several that share an identity provider's."""

    connections: list[ActiveConnectionObject]


@group.endpoint(
    "GET",
    "/sdk/v1/b2b/sso/discovery/connections",
    access=PublicToken(),
    errors=(errors.invalid_email,),
)
async def discover_connections(
    request: DiscoverConnectionsRequest, call: Call
) -> DiscoverConnectionsResponse:
    """Find the connections that a person can sign in through, by e-mail address."""
    found = await sso_discovery.run(call.context, call.project, request.email_address)
    return DiscoverConnectionsResponse(
        connections=[active_connection_object(each) for each in found]
    )
