"""Single Logout by the identity provider: a verified LogoutRequest ends the sessions it names.

The sessions are those of one member that hold a factor of this connection with that NameID. The
member is found by the registration (connection, NameID). Where the connection maps `idp_user_id`,
registrations carry that instead, and the living sessions of the organization are looked through.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from vestibule import errors
from vestibule.clock import SECOND
from vestibule.domain import connections, traces
from vestibule.domain.context import Context
from vestibule.domain.pinned_certificates import pinned
from vestibule.domain.private_keys import load
from vestibule.domain.sign_in import callback, logged_out, refusals
from vestibule.domain.sign_in.callback import Target
from vestibule.domain.sign_in.refusals import Refusal
from vestibule.errors import Failure
from vestibule.records import (
    ConnectionKey,
    Factor,
    IntermediateSession,
    SamlConfiguration,
    Session,
    Trace,
    TraceStep,
)
from vestibule.saml.logout import (
    LogoutExpectation,
    LogoutStatus,
    VerifiedLogoutRequest,
    logout_response,
    verify_logout_request,
)
from vestibule.saml.redirect import RedirectMessage, read_redirect
from vestibule.saml.request import post_fields, redirect_url
from vestibule.saml.response import read_form_field
from vestibule.store.interface import Transaction

_RESPONSE: Final = "SAMLResponse"
_UNKNOWN: Final = "logout.unknown"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What a browser brought: the query of HTTP-Redirect, or the form of HTTP-POST."""

    query: bytes = b""
    form: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Reply:
    """Where the browser takes our LogoutResponse: by redirect, or with `fields` by POST."""

    url: str
    fields: Mapping[str, str] = field(default_factory=dict)


async def receive(context: Context, found: Target, delivery: Delivery) -> Reply | None:
    """End the sessions that a LogoutRequest names; return our answer to it.

    None when nothing is to be sent: the identity provider has no address for it, or what came is
    its answer, for which there is nothing left to do (SP-64). Raises Refused with its trace when
    the request is not good; then no session has ended.
    """
    trace_id = callback.new_trace_id(context, found)
    work = _receive(context, found, delivery, trace_id)
    return await callback.recorded(context, found, work, trace_id=trace_id)


async def _receive(
    context: Context, found: Target, delivery: Delivery, trace_id: str
) -> Reply | None:
    saml = found.connection.saml
    if saml is None:
        raise Failure(errors.saml_connection_not_found)
    parameter, message, relay_state = _read(delivery)
    if parameter == _RESPONSE:
        return None
    async with context.store.read() as tx:
        keys = await tx.connection_keys.all(**_at(found))
    now = context.clock.now()
    request = verify_logout_request(message, _expectation(context, found, saml, keys), now=now)
    async with context.store.write() as tx:
        await callback.claim_assertion(
            tx, found, f"logout-request:{request.request_id}", until=request.replay_until, now=now
        )
        status = await _end(tx, context, found, request, trace_id)
    ours = [key for key in keys if key.purpose == "signing"]
    if not saml.idp_slo_response_url or not ours:
        return None
    newest = max(ours, key=lambda key: key.created_at)
    answer = _answer(context, found, saml, request, status)
    return _sent(context, saml, answer, newest, relay_state=relay_state)


def _read(delivery: Delivery) -> tuple[str, bytes | RedirectMessage, str | None]:
    """The parameter a message came in, the message, and the RelayState beside it."""
    if delivery.form is None:
        redirected = read_redirect(delivery.query)
        return redirected.parameter, redirected, redirected.relay_state
    parameter = _RESPONSE if _RESPONSE in delivery.form else "SAMLRequest"
    message = read_form_field(delivery.form[parameter])
    return parameter, message, delivery.form.get("RelayState")


def _expectation(
    context: Context, found: Target, saml: SamlConfiguration, keys: list[ConnectionKey]
) -> LogoutExpectation:
    connection_id = found.connection.connection_id
    url = connections.service_provider_url(context.settings, connection_id)
    return LogoutExpectation(
        idp_entity_id=saml.idp_entity_id,
        keys=pinned(keys),
        logout_urls=(connections.logout_url(context.settings, connection_id),),
        audiences=tuple(filter(None, (url, saml.alternative_audience_uri))),
        clock_skew=context.settings.clock_skew_seconds * SECOND,
    )


async def _end(
    tx: Transaction,
    context: Context,
    found: Target,
    request: VerifiedLogoutRequest,
    trace_id: str,
) -> LogoutStatus:
    """End what the request names, write the trace, and return what to answer."""
    now = context.clock.now()
    # Tokens first: one that is being redeemed has become a session by the time this returns.
    await _end_tokens(tx, found, request, now=now)
    await logged_out.remember(tx, found, request.name_id, request.session_indexes, now=now)
    living = await _living(tx, found, request.name_id, now=now)
    ended = [each for each in living or () if _indexes(each, found, request)]
    for each in ended:
        await _delete(tx, each)
    count = None if living is None else len(ended)
    await tx.traces.insert(_trace(context, found, request, trace_id, ended=count))
    if living is None:
        return LogoutStatus.UNKNOWN_PRINCIPAL
    known = {index for each in ended for index in _indexes(each, found, request)}
    return LogoutStatus.PARTIAL if set(request.session_indexes) - known else LogoutStatus.SUCCESS


def _trace(
    context: Context,
    found: Target,
    request: VerifiedLogoutRequest,
    trace_id: str,
    *,
    ended: int | None,
) -> Trace:
    """The record of a verified request; `ended` is None when it names nobody we know."""
    refusal = None
    if ended is None:
        refusal = Refusal(errors.member_not_found, _UNKNOWN, "identity_provider")
    result = TraceStep(
        name=_UNKNOWN if refusal else "logout",
        expected="a member's sessions",
        received="nobody by this NameID" if refusal else f"{ended} ended",
        passed=refusal is None,
    )
    return traces.new(
        context,
        found.connection,
        trace_id=trace_id,
        sign_in_id="",
        steps=(*refusals.steps(request.steps), result),
        refusal=refusal,
    )


async def _living(
    tx: Transaction, found: Target, name_id: str, *, now: int
) -> list[Session | IntermediateSession] | None:
    """The living sessions that may hold a factor of `name_id`; None when nobody is known by it."""
    of = {**_within(found), "expires_at__gt": now}
    mapping = (found.connection.saml and found.connection.saml.attribute_mapping) or {}
    if "idp_user_id" not in mapping:
        registration = await tx.registrations.find(**_at(found), external_id=name_id)
        if registration is None:
            return None
        of["member_id"] = registration.member_id
    return [*await tx.sessions.all(**of), *await tx.intermediate_sessions.all(**of)]


def _indexes(
    session: Session | IntermediateSession, found: Target, request: VerifiedLogoutRequest
) -> set[str]:
    """The session indexes by which the request names this session; empty: it does not."""
    mine = {factor.session_index for factor in _factors(session.factors, found, request.name_id)}
    return mine & set(request.session_indexes) if request.session_indexes else mine


def _factors(factors: Iterable[Factor], found: Target, name_id: str) -> list[Factor]:
    connection_id = found.connection.connection_id
    return [
        each
        for each in factors
        if each.details.get("provider_id") == connection_id and each.name_id == name_id
    ]


async def _end_tokens(
    tx: Transaction, found: Target, request: VerifiedLogoutRequest, *, now: int
) -> None:
    """Use up the sso_tokens of these sessions that nobody has redeemed yet."""
    for token in await tx.sso_tokens.all(**_at(found), consumed_at=0, expires_at__gt=now):
        named = not request.session_indexes or token.identity.session_index in (
            request.session_indexes
        )
        if token.identity.name_id == request.name_id and named:
            await tx.sso_tokens.change(
                {"consumed_at": now},
                project_id=token.project_id,
                token_id=token.token_id,
                consumed_at=0,
            )


async def _delete(tx: Transaction, session: Session | IntermediateSession) -> None:
    of: dict[str, Any] = {
        "project_id": session.project_id,
        "organization_id": session.organization_id,
    }
    if isinstance(session, Session):
        await tx.sessions.delete(**of, session_id=session.session_id)
    else:
        await tx.intermediate_sessions.delete(**of, token_id=session.token_id)


def _answer(
    context: Context,
    found: Target,
    saml: SamlConfiguration,
    request: VerifiedLogoutRequest,
    status: LogoutStatus,
) -> bytes:
    connection_id = found.connection.connection_id
    return logout_response(
        response_id=f"_{context.entropy.token_bytes(16).hex()}",
        issued_at=context.clock.now(),
        destination=saml.idp_slo_response_url,
        issuer=connections.service_provider_url(context.settings, connection_id),
        in_response_to=request.request_id,
        status=status,
    )


def _sent(
    context: Context,
    saml: SamlConfiguration,
    message: bytes,
    signing: ConnectionKey,
    *,
    relay_state: str | None,
) -> Reply:
    purpose = connections.PRIVATE_KEY_PURPOSE
    key = load(context.sealer.unseal(signing.private_key, purpose=purpose))
    url = saml.idp_slo_response_url
    if saml.idp_slo_binding == "post":
        fields = post_fields(
            message,
            relay_state=relay_state,
            key=key,
            certificate_pem=signing.certificate,
            parameter=_RESPONSE,
        )
        return Reply(url, fields)
    return Reply(
        redirect_url(
            message, destination=url, relay_state=relay_state, key=key, parameter=_RESPONSE
        )
    )


def _within(found: Target) -> dict[str, Any]:
    return {
        "project_id": found.project.project_id,
        "organization_id": found.organization.organization_id,
    }


def _at(found: Target) -> dict[str, Any]:
    return {**_within(found), "connection_id": found.connection.connection_id}
