"""The SAML callback: from a posted Response to an sso_token (security.md 3.2)."""

from dataclasses import dataclass

from msgspec.structs import replace

from vestibule import errors
from vestibule.clock import SECOND, rfc3339
from vestibule.domain import connections, traces
from vestibule.domain.connection_settings import demands
from vestibule.domain.context import Context
from vestibule.domain.pinned_certificates import pinned
from vestibule.domain.private_keys import decryption_keys
from vestibule.domain.sign_in import browser_binding, callback, logged_out, refusals
from vestibule.domain.sign_in.browser_binding import Binding
from vestibule.domain.sign_in.callback import Done, Target
from vestibule.domain.sign_in.groups import or_none_at_all
from vestibule.domain.sign_in.mapping import saml_identity
from vestibule.errors import Failure
from vestibule.log import logger
from vestibule.records import ConnectionKey, Identity, SamlConfiguration, SignIn, TraceStep
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.response import (
    Expectation,
    VerifiedAssertion,
    peek_in_response_to,
    read_form_field,
    verify_response,
)
from vestibule.store.interface import Transaction


@dataclass(frozen=True, kw_only=True)
class SamlAnswer:
    """What the browser posted. `reposted` is True after the one hop from our own origin."""

    saml_response: str
    relay_state: str
    cookie: str
    reposted: bool


class CookieWanted(Exception):
    """The sign-in is known but its cookie did not come: let the browser post again from our page.

    A cross-site POST carries no SameSite=Lax cookie; the same form posted from our own origin does.
    """


def repost_url(context: Context, found: Target) -> str:
    """Return where the one hop goes when a gateway on another host passed the answer on.

    The cookie belongs to our own host, so the browser has to come here itself. '' where the
    connection has no gateway (`allow_gateway_callback`): the page posts to where it was reached.
    """
    saml = found.connection.saml
    if saml is None or not saml.allow_gateway_callback:
        return ""
    return connections.service_provider_url(context.settings, found.connection.connection_id)


async def complete(context: Context, found: Target, answer: SamlAnswer) -> Done:
    """Verify a posted Response and mint the sso_token.

    Raises CookieWanted once, and Refused (with its trace) for everything that is wrong with the
    answer. Nothing is changed unless all is well.
    """
    trace_id = callback.new_trace_id(context, found)
    work = _complete(context, found, answer, trace_id)
    return await callback.recorded(
        context,
        found,
        work,
        trace_id=trace_id,
        token=answer.relay_state,
        message=answer.saml_response,
    )


async def _complete(context: Context, found: Target, answer: SamlAnswer, trace_id: str) -> Done:
    saml = found.connection.saml
    if saml is None or found.connection.status != "active":
        raise Failure(errors.requires_active_sso_connection)
    data = read_form_field(answer.saml_response)
    async with context.store.read() as tx:
        sign_in = await callback.find_sign_in(tx, found, answer.relay_state)
        keys = await tx.connection_keys.all(
            project_id=found.project.project_id,
            organization_id=found.organization.organization_id,
            connection_id=found.connection.connection_id,
        )
    now = context.clock.now()
    _check_binding(sign_in, saml, data, answer, now=now)
    expectation = _expectation(context, found, sign_in, saml, keys)
    assertion = verify_response(data, expectation, now=now)
    if sign_in is not None and saml.policy.force_authn:
        _require_fresh(assertion, since=sign_in.created_at - expectation.clock_skew)
    identity = _identity(assertion, saml)
    async with context.store.write() as tx:
        # Before the sign-in: the same answer for the second time is to be called just that.
        await callback.claim_assertion(
            tx, found, assertion.assertion_id, until=assertion.replay_until, now=now
        )
        await logged_out.refuse(
            tx,
            found,
            assertion,
            begun=sign_in.created_at if sign_in else assertion.issued_at,
        )
        if sign_in is not None and not await callback.consume(tx, sign_in, now=now):
            raise Failure(errors.unsolicited_saml_response)
        steps = (*refusals.steps(assertion.steps), *_tolerated(found, assertion))
        if sign_in is None and saml.policy.idp_initiated_roundtrip:
            return await _around(tx, context, found, trace_id=trace_id, steps=steps)
        return await callback.accept(
            tx, context, found, sign_in, identity, trace_id=trace_id, steps=steps
        )


def _identity(assertion: VerifiedAssertion, saml: SamlConfiguration) -> Identity:
    identity = saml_identity(assertion, saml.attribute_mapping or {})
    if saml.policy.cap_sessions:
        identity = replace(identity, session_ends_at=assertion.session_not_on_or_after or 0)
    return or_none_at_all(identity) if saml.policy.absent_groups_mean_none else identity


def _tolerated(found: Target, assertion: VerifiedAssertion) -> tuple[TraceStep, ...]:
    """Say in the log and in the trace what a policy or the time let pass."""
    if assertion.warnings:
        logger().warning(
            "assertion tolerated",
            connection_id=found.connection.connection_id,
            warnings=list(assertion.warnings),
        )
    return tuple(
        TraceStep(name="tolerated", expected="", received=warning, passed=True)
        for warning in assertion.warnings
    )


async def _around(
    tx: Transaction,
    context: Context,
    found: Target,
    *,
    trace_id: str,
    steps: tuple[TraceStep, ...],
) -> Done:
    """Send the browser to our own start: the sign-in that counts is then bound to it."""
    tokens = await tx.public_tokens.all(
        project_id=found.project.project_id, order="created_at", limit=1
    )
    if not tokens:
        raise Failure(errors.public_token_not_found)
    trace = traces.new(context, found.connection, trace_id=trace_id, sign_in_id="", steps=steps)
    await tx.traces.insert(trace)
    connection_id = found.connection.connection_id
    return Done(
        connections.start_url(context.settings, connection_id, tokens[0].public_token), trace_id
    )


def _check_binding(
    sign_in: SignIn | None, saml: SamlConfiguration, data: bytes, answer: SamlAnswer, *, now: int
) -> None:
    """Pass when this browser may bring this answer, before any work is done on it.

    An answer that names a request but comes without its RelayState is not taken for an
    IdP-initiated one (SP-21): the request's browser binding would be lost.
    """
    if sign_in is None:
        if peek_in_response_to(data) is not None:
            raise Failure(errors.missing_saml_relay_state)
        if saml.idp_initiated_auth_disabled:
            raise Failure(errors.saml_idp_initiated_auth_disabled)
        return
    if sign_in.expires_at <= now:
        raise Failure(errors.expired_saml_response, "The login took too long; sign in again.")
    binding = browser_binding.compare(sign_in, answer.cookie)
    if binding is Binding.MISSING:
        if not answer.reposted:
            raise CookieWanted
        raise Failure(errors.missing_saml_csrf_cookie)
    if binding is Binding.OTHER:
        raise Failure(errors.saml_csrf_cookie_mismatch)


def _require_fresh(assertion: VerifiedAssertion, *, since: int) -> None:
    """Pass when the person was asked anew, as ForceAuthn demands (SAML Core 3.4.1).

    Not every identity provider heeds it. Raises SamlError `saml.stale`.
    """
    at = assertion.authenticated_at
    if at is None or at < since:
        error = SamlError(
            Reason.SAML_STALE,
            expected=f"an AuthnInstant at or after {rfc3339(since)}",
            received="none" if at is None else rfc3339(at),
        )
        raise error.after(assertion.steps)


def _expectation(
    context: Context,
    found: Target,
    sign_in: SignIn | None,
    saml: SamlConfiguration,
    keys: list[ConnectionKey],
) -> Expectation:
    url = connections.service_provider_url(context.settings, found.connection.connection_id)
    return Expectation(
        idp_entity_id=saml.idp_entity_id,
        keys=pinned(keys),
        acs_urls=tuple(filter(None, (url, saml.alternative_acs_url))),
        audiences=tuple(filter(None, (url, saml.alternative_audience_uri))),
        request_id=sign_in.request_id if sign_in else None,
        clock_skew=context.settings.clock_skew_seconds * SECOND,
        decryption_keys=decryption_keys(context.sealer, keys),
        **demands(saml.policy),
    )
