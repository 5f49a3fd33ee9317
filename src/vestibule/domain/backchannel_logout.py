"""Back-channel logout: an OpenID provider tells us, without a browser, whose sessions are over.

A logout token names a person, a session (`sid`), or a session of a person. What ends is what was
begun by them at this connection, also where another organization refers to it.
"""

from collections.abc import Sequence

from vestibule import errors
from vestibule.domain import audit, named_sessions, oidc_provider, traces
from vestibule.domain.context import Context
from vestibule.domain.named_sessions import AnySession
from vestibule.domain.sign_in import callback, refusals
from vestibule.domain.sign_in.callback import Target
from vestibule.errors import Failure
from vestibule.fetch import acting_for
from vestibule.oidc.errors import OidcError, Reason
from vestibule.oidc.expectation import LogoutExpectation
from vestibule.oidc.logout_token import VerifiedLogoutToken, verify_logout_token
from vestibule.records import Connection, Identity, OidcConfiguration, Replay, TraceStep
from vestibule.store.interface import Transaction


async def receive(context: Context, found: Target, token: str) -> None:
    """End the sessions that a logout token names.

    Raises Refused with its trace when the token is not good; then no session has ended.
    """
    trace_id = callback.new_trace_id(context, found)
    work = _receive(context, found, token, trace_id)
    await callback.recorded(context, found, work, trace_id=trace_id)


async def _receive(context: Context, found: Target, token: str, trace_id: str) -> None:
    oidc = found.connection.oidc
    if oidc is None:
        raise Failure(errors.oidc_connection_not_found)
    if found.connection.status != "active":
        raise Failure(errors.requires_active_sso_connection)
    with acting_for(found.connection.organization_id):
        logout = await _verified(context, oidc, token)
    now = context.clock.now()
    async with context.store.write() as tx:
        await _claim(tx, found, logout)
        places = await named_sessions.places_of(tx, found.connection)
        # Tokens first: one that is being redeemed has become a session by the time this ends.
        await named_sessions.use_up(tx, places, lambda each: _means(logout, each), now=now)
        ended = await named_sessions.end_living(
            tx,
            places,
            lambda each: _began(each, places, logout),
            external_id=logout.subject,
            now=now,
        )
        result = TraceStep(
            name="logout",
            expected="a member's sessions",
            received=f"{len(ended or ())} ended",
            passed=True,
        )
        steps = (*refusals.steps(logout.steps), result)
        await tx.traces.insert(
            traces.new(context, found.connection, trace_id=trace_id, sign_in_id="", steps=steps)
        )
        reason = f"asked by the identity provider of {found.connection.connection_id}"
        await audit.record_end(tx, context, "session.log_out", ended or (), reason=reason)


async def _verified(context: Context, oidc: OidcConfiguration, token: str) -> VerifiedLogoutToken:
    expectation = LogoutExpectation(
        issuer=oidc.issuer,
        client_id=oidc.client_id,
        clock_skew=oidc_provider.clock_skew(context),
    )
    keys = await oidc_provider.keys_for(context, oidc, token)
    return verify_logout_token(token, keys, expectation, now=context.clock.now())


async def _claim(tx: Transaction, found: Target, logout: VerifiedLogoutToken) -> None:
    """Use up the token; what it ended once may have begun anew since."""
    fresh = await tx.replays.insert_if_absent(
        Replay(
            project_id=found.project.project_id,
            organization_id=found.organization.organization_id,
            connection_id=found.connection.connection_id,
            assertion_id=f"logout-token:{logout.token_id}",
            expires_at=logout.replay_until,
        )
    )
    if not fresh:
        raise OidcError(
            Reason.LOGOUT_REPLAY,
            expected="a jti that has not been used",
            received=logout.token_id,
            steps=logout.steps,
        )


def _began(session: AnySession, places: Sequence[Connection], logout: VerifiedLogoutToken) -> bool:
    """Tell whether one of the logins behind `session` is what `logout` names."""
    ids = {place.connection_id for place in places}
    return any(
        _names(logout, factor.details["external_id"], factor.session_index)
        for factor in session.factors
        if factor.details.get("provider_id") in ids
    )


def _names(logout: VerifiedLogoutToken, external_id: str, session_id: str) -> bool:
    return logout.subject in {None, external_id} and logout.session_id in {None, session_id}


def _means(logout: VerifiedLogoutToken, identity: Identity) -> bool:
    return _names(logout, identity.external_id, identity.session_index)
