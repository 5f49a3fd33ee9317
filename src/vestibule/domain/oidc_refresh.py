"""A member's tokens of OpenID providers, read by the application: refreshed when they are over.

The provider is asked outside of any transaction. Many providers spend a refresh token with its use,
so of several readers, on any node, one asks; the others wait for what it brings.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from vestibule import errors
from vestibule.clock import SECOND
from vestibule.domain import audit, members, oidc_provider, oidc_tokens, organizations, tenancy
from vestibule.domain.context import Context
from vestibule.domain.oidc_tokens import ProviderTokens
from vestibule.errors import Failure
from vestibule.fetch import acting_for
from vestibule.log import logger
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.expectation import Expectation
from vestibule.oidc.refreshed import verify_refreshed_id_token
from vestibule.oidc.token import parse_refresh_response, refresh_request
from vestibule.records import (
    Connection,
    Member,
    OidcConfiguration,
    OidcToken,
    Organization,
    Project,
    Registration,
)
from vestibule.store.interface import Transaction

# Longer than asking the token endpoint and the JWKS endpoint may take together.
_ALONE: Final = 15 * SECOND
_PATIENCE: Final = 20 * SECOND
_PAUSE_SECONDS: Final = 0.1
# What says that the tokens are now somebody else's (OI-53).
_OF_ANOTHER: Final = frozenset(
    {Reason.ISSUER, Reason.AUDIENCE, Reason.SUBJECT, Reason.NONCE, Reason.AUTH_TIME}
)


@dataclass(frozen=True)
class Provided:
    """The tokens of one registration, good for now."""

    registration: Registration
    tokens: ProviderTokens


@dataclass(frozen=True)
class _Kept:
    """What is stored for one registration, and where it can be refreshed."""

    organization: Organization
    registration: Registration
    row: OidcToken
    oidc: OidcConfiguration


async def of_member(
    context: Context, project: Project, locator: str, member_locator: str
) -> list[Provided]:
    """Return the tokens of all OIDC registrations of a member, oldest registration first.

    One that cannot be refreshed is left out as long as there are others. Raises Failure
    organization_not_found, member_not_found, member_oidc_token_not_found, and for the last one
    missing_oidc_refresh_token or unable_to_refresh_oidc_token.
    """
    async with context.store.read() as tx:
        organization = await organizations.load(tx, project, locator)
        member = await members.load(tx, organization, member_locator)
        stored = await _stored(tx, organization, member)
    found: list[Provided] = []
    refused = Failure(errors.member_oidc_token_not_found)
    for each in stored:
        try:
            found.append(Provided(each.registration, await _current(context, each)))
        except Failure as failure:
            logger().info(
                "tokens of a provider not given",
                connection_id=each.registration.connection_id,
                error_type=failure.error.name,
                detail=failure.detail,
            )
            refused = failure
    if not found:
        raise refused
    return found


async def _stored(tx: Transaction, organization: Organization, member: Member) -> list[_Kept]:
    within = tenancy.of_organization(member)
    registrations = await tx.registrations.all(
        **within, member_id=member.member_id, order="created_at"
    )
    ids = tuple(each.registration_id for each in registrations)
    rows = {
        row.registration_id: row for row in await tx.oidc_tokens.all(**within, registration_id=ids)
    }
    configurations = await _configurations(tx, registrations)
    return [
        _Kept(organization, each, rows[each.registration_id], configurations[each.connection_id])
        for each in registrations
        if each.registration_id in rows and each.connection_id in configurations
    ]


async def _configurations(
    tx: Transaction, registrations: Sequence[Registration]
) -> dict[str, OidcConfiguration]:
    """Return the providers of these registrations' connections by connection id.

    An external connection has that of the connection it refers to.
    """
    if not registrations:
        return {}
    project_id = registrations[0].project_id
    ids = tuple({each.connection_id for each in registrations})
    own = await tx.connections.all(project_id=project_id, connection_id=ids)
    referred = tuple({each.external.external_connection_id for each in own if each.external})
    others = await tx.connections.all(project_id=project_id, connection_id=referred)
    by_id = {each.connection_id: each for each in (*own, *others)}
    found = {}
    for each in own:
        target = each.external.external_connection_id if each.external else each.connection_id
        if (oidc := _oidc(by_id.get(target))) is not None:
            found[each.connection_id] = oidc
    return found


def _oidc(connection: Connection | None) -> OidcConfiguration | None:
    return connection.oidc if connection else None


async def _current(context: Context, kept: _Kept) -> ProviderTokens:
    """Return tokens that are not over: those stored, or refreshed by this reader or another."""
    end = context.clock.now() + _PATIENCE
    while context.clock.now() < end:
        tokens = oidc_tokens.unseal(context, kept.row)
        if not tokens.expires_at or context.clock.now() < tokens.expires_at:
            return tokens
        _require_refreshable(tokens, kept.oidc)
        if await _claim(context, kept.row):
            return await _refresh(context, kept, tokens)
        await asyncio.sleep(_PAUSE_SECONDS)
        kept = replace(kept, row=await _newest(context, kept))
    raise _unable("another reader did not finish")


def _require_refreshable(tokens: ProviderTokens, oidc: OidcConfiguration) -> None:
    """Pass when there is a refresh token, and it would go to the provider that gave it out."""
    if not tokens.refresh_token:
        raise Failure(errors.missing_oidc_refresh_token)
    if (tokens.issuer, tokens.client_id) != (oidc.issuer, oidc.client_id):
        raise _unable("the connection has another issuer or client_id now")


async def _claim(context: Context, row: OidcToken) -> bool:
    """Be the one who refreshes; True for one reader at a time."""
    now = context.clock.now()
    async with context.store.write() as tx:
        claimed = await tx.oidc_tokens.change(
            {"refreshing_until": now + _ALONE}, **_as_seen(row), refreshing_until__le=now
        )
    return bool(claimed)


async def _refresh(context: Context, kept: _Kept, tokens: ProviderTokens) -> ProviderTokens:
    try:
        with acting_for(kept.organization.organization_id):
            renewed = await _ask(context, kept.oidc, tokens)
    except OidcError as error:
        async with context.store.write() as tx:
            if error.reason in _OF_ANOTHER:
                await _disown(tx, context, kept)
            else:
                await tx.oidc_tokens.change({"refreshing_until": 0}, **_as_seen(kept.row))
        raise _unable(error.reason.value) from error
    sealed = oidc_tokens.seal(context, renewed, kept.registration)
    async with context.store.write() as tx:
        stored = await tx.oidc_tokens.change(
            {"sealed": sealed, "refreshing_until": 0}, **_as_seen(kept.row)
        )
    if stored:
        return renewed
    # A login was faster, and its tokens are the newest.
    return oidc_tokens.unseal(context, await _newest(context, kept))


async def _ask(context: Context, oidc: OidcConfiguration, tokens: ProviderTokens) -> ProviderTokens:
    """Return the tokens of a refresh; what the provider does not send stays as it was."""
    client = oidc_provider.client(context, oidc)
    request = refresh_request(
        refresh_token=tokens.refresh_token,
        client_id=client.client_id,
        client_secret=client.client_secret,
        method=client.method,
    )
    answer = await oidc_provider.ask_for_tokens(context, oidc, request)
    content_type = answer.headers.get("content-type")
    new = parse_refresh_response(answer.status, content_type, answer.body)
    now = context.clock.now()
    if new.id_token is not None:
        verify_refreshed_id_token(
            new.id_token,
            await oidc_provider.keys_for(context, oidc, new.id_token),
            Expectation(
                issuer=oidc.issuer,
                client_id=oidc.client_id,
                nonce=None,
                subject=tokens.subject,
                clock_skew=oidc_provider.clock_skew(context),
            ),
            before=tokens.id_token,
            access_token=new.access_token,
            now=now,
        )
    return replace(
        tokens,
        access_token=new.access_token,
        id_token=new.id_token or tokens.id_token,
        refresh_token=new.refresh_token or tokens.refresh_token,
        expires_at=oidc_tokens.expiry(new.expires_in, renewable=True, now=now),
        scopes=tuple(new.scope.split()) if new.scope else tokens.scopes,
    )


async def _disown(tx: Transaction, context: Context, kept: _Kept) -> None:
    """Forget tokens that the provider now calls somebody else's, with the sessions they began."""
    of = oidc_tokens.of(kept.registration)
    if await tx.oidc_tokens.delete(**of, sealed=kept.row.sealed):
        ended = await members.end_sessions(
            tx,
            kept.organization,
            kept.registration.member_id,
            connection_id=kept.registration.connection_id,
        )
        reason = f"{kept.registration.connection_id} gave out tokens of somebody else"
        await audit.record_end(tx, context, "session.revoke", ended, reason=reason)


async def _newest(context: Context, kept: _Kept) -> OidcToken:
    async with context.store.read() as tx:
        row = await tx.oidc_tokens.find(**oidc_tokens.of(kept.registration))
    if row is None:
        raise Failure(errors.member_oidc_token_not_found)
    return row


def _as_seen(row: OidcToken) -> dict[str, object]:
    """Return the condition that a row is still what was read: every sealing is another one."""
    return {
        **tenancy.of_organization(row),
        "registration_id": row.registration_id,
        "sealed": row.sealed,
    }


def _unable(detail: str) -> Failure:
    return Failure(errors.unable_to_refresh_oidc_token, detail=detail)
