"""An OpenID provider's discovery document, read again, and what a connection takes of it."""

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain.context import Context
from vestibule.domain.upkeep.readings import Reading, Validators, ask, is_unchanged, validators_of
from vestibule.errors import Failure
from vestibule.fetch import FetchError
from vestibule.oidc.discovery import Discovery, parse_discovery
from vestibule.oidc.errors import OidcError
from vestibule.records import Connection, OidcConfiguration, Published


def published(found: Discovery) -> Published:
    """Return what a connection takes of discovery, as its fields are called."""
    return Published(
        fields={
            "authorization_url": found.authorization_url,
            "token_url": found.token_url,
            "userinfo_url": found.userinfo_url or "",
            "jwks_url": found.jwks_url,
        }
    )


async def read_newer(
    context: Context, url: str, than: Validators, *, issuer: str
) -> Reading | None:
    """Return the discovery document at `url`, None when it is still the version `than`.

    Raises Failure: it cannot be fetched, or is not a usable document of `issuer`.
    """
    try:
        answer = await ask(context, url, than, redirects=1)
    except FetchError as error:
        raise _failure("it could not be fetched", detail=error.detail) from error
    if is_unchanged(answer, than):
        return None
    if answer.status != 200:
        raise _failure(f"it answered with status {answer.status} instead of 200")
    try:
        found = parse_discovery(answer.body, issuer=issuer)
    except OidcError as error:
        raise _failure(f"expected {error.expected}, received {error.received}") from error
    return Reading(published=published(found), validators=validators_of(answer))


def with_fields(connection: Connection, oidc: OidcConfiguration, found: Published) -> Connection:
    """Return the connection with the endpoints of `found`."""
    return replace(connection, oidc=replace(oidc, **found.fields))


def _failure(said: str, *, detail: str = "") -> Failure:
    return Failure(
        errors.bad_request, f"The discovery document cannot be used: {said}.", detail=detail
    )
