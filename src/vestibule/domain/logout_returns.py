"""The way back from an identity provider: its answer verified, the browser sent on, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vestibule.domain import logout_messages, logouts, traces
from vestibule.domain.context import Context
from vestibule.domain.logout_messages import Message
from vestibule.domain.sign_in import callback, refusals
from vestibule.domain.sign_in.callback import Target
from vestibule.domain.sign_in.refusals import Refusal
from vestibule.records import ConnectionKey, SamlConfiguration, TraceStep
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.logout import verify_logout_response
from vestibule.saml.response import peek_in_response_to

Outcome = Literal["complete", "partial", "failed"]


@dataclass(frozen=True)
class Returned:
    """Where the browser ends up, and what the identity provider has ended.

    "partial": its own session, but not those of every other application. "failed": not even that.
    """

    url: str
    outcome: Outcome


async def answered(
    context: Context,
    found: Target,
    saml: SamlConfiguration,
    message: Message,
    keys: Sequence[ConnectionKey],
    *,
    trace_id: str,
) -> Returned:
    """Verify a LogoutResponse to one of our requests, once, and return where the browser goes.

    Raises SamlError, or Failure duplicate_saml_response or expired_saml_response. A status other
    than Success is no refusal but the outcome "failed": our own session has ended (SP-64).
    """
    now = context.clock.now()
    claimed = peek_in_response_to(message.data) or "none"
    async with context.store.read() as tx:
        logout = await tx.logouts.find(**logouts.at(found), request_id=claimed)
    if logout is None:
        raise SamlError(
            Reason.SAML_IN_RESPONSE_TO, expected="a LogoutRequest of ours", received=claimed
        )
    expectation = logout_messages.expectation(context, found, saml, keys)
    outcome: Outcome = "failed"
    refusal: Refusal | None = None
    try:
        verified = verify_logout_response(
            message.signed, expectation, request_id=logout.request_id, now=now
        )
    except SamlError as error:
        if error.reason is not Reason.SAML_STATUS:
            raise
        refusal = refusals.of(error)
        steps = refusal.steps if refusal is not None else ()
    else:
        outcome = "partial" if verified.partial else "complete"
        steps = (*refusals.steps(verified.steps), _result(outcome))
    async with context.store.write() as tx:
        await logouts.consume(tx, logout, now=now)
        trace = traces.new(
            context,
            found.connection,
            trace_id=trace_id,
            sign_in_id="",
            steps=steps,
            refusal=refusal,
        )
        await tx.traces.insert(trace)
    return Returned(logout.redirect_url, outcome)


async def returned(context: Context, found: Target, state: str) -> Returned:
    """Take a browser back from an OpenID provider, once (RP-Initiated Logout 1.0, 3).

    The provider says nothing of what it has ended. Raises Refused with its trace.
    """
    trace_id = callback.new_trace_id(context, found)
    return await callback.recorded(
        context, found, _returned(context, found, state, trace_id), trace_id=trace_id
    )


async def _returned(context: Context, found: Target, state: str, trace_id: str) -> Returned:
    now = context.clock.now()
    async with context.store.write() as tx:
        logout = await logouts.find(tx, found, state, now=now)
        await logouts.consume(tx, logout, now=now)
        steps = (_result("complete"),)
        trace = traces.new(context, found.connection, trace_id=trace_id, sign_in_id="", steps=steps)
        await tx.traces.insert(trace)
    return Returned(logout.redirect_url, "complete")


def _result(outcome: Outcome) -> TraceStep:
    return TraceStep(name="logout", expected="complete", received=outcome, passed=True)
