"""Sessions: started, authenticated, extended, listed (semantics 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from vestibule import errors
from vestibule.clock import DAY, MINUTE, SECOND
from vestibule.domain import (
    members,
    organizations,
    policy,
    roles,
    session_claims,
    session_jwt,
    signing_keys,
)
from vestibule.domain.caller import Caller
from vestibule.domain.context import Context
from vestibule.domain.factors import capped, impersonates
from vestibule.domain.members import MemberView
from vestibule.domain.organizations import OrganizationView
from vestibule.errors import Failure
from vestibule.ids import read_token, same_secret
from vestibule.records import Factor, Member, Organization, Project, Session
from vestibule.store.interface import Transaction

DEFAULT_MINUTES: Final = 60
_SHORTEST: Final = 5 * MINUTE
_LONGEST: Final = 366 * DAY
# `last_accessed_at` is written at most this often: a durable write per check would cost more than
# everything else in it, and nothing is decided by the value.
_TOUCH_AFTER: Final = 30 * SECOND
_TOKEN_PURPOSE: Final = "session-token"  # noqa: S105 - a name, not a secret


@dataclass(frozen=True)
class SessionView:
    """A session with all that an answer shows of it."""

    session: Session
    roles: tuple[str, ...]
    token: str
    jwt: str
    member: MemberView
    organization: OrganizationView


@dataclass(frozen=True)
class Check:
    """An authorization to be checked along with a session (semantics 5.2)."""

    organization_id: str
    resource_id: str
    action: str


def lifetime(minutes: int | None) -> int:
    """Return `minutes` (the default when None) in microseconds. Raises Failure out of bounds."""
    duration = (DEFAULT_MINUTES if minutes is None else minutes) * MINUTE
    if not _SHORTEST <= duration <= _LONGEST:
        raise Failure(errors.invalid_session_duration_minutes)
    return duration


def one_of(token: str, jwt: str) -> None:
    """Pass when exactly one of the two ways to name a session is given. Raises Failure."""
    if token and jwt:
        raise Failure(errors.too_many_session_arguments)
    if not token and not jwt:
        raise Failure(errors.no_session_arguments)


async def start(
    tx: Transaction,
    context: Context,
    project: Project,
    member: Member,
    *,
    factors: tuple[Factor, ...],
    duration: int,
    custom_claims: Mapping[str, Any],
) -> tuple[Session, str]:
    """Begin a session of `member` for `duration` microseconds; return it and its opaque token."""
    now = context.clock.now()
    token = context.mint_token()
    session = Session(
        session_id=context.new_id("session", project),
        token_id=token.token_id,
        secret_hash=token.secret_hash,
        sealed_token=context.sealer.seal(token.text.encode(), purpose=_TOKEN_PURPOSE),
        project_id=project.project_id,
        organization_id=member.organization_id,
        member_id=member.member_id,
        factors=factors,
        custom_claims=custom_claims,
        started_at=now,
        last_accessed_at=now,
        expires_at=capped(now + duration, factors),
    )
    await tx.sessions.insert(session)
    return session, token.text


async def find(
    tx: Transaction,
    project: Project,
    *,
    session_token: str,
    session_jwt_text: str,
    now: int,
    lock: bool = False,
) -> Session:
    """Return the living session that a token or a JWT names.

    With `lock` it stays as it is until the transaction ends. Raises Failure
    invalid_session_token, unable_to_parse_session_jwt, jwt_invalid_* or session_not_found.
    """
    if session_token:
        session = await _by_token(tx, project, session_token, lock=lock)
    else:
        session = await _by_jwt(tx, project, session_jwt_text, now=now, lock=lock)
    if session is None or session.expires_at <= now:
        raise Failure(errors.session_not_found)
    return session


async def authenticate(
    context: Context,
    project: Project,
    *,
    session_token: str = "",
    session_jwt: str = "",
    duration_minutes: int | None = None,
    custom_claims: Mapping[str, Any] | None = None,
    check: Check | None = None,
) -> tuple[SessionView, tuple[str, ...]]:
    """Check a session, extend it when asked, and return it with a fresh JWT.

    Also returns the ids of the roles that grant `check` (empty without one). Raises Failure:
    those of `find` and `owner`, a bad duration or claims, or a 403 when the roles do not grant
    `check`; then nothing is changed.
    """
    one_of(session_token, session_jwt)
    duration = None if duration_minutes is None else lifetime(duration_minutes)
    now = context.clock.now()
    named = partial(find, session_token=session_token, session_jwt_text=session_jwt, now=now)
    async with context.store.read() as tx:
        session = await named(tx, project)
        idle = now - session.last_accessed_at
        if duration is None and not custom_claims and idle <= _TOUCH_AFTER:
            return await _checked(tx, context, project, session, session_token, check, now=now)
    async with context.store.write() as tx:
        # The row is locked, so that two calls that merge claims do not lose any.
        session = await named(tx, project, lock=True)
        session = await change(
            tx,
            session,
            expires_at=session.expires_at if duration is None else now + duration,
            custom_claims=custom_claims or {},
            now=now,
        )
        return await _checked(tx, context, project, session, session_token, check, now=now)


async def change(
    tx: Transaction,
    session: Session,
    *,
    factors: tuple[Factor, ...] | None = None,
    custom_claims: Mapping[str, Any],
    expires_at: int,
    now: int,
) -> Session:
    """Write what a use of `session`, locked by the caller, changes; `factors` None keeps them.

    Raises Failure session_not_mutable where it impersonates: it gains neither time nor a factor.
    """
    if impersonates(session.factors) and (factors or expires_at != session.expires_at):
        raise Failure(errors.session_not_mutable)
    held = session.factors if factors is None else factors
    changed = replace(
        session,
        factors=held,
        custom_claims=session_claims.merge(session.custom_claims, custom_claims),
        last_accessed_at=now,
        expires_at=capped(expires_at, held),
    )
    await tx.sessions.update(changed)
    return changed


async def view(  # noqa: PLR0917 - the parties of one session
    tx: Transaction,
    context: Context,
    project: Project,
    session: Session,
    organization: Organization,
    member: Member,
    *,
    token: str = "",
) -> SessionView:
    """Return `session` of `member` with roles, token and a new JWT."""
    now = context.clock.now()
    member_view = await members.view(tx, project, organization, member)
    role_ids = roles.session_roles(member_view.grants, session.factors)
    keys = await signing_keys.published(tx, project.project_id, now=now)
    key = signing_keys.current(keys, now=now)
    if key is None:
        raise RuntimeError(f"{project.project_id} has no signing key")
    jwt = session_jwt.mint(
        session,
        organization,
        roles=role_ids,
        key_id=key.key_id,
        key=signing_keys.signer(context, key),
        now=now,
    )
    return SessionView(
        session,
        role_ids,
        token or token_of(context, session),
        jwt,
        member_view,
        await organizations.view(tx, project, organization),
    )


def token_of(context: Context, session: Session) -> str:
    """Return the session's opaque token, read back for a caller who proved the session."""
    return context.sealer.unseal(session.sealed_token, purpose=_TOKEN_PURPOSE).decode()


async def caller(
    context: Context, project: Project, *, session_token: str, session_jwt: str
) -> Caller:
    """Return the member on whose behalf a call is made. Raises those of `find` and `owner`."""
    now = context.clock.now()
    async with context.store.read() as tx:
        session = await find(
            tx, project, session_token=session_token, session_jwt_text=session_jwt, now=now
        )
        organization, member = await owner(tx, project, session)
        seen = await members.view(tx, project, organization, member)
    known = policy.roles_of(policy.project_policy(project), organization)
    held = roles.session_roles(seen.grants, session.factors)
    return Caller(session=session, roles=tuple(known[name] for name in held if name in known))


async def of_member(
    context: Context, project: Project, *, organization_id: str, member_id: str
) -> list[tuple[Session, tuple[str, ...], Organization]]:
    """Return a member's living sessions with their roles, oldest first."""
    now = context.clock.now()
    async with context.store.read() as tx:
        organization = await organizations.load(tx, project, organization_id)
        member = await members.load(tx, organization, member_id)
        seen = await members.view(tx, project, organization, member)
        found = await tx.sessions.all(
            project_id=project.project_id,
            organization_id=organization.organization_id,
            member_id=member.member_id,
            expires_at__gt=now,
        )
    return [(item, roles.session_roles(seen.grants, item.factors), organization) for item in found]


async def _by_token(tx: Transaction, project: Project, text: str, *, lock: bool) -> Session | None:
    token = read_token(text)
    if token is None:
        raise Failure(errors.invalid_session_token)
    session = await tx.sessions.find(
        lock=lock, project_id=project.project_id, token_id=token.token_id
    )
    if session is None or not same_secret(session.secret_hash, token.secret_hash):
        return None
    return session


async def _by_jwt(
    tx: Transaction, project: Project, text: str, *, now: int, lock: bool
) -> Session | None:
    keys = await signing_keys.published(tx, project.project_id, now=now)
    reference = session_jwt.read(text, keys, project_id=project.project_id)
    return await tx.sessions.find(
        lock=lock,
        project_id=project.project_id,
        organization_id=reference.organization_id,
        session_id=reference.session_id,
        member_id=reference.member_id,
    )


async def owner(tx: Transaction, project: Project, session: Session) -> tuple[Organization, Member]:
    """Return whose session it is. One whose owner is just being deleted has ended.

    Raises Failure session_not_found, or organization_suspended.
    """
    try:
        organization = await organizations.load(tx, project, session.organization_id)
        member = await members.load(tx, organization, session.member_id)
    except Failure:
        raise Failure(errors.session_not_found) from None
    if organization.suspended_at:
        raise Failure(errors.organization_suspended)
    return organization, member


async def _checked(  # noqa: PLR0917 - one authentication
    tx: Transaction,
    context: Context,
    project: Project,
    session: Session,
    token: str,
    check: Check | None,
    *,
    now: int,
) -> tuple[SessionView, tuple[str, ...]]:
    organization, member = await owner(tx, project, session)
    used = replace(session, last_accessed_at=now)
    seen = await view(tx, context, project, used, organization, member, token=token)
    return seen, _granting(project, seen, check)


def _granting(project: Project, seen: SessionView, check: Check | None) -> tuple[str, ...]:
    if check is None:
        return ()
    organization = seen.organization.organization
    locators = {
        organization.organization_id,
        organization.organization_slug,
        organization.organization_external_id,
    }
    if check.organization_id not in locators:
        raise Failure(errors.session_authorization_tenancy_error)
    known = policy.roles_of(policy.project_policy(project), organization)
    held = [known[name] for name in seen.roles if name in known]
    granting = tuple(
        role.role_id
        for role in held
        if Caller(session=seen.session, roles=(role,)).may(check.resource_id, check.action)
    )
    if not granting:
        raise Failure(errors.session_authorization_error)
    return granting
