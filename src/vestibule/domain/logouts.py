"""Logouts that an application begins: our session first, then the identity provider's.

The application's backend begins one, which ends the session at once and answers with a URL for
the browser. There the browser is given the identity provider's logout request, and the provider
sends it back to us; the application's registered URL is where it ends up.
"""

from dataclasses import dataclass
from typing import Any, Final

from vestibule import errors
from vestibule.clock import MINUTE
from vestibule.domain import (
    audit,
    connections,
    logout_messages,
    named_sessions,
    oidc_tokens,
    organizations,
    redirect_urls,
    sessions,
)
from vestibule.domain.context import Context
from vestibule.domain.logout_messages import REQUEST, Reply
from vestibule.domain.named_sessions import Named
from vestibule.domain.sign_in.callback import Target
from vestibule.errors import Failure
from vestibule.ids import OpaqueToken, read_token, same_secret
from vestibule.oidc.logout import logout_url
from vestibule.records import (
    Connection,
    Factor,
    Logout,
    OidcConfiguration,
    Project,
    SamlConfiguration,
    Session,
)
from vestibule.saml.logout import logout_request
from vestibule.store.interface import Transaction

LIFE: Final = 10 * MINUTE
_REQUEST_LIFE: Final = 5 * MINUTE


@dataclass(frozen=True)
class _Way:
    """The factor to be logged out, and the connection whose identity provider does it."""

    connection: Connection
    factor: Factor


async def begin(
    context: Context,
    project: Project,
    *,
    session_token: str,
    session_jwt: str,
    logout_redirect_url: str,
) -> str:
    """End a session at once and return where to send its browser.

    That is the redirect URL itself where no identity provider of the session can be told. A SAML
    one is told the session index of its factor, so the other sessions that share it end as well.
    Raises Failure: the arguments, the redirect URL, the session.
    """
    sessions.one_of(session_token, session_jwt)
    now = context.clock.now()
    token = context.mint_token()
    async with context.store.write() as tx:
        registered = await tx.redirect_urls.all(project_id=project.project_id)
        url = redirect_urls.choose(registered, "logout", logout_redirect_url)
        session = await sessions.find(
            tx, project, session_token=session_token, session_jwt_text=session_jwt, now=now
        )
        # The connection before the session: who deletes a connection holds them in this order.
        way = await _way(tx, session)
        if way is not None:
            await tx.logouts.insert(_logout(context, way, token, redirect_url=url))
        await _end(tx, session)
        ended: list[named_sessions.AnySession] = [session]
        if way is not None and way.connection.saml is not None:
            ended += await _end_others(tx, project, way, now=now)
        await audit.record_end(tx, context, "session.log_out", ended)
    if way is None:
        return url
    return connections.logout_start_url(context.settings, way.connection.connection_id, token.text)


async def carry(context: Context, found: Target, token: str) -> Reply:
    """Return how the browser brings the logout request to the identity provider.

    Straight to the end where there is no address for it any more. Raises Failure logout_not_found.
    """
    async with context.store.read() as tx:
        logout = await find(tx, found, token, now=context.clock.now())
        keys = await tx.connection_keys.all(**at(found))
        id_token = await _id_token(tx, context, found, logout)
    connection = found.connection
    signing = logout_messages.signing_key(keys)
    if connection.saml is not None and connection.saml.idp_slo_url and signing is not None:
        message = _request(context, found, connection.saml, logout)
        return logout_messages.send(context, connection.saml, message, signing, parameter=REQUEST)
    if connection.oidc is not None and connection.oidc.end_session_url:
        return Reply(_end_session(context, found, connection.oidc, state=token, id_token=id_token))
    return Reply(logout.redirect_url)


async def _way(tx: Transaction, session: Session) -> _Way | None:
    """Return how the newest identity provider that can be told of a logout is told."""
    newest_first = sorted(session.factors, key=lambda each: -each.last_authenticated_at)
    for factor in newest_first:
        owner = await _owner(tx, session.project_id, factor)
        if owner is not None and _can_be_told(owner, factor):
            return _Way(owner, factor)
    return None


async def _end(tx: Transaction, session: Session) -> None:
    ended = await tx.sessions.delete(
        project_id=session.project_id,
        organization_id=session.organization_id,
        session_id=session.session_id,
    )
    if not ended:
        raise Failure(errors.session_not_found)


async def _owner(tx: Transaction, project_id: str, factor: Factor) -> Connection | None:
    """Return the connection whose identity provider made the factor, held; None when it is gone."""
    used = await tx.connections.find(
        project_id=project_id, connection_id=factor.details.get("provider_id", "")
    )
    if used is None:
        return None
    external = used.external
    return await tx.connections.find(
        lock=True,
        project_id=project_id,
        connection_id=external.external_connection_id if external else used.connection_id,
    )


def _can_be_told(connection: Connection, factor: Factor) -> bool:
    if connection.saml is not None:
        return bool(connection.saml.idp_slo_url and factor.name_id)
    return connection.oidc is not None and bool(connection.oidc.end_session_url)


async def _end_others(
    tx: Transaction, project: Project, way: _Way, *, now: int
) -> tuple[named_sessions.AnySession, ...]:
    """End what the LogoutRequest will name: the identity provider does not tell us of it again."""
    organization = await organizations.load(tx, project, way.connection.organization_id)
    found = Target(project, organization, way.connection)
    return (await named_sessions.end(tx, found, _named(way.factor), now=now)).sessions


def _named(factor: Factor) -> Named:
    return Named(factor.name_id, tuple(filter(None, (factor.session_index,))))


def _logout(context: Context, way: _Way, token: OpaqueToken, *, redirect_url: str) -> Logout:
    now = context.clock.now()
    return Logout(
        logout_id=token.token_id,
        secret_hash=token.secret_hash,
        project_id=way.connection.project_id,
        organization_id=way.connection.organization_id,
        connection_id=way.connection.connection_id,
        request_id=f"_{context.entropy.token_bytes(16).hex()}",
        factor=way.factor,
        redirect_url=redirect_url,
        created_at=now,
        expires_at=now + LIFE,
    )


async def find(tx: Transaction, found: Target, token: str, *, now: int) -> Logout:
    """Return the logout that a token names, at this connection only and while it can be used."""
    read = read_token(token)
    logout = (
        await tx.logouts.find(**at(found), logout_id=read.token_id, consumed_at=0)
        if read is not None
        else None
    )
    if read is None or logout is None or not same_secret(logout.secret_hash, read.secret_hash):
        raise Failure(errors.logout_not_found)
    if logout.expires_at <= now:
        raise Failure(errors.logout_not_found)
    return logout


async def consume(tx: Transaction, logout: Logout, *, now: int) -> None:
    """Use up a logout, for the one caller that is first."""
    if logout.expires_at <= now:
        raise Failure(errors.expired_saml_response)
    consumed = await tx.logouts.change(
        {"consumed_at": now},
        project_id=logout.project_id,
        logout_id=logout.logout_id,
        consumed_at=0,
    )
    if not consumed:
        raise Failure(errors.duplicate_saml_response)


def _request(context: Context, found: Target, saml: SamlConfiguration, logout: Logout) -> bytes:
    now, named = context.clock.now(), _named(logout.factor)
    connection_id = found.connection.connection_id
    return logout_request(
        request_id=logout.request_id,
        issued_at=now,
        not_on_or_after=now + _REQUEST_LIFE,
        destination=saml.idp_slo_url,
        issuer=connections.service_provider_url(context.settings, connection_id),
        name_id=named.name_id,
        name_id_format=logout.factor.name_id_format or None,
        session_indexes=named.session_indexes,
    )


async def _id_token(tx: Transaction, context: Context, found: Target, logout: Logout) -> str:
    """Return the ID token by which the provider knows the session, '' without a fitting one."""
    oidc = found.connection.oidc
    if oidc is None:
        return ""
    kept = await tx.oidc_tokens.find(
        project_id=logout.project_id, registration_id=logout.factor.details["id"]
    )
    tokens = oidc_tokens.unseal(context, kept) if kept is not None else None
    fits = tokens is not None and (tokens.issuer, tokens.client_id) == (oidc.issuer, oidc.client_id)
    return tokens.id_token if tokens is not None and fits else ""


def _end_session(
    context: Context, found: Target, oidc: OidcConfiguration, *, state: str, id_token: str
) -> str:
    return logout_url(
        endpoint=oidc.end_session_url,
        client_id=oidc.client_id,
        redirect_url=connections.logout_url(context.settings, found.connection.connection_id),
        state=state,
        id_token=id_token,
    )


def at(found: Target) -> dict[str, Any]:
    """Return the columns by which rows of this connection are found."""
    return {
        "project_id": found.project.project_id,
        "organization_id": found.organization.organization_id,
        "connection_id": found.connection.connection_id,
    }
