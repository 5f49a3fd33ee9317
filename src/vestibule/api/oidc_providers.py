"""The `organizations.members` endpoint that gives out the tokens of a member's OpenID providers."""

from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from vestibule import errors
from vestibule.api.endpoint import Call, Group, Response
from vestibule.api.objects.targets import MemberTarget
from vestibule.clock import SECOND
from vestibule.domain import oidc_refresh
from vestibule.domain.oidc_refresh import Provided
from vestibule.permissions import ProjectSecret

group: Final = Group("organizations.members")


class OidcProviderObject(msgspec.Struct, kw_only=True):
    """`b2b.organizations.OIDCProviderInfo`. `access_token_expires_in` is 0 where nobody knows."""

    provider_subject: str
    id_token: str
    access_token: str
    access_token_expires_in: int
    scopes: list[str]
    connection_id: str
    refresh_token: str | UnsetType = UNSET


class OidcProvidersRequest(MemberTarget):
    """Which member, and whether the providers' refresh tokens are to be shown too."""

    include_refresh_token: bool | None = None


class OidcProvidersResponse(Response):
    """The tokens of each OpenID provider that the member has logged in through."""

    registrations: list[OidcProviderObject]


@group.endpoint(
    "GET",
    "/v1/b2b/organizations/{organization_id}/members/{member_id}/oidc_providers",
    access=ProjectSecret(),
    errors=(
        errors.organization_not_found,
        errors.member_not_found,
        errors.member_oidc_token_not_found,
        errors.missing_oidc_refresh_token,
        errors.unable_to_refresh_oidc_token,
    ),
)
async def oidc_providers(request: OidcProvidersRequest, call: Call) -> OidcProvidersResponse:
    """Return a member's tokens at OpenID providers; an access token that is over is refreshed."""
    found = await oidc_refresh.of_member(
        call.context, call.project, request.organization_id, request.member_id
    )
    now = call.context.clock.now()
    with_refresh_token = bool(request.include_refresh_token)
    return OidcProvidersResponse(
        registrations=[
            _shown(each, now=now, with_refresh_token=with_refresh_token) for each in found
        ]
    )


def _shown(provided: Provided, *, now: int, with_refresh_token: bool) -> OidcProviderObject:
    tokens = provided.tokens
    return OidcProviderObject(
        provider_subject=tokens.subject,
        id_token=tokens.id_token,
        access_token=tokens.access_token,
        access_token_expires_in=max(0, tokens.expires_at - now) // SECOND,
        scopes=list(tokens.scopes),
        connection_id=provided.registration.connection_id,
        refresh_token=(tokens.refresh_token or UNSET) if with_refresh_token else UNSET,
    )
