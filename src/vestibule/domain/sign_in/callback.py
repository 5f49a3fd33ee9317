"""What both callbacks share: the connection from the URL, the sign-in, and the good end.

The connection always comes from the URL, never from the message (polis, CWE-639).
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final, TypeVar

from msgspec.structs import replace

from vestibule import errors
from vestibule.clock import DAY, MINUTE
from vestibule.domain import connections, oidc_tokens, organizations, redirect_urls, traces
from vestibule.domain.context import Context
from vestibule.domain.oidc_tokens import ProviderTokens
from vestibule.domain.sign_in import diagnosis, refusals
from vestibule.domain.sign_in.landing import land
from vestibule.domain.sign_in.provisioning import Login
from vestibule.domain.sign_in.refusals import Refusal
from vestibule.domain.upkeep import feeds
from vestibule.errors import Failure
from vestibule.ids import OpaqueToken, read_token, same_secret
from vestibule.records import (
    Connection,
    Identity,
    Organization,
    Project,
    Replay,
    SignIn,
    SsoToken,
    TraceStep,
)
from vestibule.store.interface import ParentMissing, Transaction

T = TypeVar("T")

TOKEN_LIFE: Final = 5 * MINUTE
_UNKNOWN_KEY: Final = frozenset({"sig.nokey", "sig.value"})
_LONGEST_REPLAY: Final = 2 * DAY


@dataclass(frozen=True)
class Target:
    """The connection that a callback URL names, and whose it is."""

    project: Project
    organization: Organization
    connection: Connection


@dataclass(frozen=True)
class Done:
    """A sign-in that the identity provider's side has completed."""

    redirect_url: str
    trace_id: str


class Refused(Exception):
    """A sign-in was refused; the trace is written. `refusal.error` is all the browser is told.

    `back` is the application that it was begun at, '' when that is not known.
    """

    def __init__(self, refusal: Refusal, trace_id: str, *, back: str) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal
        self.trace_id = trace_id
        self.back = back


async def target(context: Context, connection_id: str) -> Target:
    """Return the connection of a callback URL. Raises Failure sso_connection_not_found.

    An external connection has none: identity providers know the one that it refers to.
    """
    async with context.store.read() as tx:
        connection = await tx.connections.find(connection_id=connection_id)
        if connection is None or connection.external is not None:
            raise Failure(errors.sso_connection_not_found)
        project = await tx.projects.find(project_id=connection.project_id)
        if project is None:
            raise Failure(errors.sso_connection_not_found)
        organization = await organizations.load(tx, project, connection.organization_id)
    return Target(project, organization, connection)


async def find_sign_in(tx: Transaction, found: Target, token: str) -> SignIn | None:
    """Return the sign-in that a RelayState or `state` names, at this connection only."""
    read = read_token(token)
    if read is None:
        return None
    sign_in = await tx.sign_ins.find(
        project_id=found.project.project_id,
        sign_in_id=read.token_id,
        connection_id=found.connection.connection_id,
    )
    if sign_in is None or not same_secret(sign_in.secret_hash, read.secret_hash):
        return None
    return sign_in


async def consume(tx: Transaction, sign_in: SignIn, *, now: int) -> bool:
    """Use up a sign-in; True for the one caller that was first."""
    consumed = await tx.sign_ins.change(
        {"consumed_at": now},
        project_id=sign_in.project_id,
        sign_in_id=sign_in.sign_in_id,
        consumed_at=0,
        expires_at__gt=now,
    )
    return len(consumed) == 1


async def recorded(
    context: Context,
    found: Target,
    work: Awaitable[T],
    *,
    trace_id: str = "",
    token: str = "",
    message: str = "",
) -> T:
    """Return what `work` returns; a refusal is written to a trace and raised as Refused.

    `token` is the RelayState or `state` that came, and `message` the SAMLResponse, for the trace.
    What is no refusal goes through.
    Raises Failure sso_connection_not_found when the connection was deleted meanwhile.
    """
    try:
        try:
            return await work
        except Exception as error:
            refusal = refusals.of(error)
            if refusal is None:
                raise
            refusal = await diagnosis.explain(
                context, refusal, error, found.connection, message=message
            )
            async with context.store.write() as tx:
                sign_in = await find_sign_in(tx, found, token)
                trace = traces.new(
                    context,
                    await _asked(tx, found, sign_in),
                    trace_id=trace_id or new_trace_id(context, found),
                    sign_in_id=_sign_in_id(token),
                    steps=refusal.steps,
                    refusal=refusal,
                )
                await tx.traces.insert(trace)
                if refusal.reason in _UNKNOWN_KEY:
                    # Its metadata may have a new one; it is read soon, but not while a login waits.
                    await feeds.hasten(tx, found.connection, now=context.clock.now())
            raise Refused(refusal, trace.trace_id, back=_back(sign_in)) from error
    except ParentMissing:
        raise Failure(errors.sso_connection_not_found) from None


def new_trace_id(context: Context, found: Target) -> str:
    """Return the id of a new trace."""
    return context.new_id("trace", found.project)


async def _asked(tx: Transaction, found: Target, sign_in: SignIn | None) -> Connection:
    """Return the connection that the sign-in was begun at: an external one's traces are its own."""
    asked = sign_in and await tx.connections.find(
        project_id=sign_in.project_id,
        organization_id=sign_in.organization_id,
        connection_id=sign_in.start_connection_id,
    )
    return asked or found.connection


def _back(sign_in: SignIn | None) -> str:
    """Return the address of the application that a sign-in was begun at, '' for none of the web."""
    if sign_in is None or redirect_urls.is_native(sign_in.login_redirect_url):
        return ""
    return redirect_urls.origin_of(sign_in.login_redirect_url)


def _sign_in_id(token: str) -> str:
    read = read_token(token)
    return read.token_id if read else ""


async def accept(
    tx: Transaction,
    context: Context,
    found: Target,
    sign_in: SignIn | None,
    identity: Identity,
    *,
    trace_id: str,
    steps: tuple[TraceStep, ...],
    provider_tokens: ProviderTokens | None = None,
) -> Done:
    """Mint the sso_token for a verified identity and return where the browser goes.

    `sign_in` is None for an IdP-initiated one. Nothing else is changed here: who logs in is
    decided when the token is redeemed.
    """
    current = await tx.connections.find(
        project_id=found.project.project_id,
        organization_id=found.organization.organization_id,
        connection_id=found.connection.connection_id,
    )
    if current is None or current.status != "active":
        raise Failure(errors.requires_active_sso_connection)
    owner = Login(found.project, found.organization, found.connection, identity)
    landing = await land(tx, owner, sign_in)
    kind: redirect_urls.Kind = "login" if landing.known else "signup"
    destination = await _destination(tx, found, sign_in, kind=kind)
    token = context.mint_token()
    minted = _sso_token(context, landing.login, sign_in, token=token, trace_id=trace_id)
    if provider_tokens is not None:
        carried = oidc_tokens.carry(context, provider_tokens, token_id=token.token_id)
        minted = replace(minted, provider_tokens=carried)
    await tx.sso_tokens.insert(minted)
    await tx.traces.insert(
        traces.new(
            context,
            landing.login.connection,
            trace_id=trace_id,
            sign_in_id=sign_in.sign_in_id if sign_in else "",
            steps=(*steps, *diagnosis.notes(found.connection, identity), *landing.steps),
        )
    )
    parameters = {"stytch_token_type": "sso", "token": token.text}
    return Done(redirect_urls.with_parameters(destination, **parameters), trace_id)


async def claim_assertion(
    tx: Transaction, found: Target, assertion_id: str, *, until: int, now: int
) -> None:
    """Use up an assertion. Raises Failure duplicate_saml_response when it has been used."""
    fresh = await tx.replays.insert_if_absent(
        Replay(
            project_id=found.project.project_id,
            organization_id=found.organization.organization_id,
            connection_id=found.connection.connection_id,
            assertion_id=assertion_id,
            expires_at=min(until, now + _LONGEST_REPLAY),
        )
    )
    if not fresh:
        raise Failure(errors.duplicate_saml_response)


def _sso_token(
    context: Context,
    login: Login,
    sign_in: SignIn | None,
    *,
    token: OpaqueToken,
    trace_id: str,
) -> SsoToken:
    now = context.clock.now()
    return SsoToken(
        token_id=token.token_id,
        secret_hash=token.secret_hash,
        project_id=login.project.project_id,
        organization_id=login.organization.organization_id,
        connection_id=login.connection.connection_id,
        protocol=connections.protocol_of(login.connection),
        identity=login.identity,
        pkce_code_challenge=sign_in.pkce_code_challenge if sign_in else "",
        trace_id=trace_id,
        created_at=now,
        expires_at=now + TOKEN_LIFE,
    )


async def _destination(
    tx: Transaction, found: Target, sign_in: SignIn | None, *, kind: redirect_urls.Kind
) -> str:
    """Return the redirect URL chosen at start; IdP-initiated sign-ins go to the default.

    What was removed since then is sent no token: it may be somebody else's now.
    """
    registered = await tx.redirect_urls.all(project_id=found.project.project_id)
    if sign_in is not None:
        url = sign_in.login_redirect_url if kind == "login" else sign_in.signup_redirect_url
        redirect_urls.require_registered(registered, url)
        return url
    if kind == "signup" and any(item.default_signup for item in registered):
        return redirect_urls.choose(registered, "signup", "")
    return redirect_urls.choose(registered, "login", "")
