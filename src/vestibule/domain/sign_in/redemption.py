"""Authenticate: one sso_token becomes a member and a session, or an intermediate one."""

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from vestibule import errors
from vestibule.domain import (
    audit,
    connections,
    intermediate_sessions,
    oidc_tokens,
    organizations,
    outcome,
    requirements,
    sessions,
    traces,
)
from vestibule.domain.context import Context
from vestibule.domain.factors import with_factor
from vestibule.domain.outcome import Party, Unfinished, Wanted
from vestibule.domain.sessions import SessionView
from vestibule.domain.sign_in import provisioning, refusals
from vestibule.domain.sign_in.provisioning import Login, Overtaken
from vestibule.errors import Failure
from vestibule.ids import read_token, same_secret
from vestibule.log import logger
from vestibule.records import Factor, Member, Project, Registration, Session, SsoToken
from vestibule.store.interface import Conflict, Transaction

_MOST_ATTEMPTS: Final = 3
_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}", re.ASCII)
_TRIES: Final = 3


@dataclass(frozen=True, kw_only=True)
class Redemption:
    """What the application sends (semantics 2.4); '', {} and None stand for absent."""

    sso_token: str
    pkce_code_verifier: str = ""
    session_token: str = ""
    session_jwt: str = ""
    intermediate_session_token: str = ""
    wanted: Wanted


async def redeem(
    context: Context, project: Project, request: Redemption
) -> SessionView | Unfinished:
    """Use up an sso_token and log its identity in, all in one transaction.

    Raises Failure: the token (sso_token_not_found), PKCE, the session arguments, or the decision
    about the member; then nothing is changed but the token's count of wrong verifiers.
    """
    request.wanted.check()
    if request.session_token and request.session_jwt:
        raise Failure(errors.too_many_session_arguments)
    token = await _find(context, project, request.sso_token)
    await _check_pkce(context, token, request.pkce_code_verifier)
    for _ in range(_TRIES):
        try:
            async with context.store.write() as tx:
                return await _log_in(tx, context, project, token, request)
        except (Conflict, Overtaken) as error:
            logger().info("login overtaken", trace_id=token.trace_id, detail=str(error))
        except Failure as failure:
            await _note_refusal(context, token, failure)
            raise
    raise Failure(errors.server_unavailable, retry_after=1)


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
    await _count_attempt(context, token)
    raise Failure(errors.pkce_mismatch)


async def _count_attempt(context: Context, token: SsoToken) -> None:
    key = {"project_id": token.project_id, "token_id": token.token_id}
    async with context.store.write() as tx:
        current = await tx.sso_tokens.find(lock=True, **key)
        if current is not None:
            await tx.sso_tokens.change({"attempts": current.attempts + 1}, **key)


async def _log_in(
    tx: Transaction, context: Context, project: Project, token: SsoToken, request: Redemption
) -> SessionView | Unfinished:
    now = context.clock.now()
    used = await tx.sso_tokens.change(
        {"consumed_at": now, "provider_tokens": None},
        project_id=project.project_id,
        token_id=token.token_id,
        consumed_at=0,
        expires_at__gt=now,
        attempts__lt=_MOST_ATTEMPTS,
    )
    if not used:
        raise Failure(errors.sso_token_not_found)
    if 0 < token.identity.session_ends_at <= now:
        raise Failure(
            errors.expired_saml_response,
            "The person's session at the identity provider has ended; sign in again.",
        )
    login = await _login(tx, project, token)
    found = await provisioning.find(tx, login)
    requirements.require_standing(login.organization, found.member, now=now)
    waiting = await intermediate_sessions.find(
        tx, context, login.organization, found.member, request.intermediate_session_token
    )
    ties: set[str] = set()
    linked: Session | None = None
    if requirements.allows(login.organization, found.member, "sso"):
        member, registration = await provisioning.admit(tx, context, login, found)
        await oidc_tokens.keep(tx, context, token, registration)
        await traces.mend(tx, token)
        factor = _factor(token, registration, now=now)
        ties = provisioning.changed_ties(found, login.identity)
        linked = await _linked(tx, login, member, request, now=now)
        factors = with_factor(waiting.record.factors if waiting else (), factor)
    elif found.member is not None and waiting is not None:
        # Row 12: SSO is no method here, and nothing of it is kept. What waits goes on waiting.
        member, factors = found.member, waiting.record.factors
    else:
        raise Failure(errors.operation_restricted_by_organization_auth_methods)
    party = Party(project, login.organization, member)
    result: SessionView | Unfinished
    if linked is not None:
        result = await outcome.extend(tx, context, party, linked, factor, wanted=request.wanted)
    else:
        result = await outcome.conclude(
            tx, context, party, factors, waiting=waiting, wanted=request.wanted
        )
    await audit.record_login(tx, context, found.member, member, also=ties)
    return result


async def _login(tx: Transaction, project: Project, token: SsoToken) -> Login:
    """Return who logs in where. Raises Failure when the connection is no longer in use."""
    organization = await organizations.load(tx, project, token.organization_id)
    connection = await tx.connections.find(
        project_id=project.project_id,
        organization_id=token.organization_id,
        connection_id=token.connection_id,
    )
    if connection is None:
        raise Failure(errors.sso_connection_not_found)
    await connections.usable(tx, connection)
    return Login(project, organization, connection, token.identity)


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
        name_id=token.identity.name_id,
        name_id_format=token.identity.name_id_format,
        session_index=token.identity.session_index,
        ends_at=token.identity.session_ends_at,
        email_address=token.identity.email_address,
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
        lock=True,
    )
    return session if session.member_id == member.member_id else None


async def _note_refusal(context: Context, token: SsoToken, failure: Failure) -> None:
    """Tell the trace that the redemption refused what the callback had accepted."""
    refusal = refusals.of(failure)
    if refusal is None or refusal.error is errors.sso_token_not_found:
        return
    async with context.store.write() as tx:
        await traces.fail(tx, token, refusal)
        await audit.record(
            tx, context, "session.refuse", token, token.trace_id, reason=refusal.error.name
        )
