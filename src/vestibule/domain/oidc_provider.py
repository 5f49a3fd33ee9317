"""Asking the OpenID provider of a connection: as which client, its token endpoint, its keys."""

from dataclasses import dataclass, field

from vestibule.clock import SECOND
from vestibule.domain import connections
from vestibule.domain.context import Context
from vestibule.fetch import FetchError, FetchResponse
from vestibule.log import logger
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.id_token import Key
from vestibule.oidc.token import ClientAuthentication, TokenRequest
from vestibule.records import OidcConfiguration


@dataclass(frozen=True)
class Client:
    """Who a connection is at its provider, and how it proves that. Holds the client's secret."""

    client_id: str
    client_secret: str = field(repr=False)
    method: ClientAuthentication


def client(context: Context, oidc: OidcConfiguration) -> Client:
    """Return the client that a connection is configured with.

    Raises OidcError(oidc.code.client) when its secret has been taken away.
    """
    if not oidc.client_secret:
        raise OidcError(Reason.CODE_CLIENT, expected="a client_secret", received="none")
    secret = context.sealer.unseal(oidc.client_secret, purpose=connections.CLIENT_SECRET_PURPOSE)
    chosen = oidc.client_authentication or oidc.token_auth_method
    method = ClientAuthentication(chosen or ClientAuthentication.BASIC)
    return Client(oidc.client_id, secret.decode(), method)


async def ask_for_tokens(
    context: Context, oidc: OidcConfiguration, request: TokenRequest
) -> FetchResponse:
    """Post `request` to the token endpoint, once. Raises OidcError(oidc.code.unavailable)."""
    try:
        return await context.fetch.request(
            "POST", oidc.token_url, headers=request.headers, body=request.body
        )
    except FetchError as error:
        raise unreachable(Reason.CODE_UNAVAILABLE, "token endpoint", error) from error


async def keys_for(context: Context, oidc: OidcConfiguration, id_token: str) -> tuple[Key, ...]:
    """Return the provider's keys, new ones when `id_token` needs them. Raises OidcError."""
    try:
        return await context.jwks.keys_for(
            context.fetch, oidc.jwks_url, id_token, now=context.clock.now()
        )
    except FetchError as error:
        raise unreachable(Reason.JWKS, "JWKS endpoint", error) from error


def clock_skew(context: Context) -> int:
    """Return by how much the provider's clock may differ from ours, in microseconds."""
    return context.settings.clock_skew_seconds * SECOND


def unreachable(reason: Reason, what: str, error: FetchError) -> OidcError:
    """Return what to raise for an endpoint that gave no answer."""
    # Why it could not be reached is for the log: told to a tenant it would map our network.
    logger().info("provider unreachable", endpoint=what, reason=error.reason, detail=error.detail)
    return OidcError(reason, expected=f"an answer of the {what}", received="no answer")
