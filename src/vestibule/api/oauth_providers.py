"""The `organizations.members.oauth_providers` endpoints: tokens of social logins, kept nowhere.

This server logs in through SSO, so no member has tokens of these providers. Tokens of an SSO
provider are at `organizations.members.oidc_providers`.
"""

from typing import Annotated, Any, Final

from vestibule import errors
from vestibule.api.endpoint import NO_EFFECT, Call, Group, Response
from vestibule.api.objects.targets import MemberTarget
from vestibule.domain import member_changes
from vestibule.errors import Failure
from vestibule.permissions import ProjectSecret

group: Final = Group("organizations.members.oauth_providers")

_PATH: Final = "/v1/b2b/organizations/{organization_id}/members/{member_id}/oauth_providers"
_ERRORS: Final = (
    errors.organization_not_found,
    errors.member_not_found,
    errors.member_oauth_token_not_found,
)


class TokensRequest(MemberTarget):
    """Which member, and whether the refresh token is wanted too."""

    include_refresh_token: Annotated[bool | None, NO_EFFECT] = None


class TokensResponse(Response):
    """The tokens of the latest login."""

    provider_type: str
    provider_subject: str
    id_token: str
    scopes: list[str]
    access_token: str | None = None
    access_token_expires_in: int | None = None
    refresh_token: str | None = None


class RegistrationsResponse(Response):
    """The tokens of each account of the member at the provider."""

    provider_type: str
    registrations: list[dict[str, Any]]


@group.endpoint("GET", f"{_PATH}/google", access=ProjectSecret(), errors=_ERRORS)
async def google(request: TokensRequest, call: Call) -> TokensResponse:
    """Return the member's tokens of Google."""
    raise await _nothing(request, call)


@group.endpoint("GET", f"{_PATH}/microsoft", access=ProjectSecret(), errors=_ERRORS)
async def microsoft(request: TokensRequest, call: Call) -> TokensResponse:
    """Return the member's tokens of Microsoft."""
    raise await _nothing(request, call)


@group.endpoint("GET", f"{_PATH}/slack", access=ProjectSecret(), errors=_ERRORS)
async def slack(request: MemberTarget, call: Call) -> RegistrationsResponse:
    """Return the member's tokens of Slack."""
    raise await _nothing(request, call)


@group.endpoint("GET", f"{_PATH}/hubspot", access=ProjectSecret(), errors=_ERRORS)
async def hubspot(request: TokensRequest, call: Call) -> RegistrationsResponse:
    """Return the member's tokens of HubSpot."""
    raise await _nothing(request, call)


@group.endpoint("GET", f"{_PATH}/github", access=ProjectSecret(), errors=_ERRORS)
async def github(request: TokensRequest, call: Call) -> RegistrationsResponse:
    """Return the member's tokens of GitHub."""
    raise await _nothing(request, call)


async def _nothing(request: MemberTarget, call: Call) -> Failure:
    """Return the refusal for a member; raises one when there is no such member."""
    await member_changes.get(
        call.context, call.project, request.organization_id, member_locator=request.member_id
    )
    return Failure(errors.member_oauth_token_not_found)
