"""Authenticate: one sso_token becomes a member and a session, or an intermediate one."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.domain import intermediate_sessions, organizations, session_claims, sessions, traces
from vestibule.domain.context import Context
from vestibule.domain.sign_in import provisioning, refusals
from vestibule.domain.sign_in.provisioning import Login
from vestibule.errors import Failure
from vestibule.ids import read_token, same_secret
from vestibule.records import (
    Factor,
    IntermediateSession,
    Member,
    Organization,
    Project,
    Registration,
    Session,
    SsoToken,
)
from vestibule.store.interface import Conflict, Transaction

_MOST_ATTEMPTS: Final = 3
_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}", re.ASCII)
_TRIES: Final = 3


@dataclass(frozen=True, kw_only=True)
class Redemption:
    """What the application sends (semantics 2.4); '' and None stand for absent."""

    sso_token: str
    pkce_code_verifier: str = ""
    session_token: str = ""
    session_jwt: str = ""
    session_duration_minutes: int | None = None
    session_custom_claims: Mapping[str, Any] | None = None
    intermediate_session_token: str = ""


@dataclass(frozen=True)
class Redeemed:
    """The outcome: exactly one of `session` and `intermediate` is set."""

    member: Member
    organization: Organization
    session: Session | None
    session_token: str
    intermediate: IntermediateSession | None
    intermediate_token: str


@dataclass(frozen=True)
class _Terms:
    """The request with its duration (microseconds) and custom claims checked."""

    request: Redemption
    duration: int
    claims: Mapping[str, Any]


async def redeem(context: Context, project: Project, request: Redemption) -> Redeemed:
    """Use up an sso_token and log its identity in, all in one transaction.

    Raises Failure: the token (sso_token_not_found), PKCE, the session arguments, or the decision
    about the member; then nothing is changed but the token's count of wrong verifiers.
    """
    duration = sessions.lifetime(request.session_duration_minutes)
    claims = session_claims.merge({}, request.session_custom_claims or {})
    if request.session_token and request.session_jwt:
        raise Failure(errors.too_many_session_arguments)
    token = await _find(context, project, request.sso_token)
    await _check_pkce(context, token, request.pkce_code_verifier)
    terms = _Terms(request, duration, claims)
    for left in reversed(range(_TRIES)):
        try:
            async with context.store.write() as tx:
                return await _log_in(tx, context, project, token, terms)
        except (Conflict, Failure) as error:
            if left and _was_race(error):
                continue
            await _note_refusal(context, token, error)
            raise
    raise AssertionError("the last try returns or raises")


def _was_race(error: Conflict | Failure) -> bool:
    """True when somebody else may have made the same member meanwhile; a new try finds it."""
    return isinstance(error, Conflict) or error.error is errors.duplicate_member_email


async def _find(context: Context, project: Project, text: str) -> SsoToken:
    read = read_token(text)
    if read is None:
        raise Failure(errors.sso_token_not_found)
    async with context.store.read() as tx:
        token = await tx.sso_tokens.find(project_id=project.project_id, token_id=read.token_id)
    if token is None or not same_secret(token.secret_hash, read.secret_hash):
        raise Failure(errors.sso_token_not_found)
    spent = token.consumed_at or token.attempts >= _MOST_ATTEMPTS
    if spent or token.expires_at <= context.clock.now():
        raise Failure(errors.sso_token_not_found)
    return token


async def _check_pkce(context: Context, token: SsoToken, verifier: str) -> None:
    """Compare verifier and challenge (RFC 7636 4.6); the third wrong one ends the token."""
    if not token.pkce_code_challenge:
        if verifier:
            raise Failure(errors.pkce_did_not_expect_code_verifier)
        return
    if not verifier:
        raise Failure(errors.pkce_expected_code_verifier)
    if not _VERIFIER.fullmatch(verifier):
        raise Failure(errors.invalid_pkce_code_verifier)
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=")
    if same_secret(challenge, token.pkce_code_challenge.encode()):
        return
    async with context.store.write() as tx:
        await tx.sso_tokens.change(
            {"attempts": token.attempts + 1},
            project_id=token.project_id,
            token_id=token.token_id,
            attempts=token.attempts,
        )
    raise Failure(errors.pkce_mismatch)


async def _log_in(
    tx: Transaction, context: Context, project: Project, token: SsoToken, terms: _Terms
) -> Redeemed:
    now = context.clock.now()
    used = await tx.sso_tokens.change(
        {"consumed_at": now},
        project_id=project.project_id,
        token_id=token.token_id,
        consumed_at=0,
        expires_at__gt=now,
        attempts__lt=_MOST_ATTEMPTS,
    )
    if not used:
        raise Failure(errors.sso_token_not_found)
    organization = await organizations.load(tx, project, token.organization_id)
    connection = await tx.connections.find(
        project_id=project.project_id,
        organization_id=token.organization_id,
        connection_id=token.connection_id,
    )
    if connection is None or connection.status != "active":
        raise Failure(errors.sso_connection_not_found)
    login = Login(project, organization, connection, token.identity)
    member, registration = await provisioning.find_or_create(tx, context, login)
    factor = _factor(token, registration, now=now)
    linked = await _linked(tx, login, member, terms.request, now=now)
    if linked is not None:
        session = await _add_factor(tx, linked, factor, terms, now=now)
        return Redeemed(
            member, organization, session, sessions.token_of(context, session), None, ""
        )
    return await _begin(tx, context, login, member, factor, terms)


async def _begin(  # noqa: PLR0917 - the parties of one session
    tx: Transaction,
    context: Context,
    login: Login,
    member: Member,
    factor: Factor,
    terms: _Terms,
) -> Redeemed:
    """Mint a session, or an intermediate one where a second factor is still missing."""
    organization, given = login.organization, terms.request.intermediate_session_token
    earlier = await intermediate_sessions.find(tx, context, organization, member, given)
    factors = (*(earlier.factors if earlier else ()), factor)
    if not intermediate_sessions.is_enough(organization, member, factors):
        if earlier is not None:
            kept = await intermediate_sessions.add_factor(tx, earlier, factor)
            return Redeemed(member, organization, None, "", kept, given)
        made, text = await intermediate_sessions.start(tx, context, member, factors=factors)
        return Redeemed(member, organization, None, "", made, text)
    if earlier is not None:
        await intermediate_sessions.consume(tx, earlier)
    session, text = await sessions.start(
        tx,
        context,
        login.project,
        member,
        factors=factors,
        duration=terms.duration,
        custom_claims=terms.claims,
    )
    return Redeemed(member, organization, session, text, None, "")


def _factor(token: SsoToken, registration: Registration, *, now: int) -> Factor:
    return Factor(
        type="sso",
        delivery_method=f"sso_{token.protocol}",
        details_name=f"{token.protocol}_sso_factor",
        details={
            "id": registration.registration_id,
            "provider_id": registration.connection_id,
            "external_id": registration.external_id,
        },
        last_authenticated_at=now,
        created_at=now,
        updated_at=now,
    )


async def _linked(
    tx: Transaction, login: Login, member: Member, request: Redemption, *, now: int
) -> Session | None:
    """Return the session to add the factor to; another member's session is ignored."""
    if not request.session_token and not request.session_jwt:
        return None
    session = await sessions.find(
        tx,
        login.project,
        session_token=request.session_token,
        session_jwt_text=request.session_jwt,
        now=now,
    )
    return session if session.member_id == member.member_id else None


async def _add_factor(
    tx: Transaction, session: Session, factor: Factor, terms: _Terms, *, now: int
) -> Session:
    """Add the factor in place of an older one of the same connection."""
    same = factor.details["provider_id"]
    others = tuple(f for f in session.factors if f.details.get("provider_id") != same)
    changed = replace(
        session,
        factors=(*others, factor),
        custom_claims=session_claims.merge(session.custom_claims, terms.claims),
        last_accessed_at=now,
        expires_at=now + terms.duration,
    )
    await tx.sessions.update(changed)
    return changed


async def _note_refusal(context: Context, token: SsoToken, error: Conflict | Failure) -> None:
    """Tell the trace that the redemption refused what the callback had accepted."""
    refusal = refusals.of(error)
    if refusal is None or refusal.error is errors.sso_token_not_found:
        return
    async with context.store.write() as tx:
        await traces.fail(
            tx,
            project_id=token.project_id,
            organization_id=token.organization_id,
            trace_id=token.trace_id,
            refusal=refusal,
        )
