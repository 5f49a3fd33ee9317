"""Single Logout messages of an identity provider: its request ends sessions, its answer a logout.

A verified LogoutRequest ends the sessions it names. A LogoutResponse answers a logout that an
application began (`logouts`).
"""

from typing import Final

from vestibule import errors
from vestibule.domain import (
    audit,
    connections,
    logout_messages,
    logout_returns,
    named_sessions,
    traces,
)
from vestibule.domain.context import Context
from vestibule.domain.logout_messages import RESPONSE, Delivery, Message, Reply
from vestibule.domain.logout_returns import Returned
from vestibule.domain.named_sessions import Ended, Named
from vestibule.domain.sign_in import callback, refusals
from vestibule.domain.sign_in.callback import Target
from vestibule.domain.sign_in.refusals import Refusal
from vestibule.errors import Failure
from vestibule.records import ConnectionKey, SamlConfiguration, Trace, TraceStep
from vestibule.saml.logout import (
    LogoutStatus,
    VerifiedLogoutRequest,
    logout_response,
    verify_logout_request,
)

_UNKNOWN: Final = "logout.unknown"


async def receive(context: Context, found: Target, delivery: Delivery) -> Reply | Returned | None:
    """Take what an identity provider sends by the browser, and return where that goes.

    For a LogoutRequest our answer, or None when the identity provider has no address for it; for
    a LogoutResponse the end of the application's logout. Raises Refused with its trace when the
    message is not good; then nothing has ended.
    """
    trace_id = callback.new_trace_id(context, found)
    work = _receive(context, found, delivery, trace_id)
    return await callback.recorded(context, found, work, trace_id=trace_id)


async def _receive(
    context: Context, found: Target, delivery: Delivery, trace_id: str
) -> Reply | Returned | None:
    saml = found.connection.saml
    if saml is None:
        raise Failure(errors.saml_connection_not_found)
    message = logout_messages.read(delivery)
    async with context.store.read() as tx:
        keys = await tx.connection_keys.all(
            project_id=found.project.project_id,
            organization_id=found.organization.organization_id,
            connection_id=found.connection.connection_id,
        )
    if message.parameter == RESPONSE:
        return await logout_returns.answered(context, found, saml, message, keys, trace_id=trace_id)
    return await _requested(context, found, saml, message, keys, trace_id=trace_id)


async def _requested(
    context: Context,
    found: Target,
    saml: SamlConfiguration,
    message: Message,
    keys: list[ConnectionKey],
    *,
    trace_id: str,
) -> Reply | None:
    now = context.clock.now()
    expectation = logout_messages.expectation(context, found, saml, keys)
    request = verify_logout_request(message.signed, expectation, now=now)
    named = Named(request.name_id, request.session_indexes)
    async with context.store.write() as tx:
        await callback.claim_assertion(
            tx, found, f"logout-request:{request.request_id}", until=request.replay_until, now=now
        )
        ended = await named_sessions.end(tx, found, named, now=now)
        await tx.traces.insert(_trace(context, found, request, trace_id, ended=ended))
        reason = f"asked by the identity provider of {found.connection.connection_id}"
        await audit.record_end(tx, context, "session.log_out", ended.sessions, reason=reason)
    signing = logout_messages.signing_key(keys)
    if not saml.idp_slo_response_url or signing is None:
        return None
    answer = _answer(context, found, saml, request, _status(named, ended))
    return logout_messages.send(
        context, saml, answer, signing, parameter=RESPONSE, relay_state=message.relay_state
    )


def _status(named: Named, ended: Ended) -> LogoutStatus:
    if not ended.known:
        return LogoutStatus.UNKNOWN_PRINCIPAL
    unknown = set(named.session_indexes) - ended.session_indexes
    return LogoutStatus.PARTIAL if unknown else LogoutStatus.SUCCESS


def _trace(
    context: Context,
    found: Target,
    request: VerifiedLogoutRequest,
    trace_id: str,
    *,
    ended: Ended,
) -> Trace:
    refusal = None
    if not ended.known:
        refusal = Refusal(errors.member_not_found, _UNKNOWN, "identity_provider")
    result = TraceStep(
        name=_UNKNOWN if refusal else "logout",
        expected="a member's sessions",
        received="nobody by this NameID" if refusal else f"{ended.count} ended",
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
